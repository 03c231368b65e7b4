//! A run: overlapping submissions, epochs, validation, their decisions, and divergence.

mod fits;
mod frame;

use std::ops::ControlFlow;
use std::time::Instant;

use super::run_state::{Pending, RunProgress, Sums};
use super::trainer::Trainer;
use super::{Epoch, Event, Monitor, Outcome, Position, Progress, ValidationScore};
use crate::backend::{Backend as _, MAX_IN_FLIGHT};
use crate::error::{Error, Result};
use crate::kernels::{Step, mask_key, order_key};
use crate::params::Layout;
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

    /// [`step`](Self::step) for async programs.
    pub async fn step_async(&mut self) -> Result<Progress> {
        if self.next_step >= self.run.end {
            self.drain().await?;
            self.begin();
        }
        let mut last = None;
        self.advance(1, |event| {
            if let Event::Steps(progress) = event {
                last = Some(progress);
            }
            ControlFlow::Continue(())
        })
        .await?;
        last.ok_or_else(|| Error::CheckFailed("a step gave no loss".into()))
    }

    pub(super) fn begin(&mut self) {
        let (first, per_epoch) = (self.next_step, self.steps_per_epoch());
        let whole = first / per_epoch;
        let end = whole.saturating_add(self.config.epochs).saturating_mul(per_epoch);
        // An interrupted epoch continues.
        let training = self.run.training;
        self.run = RunProgress { first, end, validated_until: whole * per_epoch, training, ..RunProgress::default() };
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
            while self.pending.len() < MAX_IN_FLIGHT && !outcome.stopped && self.queue(limit, None)? > 0 {}
            let Some(&done) = self.pending.front() else { break };
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
        match done {
            Pending::Train { submission, first_step, steps } => {
                for (slot, losses) in ring.chunks_exact(ring.len() / steps).enumerate() {
                    let step = first_step + slot as u64;
                    let sums = self.sum(self.training_rows(step), losses);
                    if !sums.loss.is_finite() {
                        return Err(self.diverged(submission, step, slot).await?);
                    }
                    outcome.steps += 1;
                    self.run.training.add(sums);
                    progress = Some(self.progress(step, sums));
                    if (step + 1).is_multiple_of(self.steps_per_epoch()) && self.validation == 0 {
                        outcome.stopped |= self.end_epoch(step + 1, outcome, on_event)?;
                    }
                }
            }
            Pending::Validate { first_row, steps } => {
                let rows = self.validation_batch();
                for (first, losses) in
                    (first_row..self.validation).step_by(rows).zip(ring.chunks_exact(ring.len() / steps))
                {
                    let sums = self.sum(rows.min(self.validation - first), losses);
                    self.run.validation.add(sums);
                }
                if first_row + steps * rows >= self.validation {
                    if !self.run.validation.loss.is_finite() {
                        return Err(self.diverged_at_validation()?);
                    }
                    outcome.stopped |= self.end_epoch(self.next_step, outcome, on_event)?;
                }
            }
        }
        Ok(progress)
    }

    /// Ends a run of which nothing is left to be done.
    fn end_run(&mut self) -> Result<()> {
        if self.next_step >= self.run.end && self.run.validated_until >= self.run.end && !self.run.finished {
            self.run.finished = true;
            if self.run.has_best() {
                self.copy(Role::Best, Role::Parameters)?;
            }
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
        if self.validation > 0 || self.config.is_controlled() {
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
        self.copy(Role::Parameters, Role::Snapshot(submission % SNAPSHOTS))?;
        let queue: Vec<_> = (first_step..first_step + steps as u64).map(|step| self.training_step(step)).collect();
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
        let step = |index: usize| {
            let first_row = first_row + index * rows;
            let pass = passes[usize::from(first_row + rows > self.validation)];
            (pass, Step { first_row: first_row as u32, ..Step::default() })
        };
        let queue: Vec<_> = (0..steps).map(step).collect();
        self.backend.submit(&queue)?;
        self.pending.push_back(Pending::Validate { first_row, steps });
        self.run.validated_rows = (first_row + steps * rows).min(self.validation);
        Ok(steps)
    }

    /// The pass and the record of a training step. Training passes stand first in a plan.
    pub(super) fn training_step(&self, step: u64) -> (usize, Step) {
        let first_row = self.first_row(step);
        let pass = usize::from(first_row + self.batch > self.samples);
        let seed = self.config.seed;
        let record = Step {
            first_row: first_row as u32,
            key: order_key(seed, self.steps_before + step / self.steps_per_epoch()),
            mask_key: mask_key(seed, self.steps_before + step),
            lr_factor: self.lr_factor(step),
            bias_corrections: self
                .config
                .optimizer
                .bias_corrections(self.steps_before + step + 1 - self.optimizer_start),
            ..Step::default()
        };
        (pass, record)
    }

    /// Position of a step's first row in its epoch's order.
    fn first_row(&self, step: u64) -> usize {
        (step % self.steps_per_epoch()) as usize * self.batch
    }

    fn training_rows(&self, step: u64) -> usize {
        self.batch.min(self.samples - self.first_row(step))
    }

    /// The schedule's factor on the learning rate.
    fn lr_factor(&self, step: u64) -> f64 {
        let position = Position {
            step: step - self.run.first,
            steps_per_epoch: self.steps_per_epoch(),
            steps: self.run.end - self.run.first,
            samples: self.samples as u64,
        };
        self.config.schedule.factor(&position) * self.run.plateau.factor
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

    fn progress(&self, step: u64, sums: Sums) -> Progress {
        let RunProgress { first, end, .. } = self.run;
        let ValidationScore { loss, accuracy } = self.score(sums);
        Progress { step: step + 1 - first, steps: end - first, loss, accuracy }
    }

    fn score(&self, sums: Sums) -> ValidationScore {
        let accuracy = self.spec.loss().classifies().then(|| sums.correct / sums.terms);
        ValidationScore { loss: sums.loss / sums.terms, accuracy }
    }

    /// Takes note of an epoch that ends before step `end` and lets it decide on the next; whether the receiver breaks.
    fn end_epoch(
        &mut self,
        end: u64,
        outcome: &mut Outcome,
        on_event: &mut impl FnMut(Event) -> ControlFlow<()>,
    ) -> Result<bool> {
        let (training, validation) = (std::mem::take(&mut self.run.training), std::mem::take(&mut self.run.validation));
        (self.run.validated_until, self.run.validated_rows) = (end, 0);
        let ValidationScore { loss, accuracy } = self.score(training);
        let validation = (self.validation > 0).then(|| self.score(validation));
        let learning_rate = self.config.optimizer.learning_rate * self.lr_factor(end - 1);
        let epoch = Epoch { epoch: end / self.steps_per_epoch(), step: end, learning_rate, loss, accuracy, validation };
        let watched = validation.unwrap_or(ValidationScore { loss, accuracy });
        self.run.plateau.observe(&self.config.schedule, watched.loss);
        if let Some(rule) = self.config.early_stopping {
            let verdict = self.run.stopping.observe(&rule, epoch.epoch, watched.of(rule.monitor));
            if verdict.improved {
                self.copy(Role::Parameters, Role::Best)?;
            }
            if verdict.stop {
                self.run.end = end;
            }
        }
        outcome.epochs += 1;
        self.run.last = Some(epoch);
        Ok(on_event(Event::Epoch(epoch)).is_break())
    }

    /// Goes back to the last parameters that gave a finite loss: those from which the submission began, or,
    /// when its first loss was not finite, those of the submission before.
    async fn diverged(&mut self, submission: usize, step: u64, slot: usize) -> Result<Error> {
        self.drain().await?;
        let good = if slot == 0 { submission.saturating_sub(1).max(self.first_submission) } else { submission };
        self.restore_snapshot(good)?;
        Ok(self.divergence(step, "loss"))
    }

    /// The same for the loss of the validation set, which comes after an epoch's last step.
    fn diverged_at_validation(&mut self) -> Result<Error> {
        let step = self.next_step - 1;
        self.restore_snapshot(self.submissions - 1)?;
        Ok(self.divergence(step, "validation loss"))
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
        self.copy(Role::Snapshot(place), Role::Parameters)?;
        let plan = self.backend.plan();
        let fresh = vec![0.0; plan.buffers[plan.buffer(Role::OptimizerState)?].len];
        self.write(Role::OptimizerState, &fresh)?;
        self.next_step = self.snapshot_steps[place];
        self.optimizer_start = self.steps();
        let (step, per_epoch) = (self.next_step, self.steps_per_epoch());
        let validated_until = step / per_epoch * per_epoch;
        self.run = RunProgress { first: step, end: step, validated_until, finished: true, ..RunProgress::default() };
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
    pub(super) async fn check_parameters(&mut self) -> Result<()> {
        let values = self.parameters_async().await?;
        let Some(place) = values.iter().position(|value| !value.is_finite()) else { return Ok(()) };
        let layout = Layout::new(&self.spec);
        let tensor = layout.tensors.iter().find(|tensor| tensor.range.contains(&place));
        let name = tensor.map_or_else(String::new, |tensor| format!("parameter tensor {}", tensor.name));
        let error = self.divergence(self.next_step.saturating_sub(1), &name);
        self.roll_back_async().await?;
        Err(error)
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
    /// Whether early stopping has seen an epoch that it can go back to.
    pub fn has_best(&self) -> bool {
        self.stopping.best.is_some()
    }

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
