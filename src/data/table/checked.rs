//! Tables as readers make them, row by row.

use std::path::Path;

use super::{Lines, Table};
use crate::data::column::Column;
use crate::data::note::Notes;
use crate::error::Place;

impl Table {
    /// A table that a reader has checked already.
    pub(in crate::data) fn from_checked(source: &Path, columns: Vec<Column>, lines: Lines, notes: Notes) -> Self {
        Self { source: source.into(), columns, lines, notes }
    }
}

impl Lines {
    /// Lists a row that comes behind all others, if its line isn't the one that would be told of it anyway.
    pub fn push(&mut self, row: usize, line: u64) {
        let known = self.at(row) == Place::Line(line);
        if let (Self::Listed(listed), false) = (self, known) {
            listed.push((row, line));
        }
    }
}
