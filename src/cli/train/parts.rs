//! The parts of the data: for training, validation and testing.

use serde::Serialize;

use super::settings::Settings;
use crate::backend::Device;
use crate::cli::eval::evaluate;
use crate::data::{Dataset, Encoder, Table, stratified_split, train_test_split};
use crate::error::Result;
use crate::infer::Metrics;
use crate::model::Model;

/// Something for each part; validation and test may be absent.
#[derive(Debug, Serialize)]
pub struct Parts<T> {
    pub train: T,
    pub validation: Option<T>,
    pub test: Option<T>,
}

impl<T> Parts<T> {
    /// The parts that are there, with their names.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, &T)> {
        let parts =
            [("train", Some(&self.train)), ("validation", self.validation.as_ref()), ("test", self.test.as_ref())];
        parts.into_iter().filter_map(|(name, part)| Some((name, part?)))
    }

    /// The part by which a run is judged, with its name: test, else validation, else training.
    pub fn judged(&self) -> (&'static str, &T) {
        self.named().last().unwrap_or(("train", &self.train))
    }
}

impl Parts<Vec<usize>> {
    /// Draws the rows of each part: the test rows first, the validation rows from what remains. With classes, each part
    /// gets as many of each as it can.
    pub fn split(settings: &Settings, rows: usize, classes: Option<&[usize]>) -> Result<Self> {
        let seed = settings.split_seed;
        let outer = match classes {
            Some(classes) => stratified_split(classes, settings.test_fraction, seed, "--test-fraction")?,
            None => train_test_split(rows, settings.test_fraction, seed, "--test-fraction")?,
        };
        let (fraction, what) = (settings.validation_fraction, "--validation-fraction");
        let inner = match classes {
            Some(classes) => {
                let classes: Vec<usize> = outer.train.iter().map(|&row| classes[row]).collect();
                stratified_split(&classes, fraction, seed, what)?
            }
            None => train_test_split(outer.train.len(), fraction, seed, what)?,
        };
        let pick = |places: Vec<usize>| places.into_iter().map(|place| outer.train[place]).collect::<Vec<_>>();
        let some = |rows: Vec<usize>| (!rows.is_empty()).then_some(rows);
        Ok(Self { train: pick(inner.train), validation: some(pick(inner.test)), test: some(outer.test) })
    }

    /// The data of each part; the table is given up for it.
    pub fn encode(&self, encoder: &Encoder, table: Table) -> Result<Parts<Dataset>> {
        let table = encoder.encode_columns(table)?;
        let some = |rows: &Option<Vec<usize>>| rows.as_ref().map(|rows| table.rows(rows)).transpose();
        Ok(Parts { train: table.rows(&self.train)?, validation: some(&self.validation)?, test: some(&self.test)? })
    }
}

impl Parts<Dataset> {
    /// How good a model is on each part.
    pub async fn metrics(&self, device: &Device, model: &Model) -> Result<Parts<Metrics>> {
        let judge = async |data: &Option<Dataset>| match data {
            Some(data) => evaluate(device, model, data, None).await.map(Some),
            None => Ok(None),
        };
        Ok(Parts {
            train: evaluate(device, model, &self.train, None).await?,
            validation: judge(&self.validation).await?,
            test: judge(&self.test).await?,
        })
    }
}
