//! A table's columns as the network sees them, and rows of them. In: an [`Encoder`] and a table. Out: a [`Dataset`].
//!
//! Each column is turned into f32 by itself, so that a table that is given away holds no column twice: its numbers go as
//! soon as their inputs are there. Rows are gathered from these columns, in blocks, on all cores.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use crate::data::column::{Cells, Column, some_at_a_time};
use crate::data::dataset::Dataset;
use crate::data::encoder::Encoder;
use crate::data::encoder::inputs::{Inputs, standardised};
use crate::data::encoder::target::{ClassIndex, Target, TargetKind};
use crate::data::encoder::target_mean::Targets;
use crate::data::form::NumberForm;
use crate::data::note::Notes;
use crate::data::table::Table;
use crate::error::{Error, Result, list, shorten};
use crate::limits;
use crate::parallel::prelude::*;

/// Rows that a task gathers at a time.
const BLOCK: usize = 1024;

/// A table whose features are encoded, of which rows can be taken.
pub struct Encoded<'a> {
    encoder: &'a Encoder,
    /// The table, or what is left of it: the target, and the lines of rows.
    table: Cow<'a, Table>,
    columns: Vec<Inputs<'a>>,
    notes: Notes,
}

impl Encoder {
    /// Encodes features and target, found by name, in all rows of the table. The target makes one column, for classes
    /// with their numbers.
    ///
    /// # Errors
    /// Those of [`encode_features`](Self::encode_features), the target counting as a column that is needed;
    /// [`Error::UnfitTarget`] for a class that the encoder doesn't know; [`Error::NotANumber`] for a
    /// text in the target of a regression; [`Error::MissingCell`] for a target that is missing.
    pub fn encode(&self, table: &Table) -> Result<Dataset> {
        self.encode_rows(table, &(0..table.rows()).collect::<Vec<_>>())
    }

    /// The same for some rows (from 0), in this order.
    ///
    /// # Errors
    /// Those of [`encode`](Self::encode).
    ///
    /// # Panics
    /// For a row that the table doesn't have.
    pub fn encode_rows(&self, table: &Table, rows: &[usize]) -> Result<Dataset> {
        self.extra_columns(table.source(), &table.names(), true)?;
        self.columns_of(table)?.rows(rows)
    }

    /// Encodes the features, found by name, in all rows: `[rows, inputs]`, row-major. The order of the table's columns
    /// doesn't matter, and there may be others. The notes say which cells hold categories that the model has not seen
    /// ([`NoteKind::Unseen`](crate::data::NoteKind::Unseen)), and which count as missing, since they are not numbers or
    /// dates where the model wants such.
    ///
    /// # Errors
    /// [`Error::MissingColumns`] where columns aren't there; [`Error::NonFinite`] for a cell that is too large for f32 when encoded.
    pub fn encode_features(&self, table: &Table) -> Result<(Vec<f32>, Notes)> {
        self.extra_columns(table.source(), &table.names(), false)?;
        let encoded = self.columns_of(table)?;
        Ok((encoded.inputs(&(0..table.rows()).collect::<Vec<_>>())?, encoded.notes))
    }

    /// Encodes the features of a table that is needed no more, for [`Encoded::rows`]. Each column is given up for its inputs,
    /// so that numbers take half the memory from here on and are never there twice.
    ///
    /// # Errors
    /// Those of [`encode_features`](Self::encode_features), the target counting as a column that is needed.
    pub fn encode_columns(&self, mut table: Table) -> Result<Encoded<'_>> {
        self.extra_columns(table.source(), &table.names(), true)?;
        let columns = self.features.iter().map(|feature| Ok(Cow::Owned(table.take(&feature.name)?)));
        let columns = columns.collect::<Result<_>>()?;
        for column in self.left_out.iter().filter(|column| table.column(&column.name).is_ok()).collect::<Vec<_>>() {
            table.take(&column.name)?;
        }
        Encoded::new(self, Cow::Owned(table), columns)
    }

    fn columns_of<'a>(&'a self, table: &'a Table) -> Result<Encoded<'a>> {
        let columns = self.features.iter().map(|feature| Ok(Cow::Borrowed(table.column_of(&feature.name)?)));
        Encoded::new(self, Cow::Borrowed(table), columns.collect::<Result<_>>()?)
    }

    /// The class of every row; none where the target is a number.
    ///
    /// # Errors
    /// Those of [`encode`](Self::encode) that concern the target.
    pub fn class_numbers(&self, table: &Table) -> Result<Option<Vec<usize>>> {
        class_numbers(&self.target, self.form(&self.target.name), table)
    }
}

impl<'a> Encoded<'a> {
    fn new(encoder: &'a Encoder, table: Cow<'a, Table>, columns: Vec<Cow<'a, Column>>) -> Result<Self> {
        let columns = encoder.features.iter().zip(columns).collect();
        let encoded = some_at_a_time(columns, |(feature, column)| Inputs::new(encoder, feature, column, &table))?;
        let (columns, all): (Vec<_>, Vec<_>) = encoded.into_iter().unzip();
        let mut notes = Notes::default();
        notes.extend(all.into_iter().flatten());
        Ok(Self { encoder, table, columns, notes })
    }

    /// What there is to say of the cells of all rows, as [`Encoder::encode_features`] has it.
    #[must_use]
    pub fn notes(&self) -> &Notes {
        &self.notes
    }

    /// These rows (from 0), in this order, with their targets.
    ///
    /// # Errors
    /// Those of [`Encoder::encode`] that concern the target.
    ///
    /// # Panics
    /// For a row that the table doesn't have.
    pub fn rows(&self, rows: &[usize]) -> Result<Dataset> {
        let targets =
            encode_target(&self.encoder.target, self.encoder.form(&self.encoder.target.name), &self.table, rows)?;
        Dataset::new(self.inputs(rows)?, targets, self.encoder.inputs(), 1)
    }

    /// The same of the rows that the encoder was fitted to. A category's mean of the target ([`TargetMean`](super::TargetMean)) is that of the
    /// rows of other folds, which are ranges of these rows; where there are none, of seven eighths of them.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Panics
    /// As there.
    pub fn training_rows(&self, rows: &[usize], folds: &[Range<usize>]) -> Result<Dataset> {
        let target = &self.encoder.target;
        let targets = encode_target(target, self.encoder.form(&target.name), &self.table, rows)?;
        let of_rows = decoded(&target.kind, &targets);
        let (mut inputs, width, mut start) = (self.inputs(rows)?, self.encoder.inputs(), 0);
        for (column, feature) in self.columns.iter().zip(&self.encoder.features) {
            column.cross(
                rows,
                &of_rows,
                folds,
                inputs.chunks_exact_mut(width).map(|row| &mut row[start..][..feature.width()]),
            );
            start += feature.width();
        }
        Dataset::new(inputs, targets, width, 1)
    }

    fn inputs(&self, rows: &[usize]) -> Result<Vec<f32>> {
        let width = self.encoder.inputs();
        let mut all = limits::filled("the inputs of all rows", 0.0, rows.len().saturating_mul(width))?;
        all.par_chunks_mut(BLOCK * width).zip(rows.par_chunks(BLOCK)).for_each(|(inputs, rows)| {
            let mut start = 0;
            for (column, feature) in self.columns.iter().zip(&self.encoder.features) {
                let end = start + feature.width();
                column.write(rows.iter().zip(inputs.chunks_exact_mut(width).map(|row| &mut row[start..end])));
                start = end;
            }
        });
        Ok(all)
    }
}

/// The class of every row; none where the target is a number.
pub(in crate::data) fn class_numbers(target: &Target, form: NumberForm, table: &Table) -> Result<Option<Vec<usize>>> {
    if target.kind.classes().is_none() {
        return Ok(None);
    }
    let numbers = encode_target(target, form, table, &(0..table.rows()).collect::<Vec<_>>())?;
    Ok(Some(numbers.into_iter().map(|class| class as usize).collect()))
}

/// The targets of training rows, of which categories have means.
pub(in crate::data) fn decoded<'a>(kind: &'a TargetKind, encoded: &[f32]) -> Targets<'a> {
    Targets::new(encoded.iter().map(|&y| kind.decode(y.into())).collect(), kind.several())
}

/// The target as the network sees it, in these rows.
pub(in crate::data) fn encode_target(
    target: &Target,
    form: NumberForm,
    table: &Table,
    rows: &[usize],
) -> Result<Vec<f32>> {
    let name = &target.name;
    let column = table.column_of(name)?;
    let cells = &column.cells;
    if let Some(&row) = rows.iter().find(|&&row| cells.is_missing(row)) {
        return Err(table.missing(name, row));
    }
    if let TargetKind::Regression { mean, scale, .. } = target.kind {
        let values = table.numbers(name)?;
        return rows.iter().map(|&row| standardised(table, name, row, values[row], mean, scale)).collect();
    }
    let classes = target.kind.classes().unwrap_or_default();
    let index = ClassIndex::new(classes);
    let number = |row: usize, class: Option<usize>, label: &dyn Fn() -> String| match class {
        Some(class) => Ok(class as f32),
        None => {
            let (label, place) = (label(), table.place(row));
            let problem = format!("is `{label}` in {place}: the model knows the classes {}", list(classes));
            Err(Error::UnfitTarget { path: table.source().into(), column: name.clone(), problem })
        }
    };
    if let (Cells::Number(values), None) = (cells, &column.exact) {
        let mut known: HashMap<u64, Option<usize>> = HashMap::new();
        let class = |&row: &usize| {
            let value = values[row];
            let class = *known.entry(value.to_bits()).or_insert_with(|| index.of_number(value));
            number(row, class, &|| value.to_string())
        };
        return rows.iter().map(class).collect();
    }
    let texts = column.to_texts();
    let of_labels: Vec<_> = texts.labels().iter().map(|label| index.of_written(label, form)).collect();
    let class = |&row: &usize| {
        let class = texts.code(row).and_then(|code| of_labels[code]);
        number(row, class, &|| texts.get(row).map(shorten).unwrap_or_default())
    };
    rows.iter().map(class).collect()
}
