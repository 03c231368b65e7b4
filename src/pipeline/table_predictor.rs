//! A model of a table on a device, for predictions again and again. In: tables, or rows of numbers. Out: what is predicted of each row.

use std::borrow::Borrow;
use std::path::Path;

use super::arrays::columns_of;
use super::evaluate::encoder_of;
use super::predict::Prediction;
use crate::backend::Device;
use crate::data::{Encoder, Feature, FeatureKind, Notes, Table};
use crate::error::{Error, Result, shorten};
use crate::infer::Predictor;
use crate::model::{IN_MEMORY, Model};

/// A model on a device: its parameters and plans are there from the start, where [`Model::predict`] loads them in each call. Threads share it.
/// It has the model itself, or borrows it.
#[derive(Debug)]
pub struct TablePredictor<M: Borrow<Model> = Model> {
    model: M,
    predictor: Predictor,
}

impl<M: Borrow<Model>> TablePredictor<M> {
    /// Loads a model; `rows` is the most rows of a usual call, as [`Predictor::new`] has it.
    ///
    /// # Errors
    /// [`Error::ModelFile`] for a model without an encoder; what the device says.
    #[cfg(not(target_family = "wasm"))]
    pub fn new(model: M, device: &Device, rows: usize) -> Result<Self> {
        pollster::block_on(Self::new_async(model, device, rows))
    }

    /// [`new`](Self::new) for async programs.
    ///
    /// # Errors
    /// As there.
    pub async fn new_async(model: M, device: &Device, rows: usize) -> Result<Self> {
        let of = model.borrow();
        encoder_of(of, Path::new(IN_MEMORY))?;
        let predictor = Predictor::new_async(device, &of.spec, &of.parameters, rows).await?;
        Ok(Self { model, predictor })
    }

    /// The model.
    pub fn model(&self) -> &Model {
        self.model.borrow()
    }

    /// What [`Model::predict`] says.
    ///
    /// # Errors
    /// Those of [`Encoder::encode_features`]; what the device says.
    #[cfg(not(target_family = "wasm"))]
    pub fn predict(&self, table: &Table) -> Result<(Vec<Prediction>, Notes)> {
        pollster::block_on(self.predict_async(table))
    }

    /// [`predict`](Self::predict) for async programs.
    ///
    /// # Errors
    /// As there.
    pub async fn predict_async(&self, table: &Table) -> Result<(Vec<Prediction>, Notes)> {
        let encoder = self.encoder()?;
        let (features, notes) = encoder.encode_features(table)?;
        let outputs = self.predictor.outputs_async(&features).await?;
        let rows = outputs.chunks(encoder.outputs());
        Ok((rows.map(|z| Prediction::of_outputs(self.model(), encoder, z)).collect(), notes))
    }

    /// What [`Model::predict_rows`] says.
    ///
    /// # Errors
    /// As there.
    #[cfg(not(target_family = "wasm"))]
    pub fn predict_rows(&self, rows: &[f64]) -> Result<Vec<Prediction>> {
        pollster::block_on(self.predict_rows_async(rows))
    }

    /// [`predict_rows`](Self::predict_rows) for async programs.
    ///
    /// # Errors
    /// As there.
    pub async fn predict_rows_async(&self, rows: &[f64]) -> Result<Vec<Prediction>> {
        let encoder = self.encoder()?;
        let is_number = |feature: &&Feature| matches!(feature.kind, FeatureKind::Number { .. });
        if let Some(feature) = encoder.features().iter().find(|feature| !is_number(feature)) {
            let found = format!("one with categories or dates in `{}`", shorten(&feature.name));
            let expected = "one whose features are all numbers: predict takes a table with any".into();
            return Err(Error::Setting { what: "the model for predict_rows", found, expected });
        }
        let width = encoder.features().len();
        if rows.is_empty() || !rows.len().is_multiple_of(width) {
            let (what, found) = ("the table of features".into(), rows.len());
            return Err(Error::Shape { what, found, expected: format!("a multiple of {width}, the model's features") });
        }
        let names = encoder.features().iter().map(|feature| feature.name.clone()).collect();
        // Of numbers and missing cells there is nothing to note.
        Ok(self.predict_async(&Table::of_rows(IN_MEMORY, columns_of(rows, names))?).await?.0)
    }

    fn encoder(&self) -> Result<&Encoder> {
        encoder_of(self.model(), Path::new(IN_MEMORY))
    }
}

impl Model {
    /// Predicts the target of every row of a table, in its order. Columns are found by their names; others than the model's are
    /// not looked at, and the target need not be there. A [`TablePredictor`] does the same again and again. The notes are those of [`Encoder::encode_features`]: which cells the model cannot take
    /// as they are, so that their predictions say little.
    ///
    /// # Errors
    /// [`Error::ModelFile`] for a model without an encoder; those of [`Encoder::encode_features`]; what the device says.
    #[cfg(not(target_family = "wasm"))]
    pub fn predict(&self, table: &Table, device: &Device) -> Result<(Vec<Prediction>, Notes)> {
        pollster::block_on(self.predict_async(table, device))
    }

    /// [`predict`](Self::predict) for async programs.
    ///
    /// # Errors
    /// As there.
    pub async fn predict_async(&self, table: &Table, device: &Device) -> Result<(Vec<Prediction>, Notes)> {
        TablePredictor::new_async(self, device, table.rows()).await?.predict_async(table).await
    }

    /// Predicts rows of numbers, [rows, features], in the order of [`Encoder::features`] and in the columns' own units; NaN stands
    /// for a missing one. All features of the model are numbers.
    ///
    /// # Errors
    /// [`Error::Setting`] for a model with a feature of categories or dates, [`Error::Shape`] for what are no whole rows, else those of [`predict`](Self::predict).
    #[cfg(not(target_family = "wasm"))]
    pub fn predict_rows(&self, rows: &[f64], device: &Device) -> Result<Vec<Prediction>> {
        pollster::block_on(self.predict_rows_async(rows, device))
    }

    /// [`predict_rows`](Self::predict_rows) for async programs.
    ///
    /// # Errors
    /// As there.
    pub async fn predict_rows_async(&self, rows: &[f64], device: &Device) -> Result<Vec<Prediction>> {
        let width = encoder_of(self, Path::new(IN_MEMORY))?.features().len();
        TablePredictor::new_async(self, device, rows.len() / width).await?.predict_rows_async(rows).await
    }
}
