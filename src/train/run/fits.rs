//! Whether a run's state is one that a trainer can be in between two submissions. What is read from a file may be anything,
//! its checksum notwithstanding.

use super::{Member, ReplicaProgress, RunProgress, Sums};
use crate::train::{Epoch, ReplicaEnd, Schedule, TrainConfig};

/// What decides on the states of a trainer's runs.
pub(in crate::train) struct Course {
    /// Epochs of the replica that has the most.
    pub epochs: u64,
    pub steps_per_epoch: u64,
    /// Rows of the validation set, and of a whole step on them.
    pub validation: usize,
    pub validation_step: usize,
}

fn not(holds: bool, what: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what.to_string()) }
}

impl RunProgress {
    /// Says what of a run before `step` contradicts itself or the trainer's data, else whether an epoch waits for its validation.
    pub fn check(&self, step: u64, course: &Course) -> Result<bool, String> {
        let Course { epochs, steps_per_epoch: epoch, validation, validation_step } = *course;
        let Self { first, end, validated_until, validated_rows, finished } = *self;

        let whole = first / epoch;
        let last = whole.saturating_add(epochs).saturating_mul(epoch);
        not(first <= step && first <= end, "its first step comes after another of its steps")?;
        not(end <= last, "its end comes after its last epoch")?;
        not(end.is_multiple_of(epoch) || end == first || end == last, "its end is within an epoch")?;
        not(!finished || step >= end, "it is finished before its end")?;

        not(
            validated_until.is_multiple_of(epoch) && validated_until >= whole * epoch,
            "no epoch ends where it was validated last",
        )?;
        let ahead = step.checked_sub(validated_until).ok_or("it was validated after its step")?;
        not(ahead < epoch || (ahead == epoch && validation > 0), "an epoch has not been validated")?;
        let waits = ahead == epoch;
        let in_steps = validated_rows < validation.max(1) && validated_rows.is_multiple_of(validation_step.max(1));
        not(in_steps && (validated_rows == 0 || waits), "no step on validation rows ends where it says")?;
        Ok(waits)
    }
}

impl ReplicaProgress {
    /// The same for a replica, with the settings of the state's own run.
    pub fn check(
        &self,
        run: &RunProgress,
        waits: bool,
        member: &Member,
        config: &TrainConfig,
        course: &Course,
    ) -> Result<(), String> {
        let Self { training, validation: sums, last, end, .. } = self;
        let (runs, epochs) = (end.is_none(), run.validated_until / course.steps_per_epoch);
        not(training.are_sums(), "its sums over training rows are invalid")?;
        not(
            !waits || !runs || training.terms > 0.0 || self.is_over(run, config, course),
            "it has no sums over its training rows",
        )?;
        not(sums.are_sums(), "its sums over validation rows are invalid")?;
        let has_validated = run.validated_rows > 0 && runs && !self.is_over(run, config, course);
        not((sums.terms > 0.0) == has_validated, "its sums over validation rows are invalid")?;
        let is_latest = |last: &Epoch| last.epoch == epochs || !runs || self.is_over(run, config, course);
        let step = |last: &Epoch| member.steps_before(last.epoch * course.steps_per_epoch, course.steps_per_epoch);
        not(
            last.is_none_or(|last| is_latest(&last) && last.epoch <= epochs && last.step == step(&last)),
            "its last epoch does not match",
        )?;
        not(*end != Some(ReplicaEnd::Stopped) || config.early_stopping.is_some(), "nothing has stopped it")?;
        self.check_rules(config, epochs)
    }

    /// Whether it had all its epochs.
    fn is_over(&self, run: &RunProgress, config: &TrainConfig, course: &Course) -> bool {
        let end = (run.first / course.steps_per_epoch).saturating_add(config.epochs);
        self.last.is_some_and(|last| last.epoch >= end)
    }

    /// The same for what decides on the run, after so many epochs.
    fn check_rules(&self, config: &TrainConfig, epochs: u64) -> Result<(), String> {
        let Self { plateau, stopping, .. } = self;
        let plateau_fits = match config.schedule {
            Schedule::Plateau { patience, .. } => {
                (0.0..=1.0).contains(&plateau.factor)
                    && plateau.bad_epochs <= patience
                    && plateau.best.is_none_or(f64::is_finite)
            }
            _ => *plateau == Default::default(),
        };
        let since_best = stopping.best_epoch.checked_add(stopping.bad_epochs);
        let stopping_fits = match config.early_stopping {
            Some(_) => {
                since_best.is_some_and(|since| since <= epochs)
                    && stopping.best.is_none_or(f64::is_finite)
                    && (stopping.best.is_some() == (stopping.best_epoch > 0))
            }
            None => *stopping == Default::default(),
        };
        match (plateau_fits, stopping_fits) {
            (true, true) => Ok(()),
            (false, _) => Err("its plateau schedule has seen losses that do not exist".into()),
            (_, false) => Err("its early stopping has seen losses that do not exist".into()),
        }
    }
}

impl Sums {
    /// Whether steps can have added up to these.
    fn are_sums(&self) -> bool {
        let Self { loss, correct, terms } = *self;
        let counted = |value: f64| value.is_finite() && value >= 0.0;
        loss.is_finite() && counted(correct) && counted(terms) && (terms > 0.0 || (loss == 0.0 && correct == 0.0))
    }
}
