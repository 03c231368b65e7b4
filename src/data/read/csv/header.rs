//! The start of delimited text: its delimiter, lines in front of the header, the columns' names. In: the first rows. Out: names, and where
//! the rows begin.

use std::collections::HashMap;
use std::path::Path;

use memchr::{memchr, memchr_iter};

use crate::data::form;
use crate::data::note::{Note, NoteKind};
use crate::data::read::csv::scan::{Cell, End, Scanner, cells_in_rows, delimiter, whole_rows};
use crate::data::read::encoding::not_utf8;
use crate::data::reading::Reading;
use crate::data::table::unfit_names;
use crate::error::{Error, Place, Result, list, shorten};

/// Rows that are looked at for whether the header is like them.
const ROWS: usize = 100;

/// The start of a file.
#[derive(Debug)]
pub(in crate::data) struct Header {
    pub delimiter: u8,
    /// One for each column, unique and not empty.
    pub names: Vec<String>,
    /// The column that counts the rows, as pandas and R write it: the first one, without a name.
    pub index: Option<usize>,
    /// Columns that the file does not name, the index aside.
    pub unnamed: Vec<usize>,
    /// Bytes in front of the rows.
    pub bytes: usize,
    /// The line on which the rows begin, counted from 1.
    pub line: u64,
    pub notes: Vec<Note>,
}

/// The first rows of a file, of which there may be more.
pub(in crate::data) struct Start<'a> {
    pub path: &'a Path,
    pub text: &'a [u8],
    /// Whether this is all.
    pub ended: bool,
    pub reading: &'a Reading,
}

impl Header {
    /// The header; none where more of the file is needed to tell, or where it has nothing but blank lines.
    pub fn find(start: &Start<'_>) -> Result<Option<Self>> {
        let Start { text, reading, .. } = *start;
        let Some((given, mut at)) = start.separator() else { return Ok(None) };
        let behind = at + start.comments(at).iter().sum::<usize>();
        let sample = if behind < text.len() { behind } else { at };
        let delimiter = given.unwrap_or_else(|| delimiter(&text[sample..]));
        let mut notes = Vec::new();
        let passed = start.preamble(at, &text[behind..], delimiter);
        if passed.1 > 0 {
            notes.push(Note::file(NoteKind::Preamble).count(passed.1, 0, Vec::new()).detail("lines that begin with #"));
            at += passed.0;
        }
        let Some(row) = start.first_row(at, delimiter)? else { return Ok(None) };
        let mut found = Self {
            delimiter,
            names: Vec::new(),
            index: None,
            unnamed: Vec::new(),
            bytes: row.end,
            line: 1 + lines(&text[..row.end]),
            notes,
        };
        if reading.header == Some(false) {
            (found.bytes, found.line) = (row.start, 1 + lines(&text[..row.start]));
            found.names = start.names_of(row.cells.len())?;
            return Ok(Some(found));
        }
        let mut names = row.cells;
        if reading.header.is_none() && is_data(&names) {
            if reading.names_only {
                return Err(Error::NumericHeader { path: start.path.into(), cells: list(&names) });
            }
            let examples = names.iter().take(3).cloned().collect();
            let note = Note::file(NoteKind::NumericHeader).count(names.len(), 0, examples);
            found.notes.push(note.place(Place::Line(row.line)));
        }
        let last = names.len();
        if start.fit(&mut names, &text[row.end..], delimiter) {
            found.notes.push(Note::column(NoteKind::EmptyColumn, format!("column {last}")));
        }
        if reading.header.is_none() && !is_data(&names) && start.is_like_rows(&names, &text[row.end..], delimiter) {
            let examples = names.iter().filter(|name| !name.is_empty()).take(1).cloned().collect();
            found.notes.push(Note::file(NoteKind::DataHeader).count(0, 0, examples).place(Place::Line(row.line)));
        }
        found.name(names);
        let plain: Vec<&str> = found.names.iter().map(String::as_str).collect();
        let problem = if plain.iter().any(|name| name.contains(['\r', '\n'])) {
            let hint = "a quote is not closed, or lines end in a carriage return alone";
            Some(format!("a name in the header continues over the end of the line: {hint}"))
        } else {
            unfit_names(&plain)
        };
        match problem {
            Some(problem) => Err(start.malformed(row.line, problem)),
            None => Ok(Some(found)),
        }
    }

    /// Gives each column a name of its own, as pandas does: `a`, `a.1`; `Unnamed: 3`. Names that the file gives go
    /// before those that are made here.
    fn name(&mut self, names: Vec<String>) {
        if names.len() > 1 && names[0].is_empty() {
            self.index = Some(0);
        }
        self.unnamed = (0..names.len()).filter(|&at| names[at].is_empty() && self.index != Some(at)).collect();
        let named = |at: &usize| !names[*at].is_empty();
        let (first, last): (Vec<usize>, Vec<usize>) = (0..names.len()).partition(named);
        let name = |(at, name): (usize, &String)| if name.is_empty() { format!("Unnamed: {at}") } else { name.clone() };
        let mut own: Vec<String> = names.iter().enumerate().map(name).collect();
        let mut counts: HashMap<String, usize> = HashMap::new();
        for at in first.into_iter().chain(last) {
            let name = own[at].clone();
            let mut count = counts.get(&name).copied().unwrap_or(0);
            while count > 0 {
                counts.insert(name.clone(), count + 1);
                own[at] = format!("{name}.{count}");
                let taken = (0..own.len()).any(|other| other != at && own[other] == own[at]);
                count = if taken { count + 1 } else { counts.get(&own[at]).copied().unwrap_or(0) };
            }
            *counts.entry(own[at].clone()).or_insert(0) += 1;
            if own[at] != name {
                let note = Note::column(NoteKind::DuplicateName, &own[at]).detail(format!("of `{}`", shorten(&name)));
                self.notes.push(note);
            }
        }
        self.names = own;
    }
}

/// A row's cells, from where to where it goes, and the line on which it stands.
struct Row {
    cells: Vec<String>,
    start: usize,
    end: usize,
    line: u64,
}

impl Start<'_> {
    /// The delimiter that Excel's first line `sep=;` tells, and the bytes of that line; none where the first line is
    /// not there yet.
    fn separator(&self) -> Option<(Option<u8>, usize)> {
        let end = match memchr(b'\n', self.text) {
            Some(end) => end + 1,
            None if self.ended => self.text.len(),
            None => return None,
        };
        let line = self.text[..end].trim_ascii();
        let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
        let told = line.len() == 5 && line[..4].eq_ignore_ascii_case(b"sep=") && line[4].is_ascii();
        // A tab behind it is white space.
        let tab = line.eq_ignore_ascii_case(b"sep=") && self.text[..end].contains(&b'\t');
        Some(match (told, tab) {
            (true, _) => (Some(line[4]), end),
            (_, true) => (Some(b'\t'), end),
            _ => (None, 0),
        })
    }

    /// The bytes of each of the lines from here on that begin with `#`, blank ones among them.
    fn comments(&self, from: usize) -> Vec<usize> {
        let mut all = Vec::new();
        let mut last = 0;
        for line in self.text[from..].split_inclusive(|&byte| byte == b'\n') {
            let trimmed = line.trim_ascii();
            if !(trimmed.is_empty() || trimmed.starts_with(b"#")) {
                break;
            }
            all.push(line.len());
            if !trimmed.is_empty() {
                last = all.len();
            }
        }
        all.truncate(last);
        all
    }

    /// The bytes and the number of lines with `#` in front of the header: those that have not as many cells as the rows.
    fn preamble(&self, from: usize, rows: &[u8], delimiter: u8) -> (usize, usize) {
        let Some(expected) = most_frequent(&cells_in_rows(rows, delimiter)) else { return (0, 0) };
        let (mut bytes, mut passed) = (0, 0);
        for length in self.comments(from) {
            let line = &self.text[from + bytes..from + bytes + length];
            if !line.trim_ascii().is_empty() {
                if cells_in_rows(line, delimiter) == [expected] {
                    break;
                }
                passed += 1;
            }
            bytes += length;
        }
        (bytes, passed)
    }

    /// The first row that is not blank; none where it is not all there.
    fn first_row(&self, from: usize, delimiter: u8) -> Result<Option<Row>> {
        let text = &self.text[from..];
        let whole = if self.ended { text.len() } else { whole_rows(text, delimiter) };
        let mut scanner = Scanner::new(&text[..whole], delimiter);
        while !scanner.is_done() {
            let start = scanner.at;
            let mut cells = Vec::new();
            loop {
                let Cell { bytes, end, .. } = scanner.cell();
                cells.push(bytes);
                if end != End::Cell {
                    break;
                }
            }
            if cells.len() > 1 || cells.iter().any(|cell| !cell.trim_ascii().is_empty()) {
                let line = 1 + lines(&self.text[..from + start]);
                let cells = cells.iter().map(|cell| Some(std::str::from_utf8(cell).ok()?.trim().to_string()));
                let cells = cells.collect::<Option<Vec<_>>>();
                let cells = cells.ok_or_else(|| self.malformed(line, not_utf8("the header", self.text)))?;
                return Ok(Some(Row { cells, start: from + start, end: from + scanner.at, line }));
            }
        }
        Ok(None)
    }

    /// The names of so many columns without a header: those of the model's file, its features', or `x0`, `x1`, …
    fn names_of(&self, found: usize) -> Result<Vec<String>> {
        let Reading { columns, features, subsets, .. } = self.reading;
        if columns.is_empty() && features.is_empty() {
            return Ok((0..found).map(|at| format!("x{at}")).collect());
        }
        let mut choices = [columns].into_iter().chain(subsets).chain([features]).filter(|names| !names.is_empty());
        if let Some(names) = choices.find(|names| names.len() == found) {
            return Ok(names.clone());
        }
        let problem = format!(
            "{found} cells without a header: expected {}, the columns of the training file, all of them except the \
            target, or the model's {} features in their order",
            columns.len(),
            features.len()
        );
        Err(self.malformed(1, problem))
    }

    /// Whether names are like the cells below them: most are numbers over numbers, or one is, and another is a text of its own column.
    /// Numbers that are years or ascend evenly count columns.
    fn is_like_rows(&self, names: &[String], rows: &[u8], delimiter: u8) -> bool {
        let is_number = |text: &str| form::find([(text, 1)].into_iter(), form::Marks::default()).is_some();
        let numbers: Vec<bool> = names.iter().map(|name| is_number(name)).collect();
        if !numbers.contains(&true) || counts_columns(names, &numbers) {
            return false;
        }
        // Of each name, whether a cell of its column is like it, and whether none is unlike it.
        let mut like = vec![(false, true); names.len()];
        let (mut scanner, mut seen, mut at) = (Scanner::new(rows, delimiter), 0, 0);
        while !scanner.is_done() && seen < ROWS {
            let Cell { bytes, end, .. } = scanner.cell();
            let cell = String::from_utf8_lossy(bytes.trim_ascii());
            if let Some((any, all)) =
                like.get_mut(at).filter(|_| end != End::Text && !self.reading.missing.contains(&cell))
            {
                let is_like = if numbers[at] { is_number(&cell) } else { *cell == names[at] };
                (*any, *all) = (*any || is_like, *all && is_like);
            }
            (seen, at) = if end == End::Cell { (seen, at + 1) } else { (seen + 1, 0) };
        }
        let over_numbers = numbers.iter().zip(&like).filter(|(number, (any, all))| **number && *any && *all).count();
        let among_texts = numbers.iter().zip(&like).any(|(number, (any, _))| !number && *any);
        2 * over_numbers > names.len() || (over_numbers > 0 && among_texts)
    }

    /// Where rows have a cell more than the header: the first one names rows, as R's tables have it, unless the last
    /// one is always empty. Where they have a cell less, a delimiter ends the header alone, whose last name goes;
    /// whether that is so.
    fn fit(&self, names: &mut Vec<String>, rows: &[u8], delimiter: u8) -> bool {
        let counts = cells_in_rows(rows, delimiter);
        let all = |expected: usize| !counts.is_empty() && counts.iter().all(|&count| count == expected);
        if all(names.len() + 1) {
            let at = if last_cells_are_empty(rows, delimiter, counts.len()) { names.len() } else { 0 };
            names.insert(at, String::new());
        }
        let alone = names.len() > 1 && names.last().is_some_and(String::is_empty) && all(names.len() - 1);
        if alone {
            names.pop();
        }
        alone
    }

    fn malformed(&self, line: u64, problem: String) -> Error {
        Error::MalformedTable { path: self.path.into(), place: Place::Line(line), problem }
    }
}

/// Whether names are nothing but numbers, and not those that count columns from 0 or 1.
fn is_data(names: &[String]) -> bool {
    let counts = |from: usize| names.iter().enumerate().all(|(at, name)| *name == (from + at).to_string());
    let number = |name: &String| form::find([(name.as_str(), 1)].into_iter(), form::Marks::default()).is_some();
    names.iter().all(number) && !counts(0) && !counts(1)
}

/// Whether those of names that are numbers are years, or whole and evenly apart, as numbers of columns are.
fn counts_columns(names: &[String], numbers: &[bool]) -> bool {
    let values = names.iter().zip(numbers).filter(|(_, number)| **number).map(|(name, _)| name.parse::<i64>().ok());
    let Some(values) = values.collect::<Option<Vec<i64>>>() else { return false };
    let mut steps = values.windows(2).map(|pair| pair[1].saturating_sub(pair[0]));
    let step = steps.next();
    let even =
        step.is_some_and(|step| step != 0 && (values.len() > 2 || step.abs() == 1) && steps.all(|next| next == step));
    even || values.iter().all(|year| (1800..=2100).contains(year))
}

fn most_frequent(counts: &[usize]) -> Option<usize> {
    counts.iter().copied().max_by_key(|&count| counts.iter().filter(|&&other| other == count).count())
}

fn last_cells_are_empty(text: &[u8], delimiter: u8, rows: usize) -> bool {
    let mut scanner = Scanner::new(text, delimiter);
    let mut seen = 0;
    while !scanner.is_done() && seen < rows {
        let (start, mut cells) = (scanner.at, 1);
        let last = loop {
            let cell = scanner.cell();
            if cell.end != End::Cell {
                break cell;
            }
            cells += 1;
        };
        if cells == 1 && text[start..scanner.at].trim_ascii().is_empty() {
            continue; // a blank line
        }
        if !last.bytes.trim_ascii().is_empty() {
            return false;
        }
        seen += 1;
    }
    true
}

fn lines(text: &[u8]) -> u64 {
    memchr_iter(b'\n', text).count() as u64
}
