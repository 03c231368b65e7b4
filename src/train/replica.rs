//! Many networks in one trainer: what each of them may have of its own, and what becomes of it.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{Epoch, TrainConfig};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::math::{Hyper, Optimizer};
use crate::spec::MlpSpec;

/// One of the networks that a [`Trainer`](super::Trainer) trains side by side, all of one shape on one data set.
///
/// Of its own it may have everything in its configuration but the batch, the plan, the rule of the optimiser, the factors on the
/// learning rate with the parametrisation, the weights that are shared, and the time of a submission. Dropout rates that differ between replicas are one rate for all hidden layers each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Replica {
    /// Its settings.
    pub config: TrainConfig,
    /// Its fold: the rows of the data set that it does not train on, and by whose loss its epochs are judged.
    pub fold: Option<Range<usize>>,
    /// The [parameter](crate::math::Loss::parameter) of its loss, as a label smoothing; the network's own where there is none.
    pub loss_parameter: Option<f64>,
    /// Which of the rows' [sample weights](Dataset::with_weightings) counts, from 0.
    #[serde(default, skip_serializing_if = "is_first")]
    pub weighting: usize,
}

/// Whether it is the one that is not written.
fn is_first(weighting: &usize) -> bool {
    *weighting == 0
}

impl Replica {
    /// A replica that trains on all rows.
    pub fn new(config: TrainConfig) -> Self {
        Self { config, fold: None, loss_parameter: None, weighting: 0 }
    }

    /// With rows of the data set held out. All replicas of a trainer hold some out, or none does.
    #[must_use]
    pub fn fold(self, rows: Range<usize>) -> Self {
        Self { fold: Some(rows), ..self }
    }

    /// With a loss parameter of its own.
    #[must_use]
    pub fn loss_parameter(self, value: f64) -> Self {
        Self { loss_parameter: Some(value), ..self }
    }

    /// With one of the [sample weights](Dataset::with_weightings) that rows have, from 0.
    #[must_use]
    pub fn weighting(self, number: usize) -> Self {
        Self { weighting: number, ..self }
    }
}

/// How a replica's run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(rename_all = "snake_case")]
pub enum ReplicaEnd {
    /// It had all its epochs.
    Finished,
    /// Early stopping ended it.
    Stopped,
    /// The program [dropped](super::Trainer::drop_replica) it.
    Dropped,
    /// It diverged at a step, counted from 1. Its parameters are the best that it had, or those before that step's submission.
    Diverged {
        /// The step.
        step: u64,
        /// What was not finite.
        what: String,
    },
}

/// What became of a replica so far.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ReplicaOutcome {
    /// How its run ended; none while it runs.
    pub end: Option<ReplicaEnd>,
    /// Epochs finished.
    pub epochs: u64,
    /// Steps done.
    pub steps: u64,
    /// The last epoch that ended.
    pub last_epoch: Option<Epoch>,
    /// The epoch whose parameters are kept, with early stopping.
    pub best_epoch: Option<u64>,
    /// The value of that epoch that early stopping looks at.
    pub best_score: Option<f64>,
}

/// Refuses replicas that cannot train `spec` on `data` in one trainer.
pub(super) fn check(spec: &MlpSpec, replicas: &[Replica], data: &Dataset, validation: Option<&Dataset>) -> Result<()> {
    let refused = |what, found: String, expected: &str| Err(Error::Setting { what, found, expected: expected.into() });
    let Some(first) = replicas.first() else { return refused("number of replicas", "0".into(), "at least 1") };
    let rows = data.rows();
    for (number, replica) in replicas.iter().enumerate() {
        replica.config.check(spec)?;
        if let Some(value) = replica.loss_parameter {
            spec.clone().with_loss_parameter(value)?;
        }
        if replica.weighting >= data.weightings().max(1) {
            let found = format!("{} of replica {number} (from 0)", replica.weighting);
            return refused("weighting", found, &format!("one of the {} that the rows have", data.weightings()));
        }
        let (own, shared) = (&replica.config, &first.config);
        let alike = [
            ("batch", own.batch == shared.batch),
            ("plan", own.plan == shared.plan),
            ("optimizer", own.optimizer.rule == shared.optimizer.rule),
            ("learning_rate_factors", own.learning_rate_factors == shared.learning_rate_factors),
            ("parametrization", own.parametrization == shared.parametrization),
            ("sharing", own.sharing == shared.sharing),
            ("dropout", own.dropout == shared.dropout || own.dropout.len().max(shared.dropout.len()) <= 1),
        ];
        if let Some((what, _)) = alike.iter().find(|(_, alike)| !alike) {
            return refused(what, format!("another one of replica {number}"), "the same for all replicas of a trainer");
        }
        match &replica.fold {
            None if first.fold.is_some() => {
                return refused("fold", format!("none of replica {number}"), "one for each replica, or for none");
            }
            Some(_) if validation.is_some() || first.fold.is_none() => {
                return refused("fold", format!("one of replica {number}"), "either folds or a validation set");
            }
            Some(fold) if fold.is_empty() || fold.end > rows || fold.len() == rows => {
                let expected = format!("some of the {rows} rows, and not all");
                return refused("fold", format!("{fold:?} of replica {number}"), &expected);
            }
            _ => {}
        }
    }
    check_sharing(replicas)
}

/// Refuses replicas that cannot share weights as they are asked to.
fn check_sharing(replicas: &[Replica]) -> Result<()> {
    let sharing = replicas.first().map_or(1, |first| first.config.sharing);
    if sharing == 1 {
        return Ok(());
    }
    let refused =
        |found: String, expected: &str| Err(Error::Setting { what: "sharing", found, expected: expected.into() });
    if !replicas.len().is_multiple_of(sharing) {
        return refused(format!("{sharing} of {} networks", replicas.len()), "a number by which they can be divided");
    }
    for run in replicas.chunks_exact(sharing) {
        let first = &run[0];
        let alike = |other: &Replica| {
            let mut config = other.config.clone();
            (config.seed, config.init) = (first.config.seed, first.config.init);
            Replica { config, ..other.clone() } == *first
        };
        if !run.iter().all(alike) {
            return refused(
                format!("{sharing} with networks that differ"),
                "networks that differ in their seeds alone",
            );
        }
        if first.config.early_stopping.is_some_and(|rule| rule.patience.is_some()) {
            let expected = "early stopping without a patience: networks that share weights end together";
            return refused(format!("{sharing} with a patience"), expected);
        }
    }
    Ok(())
}

/// The rate of dropout that a plan has where replicas have different ones: a power of two, so that the factor on it is exact.
pub(super) const DROPOUT: f64 = 0.5;

/// The factor that makes a replica's threshold of the plan's: 1 where all have the same rates.
pub(super) fn dropout_factor(config: &TrainConfig, plan: &[f64]) -> f64 {
    if config.dropout == plan {
        return 1.0;
    }
    let threshold = |rate| f64::from(crate::kernels::dropout_threshold(rate));
    threshold(config.dropout.first().copied().unwrap_or(0.0)) / threshold(DROPOUT)
}

/// The rates of dropout of a plan for all these replicas, as in a configuration.
pub(super) fn dropout_of(replicas: &[Replica]) -> Vec<f64> {
    let first = &replicas[0].config.dropout;
    if replicas.iter().all(|replica| replica.config.dropout == *first) { first.clone() } else { vec![DROPOUT] }
}

/// A replica's settings and, where learning rates differ, the rate of each parameter; `groups` are runs of parameters with one factor on it.
pub(super) fn settings(spec: &MlpSpec, replica: &Replica, groups: &[(Range<usize>, f64)], clips: bool) -> Vec<f32> {
    let loss_parameter = replica.loss_parameter.unwrap_or(spec.loss_parameter());
    let optimizer = replica.config.optimizer;
    let rate = |factor: f64| optimizer.learning_rate * factor;
    let own = Optimizer { learning_rate: rate(groups[0].1), ..optimizer };
    let mut hyper = Hyper::of(&own.hyper(loss_parameter));
    // Where others' norms are clipped, no norm of this one's is beyond the limit.
    if clips && hyper.clip_norm == 0.0 {
        hyper.clip_norm = f32::MAX.into();
    }
    let differing = if groups.len() > 1 { groups } else { &[] };
    let rates = differing.iter().flat_map(|(range, factor)| std::iter::repeat_n(rate(*factor), range.len()));
    hyper.row().into_iter().chain(rates).map(|value| value as f32).collect()
}
