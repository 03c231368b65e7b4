//! Data that comes in parts: other rows in a trainer that is there.

use std::ops::ControlFlow;

use super::mark::Mark;
use super::member::Member;
use super::ranked::Ranked;
use super::replica::check;
use super::run_state::RunProgress;
use super::trainer::{Trainer, plan_of};
use super::{Event, Outcome};
use crate::backend::{Backend as _, Executor};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::plan::{Role, SNAPSHOTS};

impl Trainer {
    /// [`load`](Self::load) for async programs.
    pub async fn load_async(&mut self, data: &Dataset) -> Result<()> {
        self.spec.check_data(data)?;
        self.check_data_is_there()?;
        if let Executor::ShardedCpu(_) | Executor::ShardedGpu(_) = self.backend {
            let (found, expected) = ("one of several ranks' network".into(), "one of a single process".into());
            return Err(Error::Setting { what: "the trainer", found, expected });
        }
        if self.members.len() > 1 {
            let (found, expected) = (format!("of {} replicas", self.members.len()), "one of a single network".into());
            return Err(Error::Setting { what: "the trainer", found, expected });
        }
        let replica = self.members[0].replica.clone();
        check(&self.spec, std::slice::from_ref(&replica), data, None)?;
        let columns = self.plan().buffers[self.plan().buffer(Role::Targets)?].len / self.samples;
        if (data.rows(), self.spec.target_columns() + data.weightings()) != (self.samples, columns) {
            self.make_room(data).await?;
        }
        self.write(Role::Features, data.features())?;
        self.write(Role::Targets, &data.weighted_targets())?;
        self.fingerprint = Mark::of(data).then(self.validation_mark);
        if replica.fold.is_some() {
            // The loss of a fold's rows is unweighted: they have their targets without weights a second time.
            if self.plan().find(Role::ValidationTargets).is_some() {
                self.write(Role::ValidationTargets, data.targets())?;
            }
            self.ranked = Ranked::new(&[replica], data, None)?;
        }
        Ok(())
    }

    /// Plans for another number of rows, and takes over what training has come to; the run ends.
    async fn make_room(&mut self, data: &Dataset) -> Result<()> {
        let replica = self.members[0].replica.clone();
        let plan = plan_of(&self.device, &self.spec, std::slice::from_ref(&replica), data, self.validation)?;
        let mut next = self.device.load(plan).await?;
        self.drain().await?;
        let of_validation: &[Role] = match replica.fold {
            Some(_) => &[],
            None => &[Role::ValidationFeatures, Role::ValidationTargets],
        };
        for &role in [Role::Parameters, Role::OptimizerState, Role::Hyper].iter().chain(of_validation) {
            if let (Some(from), Some(to)) = (self.plan().find(role), next.plan().find(role)) {
                let values = self.backend.read(from).await?;
                next.write(to, &values)?;
            }
        }
        let steps_before = self.steps();
        self.backend = next;
        self.members = vec![Member::new(&replica, data.rows(), &replica.config.dropout)];
        (self.samples, self.batch) = (data.rows(), self.members[0].batch());
        (self.steps_before, self.next_step, self.run) = (steps_before, 0, RunProgress::default());
        (self.submissions, self.first_submission, self.snapshot_steps) = (0, 0, [0; SNAPSHOTS]);
        self.begin_pacers();
        Ok(())
    }

    /// [`fit_stream`](Self::fit_stream) for async programs.
    pub async fn fit_stream_async(
        &mut self,
        parts: impl IntoIterator<Item = Result<Dataset>>,
        mut on_event: impl FnMut(Event) -> ControlFlow<()>,
    ) -> Result<Outcome> {
        let mut outcome: Option<Outcome> = None;
        for part in parts {
            self.load_async(&part?).await?;
            let done = self.epoch(&mut on_event).await?;
            outcome = Some(outcome.map_or(done, |before| before.then(done)));
            if done.stopped {
                break;
            }
        }
        self.check_parameters().await?;
        Ok(outcome.unwrap_or_default())
    }
}
