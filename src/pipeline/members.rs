//! The networks of an ensemble: which rows and seed each has, what became of it, and what those say that did not learn a row.

use std::borrow::Cow;
use std::ops::Range;

use serde::Serialize;

use super::estimator::Estimator;
use super::prepare::Prepared;
use crate::backend::Device;
use crate::data::Dataset;
use crate::error::Result;
use crate::infer::{Metrics, Predictor};
use crate::model::{MemberRecord, Model};
use crate::params::Layout;
use crate::train::{Replica, ReplicaEnd, ReplicaOutcome};

/// A network of an ensemble.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Member {
    /// What the model's file tells of it.
    #[serde(flatten)]
    pub record: MemberRecord,
    /// How its run ended; none while it runs.
    pub end: Option<ReplicaEnd>,
    /// Whether it is part of the model: not if it diverged before it was ever validated, or if its learning rate was not chosen.
    pub is_kept: bool,
}

/// What the networks say of rows that they did not learn.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OutOfFold {
    /// Outputs of the training rows in the order of [`Splits::train`](super::Splits), [rows, outputs]: each by the networks in whose fold
    /// it is.
    pub outputs: Vec<f32>,
    /// Of numbers, the true ones of these rows, as their table has them; none of classes.
    pub truth: Vec<f64>,
    /// How good they are.
    pub metrics: Metrics,
}

impl Estimator {
    /// The networks that are to be trained; `folds` are ranges of the training rows.
    pub(super) fn replicas(&self, folds: &[Range<usize>]) -> Vec<Replica> {
        let replica = |number: u64| {
            let sharing = if self.shares_weights() { self.ensemble } else { 1 };
            let mut config = self.config.clone().seed(self.config.seed.wrapping_add(number)).sharing(sharing);
            config.optimizer.learning_rate *= self.rate_factor(number as usize);
            Replica::new(config)
        };
        let count = self.ensemble as u64;
        if folds.is_empty() {
            return (0..count).map(replica).collect();
        }
        let of_fold = |(at, rows): (u64, &Range<usize>)| {
            let rows = rows.clone();
            (0..count).map(move |number| replica(at * count + number).fold(rows.clone()))
        };
        (0..).zip(folds).flat_map(of_fold).collect()
    }
}

impl Member {
    pub(super) fn of(number: usize, replica: &Replica, each: usize, outcome: ReplicaOutcome) -> Self {
        let has_diverged = matches!(outcome.end, Some(ReplicaEnd::Diverged { .. }));
        let last = outcome.last_epoch.and_then(|epoch| epoch.validation).map(|score| score.loss);
        let mut record = MemberRecord::new(replica.config.seed, replica.fold.as_ref().map(|_| number / each));
        (record.epochs, record.best_epoch) = (outcome.epochs, outcome.best_epoch);
        record.validation_loss = outcome.best_score.filter(|_| monitors_loss(replica)).or(last);
        Self { record, end: outcome.end, is_kept: !has_diverged || outcome.best_epoch.is_some() }
    }
}

/// Whether epochs are judged by their loss.
pub(super) fn monitors_loss(replica: &Replica) -> bool {
    replica.config.early_stopping.is_some_and(|rule| rule.monitor == crate::train::Monitor::Loss)
}

impl Prepared {
    /// The rows that a network does not learn: its fold, unweighted as rows for validation are, or those. None where there are none.
    pub(crate) fn held_out(&self, fold: Option<&Range<usize>>) -> Option<Cow<'_, Dataset>> {
        let Some(fold) = fold else { return self.data.validation.as_ref().map(Cow::Borrowed) };
        let rows: Vec<usize> = fold.clone().collect();
        Some(Cow::Owned(self.data.train.select(&rows).without_weights()))
    }

    /// What the networks say of the rows of their folds, if there are any; `kept` are the parameters of the members that are kept.
    pub(super) async fn out_of_fold(
        &self,
        device: &Device,
        members: &[Member],
        kept: &[f32],
    ) -> Result<Option<OutOfFold>> {
        if self.folds.is_empty() {
            return Ok(None);
        }
        let count = Layout::new(&self.spec).len();
        let (mut outputs, mut rows) = (Vec::new(), Vec::new());
        for (number, fold) in self.folds.iter().enumerate() {
            let each = members.iter().filter(|member| member.is_kept).zip(kept.chunks_exact(count));
            let own = each.filter(|(member, _)| member.record.fold == Some(number));
            let own: Vec<f32> = own.flat_map(|(_, values)| values).copied().collect();
            if own.is_empty() {
                return Ok(None); // a fold whose networks have all diverged says nothing
            }
            let inputs = self.spec.inputs();
            let features = &self.data.train.features()[fold.start * inputs..fold.end * inputs];
            let predictor = Predictor::new_async(device, &self.spec, &own, fold.len()).await?;
            outputs.extend(predictor.outputs_async(features).await?);
            rows.extend(fold.clone());
        }
        let metrics = Metrics::new(&self.spec, &outputs, &self.data.train, Some(&self.encoder))?;
        Ok(Some(OutOfFold { outputs, truth: self.fold_truth.clone(), metrics }))
    }
}

impl Model {
    /// The same model with the networks of these members alone, one at least.
    pub(super) fn of_kept(self, members: &[Member]) -> Self {
        let count = Layout::new(&self.spec).len();
        if members.len() < 2 || members.iter().all(|member| !member.is_kept) {
            return self;
        }
        let kept = self.parameters.chunks_exact(count).zip(members).filter(|(_, member)| member.is_kept);
        let parameters = kept.flat_map(|(values, _)| values).copied().collect();
        Self { parameters, ..self }
    }
}
