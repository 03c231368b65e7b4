//! What a trainer's replicas do in a step: their records, by the seeds, schedules and folds of each.

use super::member::Member;
use super::replica::ReplicaOutcome;
use super::{Position, ReplicaEnd, Trainer};
use crate::kernels::{Step, mask_key, order_key};

impl Trainer {
    /// The pass and a replica's record of a training step; one without rows where the replica leaves the step out.
    pub(super) fn record(&self, member: &Member, step: u64) -> Step {
        let (per_epoch, config) = (self.steps_per_epoch(), &member.replica.config);
        let is_over = step / per_epoch >= (self.run.first / per_epoch).saturating_add(config.epochs);
        if member.progress.end.is_some() || is_over || !member.takes_part(step, per_epoch) {
            return Step { rows: 0, ..Step::default() };
        }
        let own = member.steps_before(step, per_epoch);
        let fold = member.replica.fold.as_ref().map_or([0; 2], |fold| [fold.start as u32, fold.len() as u32]);
        Step {
            slot: 0,
            rows: member.rows_of(own) as u32,
            first_row: member.first_row(own) as u32,
            key: order_key(config.seed, self.steps_before + own / member.steps_per_epoch),
            mask_key: mask_key(config.seed, self.steps_before + own),
            lr_factor: self.lr_factor(member, step),
            bias_corrections: config.optimizer.bias_corrections(self.steps_before + own + 1 - self.optimizer_start),
            fold,
            dropout: member.dropout,
            weighting: member.replica.weighting as u32,
        }
    }

    /// The schedule's factor on a replica's learning rate.
    pub(super) fn lr_factor(&self, member: &Member, step: u64) -> f64 {
        let (per_epoch, config) = (self.steps_per_epoch(), &member.replica.config);
        let first = member.steps_before(self.run.first, per_epoch);
        let end = (self.run.first / per_epoch).saturating_add(config.epochs).saturating_mul(member.steps_per_epoch);
        let position = Position {
            step: member.steps_before(step, per_epoch) - first,
            steps_per_epoch: member.steps_per_epoch,
            steps: end - first,
            samples: member.rows as u64,
        };
        config.schedule.factor(&position) * member.progress.plateau.factor
    }

    /// Whether nothing of a replica's run is left.
    pub(super) fn has_ended(&self, member: &Member) -> bool {
        member.has_ended(self.run.first / self.steps_per_epoch())
    }

    /// What became of a replica so far.
    pub(super) fn outcome_of(&self, member: &Member) -> ReplicaOutcome {
        let progress = &member.progress;
        let has_best = progress.has_best();
        ReplicaOutcome {
            end: progress.end.clone().or_else(|| self.has_ended(member).then_some(ReplicaEnd::Finished)),
            epochs: progress.last.map_or(0, |last| last.epoch),
            steps: progress.last.map_or(0, |last| last.step),
            last_epoch: progress.last,
            best_epoch: has_best.then_some(progress.stopping.best_epoch),
            best_score: progress.stopping.best,
        }
    }
}
