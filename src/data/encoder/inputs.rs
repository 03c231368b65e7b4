//! The inputs of one column. In: a feature and its cells. Out: f32 inputs row by row, and notes of cells that are not what the model's
//! column holds.

use std::borrow::Cow;
use std::ops::Range;

use crate::data::column::{Categorical, Cells, Column};
use crate::data::date;
use crate::data::encoder::Encoder;
use crate::data::encoder::category::{self, Categories};
use crate::data::encoder::feature::{Feature, FeatureKind, Holds};
use crate::data::encoder::piecewise;
use crate::data::encoder::scaling::clipped;
use crate::data::encoder::target_mean::{TargetMean, Targets};
use crate::data::infer::Inference;
use crate::data::note::{Note, NoteKind};
use crate::data::read_as::ReadAs;
use crate::data::table::Table;
use crate::error::{Place, Result};
use crate::limits;

/// Examples of unseen categories that a note has.
const EXAMPLES: usize = 4;

/// A column's inputs.
pub(in crate::data) struct Inputs<'a> {
    cells: EncodedCells<'a>,
    /// The input that says whether a cell is missing.
    indicator: Option<usize>,
}

enum EncodedCells<'a> {
    /// NaN where a cell is missing, which gets `fill`.
    Number { values: Vec<f32>, fill: f32, binned: Binned<'a> },
    /// The input of each label; what its inputs are for 0 and 1, where that is not 0 and 1.
    Category {
        texts: Cow<'a, Categorical>,
        places: Vec<Label>,
        missing: Option<usize>,
        levels: Vec<[f32; 2]>,
        means: Means<'a>,
    },
    /// As many for each row as there are in `fill`, NaN where a date is missing.
    Date { values: Vec<f32>, fill: Vec<f32> },
    /// Whether each is missing.
    Presence(Vec<bool>),
}

/// Numbers that have bins, whose inputs are made only as they are written: each cell has many. Missing ones are filled. Nothing where
/// there are no bins.
#[derive(Default)]
struct Binned<'a> {
    cells: Vec<f64>,
    edges: &'a [f64],
}

/// The target's means in each category.
struct Means<'a> {
    each: &'a [TargetMean],
    /// The number of the category, rare ones among them, of each label.
    places: Vec<Option<usize>>,
    /// The first input.
    start: usize,
}

/// What a text is to a model.
#[derive(Clone, Copy, PartialEq)]
enum Label {
    /// A category, with its input.
    Known(usize),
    /// One that it has not seen, with the input of rare ones, if it has one.
    Unseen(Option<usize>),
    Missing,
}

impl<'a> Inputs<'a> {
    pub fn new(
        encoder: &Encoder,
        feature: &'a Feature,
        column: Cow<'a, Column>,
        table: &Table,
    ) -> Result<(Self, Vec<Note>)> {
        let read = Read { encoder, table, name: &feature.name };
        let mut notes = Vec::new();
        let cells = match &feature.kind {
            FeatureKind::Number { mean, scale, fill, clip, edges } => {
                let (mean, scale, clip, fill) = (*mean, *scale, *clip, fill.unwrap_or(*mean));
                let fill_in = |value: f64| if value.is_nan() { fill } else { value };
                let encode = |(row, &value): (usize, &f64)| {
                    let filled = fill_in(value);
                    let z = (filled - mean) / scale;
                    let encoded = finite(table, &feature.name, row, filled, clipped(z, clip))?;
                    Ok(if value.is_nan() { f32::NAN } else { encoded })
                };
                let column = read.as_what(Holds::Numbers, column, &mut notes)?;
                let numbers = table.numbers_of(&feature.name, &column.cells)?;
                let mut values = limits::room("a column's inputs", numbers.len())?;
                for cell in numbers.iter().enumerate() {
                    values.push(encode(cell)?);
                }
                let mut binned = Binned::default();
                if !edges.is_empty() {
                    binned = Binned { cells: limits::room("a column's numbers", numbers.len())?, edges };
                    binned.cells.extend(numbers.iter().map(|&value| fill_in(value)));
                }
                EncodedCells::Number { values, fill: clipped((fill - mean) / scale, clip) as f32, binned }
            }
            FeatureKind::Category { categories, other, fill, rare, scaling, target_means } => {
                let known = Categories::new(categories, rare.as_deref(), *other);
                let other = other.then_some(categories.len());
                let texts = texts(column);
                let places = texts.labels().iter().map(|label| match known.index.place(label) {
                    Some(place) => Label::Known(place),
                    None if encoder.reading.missing.contains(label) => Label::Missing,
                    None => Label::Unseen(other),
                });
                let places: Vec<_> = places.collect();
                notes.extend(unseen(&feature.name, &texts, &places, table).filter(|_| known.complete));
                let levels = scaling.iter().map(|scaling| [0.0, 1.0].map(|x| scaling.of(x))).collect();
                let means = Means {
                    each: target_means,
                    places: match target_means[..] {
                        [] => Vec::new(),
                        _ => category::numbers(categories, rare.as_deref(), other.is_some(), &texts),
                    },
                    start: feature.mean_input(),
                };
                EncodedCells::Category { texts, places, missing: fill.or(other), levels, means }
            }
            FeatureKind::Date { parts, fill } => {
                let of = |seconds: f64, row: usize| {
                    let part = move |input: &crate::data::encoder::calendar::DateInput| {
                        standardised(table, &feature.name, row, input.part.of(seconds), input.mean, input.scale)
                    };
                    parts.iter().map(part).collect::<Result<Vec<_>>>()
                };
                let column = read.as_what(Holds::Dates, column, &mut notes)?;
                let seconds: &[f64] = if let Cells::Date(dates) = &column.cells { &dates.seconds } else { &[] };
                let mut values = Vec::with_capacity(seconds.len() * parts.len());
                for (row, &seconds) in seconds.iter().enumerate() {
                    match seconds.is_nan() {
                        true => values.extend(parts.iter().map(|_| f32::NAN)),
                        false => values.extend(of(seconds, row)?),
                    }
                }
                EncodedCells::Date { values, fill: of(date::parse(fill).map_or(0.0, |(seconds, _)| seconds), 0)? }
            }
            FeatureKind::Presence { cells } => {
                let column = read.as_what(*cells, column, &mut notes)?;
                EncodedCells::Presence((0..column.cells.len()).map(|row| column.cells.is_missing(row)).collect())
            }
        };
        Ok((Self { cells, indicator: feature.indicator.then(|| feature.width() - 1) }, notes))
    }

    /// Writes the inputs of rows (from 0), all 0 as yet.
    pub fn write<'b>(&self, rows: impl Iterator<Item = (&'b usize, &'b mut [f32])>) {
        let indicate = |inputs: &mut [f32]| self.indicator.into_iter().for_each(|indicator| inputs[indicator] = 1.0);
        match &self.cells {
            EncodedCells::Number { values, fill, binned } => rows.for_each(|(&row, inputs)| {
                if let Some(&cell) = binned.cells.get(row) {
                    piecewise::encode(cell, binned.edges, &mut inputs[1..]);
                }
                inputs[0] = values[row];
                if inputs[0].is_nan() {
                    inputs[0] = *fill;
                    indicate(inputs);
                }
            }),
            EncodedCells::Category { texts, places, missing, levels, means } => rows.for_each(|(&row, inputs)| {
                inputs.iter_mut().zip(levels).for_each(|(input, &[zero, _])| *input = zero);
                let label = texts.code(row).map_or(Label::Missing, |code| places[code]);
                let place = match label {
                    Label::Known(place) => Some(place),
                    Label::Unseen(place) => place,
                    Label::Missing => *missing,
                };
                place.into_iter().for_each(|place| inputs[place] = levels.get(place).map_or(1.0, |&[_, one]| one));
                if label == Label::Missing {
                    indicate(inputs);
                }
                for (mean, inputs) in means.of(inputs) {
                    mean.encode(mean.of(texts.code(row).and_then(|code| means.places[code])), inputs);
                }
            }),
            EncodedCells::Date { values, fill } => rows.for_each(|(&row, inputs)| {
                let width = fill.len();
                inputs[..width].copy_from_slice(&values[row * width..][..width]);
                if inputs[0].is_nan() {
                    inputs[..width].copy_from_slice(fill);
                    indicate(inputs);
                }
            }),
            EncodedCells::Presence(missing) => rows.filter(|(row, _)| missing[**row]).for_each(|(_, inputs)| {
                indicate(inputs);
            }),
        }
    }
}

impl Inputs<'_> {
    /// Writes what other folds say of the target into the inputs of training rows, which [`write`](Self::write) has written.
    pub fn cross<'b>(
        &self,
        rows: &[usize],
        targets: &Targets,
        folds: &[Range<usize>],
        inputs: impl Iterator<Item = &'b mut [f32]>,
    ) {
        let EncodedCells::Category { texts, means, .. } = &self.cells else { return };
        if means.each.is_empty() {
            return;
        }
        let places: Vec<_> = rows.iter().map(|&row| texts.code(row).and_then(|code| means.places[code])).collect();
        let crossed: Vec<_> = means.each.iter().map(|mean| mean.crossed(&places, targets, folds)).collect();
        for (row, inputs) in inputs.enumerate() {
            means.of(inputs).zip(&crossed).for_each(|((mean, inputs), values)| mean.encode(values[row], inputs));
        }
    }
}

impl<'a> Means<'a> {
    /// Each with its part of a row's inputs.
    fn of<'b>(&self, inputs: &'b mut [f32]) -> impl Iterator<Item = (&'a TargetMean, &'b mut [f32])> {
        let mut behind = &mut inputs[self.start..];
        self.each.iter().map(move |mean| {
            let own = behind.split_off_mut(..mean.width()).unwrap_or_default();
            (mean, own)
        })
    }
}

/// A column's cells as texts.
fn texts(column: Cow<'_, Column>) -> Cow<'_, Categorical> {
    match column {
        Cow::Borrowed(Column { cells: Cells::Text(texts), .. }) => Cow::Borrowed(texts),
        Cow::Owned(Column { cells: Cells::Text(texts), .. }) => Cow::Owned(texts),
        other => Cow::Owned(other.to_texts()),
    }
}

/// What is known of a column whose cells may be read otherwise than the model has them.
struct Read<'a> {
    encoder: &'a Encoder,
    table: &'a Table,
    name: &'a str,
}

impl Read<'_> {
    /// Cells as what they are in the model: those that can't be it are missing. Texts as they stand in a file may be numbers or dates.
    fn as_what<'c>(&self, holds: Holds, column: Cow<'c, Column>, notes: &mut Vec<Note>) -> Result<Cow<'c, Column>> {
        let how = match (holds, &column.cells) {
            (Holds::Numbers, Cells::Number(_)) | (Holds::Dates, Cells::Date(_)) => return Ok(column),
            (Holds::Categorical, Cells::Number(_) | Cells::Date(_)) => return Ok(column),
            (Holds::Categorical, Cells::Text(_)) => ReadAs::Text,
            (Holds::Numbers, _) => self.encoder.read_as(self.name, false),
            (Holds::Dates, _) => ReadAs::Date,
        };
        let place = |row: usize| -> Place { self.table.place(row) };
        let inference = Inference { reading: &self.encoder.reading, commas_free: true, place: &place };
        let found = inference.column(self.name, texts(column).into_owned(), how, notes);
        let unfit = |unfit: crate::data::infer::Unfit| {
            let place = place(unfit.row);
            unfit.error(self.table.source(), place, self.name)
        };
        found.map(Cow::Owned).map_err(unfit)
    }
}

/// The note of cells with categories that the model has not seen.
fn unseen(name: &str, texts: &Categorical, places: &[Label], table: &Table) -> Option<Note> {
    let is_unseen = |code: usize| matches!(places[code], Label::Unseen(_));
    if !(0..places.len()).any(is_unseen) {
        return None;
    }
    let mut rows = (0..texts.len()).filter(|&row| texts.code(row).is_some_and(is_unseen));
    let first = rows.next()?;
    let count = 1 + rows.count();
    let own = texts.code(first);
    let labels = own.into_iter().chain((0..places.len()).filter(|&code| is_unseen(code) && Some(code) != own));
    let examples = labels.take(EXAMPLES).map(|code| texts.labels()[code].clone()).collect();
    Some(Note::column(NoteKind::Unseen, name).count(count, texts.len(), examples).place(table.place(first)))
}

/// `(value − mean) / scale` as f32, computed in f64. [`Error::NonFinite`](crate::Error::NonFinite) where that is too large for f32.
pub(in crate::data) fn standardised(
    table: &Table,
    column: &str,
    row: usize,
    value: f64,
    mean: f64,
    scale: f64,
) -> Result<f32> {
    finite(table, column, row, value, (value - mean) / scale)
}

/// What a value is encoded as, in f32.
fn finite(table: &Table, column: &str, row: usize, value: f64, encoded: f64) -> Result<f32> {
    let encoded = encoded as f32;
    if encoded.is_finite() {
        return Ok(encoded);
    }
    Err(table.not_finite(column, row, format_args!("{value:e}, encoded as f32,")))
}
