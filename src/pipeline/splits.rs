//! The splits of the data: for training, validation and testing.

use serde::Serialize;

use super::evaluate::evaluate;
use crate::backend::Device;
use crate::data::Dataset;
use crate::error::Result;
use crate::infer::Metrics;
use crate::model::Model;

/// Something for each split; validation and test may be absent.
#[non_exhaustive]
#[derive(Clone, Debug, Serialize)]
pub struct Splits<T> {
    /// For training.
    pub train: T,
    /// For judging epochs while training goes on.
    pub validation: Option<T>,
    /// For judging the model in the end.
    pub test: Option<T>,
}

impl<T> Splits<T> {
    /// The splits that are there, with their names.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, &T)> {
        let parts =
            [("train", Some(&self.train)), ("validation", self.validation.as_ref()), ("test", self.test.as_ref())];
        parts.into_iter().filter_map(|(name, part)| Some((name, part?)))
    }

    /// The split by which a run is evaluated, with its name: test, else validation, else training.
    pub fn evaluated(&self) -> (&'static str, &T) {
        self.named().last().unwrap_or(("train", &self.train))
    }
}

impl Splits<Dataset> {
    /// How good a model is on each part.
    pub(crate) async fn metrics(&self, device: &Device, model: &Model) -> Result<Splits<Metrics>> {
        let judge = async |data: &Option<Dataset>| match data {
            Some(data) => evaluate(device, model, data, None).await.map(Some),
            None => Ok(None),
        };
        Ok(Splits {
            train: evaluate(device, model, &self.train, None).await?,
            validation: judge(&self.validation).await?,
            test: judge(&self.test).await?,
        })
    }
}
