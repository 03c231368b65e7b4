//! Columns of a later table in which the model finds no cell that it can read. In: the parts of a table, as they are read for the
//! model. Out: an error about the first such column, once all parts are there.

use crate::data::column::Cells;
use crate::data::encoder::Encoder;
use crate::data::form::{Marks, NumberForm};
use crate::data::infer::DASHES;
use crate::data::note::{Note, NoteKind, Notes};
use crate::data::read_as::ReadAs;
use crate::data::reading::Reading;
use crate::data::table::Table;
use crate::error::{Error, Place, Result, set, shorten};

/// What is known of a table's columns so far. A column all of whose cells are missing is none that can't be read.
pub(crate) struct ReadableColumns<'a> {
    encoder: &'a Encoder,
    /// Of each feature, whether a cell of it was read.
    read: Vec<bool>,
    strays: Notes,
}

impl<'a> ReadableColumns<'a> {
    pub fn new(encoder: &'a Encoder) -> Self {
        Self { encoder, read: vec![false; encoder.features.len()], strays: Notes::default() }
    }

    /// Takes note of a part.
    pub fn add(&mut self, part: &Table) -> Result<()> {
        for (feature, read) in self.encoder.features.iter().zip(&mut self.read).filter(|(_, read)| !**read) {
            let cells = part.column(&feature.name)?;
            *read = matches!(cells, Cells::Text(_)) || cells.missing() < cells.len();
        }
        let is_stray = |note: &&Note| {
            let kind = matches!(note.kind, NoteKind::StrayCells | NoteKind::ForcedNumbers);
            kind && !note.examples.iter().all(|cell| DASHES.contains(&cell.as_str()))
        };
        self.strays.extend(part.notes().all().iter().filter(is_stray).cloned());
        Ok(())
    }

    /// The note of the first column that has cells of which none was read.
    pub fn unreadable(&self) -> Option<&Note> {
        let names = self.encoder.features.iter().zip(&self.read).filter(|(_, read)| !**read);
        let mut notes = names.filter_map(|(feature, _)| {
            self.strays.all().iter().find(|note| note.column.as_deref() == Some(&feature.name))
        });
        notes.next()
    }

    /// Refuses such a column, of a table that was read by `reading`.
    ///
    /// # Errors
    /// [`Error::MalformedTable`] with the column's first cell, and what would read it.
    pub fn check(&self, table: &std::path::Path, reading: &Reading) -> Result<()> {
        let Some(note) = self.unreadable() else { return Ok(()) };
        let name = note.column.as_deref().unwrap_or_default();
        let cell = note.examples.first().map_or("", String::as_str);
        let (what, hint) = match self.encoder.read_as(name, false).said(reading) {
            ReadAs::Written(form, _) => ("a number", number_hint(form, cell)),
            _ => ("a date", "expected dates such as 2024-06-02".into()),
        };
        let problem = format!("no cell of `{}` is {what}, the first is `{}`: {hint}", shorten(name), shorten(cell));
        Err(Error::MalformedTable { path: table.into(), place: note.place.unwrap_or(Place::Line(1)), problem })
    }
}

/// What to do about a cell that is no number of this form.
fn number_hint(form: NumberForm, cell: &str) -> String {
    let other = if form.decimal == ',' { '.' } else { ',' };
    let marks = Marks { decimal: Some(other), thousands: None };
    match form.with(marks).parse(cell) {
        Some(_) => format!("{} reads it", set("decimal", &other.to_string())),
        None if form.is_plain() => "expected numbers such as 1234.5".into(),
        None => format!("expected numbers as in training, with {}", form.describe()),
    }
}
