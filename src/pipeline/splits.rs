//! The splits of the data: for training, validation and testing.

use std::path::Path;

use serde::Serialize;

use super::evaluate::evaluate;
use crate::backend::Device;
use crate::data::{Dataset, Encoded, Encoder, Notes, Table};
use crate::error::Result;
use crate::infer::Metrics;
use crate::model::Model;

/// Something for each split; validation and test may be absent.
#[non_exhaustive]
#[derive(Debug, Serialize)]
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

impl Splits<Vec<usize>> {
    /// The data of each part; the tables are given up for it. `notes` learns of what is noted of tables other than the first.
    pub(crate) fn encode(
        &self,
        encoder: &Encoder,
        table: Table,
        others: HeldOutTables,
        notes: &mut impl FnMut(&Path, Notes) -> Result<()>,
    ) -> Result<Splits<Dataset>> {
        let mut part = |rows: &Option<Vec<usize>>, table: &Encoded<'_>, other: Option<Table>| match (rows, other) {
            (Some(rows), Some(other)) => {
                let (path, mut found) = (other.source().to_path_buf(), other.notes().clone());
                let encoded = encoder.encode_columns(other)?;
                found.extend(encoded.notes().clone());
                notes(&path, found)?;
                encoded.rows(rows).map(Some)
            }
            (Some(rows), None) => table.rows(rows).map(Some),
            (None, _) => Ok(None),
        };
        let table = encoder.encode_columns(table)?;
        Ok(Splits {
            train: table.rows(&self.train)?,
            validation: part(&self.validation, &table, others.validation)?,
            test: part(&self.test, &table, others.test)?,
        })
    }
}

/// The tables of parts that have one of their own.
#[derive(Debug, Default)]
pub(crate) struct HeldOutTables {
    pub validation: Option<Table>,
    pub test: Option<Table>,
}

impl HeldOutTables {
    /// They are whole parts.
    #[cfg(feature = "cli")]
    pub fn join(&self, parts: Splits<Vec<usize>>) -> Splits<Vec<usize>> {
        let all = |table: &Option<Table>| table.as_ref().map(|table| (0..table.rows()).collect());
        Splits {
            validation: all(&self.validation).or(parts.validation),
            test: all(&self.test).or(parts.test),
            train: parts.train,
        }
    }

    /// The table of a part by its name, if it has one of its own.
    #[cfg(feature = "cli")]
    pub fn table(&self, part: &str) -> Option<&Table> {
        match part {
            "test" => self.test.as_ref(),
            "validation" => self.validation.as_ref(),
            _ => None,
        }
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
