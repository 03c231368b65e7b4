//! A run: overlapping submissions, epochs, validation, their decisions, and divergence.

mod fits;
#[cfg(not(target_family = "wasm"))]
mod frame;
mod loss;
mod pack;
mod steps;

use std::ops::{ControlFlow, Range};

use web_time::Instant;

use super::member::Member;
use super::run_state::{Pending, ReplicaProgress, RunProgress, Sums};
use super::trainer::Trainer;
use super::{Epoch, Event, Monitor, Outcome, Progress, ReplicaEnd, ValidationScore};
use crate::backend::Backend as _;
use crate::error::Result;
use crate::kernels::Step;
use crate::plan::{PassKind, Role, SNAPSHOTS};
pub(super) use fits::Course;

impl Trainer {
    /// [`fit`](Self::fit) for async programs.
    pub async fn fit_async(&mut self) -> Result<Outcome> {
        self.fit_with_async(|_| ControlFlow::Continue(())).await
    }

    /// [`fit_with`](Self::fit_with) for async programs.
    pub async fn fit_with_async(&mut self, on_event: impl FnMut(Event) -> ControlFlow<()>) -> Result<Outcome> {
        self.drain().await?;
        self.begin();
        self.resume_with_async(on_event).await
    }

    /// [`resume`](Self::resume) for async programs.
    pub async fn resume_async(&mut self) -> Result<Outcome> {
        self.resume_with_async(|_| ControlFlow::Continue(())).await
    }

    /// [`resume_with`](Self::resume_with) for async programs.
    pub async fn resume_with_async(&mut self, on_event: impl FnMut(Event) -> ControlFlow<()>) -> Result<Outcome> {
        let outcome = self.advance(u64::MAX, on_event).await?;
        self.check_parameters().await?;
        Ok(outcome)
    }

    pub(super) fn begin(&mut self) {
        let (first, per_epoch) = (self.next_step, self.steps_per_epoch());
        let whole = first / per_epoch;
        let end = whole.saturating_add(self.epochs_of_run()).saturating_mul(per_epoch);
        self.run = RunProgress { first, end, validated_until: whole * per_epoch, ..RunProgress::default() };
        for member in &mut self.members {
            // An interrupted epoch continues; a replica that was ended for good stays so.
            let ReplicaProgress { training, end, .. } = std::mem::take(&mut member.progress);
            let end = end.filter(|end| matches!(end, ReplicaEnd::Diverged { .. } | ReplicaEnd::Dropped));
            member.progress = ReplicaProgress { training, end, ..ReplicaProgress::default() };
        }
    }

    /// Epochs of the replica that has the most.
    pub(super) fn epochs_of_run(&self) -> u64 {
        self.members.iter().map(|member| member.replica.config.epochs).max().unwrap_or(0)
    }

    /// Does at most so many more steps of the run.
    async fn advance(&mut self, most: u64, mut on_event: impl FnMut(Event) -> ControlFlow<()>) -> Result<Outcome> {
        self.check_data_is_there()?;
        self.drain().await?;
        let limit = self.next_step.saturating_add(most);
        let started = Instant::now();
        let mut last = started;
        let mut outcome = Outcome::default();
        loop {
            while self.pending.len() < self.in_flight
                && !outcome.stopped
                && !self.can_be_packed()
                && self.queue(limit, None)? > 0
            {}
            let Some(&done) = self.pending.front() else {
                if self.can_be_packed() && !outcome.stopped {
                    self.pack().await?;
                    continue;
                }
                break;
            };
            let ring = self.backend.collect().await?;
            self.pending.pop_front();
            let now = Instant::now();
            let (pacer, steps) = done.pacer();
            self.pacers[pacer].took(steps, now - last);
            last = now;
            if pacer == 0 && outcome.steps == 0 {
                outcome.first_step_seconds = started.elapsed().as_secs_f64();
            }
            let progress = self.take_in(done, &ring, &mut outcome, &mut on_event).await?;
            if let Some(progress) = progress {
                outcome.stopped |= on_event(Event::Steps(progress)).is_break();
            }
        }
        self.end_run()?;
        (outcome.last_epoch, outcome.best_epoch) = (self.last_epoch(), self.best_epoch());
        outcome.stopped &= !self.run.finished;
        outcome.seconds = started.elapsed().as_secs_f64();
        Ok(outcome)
    }

    /// Takes note of a submission's losses; of training steps, how far the run has come.
    async fn take_in(
        &mut self,
        done: Pending,
        ring: &[f32],
        outcome: &mut Outcome,
        on_event: &mut impl FnMut(Event) -> ControlFlow<()>,
    ) -> Result<Option<Progress>> {
        let mut progress = None;
        let replicas = self.plan().replicas;
        match done {
            Pending::Train { submission, first_step, steps } => {
                for (slot, losses) in ring.chunks_exact(ring.len() / steps).enumerate() {
                    let step = first_step + slot as u64;
                    let mut sums = Vec::with_capacity(self.places.len());
                    for (place, losses) in
                        losses.chunks_exact(losses.len() / replicas).take(self.places.len()).enumerate()
                    {
                        let member = &self.members[self.places[place]];
                        let rows = self.record(member, step).rows as usize;
                        if rows == 0 {
                            continue;
                        }
                        let found = self.sum(rows, losses);
                        if !found.loss.is_finite() {
                            self.diverged(place, submission, step, slot).await?;
                            continue;
                        }
                        self.members[self.places[place]].progress.training.add(found);
                        sums.push(found);
                    }
                    outcome.steps += 1;
                    progress = self.progress(step, &sums).or(progress);
                    if (step + 1).is_multiple_of(self.steps_per_epoch()) && self.validation == 0 {
                        outcome.stopped |= self.end_epoch(step + 1, outcome, on_event)?;
                    }
                }
            }
            Pending::Validate { first_row, steps } => {
                let rows = self.validation_batch();
                let firsts = (first_row..self.validation).step_by(rows);
                for (first, losses) in firsts.zip(ring.chunks_exact(ring.len() / steps)) {
                    for (place, losses) in
                        losses.chunks_exact(losses.len() / replicas).take(self.places.len()).enumerate()
                    {
                        let member = &self.members[self.places[place]];
                        let rows = rows.min(member.validation(self.validation).saturating_sub(first));
                        if rows > 0 && !self.has_ended(member) {
                            let sums = self.sum(rows, losses);
                            self.members[self.places[place]].progress.validation.add(sums);
                        }
                    }
                }
                if first_row + steps * rows >= self.validation {
                    self.check_validation()?;
                    self.rank().await?;
                    outcome.stopped |= self.end_epoch(self.next_step, outcome, on_event)?;
                }
            }
        }
        Ok(progress)
    }

    /// Ranks the rows held out of each replica that is judged by it and runs.
    async fn rank(&mut self) -> Result<()> {
        if self.ranked.is_none() {
            return Ok(());
        }
        let parameters = self.parameters_async().await?;
        let runs: Vec<bool> = self.members.iter().map(|member| !self.has_ended(member)).collect();
        let Self { ranked: Some(ranked), device, spec, .. } = self else { return Ok(()) };
        ranked.rank(device, spec, &runs, &parameters).await
    }

    /// Ends a run of which nothing is left to be done.
    fn end_run(&mut self) -> Result<()> {
        if self.next_step >= self.run.end && self.run.validated_until >= self.run.end && !self.run.finished {
            self.run.finished = true;
            let best = self.places_where(|member| member.progress.has_best());
            self.copy(Role::Best, Role::Parameters, &best)?;
        }
        Ok(())
    }

    /// Collects what an earlier call, interrupted by an error or dropped, has left in flight. Its losses are lost.
    pub(super) async fn drain(&mut self) -> Result<()> {
        while !self.pending.is_empty() {
            self.backend.collect().await?;
            self.pending.pop_front();
        }
        Ok(())
    }

    /// Submits the next steps: `wanted` training steps, or as many as the pacer allows. Returns their number; 0 if a
    /// result has to be collected first.
    fn queue(&mut self, limit: u64, wanted: Option<usize>) -> Result<usize> {
        let mut end = self.run.end.min(limit);
        if self.validation > 0 || self.members.iter().any(|member| member.replica.config.is_controlled()) {
            let epoch_end = self.run.validated_until.saturating_add(self.steps_per_epoch());
            if self.next_step >= epoch_end {
                return self.submit_validation();
            }
            end = end.min(epoch_end);
        }
        if let Some(epochs) = self.pause {
            let stretch = self.steps_per_epoch().saturating_mul(epochs.max(1));
            end = end.min((self.run.validated_until / stretch + 1).saturating_mul(stretch));
        }
        if self.next_step >= end {
            return Ok(0);
        }
        let most = wanted.map_or(self.pacers[0].steps(), |steps| steps.min(self.plan().slots)) as u64;
        self.submit_training(most.min(end - self.next_step) as usize)
    }

    /// Submits the next training steps, after a copy of the parameters that they start from.
    fn submit_training(&mut self, steps: usize) -> Result<usize> {
        let (submission, first_step) = (self.submissions, self.next_step);
        let all = self.places_where(|_| true);
        self.copy(Role::Parameters, Role::Snapshot(submission % SNAPSHOTS), &all)?;
        let queue: Vec<_> = (first_step..first_step + steps as u64).flat_map(|step| self.training_step(step)).collect();
        self.backend.submit(&queue)?;
        self.pending.push_back(Pending::Train { submission, first_step, steps });
        self.snapshot_steps[submission % SNAPSHOTS] = first_step;
        self.next_step += steps as u64;
        self.submissions += 1;
        Ok(steps)
    }

    /// Submits the next validation steps, if rows are left.
    fn submit_validation(&mut self) -> Result<usize> {
        let (first_row, rows) = (self.run.validated_rows, self.validation_batch());
        let steps = self.pacers[1].steps().min((self.validation - first_row).div_ceil(rows));
        if steps == 0 {
            return Ok(0);
        }
        let passes: Vec<_> = self.plan().passes_of(PassKind::Validate).map(|(index, _)| index).collect();
        let trainer = &*self;
        let step = |index: usize| {
            let first_row = first_row + index * rows;
            let pass = passes[usize::from(first_row + rows > trainer.validation)];
            trainer.places.iter().map(move |&member| {
                let member = &trainer.members[member];
                let start = member.replica.fold.as_ref().map_or(0, |fold| fold.start);
                let left = member.validation(trainer.validation).saturating_sub(first_row);
                let rows = if trainer.has_ended(member) { 0 } else { left as u32 };
                (pass, Step { first_row: (start + first_row) as u32, rows, ..Step::default() })
            })
        };
        let queue: Vec<_> = (0..steps).flat_map(step).collect();
        self.backend.submit(&queue)?;
        self.pending.push_back(Pending::Validate { first_row, steps });
        self.run.validated_rows = (first_row + steps * rows).min(self.validation);
        Ok(steps)
    }

    /// The pass and the records of a training step, one for each replica that runs. Training passes stand first in a plan.
    pub(super) fn training_step(&self, step: u64) -> Vec<(usize, Step)> {
        let records: Vec<_> = self.places.iter().map(|&member| self.record(&self.members[member], step)).collect();
        let rows = records.iter().map(|record| record.rows as usize).max().unwrap_or(0);
        let mut passes = self.plan().passes_of(PassKind::Train);
        let smallest = passes.by_ref().filter(|(_, pass)| pass.rows >= rows).min_by_key(|(_, pass)| pass.rows);
        let pass = smallest.map_or(0, |(index, _)| index);
        records.into_iter().map(|record| (pass, record)).collect()
    }

    /// Adds up a slot of the loss ring, in f64 and in order.
    fn sum(&self, rows: usize, losses: &[f32]) -> Sums {
        let mut sums = Sums { terms: (rows * self.spec.target_columns()) as f64, ..Sums::default() };
        for group in losses.chunks_exact(2) {
            sums.loss += f64::from(group[0]);
            sums.correct += f64::from(group[1]);
        }
        sums
    }

    /// Where a step stands, with the mean over replicas; none where all leave it out.
    fn progress(&self, step: u64, sums: &[Sums]) -> Option<Progress> {
        let RunProgress { first, end, .. } = self.run;
        let mut mean = Sums::default();
        for one in sums {
            // Of means, since replicas may have other numbers of rows.
            mean.add(Sums { loss: one.loss / one.terms, correct: one.correct / one.terms, terms: 1.0 });
        }
        let ValidationScore { loss, accuracy, .. } = self.score(if let [one] = sums { *one } else { mean });
        (!sums.is_empty()).then_some(Progress { step: step + 1 - first, steps: end - first, loss, accuracy })
    }

    pub(super) fn score(&self, sums: Sums) -> ValidationScore {
        let accuracy = self.spec.loss().classifies().then(|| sums.correct / sums.terms);
        ValidationScore { loss: sums.loss / sums.terms, accuracy, roc_auc: None }
    }

    /// Takes note of an epoch that ends before step `end` and lets it decide on the next; whether the receiver breaks.
    fn end_epoch(
        &mut self,
        end: u64,
        outcome: &mut Outcome,
        on_event: &mut impl FnMut(Event) -> ControlFlow<()>,
    ) -> Result<bool> {
        (self.run.validated_until, self.run.validated_rows) = (end, 0);
        let (mut stopped, mut improved) = (false, vec![false; self.members.len()]);
        for place in 0..self.places.len() {
            let index = self.places[place];
            if self.has_ended(&self.members[index]) {
                continue;
            }
            let epoch = self.epoch_of(index, end);
            improved[index] = self.members[index].observe(&epoch);
            stopped |= on_event(Event::Epoch(epoch)).is_break();
        }
        outcome.epochs += 1;
        let improved = self.places.iter().map(|&member| improved[member]).collect::<Vec<_>>();
        self.copy(Role::Parameters, Role::Best, &ranges(improved.iter().copied()))?;
        if self.members.iter().all(|member| self.has_ended(member)) {
            self.run.end = end;
        }
        Ok(stopped)
    }

    /// A replica's epoch that ends before step `end`, whose sums it takes.
    fn epoch_of(&mut self, index: usize, end: u64) -> Epoch {
        let per_epoch = self.steps_per_epoch();
        let learning_rate = {
            let member = &self.members[index];
            // The last step of the epoch that the replica takes part in.
            let last = end - 1 - (per_epoch - member.steps_per_epoch);
            member.replica.config.optimizer.learning_rate * self.lr_factor(member, last)
        };
        let validates = self.validation > 0;
        let progress = &mut self.members[index].progress;
        let (training, validation) = (std::mem::take(&mut progress.training), std::mem::take(&mut progress.validation));
        let ValidationScore { loss, accuracy, .. } = self.score(training);
        let roc_auc = self.ranked.as_ref().and_then(|ranked| ranked.areas[index]);
        let validation = validates.then(|| ValidationScore { roc_auc, ..self.score(validation) });
        let step = self.members[index].steps_before(end, per_epoch);
        Epoch { replica: index, epoch: end / per_epoch, step, learning_rate, loss, accuracy, validation }
    }

    /// The places of replicas that fulfil a condition, as ranges.
    pub(super) fn places_where(&self, holds: impl Fn(&Member) -> bool) -> Vec<Range<usize>> {
        ranges(self.places.iter().map(|&member| holds(&self.members[member])))
    }
}

/// Where there is a yes, as ranges.
fn ranges(flags: impl IntoIterator<Item = bool>) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (place, _) in flags.into_iter().enumerate().filter(|(_, flag)| *flag) {
        match found.last_mut() {
            Some(last) if last.end == place => last.end += 1,
            _ => found.push(place..place + 1),
        }
    }
    found
}

impl Member {
    /// Takes note of an epoch, which may end the run; whether it is the best so far, and to be kept.
    fn observe(&mut self, epoch: &Epoch) -> bool {
        let watched =
            epoch.validation.unwrap_or(ValidationScore { loss: epoch.loss, accuracy: epoch.accuracy, roc_auc: None });
        let (config, progress) = (&self.replica.config, &mut self.progress);
        progress.plateau.observe(&config.schedule, watched.loss);
        progress.last = Some(*epoch);
        let Some(rule) = config.early_stopping else { return false };
        let verdict = progress.stopping.observe(&rule, epoch.epoch, watched.of(rule.monitor), watched.loss);
        if verdict.stop {
            progress.end = Some(ReplicaEnd::Stopped);
        }
        verdict.improved
    }
}

impl Pending {
    /// Which pace it is of, and its steps.
    fn pacer(self) -> (usize, usize) {
        match self {
            Self::Train { steps, .. } => (0, steps),
            Self::Validate { steps, .. } => (1, steps),
        }
    }
}

impl RunProgress {
    /// Makes the run so many epochs long, where they have not passed yet.
    pub fn set_epochs(&mut self, epochs: u64, steps_per_epoch: u64) {
        let end = (self.first / steps_per_epoch).saturating_add(epochs).saturating_mul(steps_per_epoch);
        self.finished &= end <= self.end;
        self.end = end;
    }
}

impl ValidationScore {
    /// What early stopping looks at.
    fn of(&self, monitor: Monitor) -> f64 {
        match monitor {
            Monitor::Loss => self.loss,
            // `TrainConfig::check` has refused a loss without an accuracy.
            Monitor::Accuracy => self.accuracy.unwrap_or(f64::NAN),
            // None where a class has no row.
            Monitor::RocAuc => self.roc_auc.unwrap_or(f64::NAN),
        }
    }
}

impl Sums {
    fn add(&mut self, other: Self) {
        self.loss += other.loss;
        self.correct += other.correct;
        self.terms += other.terms;
    }
}
