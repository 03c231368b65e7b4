//! A table in memory: named columns of numbers or texts, and where each row came from.
//!
//! In: finished columns (see `read_csv` and `synthetic` for where they come from). Out: columns by name,
//! and source and line numbers for messages. Knows nothing of tasks or networks.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::target::distinct;
use crate::error::{Error, Result};

/// The cells of one column, one for each row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cells {
    /// Finite numbers.
    Number(Vec<f64>),
    /// Texts, without white space around them.
    Text(Vec<String>),
}

impl Cells {
    /// Number of cells.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Number(values) => values.len(),
            Self::Text(values) => values.len(),
        }
    }

    /// Whether there is no cell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A column of a [`Table`].
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name in the header, unique in the table and never empty.
    pub name: String,
    /// Its cells, one for each row.
    pub cells: Cells,
}

/// Columns of one length, with unique names and finite numbers, and at least one row.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    source: PathBuf,
    columns: Vec<Column>,
    /// The line of each row in the source. Empty where row i (from 0) stands in line i + 2.
    lines: Vec<u64>,
}

impl Table {
    /// Makes a table of finished columns. `source` is the file, or a word for what made them, and stands at
    /// the head of messages; row i (from 0) counts as line i + 2, as under a header of one line.
    ///
    /// # Errors
    /// [`Error::EmptyTable`] without rows or columns, [`Error::MalformedTable`] for names that are empty or
    /// not unique, [`Error::Shape`] for columns of different lengths, [`Error::NonFinite`] for a number that
    /// is NaN or infinite.
    pub fn new(source: impl Into<PathBuf>, columns: Vec<Column>) -> Result<Self> {
        let table = Self { source: source.into(), columns, lines: Vec::new() };
        let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        if let Some(problem) = unfit_names(&names) {
            return Err(Error::MalformedTable { path: table.source, line: 1, problem });
        }
        if table.rows() == 0 {
            return Err(Error::EmptyTable { path: table.source });
        }
        for Column { name, cells } in &table.columns {
            if cells.len() != table.rows() {
                let (what, expected) = (format!("column `{name}`"), format!("{}, as the first one", table.rows()));
                return Err(Error::Shape { what, found: cells.len(), expected });
            }
            if let Cells::Number(values) = cells
                && let Some(row) = values.iter().position(|value| !value.is_finite())
            {
                return Err(table.not_finite(name, row, values[row]));
            }
        }
        Ok(table)
    }

    /// A table that a reader has checked already, with the line of every row.
    pub(super) fn from_checked(source: &Path, columns: Vec<Column>, mut lines: Vec<u64>) -> Self {
        // The usual file has one row a line: then the numbers say nothing that the row doesn't.
        if lines.iter().enumerate().all(|(row, &line)| line == row as u64 + 2) {
            lines = Vec::new();
        }
        Self { source: source.into(), columns, lines }
    }

    /// The file that the table was read from, or a word for what generated it.
    #[must_use]
    pub fn source(&self) -> &Path {
        &self.source
    }

    /// Number of rows, at least 1.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.cells.len())
    }

    /// The columns, in the order of the file.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The columns' names, in the order of the file.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }

    /// The cells of the column of this name.
    ///
    /// # Errors
    /// [`Error::MissingColumn`], with the names that are there.
    pub fn column(&self, name: &str) -> Result<&Cells> {
        self.position(name).map(|at| &self.columns[at].cells)
    }

    /// The numbers of the column of this name.
    ///
    /// # Errors
    /// [`Error::MissingColumn`] where there is no such column, [`Error::NotANumber`] with the first cell that
    /// isn't one where the column holds texts.
    pub fn numbers(&self, name: &str) -> Result<&[f64]> {
        match self.column(name)? {
            Cells::Number(values) => Ok(values),
            Cells::Text(values) => {
                let row = values.iter().position(|cell| parse_number(cell).is_none()).unwrap_or(0);
                let cell = values.get(row).map(|cell| shorten(cell)).unwrap_or_default();
                Err(Error::NotANumber { path: self.source.clone(), line: self.line(row), column: name.into(), cell })
            }
        }
    }

    /// How many distinct numbers a column has, if it holds nothing but whole numbers and at most `most` distinct ones:
    /// such a column may mean classes as well as amounts.
    ///
    /// # Errors
    /// [`Error::MissingColumn`] where there is no such column.
    pub fn distinct_whole_numbers(&self, name: &str, most: usize) -> Result<Option<usize>> {
        let Cells::Number(values) = self.column(name)? else { return Ok(None) };
        let found = distinct(values, most);
        Ok((found.len() <= most && found.iter().all(|value| value.fract() == 0.0)).then_some(found.len()))
    }

    /// Takes the column of this name out of the table.
    ///
    /// # Errors
    /// [`Error::MissingColumn`] where there is no such column, [`Error::Shape`] where there is no other.
    pub fn take(&mut self, name: &str) -> Result<Column> {
        let at = self.position(name)?;
        if self.columns.len() == 1 {
            let (what, expected) = (format!("the table without its column `{name}`"), "columns".into());
            return Err(Error::Shape { what, found: 0, expected });
        }
        Ok(self.columns.remove(at))
    }

    fn position(&self, name: &str) -> Result<usize> {
        self.columns.iter().position(|column| column.name == name).ok_or_else(|| {
            let (path, column, available) = (self.source.clone(), name.to_owned(), self.names());
            Error::MissingColumn { path, column, available }
        })
    }

    /// The line of a row (from 0) in the source, counted from 1; the one on which it begins.
    #[must_use]
    pub fn line(&self, row: usize) -> u64 {
        self.lines.get(row).copied().unwrap_or(row as u64 + 2)
    }

    /// The error for a cell whose number is not finite, or not so after it was changed; `cell` says which.
    pub(super) fn not_finite(&self, column: &str, row: usize, cell: impl ToString) -> Error {
        Error::NonFinite {
            path: self.source.clone(),
            line: self.line(row),
            column: column.into(),
            cell: cell.to_string(),
        }
    }
}

/// What is wrong with these names as those of a table's columns, if anything.
pub(super) fn unfit_names(names: &[&str]) -> Option<String> {
    let mut seen = HashSet::new();
    for (at, name) in names.iter().enumerate() {
        if name.is_empty() {
            return Some(format!("column {} of the header has no name", at + 1));
        }
        if !seen.insert(name) {
            return Some(format!("the header names two columns `{}`", shorten(name)));
        }
    }
    None
}

/// The finite number that a text stands for. Decimal and exponent notation, with a point.
pub(super) fn parse_number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// A cell for a message: as it stands, but on one line, and cut where it is very long, as after a quote
/// that never ends.
pub(super) fn shorten(cell: &str) -> String {
    const SHOWN: usize = 60;
    let mut shown = String::new();
    for char in cell.chars().take(SHOWN) {
        if char.is_control() {
            shown.extend(char.escape_default());
        } else {
            shown.push(char);
        }
    }
    if cell.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}
