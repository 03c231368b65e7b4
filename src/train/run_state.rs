//! How far a run has come.

use serde::{Deserialize, Serialize};

use super::{EarlyStoppingState, Epoch, PlateauState, ReplicaEnd};

/// A run's bounds and progress, of all replicas. Steps are counted on the trainer's data, those of an epoch as the replica has them that
/// has the most.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct RunProgress {
    /// Its first step.
    pub first: u64,
    /// The step before which it ends.
    pub end: u64,
    /// The step before which all epochs have been validated.
    #[serde(rename = "judged")]
    pub validated_until: u64,
    /// Validation rows of the current epoch that are done.
    #[serde(rename = "judged_rows")]
    pub validated_rows: usize,
    /// Whether it came to its end, and the best parameters are back.
    pub finished: bool,
}

/// How far a replica has come in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ReplicaProgress {
    /// Over the epoch's training steps so far.
    pub training: Sums,
    /// Over the epoch's validation rows so far.
    pub validation: Sums,
    /// The last epoch that ended.
    pub last: Option<Epoch>,
    pub plateau: PlateauState,
    pub stopping: EarlyStoppingState,
    /// How its run ended before that of the trainer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<ReplicaEnd>,
}

impl ReplicaProgress {
    /// Whether early stopping has seen an epoch that it can go back to.
    pub fn has_best(&self) -> bool {
        self.stopping.best.is_some()
    }
}

/// Sums over steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Sums {
    pub loss: f64,
    #[serde(rename = "hits")]
    pub correct: f64,
    pub terms: f64,
}

/// A submission whose losses are awaited.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pending {
    /// Training steps, whose parameters stand in a snapshot.
    Train { submission: usize, first_step: u64, steps: usize },
    /// Validation steps.
    Validate { first_row: usize, steps: usize },
}
