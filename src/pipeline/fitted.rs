//! What a fit gives.

use super::baseline::Baseline;
use super::hint::Hint;
use super::members::{Member, OutOfFold};
use super::splits::Splits;
use super::timings::Timings;
use crate::data::{Dataset, Notes};
use crate::error::Result;
use crate::infer::Metrics;
use crate::model::Model;
use crate::train::Outcome;

/// What [`Estimator::fit`](crate::Estimator::fit) gives.
#[derive(Debug)]
#[non_exhaustive]
pub struct Fitted {
    /// The model, with the encoder that it needs to read further tables.
    pub model: Model,
    /// How good it is on each split.
    pub metrics: Splits<Metrics>,
    /// The rows of each split, counted from 0 in their table.
    pub splits: Splits<Vec<usize>>,
    /// The rows of each split as the network sees them. They take most of the memory.
    pub data: Splits<Dataset>,
    /// Of numbers, the true ones of the rows of [`Splits::evaluated`], as their table has them; none of classes.
    pub truth: Vec<f64>,
    /// What the model has to be better than; none where it was not asked for.
    pub baseline: Option<Baseline>,
    /// How training ended.
    pub outcome: Outcome,
    /// The networks of an ensemble, in the order of the model's, those among them that diverged and are not part of it; empty of one
    /// network.
    pub members: Vec<Member>,
    /// What the networks say of the training rows that they held out, with folds; [`metrics`](Self::metrics) has it for validation.
    pub out_of_fold: Option<OutOfFold>,
    /// What was decided while the tables were read and encoded.
    pub notes: Notes,
    /// What was noticed and decided, and the settings that decide otherwise.
    pub hints: Vec<Hint>,
    /// Where the time went.
    pub timings: Timings,
    /// Whether it is a run of the plain preset.
    pub(super) is_plain: bool,
}

impl Fitted {
    /// [`add_baseline`](Self::add_baseline) for async programs.
    ///
    /// # Errors
    /// As there.
    pub async fn add_baseline_async(&mut self) -> Result<()> {
        self.baseline = Some(Baseline::new(&self.data, &self.model, self.is_plain).await?);
        self.timings.end("baseline");
        Ok(())
    }
}
