//! Reads CSV files. In: a path and the target's name. Out: a checked [`Table`], or an error that names the
//! line, the column and the cell.
//!
//! The file is read row by row and each cell is parsed at once; its text is kept only for the target, until
//! it is clear whether that holds numbers.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder, Terminator};

use super::table::{Cells, Column, Table, shorten, unfit_names};
use crate::error::{Error, Result};

impl Table {
    /// Reads a CSV file: UTF-8 (a byte order mark is fine), commas, a header line with unique names, then at
    /// least one row. Cells may be quoted and have white space around them; blank lines are passed over.
    /// Every column holds finite numbers. Only `target` may hold texts: it is taken as numbers when
    /// all of its cells are, else as texts.
    ///
    /// # Errors
    /// [`Error::Io`] where the file can't be read; [`Error::MissingColumn`] where the header lacks `target`;
    /// [`Error::EmptyTable`] without rows; [`Error::MalformedTable`] for a header with empty or equal names,
    /// a row with another number of cells, an empty target cell and text that isn't UTF-8;
    /// [`Error::NotANumber`] and [`Error::NonFinite`] for cells of numeric columns.
    pub fn read_csv(path: impl AsRef<Path>, target: Option<&str>) -> Result<Self> {
        Self::read_csv_without(path, target, &[])
    }

    /// The names of a CSV file's columns, without a look at its rows.
    ///
    /// # Errors
    /// Those of [`read_csv`](Self::read_csv) that concern the header.
    pub fn csv_names(path: impl AsRef<Path>) -> Result<Vec<String>> {
        Rows::open(path.as_ref())?.header()
    }

    /// Reads a CSV file as [`read_csv`](Self::read_csv) does, but for the columns `left_out`, as the target of rows that
    /// are to be predicted: they may be absent, and their cells may hold whatever they do.
    ///
    /// # Errors
    /// Those of [`read_csv`](Self::read_csv), except for what concerns the columns left out; [`Error::EmptyTable`]
    /// where no other column is left.
    pub fn read_csv_without(path: impl AsRef<Path>, target: Option<&str>, left_out: &[&str]) -> Result<Self> {
        let path = path.as_ref();
        let mut rows = Rows::open(path)?;
        let names = rows.header()?;
        if let Some(target) = target
            && !names.iter().any(|name| name == target)
        {
            return Err(Error::MissingColumn { path: path.into(), column: target.into(), available: names });
        }
        rows.table(names, |name| match name {
            name if left_out.contains(&name) => Kind::LeftOut,
            name if Some(name) == target => Kind::Either,
            _ => Kind::Number,
        })
    }
}

/// What a column may hold.
#[derive(Clone, Copy)]
enum Kind {
    Number,
    Either,
    LeftOut,
}

/// The records of a file, with the physical line of each.
struct Rows<'a> {
    path: &'a Path,
    reader: Reader<Box<dyn Read>>,
    record: ByteRecord,
    /// The line on which the record begins, counted from 1.
    line: u64,
    /// The line after the record.
    next_line: u64,
}

impl<'a> Rows<'a> {
    fn open(path: &'a Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::io("read the table", path))?;
        // The line on which a record begins follows from the one on which it ends (see `next`), if every
        // record ends in \n: hence the added one, and the \r of \r\n is trimmed off as white space.
        let source: Box<dyn Read> = Box::new(file.chain(&b"\n"[..]));
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .terminator(Terminator::Any(b'\n'))
            .buffer_capacity(1 << 16)
            .from_reader(source);
        Ok(Self { path, reader, record: ByteRecord::new(), line: 1, next_line: 1 })
    }

    /// Goes to the next record that isn't a blank line; false at the end of the file.
    fn next(&mut self) -> Result<bool> {
        loop {
            if !self.reader.read_byte_record(&mut self.record).map_err(|error| self.unreadable(error))? {
                return Ok(false);
            }
            if self.record.len() == 1 && self.record[0].trim_ascii().is_empty() {
                continue;
            }
            // The position that the reader gives a record is that of the blank lines before it. So count back
            // from its end, but not beyond the record before: a quote that is never closed has no \n after it.
            let end = self.reader.position().line();
            let inside = self.record.as_slice().iter().filter(|&&byte| byte == b'\n').count() as u64;
            self.line = end.saturating_sub(1 + inside).max(self.next_line);
            self.next_line = end;
            return Ok(true);
        }
    }

    fn header(&mut self) -> Result<Vec<String>> {
        if !self.next()? {
            return Err(Error::EmptyTable { path: self.path.into() });
        }
        let mut names = Vec::with_capacity(self.record.len());
        for at in 0..self.record.len() {
            names.push(self.text(at, "the header")?.to_owned());
        }
        let problem = if names.iter().any(|name| name.contains(['\r', '\n'])) {
            let hint = "a quote is not closed, or lines end in a bare carriage return";
            Some(format!("a name in the header goes over the end of the line: {hint}"))
        } else if let [name] = names.as_slice()
            && let Some(separator) = [';', '\t', '|'].into_iter().find(|&separator| name.contains(separator))
        {
            Some(format!("columns are separated by {separator:?}: expected commas"))
        } else {
            unfit_names(&names.iter().map(String::as_str).collect::<Vec<_>>())
        };
        match problem {
            Some(problem) => Err(self.malformed(problem)),
            None => Ok(names),
        }
    }

    fn table(mut self, names: Vec<String>, kind: impl Fn(&str) -> Kind) -> Result<Table> {
        let mut columns: Vec<Filling> = names.iter().map(|name| Filling::new(kind(name))).collect();
        let mut lines = Vec::new();
        while self.next()? {
            if self.record.len() != names.len() {
                let (found, expected) = (self.record.len(), names.len());
                let plural = if found == 1 { "" } else { "s" };
                let hint = if found < expected { "; is a quote not closed?" } else { "" };
                return Err(self.malformed(format!("{found} cell{plural}, where the header has {expected}{hint}")));
            }
            for (at, (column, name)) in columns.iter_mut().zip(&names).enumerate() {
                self.fill(column, at, name)?;
            }
            lines.push(self.line);
        }
        let mut finished = Vec::with_capacity(names.len());
        for (column, name) in columns.into_iter().zip(names) {
            let cells = match column {
                Filling::Number(values) => Cells::Number(values),
                Filling::Text(texts) => numbers_if_all(texts).map_err(|(row, cell)| {
                    let (path, line, column) = (self.path.into(), lines[row], name.clone());
                    Error::NonFinite { path, line, column, cell }
                })?,
                Filling::LeftOut => continue,
            };
            finished.push(Column { name, cells });
        }
        if lines.is_empty() || finished.is_empty() {
            return Err(Error::EmptyTable { path: self.path.into() });
        }
        Ok(Table::from_checked(self.path, finished, lines))
    }

    /// Appends the record's cell `at` to its column.
    fn fill(&self, column: &mut Filling, at: usize, name: &str) -> Result<()> {
        match column {
            Filling::Number(values) => {
                let text = self.text(at, name)?;
                if text.is_empty() {
                    let name = shorten(name);
                    return Err(self.malformed(format!("column `{name}` is empty: fill it in or remove the row")));
                }
                let unfit = || (self.path.into(), self.line, name.into(), shorten(text));
                match text.parse::<f64>() {
                    Ok(value) if value.is_finite() => values.push(value),
                    Ok(_) => {
                        let (path, line, column, cell) = unfit();
                        return Err(Error::NonFinite { path, line, column, cell });
                    }
                    Err(_) => {
                        let (path, line, column, cell) = unfit();
                        return Err(Error::NotANumber { path, line, column, cell });
                    }
                }
            }
            Filling::Text(values) => {
                let text = self.text(at, name)?;
                if text.is_empty() {
                    let name = shorten(name);
                    return Err(self.malformed(format!("the target `{name}` is empty: fill it in or remove the row")));
                }
                values.push(text.to_owned());
            }
            Filling::LeftOut => {}
        }
        Ok(())
    }

    /// The record's cell `at`, trimmed. `whose` is the column for the message.
    fn text(&self, at: usize, whose: &str) -> Result<&str> {
        match std::str::from_utf8(&self.record[at]) {
            Ok(text) => Ok(text.trim()),
            Err(_) => Err(self.malformed(format!("{} holds bytes that are not UTF-8 text", shorten(whose)))),
        }
    }

    fn malformed(&self, problem: String) -> Error {
        Error::MalformedTable { path: self.path.into(), line: self.line, problem }
    }

    fn unreadable(&self, error: csv::Error) -> Error {
        let line = self.reader.position().line();
        match error.into_kind() {
            ErrorKind::Io(source) => Error::Io { action: "read the table", path: self.path.into(), source },
            other => Error::MalformedTable { path: self.path.into(), line, problem: format!("{other:?}") },
        }
    }
}

/// A column while it is being read.
enum Filling {
    Number(Vec<f64>),
    Text(Vec<String>),
    LeftOut,
}

impl Filling {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Number => Self::Number(Vec::new()),
            Kind::Either => Self::Text(Vec::new()),
            Kind::LeftOut => Self::LeftOut,
        }
    }
}

/// Numbers if all of the texts are, else the texts. Where all are numbers but one isn't finite, its row and
/// text as an error: it would make a class of a missing value.
fn numbers_if_all(texts: Vec<String>) -> Result<Cells, (usize, String)> {
    let mut values = Vec::with_capacity(texts.len());
    let mut not_finite = None;
    for (row, text) in texts.iter().enumerate() {
        match text.parse::<f64>() {
            Ok(value) => {
                if !value.is_finite() && not_finite.is_none() {
                    not_finite = Some((row, shorten(text)));
                }
                values.push(value);
            }
            Err(_) => return Ok(Cells::Text(texts)),
        }
    }
    match not_finite {
        Some(at) => Err(at),
        None => Ok(Cells::Number(values)),
    }
}
