//! The parts of the data: for training, validation and testing.

use std::path::Path;

use serde::Serialize;

use crate::backend::Device;
use crate::cli::eval::evaluate;
use crate::data::{Dataset, Encoded, Encoder, Notes, Table};
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
    /// The data of each part; the tables are given up for it. `notes` learns of what is noted of tables other than the first.
    pub fn encode(
        &self,
        encoder: &Encoder,
        table: Table,
        others: Others,
        notes: &mut impl FnMut(&Path, Notes) -> Result<()>,
    ) -> Result<Parts<Dataset>> {
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
        Ok(Parts {
            train: table.rows(&self.train)?,
            validation: part(&self.validation, &table, others.validation)?,
            test: part(&self.test, &table, others.test)?,
        })
    }
}

/// The tables of parts that have one of their own.
#[derive(Debug, Default)]
pub struct Others {
    pub validation: Option<Table>,
    pub test: Option<Table>,
}

impl Others {
    /// They are whole parts.
    pub fn join(&self, parts: Parts<Vec<usize>>) -> Parts<Vec<usize>> {
        let all = |table: &Option<Table>| table.as_ref().map(|table| (0..table.rows()).collect());
        Parts {
            validation: all(&self.validation).or(parts.validation),
            test: all(&self.test).or(parts.test),
            train: parts.train,
        }
    }

    /// The table of a part by its name, if it has one of its own.
    pub fn table(&self, part: &str) -> Option<&Table> {
        match part {
            "test" => self.test.as_ref(),
            "validation" => self.validation.as_ref(),
            _ => None,
        }
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
