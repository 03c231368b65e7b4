//! The table of a sweep, and what one candidate tells of all.

use crate::data::{Encoder, Table, Task, checksum};
use crate::error::{Error, Result, set};
use crate::infer::Metric;
use crate::math::Loss;
use crate::pipeline::{Estimator, FoldBy, Prepared};
use crate::spec::MlpSpec;
use crate::train::{Budget, TrainConfig};

/// A table that the candidates of a sweep share. Those of one shape share its rows as the network sees them, too.
#[derive(Debug)]
pub struct FoldedTable {
    table: Table,
    folds: Option<usize>,
    /// The column that says folds.
    column: Option<String>,
    metric: Metric,
    encoder: Encoder,
    checksum: u32,
    /// Rows that a training learns from, at the least.
    train_rows: usize,
}

impl FoldedTable {
    /// A table for a sweep, and what it comes to for `estimator`, which is any candidate's: its splits, its folds, its target and its
    /// weights are those of all.
    ///
    /// # Errors
    /// Those of [`Estimator::prepare`]; [`Error::Setting`] where no rows would be held out, and for a metric that the task does not have.
    pub fn new(table: Table, estimator: &Estimator, metric: Option<Metric>) -> Result<(Self, Prepared)> {
        let prepared = estimator.prepare(table.clone())?;
        if prepared.folds.is_empty() && prepared.data.validation.is_none() {
            let found = "without rows that are held out".into();
            let expected = format!("{}, or {}", set("folds", "K"), set("validation_fraction", "F"));
            return Err(Error::Setting { what: "a sweep", found, expected });
        }
        let column = estimator.folds.as_ref().and_then(FoldBy::column).map(String::from);
        let folds = Some(prepared.folds.len()).filter(|&folds| folds > 0);
        let encoder = prepared.encoder.clone();
        let metric = Metric::for_task(metric, encoder.task())?;
        let data = &prepared.data;
        let checksum = checksum([&data.train].into_iter().chain(&data.validation).chain(&data.test));
        let largest = prepared.folds.iter().map(ExactSizeIterator::len).max();
        let train_rows = prepared.data.train.rows() - largest.unwrap_or(0);
        Ok((Self { table, folds, column, metric, encoder, checksum, train_rows }, prepared))
    }

    /// The table without the column of folds.
    ///
    /// # Errors
    /// None that [`new`](Self::new) has not met.
    pub fn table(&self) -> Result<Table> {
        let mut table = self.table.clone();
        self.column.as_deref().map(|column| table.take(column)).transpose()?;
        Ok(table)
    }

    /// How many folds there are, if there are some.
    #[must_use]
    pub fn folds(&self) -> Option<usize> {
        self.folds
    }

    /// The rows of the table.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.table.rows()
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

    /// A candidate's network, but for its number of inputs, which is the first candidate's: other bins of numbers make others.
    fn network(&self, estimator: &Estimator) -> Result<MlpSpec> {
        let encoder = &self.encoder;
        let loss = Loss::for_task(encoder.task(), estimator.loss)?;
        let spec = estimator.hidden.spec(encoder.inputs(), encoder.outputs(), estimator.activation, loss)?;
        spec.with_named_parameters(&estimator.loss_parameters)
    }

    /// Refuses a candidate that could not be trained.
    ///
    /// # Errors
    /// [`Error::Setting`] for a loss that the task does not have, for layers that are too large, and for weights of classes that the
    /// target does not have; those of [`TrainConfig::check`].
    pub fn check(&self, estimator: &Estimator) -> Result<()> {
        estimator.class_weight.check(&self.encoder)?;
        let config = &estimator.config;
        // What the number of rows decides; another fold may have a row less.
        let decided = || Budget::new(self.train_rows, config.batch, config.schedule, true).epochs;
        let epochs = estimator.length.epochs.unwrap_or_else(decided);
        TrainConfig { epochs, ..config.clone() }.check(&self.network(estimator)?)
    }

    /// What the jobs of candidates of one shape need but a device.
    ///
    /// # Errors
    /// Those of [`Estimator::prepare`].
    pub fn prepare(&self, estimator: &Estimator) -> Result<Prepared> {
        estimator.prepare(self.table.clone())
    }
}
