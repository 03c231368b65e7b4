//! A block of rows as columns. In: text that holds whole rows, and what each column is to be. Out: numbers, or texts by
//! their distinct values, or an error that names line and column. Blocks are parsed apart, on all cores.

use std::borrow::Cow;
use std::path::Path;

use foldhash::HashMap;
use memchr::{memchr, memchr_iter};

use crate::data::cell::is_code;
use crate::data::column::Categorical;
use crate::data::form::NumberForm;
use crate::data::read::csv::scan::{Cell, End, Scanner};
use crate::data::read::encoding::not_utf8;
use crate::data::read_as::{ReadAs, Strays};
use crate::data::reading::Reading;
use crate::error::{Error, Place, Result, shorten};

/// Whole rows of a file.
pub(in crate::data) struct Block {
    pub bytes: Vec<u8>,
    /// The line on which they begin, counted from 1.
    pub line: u64,
}

/// As what a column's cells are parsed; what they are is decided when all are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::data) enum Parsed {
    Skip,
    /// `fast`: what looks like a number to a program is one.
    Number {
        fast: bool,
    },
    Text,
}

impl Parsed {
    /// As what the cells of a column are parsed at first.
    pub fn of(how: ReadAs, reading: &Reading) -> Self {
        // A number among the words for missing cells makes it necessary to look at each number's text.
        let fast = !reading.missing.more.iter().any(|word| word.parse::<f64>().is_ok());
        match how {
            ReadAs::Skip => Self::Skip,
            ReadAs::Infer | ReadAs::Target | ReadAs::Number(_) if reading.marks().is_none() => Self::Number { fast },
            ReadAs::Written(form, _) => Self::Number { fast: fast && form.is_plain() },
            _ => Self::Text,
        }
    }
}

/// Cells that their column can't take, or of which there is something to say.
#[derive(Clone, Debug, Default)]
pub(in crate::data) struct StrayCells {
    pub count: usize,
    /// The row of the first one.
    pub first: usize,
    /// Some of them, the first one first.
    pub examples: Vec<String>,
}

impl StrayCells {
    fn push(&mut self, row: usize, cell: &str) {
        if self.count == 0 {
            self.first = row;
        }
        self.count += 1;
        if self.examples.len() < EXAMPLES && !self.examples.iter().any(|known| known == cell) {
            self.examples.push(cell.into());
        }
    }

    /// Adds those of a block that stands behind so many rows.
    pub fn append(&mut self, more: Self, rows: usize) {
        if self.count == 0 {
            self.first = rows + more.first;
        }
        self.count += more.count;
        let known = more.examples.into_iter().filter(|cell| !self.examples.contains(cell)).collect::<Vec<_>>();
        self.examples.extend(known);
        self.examples.truncate(EXAMPLES);
    }
}

/// Examples of cells that are kept.
const EXAMPLES: usize = 3;

/// A column's cells in one block.
pub(in crate::data) enum Piece<'b> {
    Skipped,
    Number {
        fast: bool,
        values: Vec<f64>,
        /// The first infinite number of a column that may turn out to be one of texts.
        infinite: Option<(usize, String)>,
        strays: StrayCells,
        /// Numbers that may be codes.
        codes: StrayCells,
    },
    Text {
        /// Numbers of the texts, also of those that stand for a missing cell.
        known: HashMap<Cow<'b, str>, u32>,
        labels: Vec<Cow<'b, str>>,
        codes: Vec<u32>,
    },
    /// There was something else in what might have been numbers as programs write them.
    Turned,
}

/// A block's cells.
pub(in crate::data) struct Chunk<'b> {
    pub pieces: Vec<Piece<'b>>,
    pub rows: usize,
    /// Rows (from 0) and their lines, for the first row and those that do not stand one line below the row before.
    pub lines: Vec<(usize, u64)>,
}

/// What there is to know of a file's rows.
pub(in crate::data) struct Parser<'a> {
    pub path: &'a Path,
    pub names: &'a [String],
    pub kinds: &'a [ReadAs],
    pub parsed: &'a [Parsed],
    pub reading: &'a Reading,
    pub delimiter: u8,
}

impl Parser<'_> {
    pub fn parse<'b>(&self, block: &'b Block) -> Result<Chunk<'b>> {
        let mut pieces: Vec<Piece> = self.parsed.iter().map(|&parsed| Piece::new(parsed)).collect();
        // A blank line of a single column is a cell that is missing.
        let lone = self.names.len() == 1;
        let mut scanner = Scanner::new(&block.bytes, self.delimiter);
        let quoted = memchr(b'"', &block.bytes).is_some();
        let (mut rows, mut lines, mut line, mut expected) = (0, Vec::new(), block.line, 0);
        while !scanner.is_done() {
            let start = scanner.at;
            let (mut count, mut blank) = (0, false);
            loop {
                let end = match pieces.get_mut(count).and_then(|piece| piece.push_number(&mut scanner)) {
                    Some(end) => end,
                    None => {
                        let Cell { bytes, end, quoted } = scanner.cell();
                        blank = !lone && count == 0 && end != End::Cell && !quoted && bytes.trim_ascii().is_empty();
                        if let Some(piece) = pieces.get_mut(count).filter(|_| !blank) {
                            piece
                                .push(bytes, self.kinds[count], self.reading, rows)
                                .map_err(|fault| self.error(fault, line, &self.names[count], &block.bytes))?;
                        }
                        end
                    }
                };
                count += 1;
                if end != End::Cell {
                    break;
                }
            }
            if !blank {
                if count != self.names.len() {
                    return Err(self.ragged(count, line, quoted));
                }
                if line != expected {
                    lines.push((rows, line));
                }
                rows += 1;
                expected = line + 1;
            }
            line += if quoted { memchr_iter(b'\n', &block.bytes[start..scanner.at]).count() as u64 } else { 1 };
        }
        Ok(Chunk { pieces, rows, lines })
    }

    fn ragged(&self, found: usize, line: u64, quoted: bool) -> Error {
        let expected = self.names.len();
        let plural = if found == 1 { "" } else { "s" };
        let hint = if found < expected && quoted { "; is a quote not closed?" } else { "" };
        let problem = format!("{found} cell{plural}, where the header has {expected}{hint}");
        Error::MalformedTable { path: self.path.into(), place: Place::Line(line), problem }
    }

    fn error(&self, fault: CellFault, line: u64, name: &str, text: &[u8]) -> Error {
        let (path, place, column) = (self.path.to_path_buf(), Place::Line(line), name.to_string());
        match fault {
            CellFault::NotANumber(cell) => Error::NotANumber { path, place, column, cell },
            CellFault::Infinite(cell) => Error::NonFinite { path, place, column, cell },
            CellFault::NotUtf8 => {
                let problem = not_utf8(&shorten(name), text);
                Error::MalformedTable { path, place, problem }
            }
            CellFault::TooMany => {
                let problem = format!("column `{}` has more distinct texts than can be told apart", shorten(name));
                Error::MalformedTable { path, place, problem }
            }
        }
    }
}

/// What is wrong with a cell.
enum CellFault {
    NotANumber(String),
    Infinite(String),
    NotUtf8,
    TooMany,
}

impl<'b> Piece<'b> {
    fn new(parsed: Parsed) -> Self {
        match parsed {
            Parsed::Skip => Self::Skipped,
            Parsed::Number { fast } => {
                let (values, infinite) = (Vec::new(), None);
                Self::Number { fast, values, infinite, strays: StrayCells::default(), codes: StrayCells::default() }
            }
            Parsed::Text => Self::Text { known: HashMap::default(), labels: Vec::new(), codes: Vec::new() },
        }
    }

    /// Takes the next cell, if it is a number among numbers; says what ends it.
    fn push_number(&mut self, scanner: &mut Scanner<'_>) -> Option<End> {
        let Self::Number { fast: true, values, .. } = self else { return None };
        let (number, end) = scanner.number()?;
        values.push(number);
        Some(end)
    }

    fn push(&mut self, cell: Cow<'b, [u8]>, kind: ReadAs, reading: &Reading, row: usize) -> Result<(), CellFault> {
        match self {
            Self::Skipped | Self::Turned => Ok(()),
            Self::Number { .. } => {
                let bytes = cell.trim_ascii();
                match kind {
                    ReadAs::Written(form, strays) => self.push_written(bytes, form, strays, reading, row),
                    _ => {
                        self.push_plain(bytes, kind, reading, row);
                        Ok(())
                    }
                }
            }
            Self::Text { known, labels, codes } => {
                let text = trimmed(cell).ok_or(CellFault::NotUtf8)?;
                let code = match known.get(&text) {
                    Some(&code) => code,
                    None if kind != ReadAs::Verbatim && reading.missing.contains(&text) => {
                        *known.entry(text).or_insert(Categorical::MISSING)
                    }
                    None => {
                        let code = u32::try_from(labels.len()).map_err(|_| CellFault::TooMany)?;
                        labels.push(text.clone());
                        *known.entry(text).or_insert(code)
                    }
                };
                codes.push(code);
                Ok(())
            }
        }
    }

    /// A cell of a column that may be one of numbers as programs write them.
    fn push_plain(&mut self, cell: &[u8], kind: ReadAs, reading: &Reading, row: usize) {
        let Self::Number { values, infinite, codes, .. } = self else { return };
        let text = std::str::from_utf8(cell).ok();
        if text.is_some_and(|text| reading.missing.contains(text)) {
            return values.push(f64::NAN);
        }
        match fast_float2::parse::<f64, _>(cell) {
            Ok(value) if !value.is_nan() && !text.is_some_and(|text| kind.goes_by_text(text, value)) => {
                if value.is_infinite() && infinite.is_none() {
                    *infinite = Some((row, lossy(cell)));
                }
                if kind == ReadAs::Infer
                    && let Some(text) = text.filter(|text| is_code(text))
                {
                    codes.push(row, text);
                }
                values.push(value);
            }
            _ => *self = Self::Turned,
        }
    }

    /// A cell of a column whose form is known.
    fn push_written(
        &mut self,
        cell: &[u8],
        form: NumberForm,
        refuse: Strays,
        reading: &Reading,
        row: usize,
    ) -> Result<(), CellFault> {
        let Self::Number { values, strays, .. } = self else { return Ok(()) };
        let text = String::from_utf8_lossy(cell);
        let plain =
            || fast_float2::parse::<f64, _>(text.as_bytes()).ok().filter(|value| form.is_plain() && !value.is_nan());
        let value = match plain().or_else(|| form.parse(&text)) {
            _ if reading.missing.contains(&text) => f64::NAN,
            Some(value) if value.is_infinite() => return Err(CellFault::Infinite(lossy(cell))),
            Some(value) if reading.missing.has_number(value) => f64::NAN,
            Some(value) => value,
            None if refuse == Strays::Refused => return Err(CellFault::NotANumber(lossy(cell))),
            None => {
                strays.push(row, &text);
                f64::NAN
            }
        };
        values.push(value);
        Ok(())
    }
}

/// A cell as text without white space around it; none where it isn't UTF-8.
fn trimmed(cell: Cow<'_, [u8]>) -> Option<Cow<'_, str>> {
    Some(match cell {
        Cow::Borrowed(bytes) => Cow::Borrowed(std::str::from_utf8(bytes).ok()?.trim()),
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8(bytes).ok()?.trim().to_string()),
    })
}

pub(in crate::data) fn lossy(cell: &[u8]) -> String {
    shorten(&String::from_utf8_lossy(cell))
}
