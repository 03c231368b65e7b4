//! What is done about a loss or a parameter that is not finite. One network goes back to its last good parameters, and its run ends in an
//! error; of several the others go on.

use super::super::run_state::{ReplicaProgress, RunProgress};
use super::super::{ReplicaEnd, Trainer};
use crate::backend::Backend as _;
use crate::error::{Error, Result};
use crate::params::Layout;
use crate::plan::{Role, SNAPSHOTS};

impl Trainer {
    /// Goes back to the last parameters that gave a finite loss: those from which the submission began, or,
    /// when its first loss was not finite, those of the submission before.
    pub(super) async fn diverged(&mut self, place: usize, submission: usize, step: u64, slot: usize) -> Result<()> {
        let good = if slot == 0 { submission.saturating_sub(1).max(self.first_submission) } else { submission };
        if self.members.len() > 1 {
            return self.lose(place, good, step, "loss".into());
        }
        self.drain().await?;
        self.restore_snapshot(good)?;
        Err(self.divergence(step, "loss"))
    }

    /// The same for the loss of the validation set, which comes after an epoch's last step.
    pub(super) fn check_validation(&mut self) -> Result<()> {
        let step = self.next_step - 1;
        for place in 0..self.places.len() {
            let member = &self.members[self.places[place]];
            if self.has_ended(member) || member.progress.validation.loss.is_finite() {
                continue;
            }
            if self.members.len() > 1 {
                self.lose(place, self.submissions - 1, step, "validation loss".into())?;
                continue;
            }
            self.restore_snapshot(self.submissions - 1)?;
            return Err(self.divergence(step, "validation loss"));
        }
        Ok(())
    }

    /// Ends one replica of several with its parameters before a submission; what runs of it meanwhile is overwritten.
    fn lose(&mut self, place: usize, submission: usize, step: u64, what: String) -> Result<()> {
        let own = self.members[self.places[place]].steps_before(step, self.steps_per_epoch()) + 1;
        let from = Role::Snapshot(submission % SNAPSHOTS);
        self.copy(from, Role::Parameters, std::slice::from_ref(&(place..place + 1)))?;
        let progress = &mut self.members[self.places[place]].progress;
        progress.end = Some(ReplicaEnd::Diverged { step: self.steps_before + own, what });
        (progress.training, progress.validation) = Default::default();
        Ok(())
    }

    /// [`roll_back`](Self::roll_back) for async programs.
    pub async fn roll_back_async(&mut self) -> Result<Vec<f32>> {
        self.drain().await?;
        if self.submissions > self.first_submission {
            self.restore_snapshot(self.submissions - 1)?;
        }
        self.parameters_async().await
    }

    /// Ends the run.
    fn restore_snapshot(&mut self, submission: usize) -> Result<()> {
        let place = submission % SNAPSHOTS;
        let all = self.places_where(|_| true);
        self.copy(Role::Snapshot(place), Role::Parameters, &all)?;
        let plan = self.backend.plan();
        let fresh = vec![0.0; plan.buffers[plan.buffer(Role::OptimizerState)?].len];
        self.write(Role::OptimizerState, &fresh)?;
        self.next_step = self.snapshot_steps[place];
        self.optimizer_start = self.steps();
        let (step, per_epoch) = (self.next_step, self.steps_per_epoch());
        let validated_until = step / per_epoch * per_epoch;
        self.run = RunProgress { first: step, end: step, validated_until, finished: true, ..RunProgress::default() };
        self.members.iter_mut().for_each(|member| member.progress = ReplicaProgress::default());
        Ok(())
    }

    fn divergence(&self, step: u64, what: &str) -> Error {
        Error::Diverged {
            step: self.steps_before + step + 1,
            epoch: step / self.steps_per_epoch() + 1,
            what: what.into(),
        }
    }

    /// The last update has no loss to tell of it, and a device may compute a finite loss from a NaN.
    pub(in crate::train) async fn check_parameters(&mut self) -> Result<()> {
        let layout = Layout::new(&self.spec);
        let values = self.read(Role::Parameters).await?;
        let each = values.len() / self.plan().replicas;
        for (place, values) in values.chunks_exact(each).take(self.places.len()).enumerate() {
            let Some(at) = values.iter().position(|value| !value.is_finite()) else { continue };
            let tensor = layout.tensors.iter().find(|tensor| tensor.range.contains(&at));
            let name =
                tensor.map_or_else(|| "factors on inputs".into(), |tensor| format!("parameter tensor {}", tensor.name));
            let step = self.next_step.saturating_sub(1);
            if self.members.len() > 1 {
                self.lose(place, self.submissions.saturating_sub(1), step, name)?;
                continue;
            }
            let error = self.divergence(step, &name);
            self.roll_back_async().await?;
            return Err(error);
        }
        Ok(())
    }
}
