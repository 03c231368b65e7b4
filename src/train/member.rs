//! A replica in its trainer: what it trains on, and how its steps stand in those of the trainer.

use super::replica::{Replica, dropout_factor};
use super::run_state::ReplicaProgress;

#[derive(Clone, Debug)]
pub(super) struct Member {
    pub replica: Replica,
    /// Rows that it trains on.
    pub rows: usize,
    /// Steps of its epochs.
    pub steps_per_epoch: u64,
    /// Factor on the plan's rates of dropout.
    pub dropout: f64,
    pub progress: ReplicaProgress,
    /// Its parameters, once its place on the device is another's.
    pub kept: Option<Vec<f32>>,
}

impl Member {
    /// A replica on `samples` rows, in a plan with these rates of dropout.
    pub fn new(replica: &Replica, samples: usize, dropout: &[f64]) -> Self {
        let rows = samples - replica.fold.as_ref().map_or(0, |fold| fold.len());
        let batch = replica.config.batch.rows(rows);
        Self {
            replica: replica.clone(),
            rows,
            steps_per_epoch: rows.div_ceil(batch) as u64,
            dropout: dropout_factor(&replica.config, dropout),
            progress: ReplicaProgress::default(),
            kept: None,
        }
    }

    /// Whether nothing of its run is left, which began with this epoch, counted from 0.
    pub fn has_ended(&self, first_epoch: u64) -> bool {
        let end = first_epoch.saturating_add(self.replica.config.epochs);
        self.progress.end.is_some() || self.progress.last.is_some_and(|last| last.epoch >= end)
    }

    /// Rows of a whole batch.
    pub fn batch(&self) -> usize {
        self.replica.config.batch.rows(self.rows)
    }

    /// Rows of its validation set out of `shared` that all have.
    pub fn validation(&self, shared: usize) -> usize {
        self.replica.fold.as_ref().map_or(shared, |fold| fold.len())
    }

    /// Its steps before one of the trainer's, whose epochs have `per_epoch` steps.
    pub fn steps_before(&self, step: u64, per_epoch: u64) -> u64 {
        step / per_epoch * self.steps_per_epoch + (step % per_epoch).min(self.steps_per_epoch)
    }

    /// Whether it takes part in a step of the trainer.
    pub fn takes_part(&self, step: u64, per_epoch: u64) -> bool {
        step % per_epoch < self.steps_per_epoch
    }

    /// Position of its first row in the epoch's order, in one of its own steps.
    pub fn first_row(&self, own: u64) -> usize {
        (own % self.steps_per_epoch) as usize * self.batch()
    }

    /// Rows of one of its own steps.
    pub fn rows_of(&self, own: u64) -> usize {
        self.batch().min(self.rows - self.first_row(own))
    }
}
