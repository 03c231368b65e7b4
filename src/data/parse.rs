//! A block of rows as columns. In: text that holds whole rows, and what each column is to be. Out: numbers, or texts by
//! their distinct values, or an error that names line and column. Blocks are parsed apart, on all cores.

use std::borrow::Cow;
use std::path::Path;

use foldhash::HashMap;
use memchr::{memchr, memchr_iter};

use super::column::{Texts, is_missing};
use super::encoding::not_utf8;
use super::scan::{Cell, End, Scanner};
use super::table::shorten;
use crate::error::{Error, Place, Result};

/// Whole rows of a file.
pub(super) struct Block {
    pub bytes: Vec<u8>,
    /// The line on which they begin, counted from 1.
    pub line: u64,
}

/// What a column is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadAs {
    /// Not read: its cells may hold whatever they do.
    Skip,
    /// Numbers if all of its cells are, else texts.
    Infer,
    /// Numbers; any other cell is an error.
    Number,
    /// Texts, also where they look like numbers.
    Text,
}

impl ReadAs {
    /// Whether there is one for each of so many columns.
    pub(super) fn check(all: &[Self], columns: usize) -> Result<()> {
        let what = || "the list of what columns are read as".into();
        match all.len() {
            found if found == columns => Ok(()),
            found => Err(Error::Shape { what: what(), found, expected: columns.to_string() }),
        }
    }
}

/// A column's cells in one block.
pub(super) enum Piece<'b> {
    Skipped,
    Number {
        values: Vec<f64>,
        /// The first infinite number of a column that may turn out to be one of texts.
        infinite: Option<(usize, String)>,
    },
    Text {
        /// Numbers of the texts, also of those that stand for a missing cell.
        known: HashMap<Cow<'b, str>, u32>,
        labels: Vec<Cow<'b, str>>,
        codes: Vec<u32>,
    },
    /// There was a text in what might have been numbers.
    Turned,
}

/// A block's cells.
pub(super) struct Chunk<'b> {
    pub pieces: Vec<Piece<'b>>,
    pub rows: usize,
    /// Rows (from 0) and their lines, for the first row and those that do not stand one line below the row before.
    pub lines: Vec<(usize, u64)>,
}

/// What there is to know of a file's rows.
pub(super) struct Parser<'a> {
    pub path: &'a Path,
    pub names: &'a [String],
    pub kinds: &'a [ReadAs],
    pub delimiter: u8,
}

impl Parser<'_> {
    pub fn parse<'b>(&self, block: &'b Block) -> Result<Chunk<'b>> {
        let mut pieces: Vec<Piece> = self.kinds.iter().map(|&kind| Piece::new(kind)).collect();
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
                        let Cell { bytes, end } = scanner.cell();
                        blank = count == 0 && end != End::Cell && bytes.trim_ascii().is_empty();
                        if let Some(piece) = pieces.get_mut(count).filter(|_| !blank) {
                            piece
                                .push(bytes, self.kinds[count], rows)
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
                    return Err(self.ragged(count, line));
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

    fn ragged(&self, found: usize, line: u64) -> Error {
        let expected = self.names.len();
        let plural = if found == 1 { "" } else { "s" };
        let hint = if found < expected { "; is a quote not closed?" } else { "" };
        let problem = format!("{found} cell{plural}, where the header has {expected}{hint}");
        Error::MalformedTable { path: self.path.into(), place: Place::Line(line), problem }
    }

    fn error(&self, fault: Fault, line: u64, name: &str, text: &[u8]) -> Error {
        let (path, place, column) = (self.path.to_path_buf(), Place::Line(line), name.to_string());
        match fault {
            Fault::NotANumber(cell) => Error::NotANumber { path, place, column, cell },
            Fault::Infinite(cell) => Error::NonFinite { path, place, column, cell },
            Fault::NotUtf8 => {
                let problem = not_utf8(&shorten(name), text);
                Error::MalformedTable { path, place, problem }
            }
            Fault::TooMany => {
                let problem = format!("column `{}` has more distinct texts than can be told apart", shorten(name));
                Error::MalformedTable { path, place, problem }
            }
        }
    }
}

/// What is wrong with a cell.
enum Fault {
    NotANumber(String),
    Infinite(String),
    NotUtf8,
    TooMany,
}

impl<'b> Piece<'b> {
    fn new(kind: ReadAs) -> Self {
        match kind {
            ReadAs::Skip => Self::Skipped,
            ReadAs::Number | ReadAs::Infer => Self::Number { values: Vec::new(), infinite: None },
            ReadAs::Text => Self::Text { known: HashMap::default(), labels: Vec::new(), codes: Vec::new() },
        }
    }

    /// Takes the next cell, if it is a number among numbers; says what ends it.
    fn push_number(&mut self, scanner: &mut Scanner<'_>) -> Option<End> {
        let Self::Number { values, .. } = self else { return None };
        let (number, end) = scanner.number()?;
        values.push(number);
        Some(end)
    }

    fn push(&mut self, cell: Cow<'b, [u8]>, kind: ReadAs, row: usize) -> Result<(), Fault> {
        match self {
            Self::Skipped | Self::Turned => {}
            Self::Number { values, infinite } => {
                let bytes = cell.trim_ascii();
                match number(bytes) {
                    Some(value) if value.is_infinite() && kind == ReadAs::Number => {
                        return Err(Fault::Infinite(lossy(bytes)));
                    }
                    Some(value) => {
                        if value.is_infinite() && infinite.is_none() {
                            *infinite = Some((row, lossy(bytes)));
                        }
                        values.push(value);
                    }
                    None if kind == ReadAs::Number => return Err(Fault::NotANumber(lossy(bytes))),
                    None => *self = Self::Turned,
                }
            }
            Self::Text { known, labels, codes } => {
                let text = trimmed(cell).ok_or(Fault::NotUtf8)?;
                let code = match known.get(&text) {
                    Some(&code) => code,
                    None if is_missing(text.as_bytes()) => *known.entry(text).or_insert(Texts::MISSING),
                    None => {
                        let code = u32::try_from(labels.len()).map_err(|_| Fault::TooMany)?;
                        labels.push(text.clone());
                        *known.entry(text).or_insert(code)
                    }
                };
                codes.push(code);
            }
        }
        Ok(())
    }
}

/// The number that a cell holds, NaN for a missing one; none where it is a text.
fn number(cell: &[u8]) -> Option<f64> {
    match fast_float2::parse::<f64, _>(cell) {
        Ok(value) if value.is_nan() => Some(f64::NAN),
        Ok(value) => Some(value),
        Err(_) => is_missing(cell).then_some(f64::NAN),
    }
}

/// A cell as text without white space around it; none where it isn't UTF-8.
fn trimmed(cell: Cow<'_, [u8]>) -> Option<Cow<'_, str>> {
    Some(match cell {
        Cow::Borrowed(bytes) => Cow::Borrowed(std::str::from_utf8(bytes).ok()?.trim()),
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8(bytes).ok()?.trim().to_string()),
    })
}

fn lossy(cell: &[u8]) -> String {
    shorten(&String::from_utf8_lossy(cell))
}
