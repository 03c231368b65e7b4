//! The table of a sweep, with its folds and what one candidate tells of all.

use super::folds::{FoldBy, Folds};
use super::job::Job;
use super::metric::Metric;
use crate::data::{Encoder, Table, Task, checksum};
use crate::error::{Error, Result, set};
use crate::math::Loss;
use crate::pipeline::{Estimator, Prepared};
use crate::spec::MlpSpec;
use crate::train::{Budget, TrainConfig};

/// A table that the candidates of a sweep share.
#[derive(Debug)]
pub struct FoldedTable {
    table: Table,
    /// Without them the rows for validation are held out.
    folds: Option<Folds>,
    /// The column that only says groups.
    apart: Vec<String>,
    metric: Metric,
    encoder: Encoder,
    checksum: u32,
    bytes: u64,
    /// Rows that a job learns.
    train_rows: usize,
}

impl FoldedTable {
    /// A table for a sweep, and what it comes to for `estimator`, which is any candidate's: its split, its target and its weights are
    /// those of all.
    ///
    /// # Errors
    /// Those of [`Estimator::prepare`] and of [`Folds::new`]; [`Error::Setting`] where no rows would be held out, and for a metric that
    /// the task does not have.
    pub fn new(
        table: Table,
        estimator: &Estimator,
        folds: Option<&FoldBy>,
        metric: Option<Metric>,
    ) -> Result<(Self, Prepared)> {
        let column = folds.and_then(FoldBy::column);
        let folds = folds.map(|by| Folds::by(by, estimator, &table)).transpose()?;
        let mut table = table;
        column.map(|column| table.take(column)).transpose()?;
        // Folds do not go by it any more. Without folds the split does, and takes it out itself.
        let group = folds.as_ref().and_then(|_| estimator.column_apart()).filter(|group| Some(*group) != column);
        let apart: Vec<String> = group.map(String::from).into_iter().collect();
        let prepared = prepare(&table, folds.as_ref(), &apart, estimator.clone(), 1)?;
        let Some(validation) = &prepared.data.validation else {
            let found = "without rows that are held out".into();
            let expected = format!("{}, or {}", set("folds", "K"), set("validation_fraction", "F"));
            return Err(Error::Setting { what: "a sweep", found, expected });
        };
        let encoder = prepared.encoder.clone();
        let metric = Metric::for_task(metric, encoder.task())?;
        let sets = [&prepared.data.train, validation].into_iter().chain(&prepared.data.test);
        let values: usize = sets.clone().map(|data| data.features().len() + data.targets().len()).sum();
        let (bytes, checksum) = ((values * size_of::<f32>()) as u64, checksum(sets));
        let train_rows = prepared.data.train.rows();
        Ok((Self { table, folds, apart, metric, encoder, checksum, bytes, train_rows }, prepared))
    }

    /// The table, without the column of folds.
    #[must_use]
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The folds, if there are some.
    #[must_use]
    pub fn folds(&self) -> Option<&Folds> {
        self.folds.as_ref()
    }

    /// By what trials are compared.
    #[must_use]
    pub fn metric(&self) -> Metric {
        self.metric
    }

    /// The task.
    #[must_use]
    pub fn task(&self) -> Task {
        self.encoder.task()
    }

    /// CRC-32 of the rows as the network of the estimator sees them.
    #[must_use]
    pub fn checksum(&self) -> u32 {
        self.checksum
    }

    /// Bytes of these rows.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// A candidate's network.
    ///
    /// # Errors
    /// [`Error::Setting`] for a loss that the task does not have, and for layers that are too large.
    pub fn network(&self, estimator: &Estimator) -> Result<MlpSpec> {
        let encoder = &self.encoder;
        let loss = Loss::for_task(encoder.task(), estimator.loss)?;
        let spec = estimator.hidden.spec(encoder.inputs(), encoder.outputs(), estimator.activation, loss)?;
        spec.with_named_parameters(&estimator.loss_parameters)
    }

    /// Refuses a candidate that could not be trained.
    ///
    /// # Errors
    /// Those of [`network`](Self::network) and of [`TrainConfig::check`].
    pub fn check(&self, estimator: &Estimator) -> Result<()> {
        let config = &estimator.config;
        // What the number of rows decides; another fold may have a row less.
        let decided = || Budget::new(self.train_rows, config.batch, config.schedule, true).epochs;
        let epochs = estimator.length.epochs.unwrap_or_else(decided);
        TrainConfig { epochs, ..config.clone() }.check(&self.network(estimator)?)
    }

    /// What a job needs but a device: its fold's rows for validation, the others for training.
    ///
    /// # Errors
    /// Those of [`Estimator::prepare`].
    pub fn prepare(&self, job: &Job) -> Result<Prepared> {
        let estimator = job.estimator.clone().seed(job.seed);
        prepare(&self.table, self.folds.as_ref(), &self.apart, estimator, job.fold)
    }
}

/// On a fold, counted from 1.
fn prepare(
    table: &Table,
    folds: Option<&Folds>,
    apart: &[String],
    estimator: Estimator,
    fold: usize,
) -> Result<Prepared> {
    let mut table = table.clone();
    for column in apart {
        table.take(column)?;
    }
    let estimator = match folds {
        Some(folds) => folds.apply(estimator, fold.saturating_sub(1)),
        None => estimator,
    };
    estimator.prepare(table)
}
