//! Replicas whose run has ended make room: those that run are packed into the first places of the plan, and the device runs these alone.

use super::super::Trainer;
use super::super::replica::settings;
use crate::backend::Backend as _;
use crate::error::Result;
use crate::params::Layout;
use crate::plan::Role;

impl Trainer {
    /// Whether half of the replicas that the device runs, or more, have ended, and some have not.
    pub(super) fn can_be_packed(&self) -> bool {
        let running = self.places.iter().filter(|&&member| !self.has_ended(&self.members[member])).count();
        // Those that share weights end together.
        self.config().sharing == 1 && (1..=self.places.len() / 2).contains(&running)
    }

    /// Takes the parameters of replicas that have ended to the host, and packs the others. Nothing is under way.
    pub(super) async fn pack(&mut self) -> Result<()> {
        let runs = |place: &usize| !self.has_ended(&self.members[self.places[*place]]);
        let running: Vec<usize> = (0..self.places.len()).filter(runs).collect();
        let keeps_best = self.plan().find(Role::Best).is_some();
        let parameters = self.read(Role::Parameters).await?;
        let best = if keeps_best { self.read(Role::Best).await? } else { Vec::new() };
        let state = self.read(Role::OptimizerState).await?;
        let count = Layout::new(&self.spec).len();
        for (place, &member) in self.places.iter().enumerate() {
            let member = &mut self.members[member];
            if !running.contains(&place) {
                let values = if member.progress.has_best() { &best } else { &parameters };
                member.kept = Some(values[place * count..][..count].to_vec());
            }
        }
        let replicas = self.plan().replicas;
        for (role, values) in [(Role::Parameters, parameters), (Role::OptimizerState, state), (Role::Best, best)] {
            if !values.is_empty() {
                let each = values.len() / replicas;
                let packed: Vec<f32> =
                    running.iter().flat_map(|&place| &values[place * each..][..each]).copied().collect();
                self.write(role, &packed)?;
            }
        }
        self.places = running.into_iter().map(|place| self.places[place]).collect();
        self.write_hyper()?;
        // Snapshots are of other places.
        self.first_submission = self.submissions;
        self.backend.run_first(self.places.len())
    }

    /// Writes the settings of the replicas that run.
    pub(in crate::train) fn write_hyper(&mut self) -> Result<()> {
        let groups = self.rate_groups();
        let clips = self.clips_norms();
        let row = |&member: &usize| settings(&self.spec, &self.members[member].replica, &groups, clips);
        let hyper: Vec<f32> = self.places.iter().flat_map(row).collect();
        self.write(Role::Hyper, &hyper)
    }
}
