//! As what the columns of a table are read.

use super::form::NumberForm;
use super::note::NoteKind;
use super::reading::Reading;
use crate::data::cell::{is_padded, loses_digits};
use crate::error::{Error, Result};

/// What becomes of a cell that its column can't take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strays {
    /// It is an error.
    Refused,
    /// It counts as missing, and a note says how many there are.
    Missing,
    /// The same where a user has said so, which is no guess then.
    Expected,
}

/// What a column is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadAs {
    /// Not read: its cells may hold whatever they do.
    Skip,
    /// Numbers if at least nine tenths of its cells are numbers of one form; the others count as missing. Else dates,
    /// by the same rule; else texts.
    Infer,
    /// The same of a column that is asked for by its name: the index that counts rows is left out unless it is.
    Named,
    /// Numbers if all of its cells are numbers of one form, else texts: a target has no strays.
    Target,
    /// Numbers of the form that most of its cells agree on.
    Number(Strays),
    /// Numbers of this form, as a model has learned them.
    Written(NumberForm, Strays),
    /// Dates, as a model has learned them; other cells count as missing.
    Date,
    /// Texts, also where they look like numbers.
    Text,
    /// Texts as they are written, also those that stand for missing cells. Numbers and dates of formats that have such stay what they
    /// are.
    Verbatim,
}

impl ReadAs {
    /// What becomes of cells that are neither numbers nor dates.
    pub(super) fn strays(self) -> Strays {
        match self {
            Self::Number(strays) | Self::Written(_, strays) => strays,
            Self::Target => Strays::Refused,
            _ => Strays::Missing,
        }
    }

    /// The kind of note about cells that count as missing.
    pub(super) fn stray_note(self) -> NoteKind {
        if self.strays() == Strays::Expected { NoteKind::ForcedNumbers } else { NoteKind::StrayCells }
    }

    /// Whether what is written may say more than the number: digits that f64 loses, and in a target zeros in front.
    pub(super) fn goes_by_text(self, text: &str, value: f64) -> bool {
        loses_digits(text, value) || (self == Self::Target && is_padded(text))
    }

    /// What it comes to: marks in numbers that are given go before those that a model has learned.
    pub(super) fn said(self, reading: &Reading) -> Self {
        match self {
            Self::Written(form, strays) => Self::Written(form.with(reading.marks()), strays),
            Self::Named => Self::Infer,
            other => other,
        }
    }

    /// Whether there is one for each of so many columns.
    pub(super) fn check(all: &[Self], columns: usize) -> Result<()> {
        let what = || "the list of how columns are read".into();
        match all.len() {
            found if found == columns => Ok(()),
            found => Err(Error::Shape { what: what(), found, expected: columns.to_string() }),
        }
    }
}
