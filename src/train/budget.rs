//! The default length of a run. In: numbers of rows, the batch. Out: epochs, patience and the fraction of rows for
//! validation. `docs/training.md` says how the constants were chosen.

use super::{Batch, Schedule};

/// The length of a run, and its patience.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Most epochs.
    pub epochs: u64,
    /// Epochs in a row without an improvement after which it ends, with the best parameters kept. None without
    /// validation rows: then all epochs are run, and the last parameters are kept.
    pub patience: Option<u64>,
}

impl Budget {
    /// Fraction of the rows that is held out for validation, as in scikit-learn's MLPs.
    pub const VALIDATION_FRACTION: f64 = 0.1;
    /// Fewest validation rows that can tell one epoch from another.
    pub const FEWEST_ROWS: usize = 20;

    /// Most steps of a run with validation rows.
    const WATCHED: Steps = Steps { steps: 100_000, least: 50, most: 1000 };
    /// Steps without an improvement that end it.
    const PATIENCE: Steps = Steps { steps: 1600, least: 20, most: 100 };
    /// Steps of a run without validation rows: longer runs are better on some tables and much worse on others.
    const UNWATCHED: Steps = Steps { steps: 1500, least: 20, most: 500 };
    /// Steps of a run whose learning rate falls to its end.
    const ANNEALED: Steps = Steps { steps: 10_000, least: 20, most: 200 };

    /// Part of `rows` rows that is to be held out for validation: [`VALIDATION_FRACTION`](Self::VALIDATION_FRACTION), or 0 where
    /// that are fewer than [`FEWEST_ROWS`](Self::FEWEST_ROWS).
    #[must_use]
    pub fn validation_fraction(rows: usize) -> f64 {
        let held_out = (Self::VALIDATION_FRACTION * rows as f64).ceil() as usize;
        if held_out < Self::FEWEST_ROWS { 0.0 } else { Self::VALIDATION_FRACTION }
    }

    /// The budget of a run on `rows` training rows. `watched` says whether there are validation rows. A schedule that
    /// falls over the whole run is not cut short: all epochs are run, and the best is kept.
    #[must_use]
    pub fn new(rows: usize, batch: Batch, schedule: Schedule, watched: bool) -> Self {
        let steps = rows.div_ceil(batch.rows(rows).max(1)).max(1) as u64;
        let whole = matches!(schedule, Schedule::Cosine { .. } | Schedule::OneCycle { .. } | Schedule::CosLog { .. });
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
