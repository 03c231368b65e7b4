//! What a column of texts really holds. In: its distinct texts, and what is known of it. Out: numbers in the one form that they
//! agree on, dates, or the texts themselves, with notes of what was decided.

use std::path::Path;

use crate::data::cell::{is_code, loses_digits};
use crate::data::column::{Categorical, Cells, Column, Dates};
use crate::data::date;
use crate::data::form::{self, NumberForm};
use crate::data::note::{Note, NoteKind};
use crate::data::read_as::{ReadAs, Strays};
use crate::data::reading::Reading;
use crate::error::{Error, Place, flag_word, set, shorten};

/// Texts that stand for missing cells where all others are numbers.
pub(super) const DASHES: [&str; 3] = ["-", "--", "."];
/// Examples that a note has.
const EXAMPLES: usize = 3;

/// What is known of a table whose columns are looked at.
pub(super) struct Inference<'a> {
    pub reading: &'a Reading,
    /// Whether cells are separated in a way that leaves commas to numbers.
    pub commas_free: bool,
    /// Where a row stands.
    pub place: &'a (dyn Fn(usize) -> Place + Sync),
}

/// A cell that its column can't have.
pub(super) struct Unfit {
    pub row: usize,
    pub cell: String,
    /// Whether it is a number, but an infinite one.
    pub infinite: bool,
}

impl Unfit {
    /// The error for it in a column of a file.
    pub fn error(self, path: &Path, place: Place, column: &str) -> Error {
        let (path, column, cell) = (path.into(), column.into(), shorten(&self.cell));
        match self.infinite {
            true => Error::NonFinite { path, place, column, cell },
            false => Error::NotANumber { path, place, column, cell },
        }
    }
}

impl Inference<'_> {
    /// The column of these texts, read as it is said. What is noted goes to `notes`.
    pub fn column(&self, name: &str, texts: Categorical, how: ReadAs, notes: &mut Vec<Note>) -> Result<Column, Unfit> {
        let counts = counts(&texts);
        let missing = texts.labels().iter().map(|label| self.reading.missing.contains(label));
        let there: Vec<bool> = missing.zip(&counts).map(|(missing, &count)| !missing && count > 0).collect();
        // Where the form is known a dash is told as any other text is, so that cells say the same whether they were copied or not.
        let is_known = matches!(how, ReadAs::Written(..));
        let dash = |label: &str| {
            !is_known && DASHES.contains(&label) && !self.reading.missing.fewer.iter().any(|word| word == label)
        };
        let all: usize = counts.iter().zip(&there).filter(|(_, there)| **there).map(|(count, _)| count).sum();
        let of = |what: &dyn Fn(&str) -> bool| -> usize {
            let labels = texts.labels().iter().zip(&counts).zip(&there);
            labels.filter(|((label, _), there)| **there && what(label)).map(|((_, count), _)| count).sum()
        };
        let dashes = of(&dash);
        let enough = |cells: usize| match how {
            ReadAs::Infer | ReadAs::Named => 10 * cells >= 9 * (all - dashes),
            ReadAs::Number(Strays::Missing | Strays::Expected) => true,
            _ => cells == all - dashes,
        };
        let found = match how {
            ReadAs::Text | ReadAs::Verbatim | ReadAs::Skip | ReadAs::Date => None,
            ReadAs::Written(form, _) => Some((form, false)),
            ReadAs::Infer | ReadAs::Named | ReadAs::Target | ReadAs::Number(_) => {
                let labels = texts.labels().iter().zip(&counts).zip(&there).filter(|(_, there)| **there);
                let labels = labels.map(|((label, &count), _)| (label.as_str(), count));
                let found = form::find(labels, self.reading.marks());
                let infinite = of(&|label| is_infinite(label));
                let found = found.filter(|found| enough(found.cells + infinite));
                let nothing = NumberForm::default();
                match (found, how) {
                    (Some(found), _) => Some((found.form, found.ambiguous)),
                    (None, ReadAs::Number(_)) => Some((nothing, false)),
                    (None, _) if all == 0 => Some((nothing, false)),
                    (None, _) => None,
                }
            }
        };
        if let Some((form, ambiguous)) = found {
            let numbers = self.numbers(name, texts, form, how, &there, &dash, notes)?;
            self.tell_form(name, form, ambiguous, how, notes);
            return Ok(numbers);
        }
        if matches!(how, ReadAs::Infer | ReadAs::Named | ReadAs::Date) {
            let dates: Vec<Option<(f64, bool)>> = texts.labels().iter().map(|label| date::parse(label)).collect();
            let cells = |label: usize| if there[label] && dates[label].is_some() { counts[label] } else { 0 };
            let cells: usize = (0..dates.len()).map(cells).sum();
            if how == ReadAs::Date || (cells > 0 && 10 * cells >= 9 * all) {
                return Ok(self.dates(name, &texts, &dates, &there, how, notes));
            }
            let others = texts.labels().iter().zip(&there).filter(|(_, there)| **there);
            if 10 * of(&|label| date::other(label).is_some()) >= 9 * all.max(1)
                && let Some(form) = date::form_of_others(others.map(|(label, _)| label.as_str()))
            {
                notes.push(Note::column(NoteKind::OtherDates, name).detail(format!("as {form}")));
            }
        }
        Ok(Column::new(name, Cells::Text(if how == ReadAs::Verbatim { texts } else { without(texts, &there) })))
    }

    fn numbers(
        &self,
        name: &str,
        texts: Categorical,
        form: NumberForm,
        how: ReadAs,
        there: &[bool],
        dash: &dyn Fn(&str) -> bool,
        notes: &mut Vec<Note>,
    ) -> Result<Column, Unfit> {
        let values: Vec<f64> = texts.labels().iter().map(|label| form.parse(label).unwrap_or(f64::NAN)).collect();
        // A number that stands for missing cells does so in every way of writing it.
        let there: Vec<bool> = there
            .iter()
            .zip(&values)
            .map(|(there, &value)| *there && !self.reading.missing.has_number(value))
            .collect();
        let there = &there[..];
        let is_stray = |label: usize| there[label] && values[label].is_nan() && !dash(&texts.labels()[label]);
        let infinite =
            |label: usize| there[label] && (values[label].is_infinite() || is_infinite(&texts.labels()[label]));
        let rows_of = |what: &dyn Fn(usize) -> bool| -> Option<usize> {
            let marked: Vec<bool> = (0..values.len()).map(what).collect();
            (0..texts.len()).find(|&row| texts.code(row).is_some_and(|code| marked[code]))
        };
        let unfit = |row, infinite| Unfit { row, cell: texts.get(row).unwrap_or_default().into(), infinite };
        if let Some(row) = rows_of(&infinite) {
            return Err(unfit(row, true));
        }
        if let Some(row) = rows_of(&is_stray) {
            let kind = match how {
                _ if how.strays() == Strays::Refused => return Err(unfit(row, false)),
                ReadAs::Infer | ReadAs::Named => NoteKind::StrayTexts,
                _ => how.stray_note(),
            };
            notes.push(self.strays(kind, name, &texts, row, &is_stray));
        }
        let code = |label: usize| there[label] && how == ReadAs::Infer && is_code(&texts.labels()[label]);
        if let Some(row) = rows_of(&code) {
            let Note { count, of, examples, .. } = self.strays(NoteKind::PaddedNumbers, name, &texts, row, &code);
            notes.push(padded(name, count, of, examples, (self.place)(row)));
        }
        let lossy = |label: usize| there[label] && loses_digits(&texts.labels()[label], values[label]);
        let by_text = |label: usize| there[label] && how.goes_by_text(&texts.labels()[label], values[label]);
        let exact = (0..values.len()).any(by_text).then(|| without(texts.clone(), there));
        if (0..values.len()).any(lossy) && matches!(how, ReadAs::Infer | ReadAs::Target) {
            notes.push(Note::column(NoteKind::LostDigits, name));
        }
        let cell = |row| texts.code(row).filter(|&code| there[code]).map_or(f64::NAN, |code| values[code] + 0.0);
        let cells = Cells::Number((0..texts.len()).map(cell).collect());
        Ok(Column { form, exact, ..Column::new(name, cells) })
    }

    fn strays(
        &self,
        kind: NoteKind,
        name: &str,
        texts: &Categorical,
        row: usize,
        is_stray: &dyn Fn(usize) -> bool,
    ) -> Note {
        let stray: Vec<bool> = (0..texts.labels().len()).map(is_stray).collect();
        let count = (0..texts.len()).filter(|&row| texts.code(row).is_some_and(|code| stray[code])).count();
        let first = texts.code(row).into_iter();
        let labels = first.chain((0..stray.len()).filter(|&label| stray[label] && texts.code(row) != Some(label)));
        let examples = labels.take(EXAMPLES).map(|label| texts.labels()[label].clone()).collect();
        Note::column(kind, name).count(count, texts.len(), examples).place((self.place)(row))
    }

    fn tell_form(&self, name: &str, form: NumberForm, ambiguous: bool, how: ReadAs, notes: &mut Vec<Note>) {
        let guessed = matches!(how, ReadAs::Infer | ReadAs::Target | ReadAs::Number(_));
        if !guessed || form.is_plain() {
            return;
        }
        let kind = match form.decimal {
            _ if ambiguous => NoteKind::ThousandsGuess,
            ',' if !self.commas_free && self.reading.decimal.is_none() && form.thousands != Some('.') => {
                NoteKind::DecimalGuess
            }
            _ => NoteKind::NumberForm,
        };
        notes.push(Note::column(kind, name).detail(form.describe()));
    }

    fn dates(
        &self,
        name: &str,
        texts: &Categorical,
        dates: &[Option<(f64, bool)>],
        there: &[bool],
        how: ReadAs,
        notes: &mut Vec<Note>,
    ) -> Column {
        let is_stray = |label: usize| there[label] && dates[label].is_none();
        let stray_row = (0..texts.len()).find(|&row| texts.code(row).is_some_and(is_stray));
        if let Some(row) = stray_row {
            let kind = if how == ReadAs::Date { NoteKind::StrayCells } else { NoteKind::StrayTexts };
            notes.push(self.strays(kind, name, texts, row, &is_stray));
        }
        if how == ReadAs::Infer {
            notes.push(Note::column(NoteKind::Dates, name));
        }
        let date = |row| texts.code(row).filter(|&code| there[code]).and_then(|code| dates[code]);
        let seconds = (0..texts.len()).map(|row| date(row).map_or(f64::NAN, |(seconds, _)| seconds)).collect();
        let with_time = (0..dates.len()).any(|label| there[label] && dates[label].is_some_and(|(_, time)| time));
        Column::new(name, Cells::Date(Dates { seconds, with_time }))
    }
}

/// The note of numbers that may be codes.
pub(super) fn padded(name: &str, count: usize, of: usize, examples: Vec<String>, place: Place) -> Note {
    let otherwise = format!("{} keeps the zeros", set("categorical", &flag_word(name)));
    Note::column(NoteKind::PaddedNumbers, name).count(count, of, examples).place(place).detail(otherwise)
}

/// Whether a text is an infinite number, as programs write it.
fn is_infinite(label: &str) -> bool {
    label.parse::<f64>().is_ok_and(f64::is_infinite)
}

/// The number of cells of each text.
pub(super) fn counts(texts: &Categorical) -> Vec<usize> {
    let mut counts = vec![0; texts.labels().len()];
    (0..texts.len()).filter_map(|row| texts.code(row)).for_each(|code| counts[code] += 1);
    counts
}

/// The texts except for those that stand for missing cells.
fn without(texts: Categorical, there: &[bool]) -> Categorical {
    if there.iter().all(|&there| there) {
        return texts;
    }
    let mut next = 0;
    let places: Vec<u32> = there
        .iter()
        .map(|&there| {
            next += u32::from(there);
            if there { next - 1 } else { Categorical::MISSING }
        })
        .collect();
    let (labels, codes) = texts.into_parts();
    let labels = labels.into_iter().zip(there).filter(|(_, there)| **there).map(|(label, _)| label).collect();
    let codes =
        codes.into_iter().map(|code| places.get(code as usize).copied().unwrap_or(Categorical::MISSING)).collect();
    Categorical::from_parts(labels, codes)
}
