//! What a training of a sweep came to.

use serde::{Deserialize, Serialize};

use super::settings::{as_map, from_map};

/// How a training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum End {
    /// It came to the end of its run.
    Finished,
    /// Halving dropped its trial.
    Stopped,
    /// Its loss or parameters were not finite.
    Diverged,
    /// It could not be trained.
    Failed,
}

impl End {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Stopped => "stopped",
            Self::Diverged => "diverged",
            Self::Failed => "failed",
        }
    }
}

/// One training of a trial that has ended: a line of the results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Record {
    /// The trial's number.
    pub trial: usize,
    /// The fold, counted from 1.
    pub fold: usize,
    /// The seed.
    pub seed: u64,
    /// How it ended.
    pub end: End,
    /// Epochs done.
    pub epoch: u64,
    /// The epoch whose parameters are judged, where early stopping keeps the best.
    pub best_epoch: Option<u64>,
    /// The metric on the rows held out; none after a divergence or a failure, or where it is not defined.
    pub score: Option<f64>,
    /// The loss on these rows.
    pub loss: Option<f64>,
    /// Seconds of training.
    pub seconds: f64,
    /// The score at each rung, by its epochs.
    pub rungs: Vec<(u64, Option<f64>)>,
    /// Why it failed.
    pub problem: Option<String>,
    /// The trial's settings, by name; in the order of their names where they were read from a file.
    #[serde(serialize_with = "as_map", deserialize_with = "from_map")]
    pub settings: Vec<(String, String)>,
}

impl Record {
    /// Which training it is of: trial, fold and seed.
    pub(super) fn job(&self) -> (usize, usize, u64) {
        (self.trial, self.fold, self.seed)
    }

    /// Its score at a rung: where it ended before, its last one; none where that is none or the training was lost.
    pub(super) fn at(&self, rung: u64) -> Option<f64> {
        match (self.rungs.iter().find(|(epoch, _)| *epoch == rung), self.end) {
            (Some((_, score)), _) => *score,
            (None, End::Finished) => self.score,
            (None, _) => None,
        }
    }
}
