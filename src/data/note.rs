//! What was decided on the user's behalf while a table was read or encoded. In: decisions, a column at a time. Out: one line
//! for each kind of decision, and all of them as data.

use std::collections::HashMap;

use serde::{Serialize, Serializer};

use crate::error::{Error, Place, Result, shorten};

/// Columns and examples that a line names; of the rest it says how many there are.
const NAMED: usize = 3;

/// A kind of decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NoteKind {
    /// Lines in front of the header were skipped.
    Preamble,
    /// The first row holds nothing but numbers and was taken for the header.
    NumericHeader,
    /// The first row looks like the data below it, and was taken for the header.
    DataHeader,
    /// A column without a name, in front of the others, counts the rows: it was left out.
    IndexColumn,
    /// A column without a name and without values was left out.
    EmptyColumn,
    /// A column without a name got one.
    UnnamedColumn,
    /// A name that the header has twice got a number behind it.
    DuplicateName,
    /// A column of numbers holds a few other texts, which count as missing.
    StrayTexts,
    /// A column that is to be numeric holds other texts, which count as missing.
    ForcedNumbers,
    /// Commas with three digits behind each were taken for thousands separators.
    ThousandsGuess,
    /// Commas were taken for decimal separators, where the delimiter does not suggest it.
    DecimalGuess,
    /// Numbers are written in another way than programs write them.
    NumberForm,
    /// Whole numbers beyond 2⁵³ lose digits.
    LostDigits,
    /// Numbers that are written with zeros in front, as codes are.
    PaddedNumbers,
    /// A column of dates.
    Dates,
    /// A column of texts looks like dates of another form than is read.
    OtherDates,
    /// Spellings of true and false were taken as one pair.
    Booleans,
    /// Spellings of one whole number, `1` and `1.0`, were taken as one category.
    WholeNumbers,
    /// A column is the same in all training rows: the network does not see it.
    Constant,
    /// All categories of a column are rare: the network does not see it.
    AllRare,
    /// A column tells the rows apart as numbers or names of them do, and the network learns from it.
    Identifier,
    /// Rare categories of a column share an input.
    Rare,
    /// Categories of a column are encoded by the target's mean, too.
    TargetMean,
    /// Cells that the model's column can't take, counted as missing.
    StrayCells,
    /// Cells with categories that the model has not seen.
    Unseen,
}

impl NoteKind {
    /// Whether it is a guess, which another table of the same look may prove wrong. The others follow from what is there.
    #[must_use]
    pub fn is_guess(self) -> bool {
        matches!(
            self,
            Self::NumericHeader
                | Self::DataHeader
                | Self::IndexColumn
                | Self::StrayTexts
                | Self::ThousandsGuess
                | Self::DecimalGuess
                | Self::StrayCells
        )
    }

    /// Its name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Preamble => "preamble",
            Self::NumericHeader => "numeric-header",
            Self::DataHeader => "data-header",
            Self::IndexColumn => "index-column",
            Self::EmptyColumn => "empty-column",
            Self::UnnamedColumn => "unnamed-column",
            Self::DuplicateName => "duplicate-name",
            Self::StrayTexts => "stray-texts",
            Self::ForcedNumbers => "forced-numbers",
            Self::ThousandsGuess => "thousands-guess",
            Self::DecimalGuess => "decimal-guess",
            Self::NumberForm => "number-form",
            Self::LostDigits => "lost-digits",
            Self::PaddedNumbers => "padded-numbers",
            Self::Dates => "dates",
            Self::OtherDates => "other-dates",
            Self::Booleans => "booleans",
            Self::WholeNumbers => "whole-numbers",
            Self::Constant => "constant",
            Self::AllRare => "all-rare",
            Self::Identifier => "identifier",
            Self::Rare => "rare",
            Self::TargetMean => "target-mean",
            Self::StrayCells => "stray-cells",
            Self::Unseen => "unseen",
        }
    }

    /// What was decided, for the head of a line.
    fn heading(self) -> &'static str {
        match self {
            Self::Preamble => "lines before the header are skipped",
            Self::NumericHeader => "the first row has only numbers and is taken as the header",
            Self::DataHeader => "the first row looks like data and is taken as the header",
            Self::IndexColumn => "a first column without a name is taken as the index and left out",
            Self::EmptyColumn => "columns without a name and without values are left out",
            Self::UnnamedColumn => "columns without a name are named by their position",
            Self::DuplicateName => "names that occur twice in the header get a number",
            Self::StrayTexts => "other texts among numbers or dates count as missing",
            Self::ForcedNumbers => "other texts in columns that are set to numeric count as missing",
            Self::ThousandsGuess => "commas with three digits after each are taken as thousands separators",
            Self::DecimalGuess => "commas are taken as decimal separators",
            Self::NumberForm => "numbers are read as they are written",
            Self::LostDigits => "whole numbers beyond 2^53 lose digits as numbers",
            Self::PaddedNumbers => "numbers with zeros in front are taken as numbers, without the zeros",
            Self::OtherDates => {
                "texts that look like dates are taken as texts, since only ISO dates (2024-06-02) are read as dates"
            }
            Self::Dates => "dates become days since 1970, month, weekday and, with a time, hour",
            Self::Booleans => "spellings of yes and no are taken as one pair",
            Self::WholeNumbers => "whole numbers that are written differently are one category",
            Self::Constant => "columns that are the same in all training rows are left out",
            Self::AllRare => "columns whose categories are all rare are left out",
            Self::Identifier => {
                "columns that are different in every row or nearly so are learned from, though they are probably identifiers"
            }
            Self::Rare => "rare categories share an input",
            Self::TargetMean => "columns of many rare categories have the target's mean in each category",
            Self::StrayCells => "cells of another type than the model's column count as missing",
            Self::Unseen => "cells hold categories that the model has not seen",
        }
    }
}

/// A decision about a column, or about the file.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Note {
    /// What was decided.
    pub kind: NoteKind,
    /// The column's name; none where it is about the file.
    pub column: Option<String>,
    /// How many cells, rows, lines or categories it is about; 0 where that says nothing.
    pub count: usize,
    /// Out of so many; 0 where that says nothing.
    pub of: usize,
    /// A few of the cells or texts, the first one first.
    pub examples: Vec<String>,
    /// Where the first one stands.
    pub place: Option<Place>,
    /// What else there is to say, as a part of the sentence.
    pub detail: String,
}

impl Note {
    /// A note of this kind about the column of this name.
    #[must_use]
    pub fn column(kind: NoteKind, column: impl Into<String>) -> Self {
        Self { column: Some(column.into()), ..Self::file(kind) }
    }

    /// A note of this kind about the file.
    #[must_use]
    pub fn file(kind: NoteKind) -> Self {
        let (examples, detail) = (Vec::new(), String::new());
        Self { kind, column: None, count: 0, of: 0, examples, place: None, detail }
    }

    /// With a number of things, out of so many, of which some are examples.
    #[must_use]
    pub fn count(self, count: usize, of: usize, examples: Vec<String>) -> Self {
        Self { count, of, examples, ..self }
    }

    /// With where the first one stands.
    #[must_use]
    pub fn place(self, place: Place) -> Self {
        Self { place: Some(place), ..self }
    }

    /// With what else there is to say.
    #[must_use]
    pub fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), ..self }
    }

    /// What it says of its column: `3 of 400, first `None` in line 236`.
    fn about(&self) -> String {
        let mut parts = Vec::new();
        match (self.count, self.of) {
            (0, _) => {}
            (count, 0) => parts.push(count.to_string()),
            (count, of) => parts.push(format!("{count} of {of}")),
        }
        let examples: Vec<_> = self.examples.iter().take(NAMED).map(|text| format!("`{}`", shorten(text))).collect();
        match (&self.place, &examples[..]) {
            (Some(place), [first, ..]) => parts.push(format!("first {first} in {place}")),
            (Some(place), []) => parts.push(place.to_string()),
            (None, []) => {}
            (None, some) => {
                let more = if self.examples.len() > NAMED { ", …" } else { "" };
                parts.push(format!("{}{more}", some.join(", ")));
            }
        }
        if !self.detail.is_empty() {
            parts.push(self.detail.clone());
        }
        parts.join(", ")
    }
}

impl Serialize for Note {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Kept<'a> {
            kind: &'static str,
            guess: bool,
            #[serde(skip_serializing_if = "Option::is_none")]
            column: &'a Option<String>,
            #[serde(skip_serializing_if = "is_zero")]
            count: usize,
            #[serde(skip_serializing_if = "is_zero")]
            of: usize,
            #[serde(skip_serializing_if = "<[String]>::is_empty")]
            examples: &'a [String],
            #[serde(skip_serializing_if = "Option::is_none")]
            place: Option<String>,
            text: String,
        }
        let Self { kind, column, count, of, examples, place, .. } = self;
        let (place, text) = (place.map(|place| place.to_string()), Notes(vec![self.clone()]).lines().concat());
        let kept =
            Kept { kind: kind.name(), guess: kind.is_guess(), column, count: *count, of: *of, examples, place, text };
        kept.serialize(serializer)
    }
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Notes, in the order in which decisions were taken. Those of one kind about one column are one.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Notes(Vec<Note>);

impl Notes {
    /// Adds a note, to one of its kind about its column where there is one: their counts are added up.
    pub fn push(&mut self, note: Note) {
        let same = |known: &&mut Note| known.kind == note.kind && known.column == note.column;
        match self.0.iter_mut().find(same) {
            Some(known) => {
                known.count += note.count;
                known.of += note.of;
                for example in note.examples {
                    if known.examples.len() <= NAMED && !known.examples.contains(&example) {
                        known.examples.push(example);
                    }
                }
                known.place = known.place.or(note.place);
            }
            None => self.0.push(note),
        }
    }

    /// Adds all of them.
    pub fn extend(&mut self, notes: impl IntoIterator<Item = Note>) {
        notes.into_iter().for_each(|note| self.push(note));
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Note] {
        &self.0
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A sentence for each kind, in the order of the first of its notes: what was decided, and about which columns; of more
    /// than three the number.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.kinds().into_iter().map(|(_, line)| line).collect()
    }

    /// The same with each line's kind.
    #[must_use]
    pub fn kinds(&self) -> Vec<(NoteKind, String)> {
        let mut order: Vec<NoteKind> = Vec::new();
        let mut by_kind: HashMap<NoteKind, Vec<&Note>> = HashMap::new();
        for note in &self.0 {
            let of_kind = by_kind.entry(note.kind).or_default();
            if of_kind.is_empty() {
                order.push(note.kind);
            }
            of_kind.push(note);
        }
        let line = |kind: NoteKind| {
            let notes = by_kind.get(&kind).map_or(&[][..], Vec::as_slice);
            let one = |note: &&Note| match (&note.column, note.about()) {
                (Some(name), about) if about.is_empty() => format!("`{}`", shorten(name)),
                (Some(name), about) => format!("`{}` ({about})", shorten(name)),
                (None, about) => about,
            };
            let some: Vec<_> = notes.iter().take(NAMED).map(one).filter(|text| !text.is_empty()).collect();
            let more = match notes.len().saturating_sub(NAMED) {
                0 => String::new(),
                1 => " and 1 more column".into(),
                more => format!(" and {more} more columns"),
            };
            let colon = if some.is_empty() { "" } else { ": " };
            (kind, format!("{}{colon}{}{more}", kind.heading(), some.join(", ")))
        };
        order.into_iter().map(line).collect()
    }

    /// Refuses guesses.
    ///
    /// # Errors
    /// [`Error::Guess`] with the first kind of guess that there is.
    pub fn refuse_guesses(&self, path: &std::path::Path) -> Result<()> {
        match self.kinds().into_iter().find(|(kind, _)| kind.is_guess()) {
            Some((kind, guess)) => Err(Error::Guess { path: path.into(), kind: kind.name(), guess }),
            None => Ok(()),
        }
    }
}

impl IntoIterator for Notes {
    type Item = Note;
    type IntoIter = std::vec::IntoIter<Note>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
