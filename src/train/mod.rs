//! Training: which rows when, how many steps a submission, what the losses mean, when to stop. Works on any
//! backend; knows nothing of files or terminals, but tells what happens through events.

mod pace;
mod trainer;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use trainer::Trainer;

use crate::error::{Error, Result};
use crate::math::Optimizer;
use crate::plan::PlanKind;

/// Rows of a training step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Batch {
    /// The whole data set, in its own order.
    Full,
    /// So many rows in an order drawn anew for every epoch; the last step of an epoch takes what remains.
    Rows(usize),
}

impl FromStr for Batch {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        match (text, text.parse()) {
            ("full", _) => Ok(Self::Full),
            (_, Ok(rows)) if rows > 0 => Ok(Self::Rows(rows)),
            _ => Err(Error::Setting {
                what: "--batch",
                found: format!("`{text}`"),
                expected: "`full` or a number of rows from 1 on".into(),
            }),
        }
    }
}

impl fmt::Display for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("full"),
            Self::Rows(rows) => rows.fmt(f),
        }
    }
}

/// How to train.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TrainConfig {
    /// Passes over the data set, at least 1.
    pub epochs: u64,
    /// Rows of a step.
    pub batch: Batch,
    /// The optimiser with its settings.
    pub optimizer: Optimizer,
    /// Seed of the sample order.
    pub seed: u64,
    /// The plan, or the one that suits the network.
    pub plan: Option<PlanKind>,
}

impl TrainConfig {
    /// Training for so many epochs, with seed 0 and the plan that suits the network.
    pub fn new(epochs: u64, batch: Batch, optimizer: Optimizer) -> Self {
        Self { epochs, batch, optimizer, seed: 0, plan: None }
    }
}

/// What happens during training.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A submission of steps has been collected.
    Steps(Progress),
    /// An epoch has ended.
    Epoch(Epoch),
}

/// How far training has come.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// Steps done.
    pub step: u64,
    /// Steps in all.
    pub steps: u64,
    /// Mean loss of the last step's batch, before its update.
    pub loss: f64,
    /// Share of the last step's batch that was classified rightly; none for a regression.
    pub accuracy: Option<f64>,
}

/// An epoch that has ended.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Epoch {
    /// The epoch, counted from 1.
    pub epoch: u64,
    /// Mean loss over its rows, each before its step's update.
    pub loss: f64,
    /// Share of its rows that was classified rightly; none for a regression.
    pub accuracy: Option<f64>,
}

/// How training ended.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Outcome {
    /// Epochs finished.
    pub epochs: u64,
    /// Steps done.
    pub steps: u64,
    /// Seconds from the first submission to the last result.
    pub seconds: f64,
    /// Seconds from the first submission to its first result.
    pub first_step_seconds: f64,
    /// Whether an event's receiver stopped it.
    pub stopped: bool,
    /// The last epoch that ended.
    pub last_epoch: Option<Epoch>,
}
