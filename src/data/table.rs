//! A table in memory: named columns of numbers or texts, and where each row came from.
//!
//! In: finished columns (see `read_csv` and `synthetic` for where they come from). Out: columns by name,
//! and source and line numbers for messages. Knows nothing of tasks or networks.

#[cfg(feature = "text")]
mod checked;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::data::cell::distinct;
use crate::data::column::{Cells, Column};
use crate::data::date;
use crate::data::infer::Inference;
use crate::data::note::{Note, NoteKind, Notes};
use crate::data::read_as::ReadAs;
use crate::data::reading::Reading;
pub(super) use crate::error::{Error, Place, Result, shorten};

/// Columns of one length, with unique names and numbers that are finite or missing, and at least one row.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    source: PathBuf,
    columns: Vec<Column>,
    lines: Lines,
    notes: Notes,
}

impl Table {
    /// Makes a table of finished columns. `source` is the file, or a word for what made them, and stands at
    /// the head of messages; row i (from 0) counts as line i + 2, as under a header of one line.
    ///
    /// # Errors
    /// [`Error::EmptyTable`] without rows or columns, [`Error::MalformedTable`] for names that are empty or
    /// not unique, [`Error::Shape`] for columns of different lengths, [`Error::NonFinite`] for a number that
    /// is infinite; NaN stands for one that is missing.
    pub fn new(source: impl Into<PathBuf>, columns: Vec<Column>) -> Result<Self> {
        Self::checked(source.into(), columns, Lines::default())
    }

    /// The same with rows that stand on no lines: messages count them from 1.
    ///
    /// # Errors
    /// Those of [`new`](Self::new).
    pub fn of_rows(source: impl Into<PathBuf>, columns: Vec<Column>) -> Result<Self> {
        Self::checked(source.into(), columns, Lines::None)
    }

    fn checked(source: PathBuf, columns: Vec<Column>, lines: Lines) -> Result<Self> {
        let table = Self { source, columns, lines, notes: Notes::default() };
        let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        if let Some(problem) = unfit_names(&names) {
            return Err(Error::MalformedTable { path: table.source, place: Place::Line(1), problem });
        }
        if table.rows() == 0 {
            return Err(Error::EmptyTable { path: table.source });
        }
        for Column { name, cells, .. } in &table.columns {
            if cells.len() != table.rows() {
                let (what, expected) =
                    (format!("column `{}`", shorten(name)), format!("{}, like the first one", table.rows()));
                return Err(Error::Shape { what, found: cells.len(), expected });
            }
            if let Cells::Number(values) = cells
                && let Some(row) = values.iter().position(|value| value.is_infinite())
            {
                return Err(table.not_finite(name, row, values[row]));
            }
        }
        Ok(table)
    }

    /// What was decided while it was read.
    #[must_use]
    pub fn notes(&self) -> &Notes {
        &self.notes
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
    /// [`Error::MissingColumns`], with the names that are there.
    pub fn column(&self, name: &str) -> Result<&Cells> {
        self.position(name).map(|at| &self.columns[at].cells)
    }

    /// The column of this name, with how its numbers were written.
    ///
    /// # Errors
    /// [`Error::MissingColumns`], with the names that are there.
    pub fn column_of(&self, name: &str) -> Result<&Column> {
        self.position(name).map(|at| &self.columns[at])
    }

    /// The numbers of the column of this name.
    ///
    /// # Errors
    /// [`Error::MissingColumns`] where there is no such column, [`Error::NotANumber`] with the first cell that
    /// isn't one where the column holds texts.
    pub fn numbers(&self, name: &str) -> Result<&[f64]> {
        self.numbers_of(name, self.column(name)?)
    }

    /// The same of cells that may have left the table.
    pub(super) fn numbers_of<'a>(&self, name: &str, cells: &'a Cells) -> Result<&'a [f64]> {
        match cells {
            Cells::Number(values) => Ok(values),
            cells => {
                let texts = cells.to_texts();
                let row = texts.first_text().unwrap_or(0);
                let cell = texts.get(row).map(shorten).unwrap_or_default();
                Err(Error::NotANumber { path: self.source.clone(), place: self.place(row), column: name.into(), cell })
            }
        }
    }

    /// How many distinct numbers a column has, if it holds nothing but whole numbers and at most `most` distinct ones:
    /// such a column may mean classes as well as amounts.
    ///
    /// # Errors
    /// [`Error::MissingColumns`] where there is no such column.
    pub fn distinct_whole_numbers(&self, name: &str, most: usize) -> Result<Option<usize>> {
        let column = self.column_of(name)?;
        let Cells::Number(values) = &column.cells else { return Ok(None) };
        let found = distinct(values, most);
        if let Some(exact) = &column.exact {
            let whole = found.len() <= most && found.iter().all(|value| value.fract() == 0.0);
            return Ok(Some(exact.labels().len()).filter(|&count| whole && count <= most));
        }
        Ok((found.len() <= most && found.iter().all(|value| value.fract() == 0.0)).then_some(found.len()))
    }

    /// Takes the column of this name out of the table.
    ///
    /// # Errors
    /// [`Error::MissingColumns`] where there is no such column, [`Error::Shape`] where there is no other.
    pub fn take(&mut self, name: &str) -> Result<Column> {
        let at = self.position(name)?;
        if self.columns.len() == 1 {
            let (what, expected) = (format!("the table without its column `{}`", shorten(name)), "columns".into());
            return Err(Error::Shape { what, found: 0, expected });
        }
        Ok(self.columns.remove(at))
    }

    /// The table with each column read as it is said: left out, made texts, or looked at as delimited text would be.
    /// Numbers stay what they are unless texts are wanted, and so do texts that are only to be inferred, unless they
    /// are dates.
    ///
    /// # Errors
    /// [`Error::NotANumber`] for a text that is to be a number and may not be missing; [`Error::EmptyTable`] where
    /// nothing is left; [`Error::Shape`] for another number of words than of columns.
    pub fn read_as(self, how: &[ReadAs], reading: &Reading) -> Result<Self> {
        self.read_texts_as(how, reading, false)
    }

    /// The same; `written` says that texts stand in a file as text, so that they are looked at where they were read
    /// [verbatim](ReadAs::Verbatim).
    pub(crate) fn read_texts_as(self, how: &[ReadAs], reading: &Reading, written: bool) -> Result<Self> {
        ReadAs::check(how, self.columns.len())?;
        let Self { source, columns, lines, mut notes } = self;
        let place = |row| lines.at(row);
        let inference = Inference { reading, commas_free: true, place: &place };
        let kept = columns.into_iter().zip(how).filter(|(_, how)| **how != ReadAs::Skip);
        let kept = kept.map(|(column, how)| {
            let how = how.said(reading);
            let Column { name, cells, form, exact } = column;
            let texts = match (how, cells) {
                (ReadAs::Verbatim, cells) => return Ok(Column { name, cells, form, exact }),
                (_, Cells::Text(texts)) if written => texts,
                (ReadAs::Text, cells) => {
                    let cells = Cells::Text(exact.unwrap_or_else(|| cells.to_texts()));
                    return Ok(Column::new(name, cells));
                }
                (ReadAs::Date, cells @ Cells::Date(_)) => return Ok(Column::new(name, cells)),
                (ReadAs::Infer | ReadAs::Target, Cells::Text(texts)) => {
                    let dates = texts.labels().first().is_some_and(|label| date::parse(label).is_some());
                    if !dates || how == ReadAs::Target {
                        return Ok(Column::new(name, Cells::Text(texts)));
                    }
                    texts
                }
                (ReadAs::Date, cells) => cells.to_texts(),
                (_, Cells::Number(mut values)) => {
                    for value in values.iter_mut().filter(|value| reading.missing.has_number(**value)) {
                        *value = f64::NAN;
                    }
                    if exact.is_some() && matches!(how, ReadAs::Infer | ReadAs::Target) {
                        notes.push(Note::column(NoteKind::LostDigits, &name));
                    }
                    return Ok(Column { name, cells: Cells::Number(values), form, exact });
                }
                (_, cells @ Cells::Date(_)) if how == ReadAs::Infer => return Ok(Column::new(name, cells)),
                (_, cells) => cells.to_texts(),
            };
            let mut of_column = Vec::new();
            let column = inference.column(&name, texts, how, &mut of_column);
            notes.extend(of_column);
            column.map_err(|unfit| {
                let place = place(unfit.row);
                unfit.error(&source, place, &name)
            })
        });
        let columns = kept.collect::<Result<Vec<_>>>()?;
        if columns.is_empty() {
            return Err(Error::EmptyTable { path: source });
        }
        Ok(Self { source, columns, lines, notes })
    }

    pub(super) fn position(&self, name: &str) -> Result<usize> {
        self.columns.iter().position(|column| column.name == name).ok_or_else(|| {
            let (path, columns, available) = (self.source.clone(), vec![name.to_owned()], self.names());
            Error::MissingColumns { path, columns, available }
        })
    }

    /// Where a row (from 0) stands in the source: the line on which it begins, or its number.
    #[must_use]
    pub fn place(&self, row: usize) -> Place {
        self.lines.at(row)
    }

    /// The error for a cell that is missing where none may be.
    pub(super) fn missing(&self, column: &str, row: usize) -> Error {
        Error::MissingCell { path: self.source.clone(), place: self.place(row), column: column.into() }
    }

    /// The error for a cell whose number is not finite, or not so after it was changed; `cell` says which.
    pub(super) fn not_finite(&self, column: &str, row: usize, cell: impl ToString) -> Error {
        Error::NonFinite {
            path: self.source.clone(),
            place: self.place(row),
            column: column.into(),
            cell: cell.to_string(),
        }
    }
}

/// The lines of rows in a source.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Lines {
    /// It has none.
    None,
    /// Each row stands one line below the row before, but for those that are listed. Without any, row i (from 0) stands in
    /// line i + 2.
    Listed(Vec<(usize, u64)>),
}

impl Default for Lines {
    fn default() -> Self {
        Self::Listed(Vec::new())
    }
}

impl Lines {
    pub fn at(&self, row: usize) -> Place {
        let Self::Listed(listed) = self else { return Place::Row(row as u64 + 1) };
        let before = listed.partition_point(|&(listed, _)| listed <= row);
        let (start, line) = before.checked_sub(1).map_or((0, 2), |last| listed[last]);
        Place::Line(line + (row - start) as u64)
    }
}

/// What is wrong with these names as those of a table's columns, if anything.
pub(super) fn unfit_names(names: &[&str]) -> Option<String> {
    let mut seen = HashSet::new();
    for (at, name) in names.iter().enumerate() {
        if name.is_empty() {
            return Some(format!("column {} has no name", at + 1));
        }
        if name.contains(['\r', '\n']) {
            return Some(format!("the name of column {} continues over the end of a line", at + 1));
        }
        if !seen.insert(name) {
            return Some(format!("two columns are named `{}`", shorten(name)));
        }
    }
    None
}
