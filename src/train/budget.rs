//! How long to train on a table and by which rows to judge, where nobody says. In: numbers of rows, the batch. Out: epochs,
//! patience and the share of rows for validation. `docs/training.md` has what the constants were chosen by.

use super::{Batch, Schedule};

/// How long a run may be, and when it ends before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Most epochs.
    pub epochs: u64,
    /// Epochs in a row without an improvement after which it ends, with the best parameters kept; none where there are no rows to
    /// judge them by: then all epochs are run and the last parameters stay.
    pub patience: Option<u64>,
}

impl Budget {
    /// Part of the rows that is held out for validation, as in scikit-learn's MLPs.
    pub const VALIDATION_FRACTION: f64 = 0.1;
    /// Fewest rows that can tell one epoch from another.
    pub const FEWEST_ROWS: usize = 20;

    /// A run that watches validation rows, at most.
    const WATCHED: Steps = Steps { steps: 100_000, least: 50, most: 1000 };
    /// Epochs in a row without an improvement that end it.
    const PATIENCE: Steps = Steps { steps: 1600, least: 20, most: 100 };
    /// A run that has nothing to watch: longer ones do better on some tables and much worse on others.
    const UNWATCHED: Steps = Steps { steps: 1500, least: 20, most: 500 };
    /// A run whose learning rate comes down to its end.
    const ANNEALED: Steps = Steps { steps: 10_000, least: 20, most: 200 };

    /// Part of `rows` rows that is to be held out for validation: [`VALIDATION_FRACTION`](Self::VALIDATION_FRACTION), or 0 where
    /// that are fewer than [`FEWEST_ROWS`](Self::FEWEST_ROWS).
    #[must_use]
    pub fn validation_fraction(rows: usize) -> f64 {
        let held_out = (Self::VALIDATION_FRACTION * rows as f64).ceil() as usize;
        if held_out < Self::FEWEST_ROWS { 0.0 } else { Self::VALIDATION_FRACTION }
    }

    /// The budget of a run on `rows` training rows; `watched` says whether there are others to judge its epochs by. A schedule
    /// that comes down over the whole run is not cut short: the best epoch is kept, but all are run.
    #[must_use]
    pub fn new(rows: usize, batch: Batch, schedule: Schedule, watched: bool) -> Self {
        let steps = rows.div_ceil(batch.rows(rows).max(1)).max(1) as u64;
        let whole = matches!(schedule, Schedule::Cosine { .. } | Schedule::OneCycle { .. });
        let length = match (watched, whole) {
            (true, true) => Self::ANNEALED,
            (true, false) => Self::WATCHED,
            (false, _) => Self::UNWATCHED,
        };
        let epochs = length.epochs(steps);
        let patience = if whole { epochs } else { Self::PATIENCE.epochs(steps).min(epochs) };
        Self { epochs, patience: watched.then_some(patience) }
    }
}

/// A length in steps, and the epochs that it comes to at the least and at the most.
struct Steps {
    steps: u64,
    least: u64,
    most: u64,
}

impl Steps {
    fn epochs(&self, steps_per_epoch: u64) -> u64 {
        self.steps.div_ceil(steps_per_epoch).clamp(self.least, self.most)
    }
}
