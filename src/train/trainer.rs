//! The training loop.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::time::Instant;

use super::pace::Pace;
use super::{Batch, Epoch, Event, Outcome, Progress, TrainConfig};
use crate::backend::{Backend, Counters, Device, Executor, MAX_IN_FLIGHT};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::kernels::{Step, loss_groups, mask_key, order_key};
use crate::params::Layout;
use crate::plan::{self, Plan, PlanKind, Recipe, Role, SNAPSHOTS, TrainShape};
use crate::spec::MlpSpec;

/// Most steps of a submission.
const MAX_SLOTS: usize = 1024;
/// Most bytes of the loss ring.
const MAX_RING: usize = 16 << 20;

/// Trains one network on one data set.
#[derive(Debug)]
pub struct Trainer<B = Executor> {
    backend: B,
    spec: MlpSpec,
    config: TrainConfig,
    samples: usize,
    batch: usize,
    /// Steps submitted since the trainer was made.
    next_step: u64,
    submissions: usize,
    /// The first submission after the parameters were set: no snapshot before it is theirs.
    first_submission: usize,
    /// The step that each snapshot's submission began with.
    snapshot_steps: [u64; SNAPSHOTS],
    /// Submissions whose losses are awaited, oldest first.
    pending: VecDeque<Pending>,
    /// Of the epoch under way.
    sums: Sums,
}

/// A submission whose losses are awaited.
#[derive(Debug)]
struct Pending {
    index: usize,
    first_step: u64,
    steps: usize,
}

/// Sums over the steps of an epoch so far.
#[derive(Debug, Default)]
struct Sums {
    loss: f64,
    hits: f64,
    outputs: f64,
}

impl Trainer {
    /// Plans the training of `spec` on `data` and loads it on `device`: all memory is allocated here. The
    /// parameters are 0 until [`Trainer::set_parameters`].
    pub async fn new(device: &Device, spec: &MlpSpec, config: &TrainConfig, data: &Dataset) -> Result<Self> {
        for (what, found, expected) in [
            ("features of a row of the data", data.inputs(), spec.inputs()),
            ("targets of a row of the data", data.target_columns(), spec.outputs()),
        ] {
            if found != expected {
                let expected = format!("{expected}, as the network has");
                return Err(Error::Setting { what, found: found.to_string(), expected });
            }
        }
        let backend = device.load(plan_for(spec, config, data.rows())?).await?;
        Self::with_backend(backend, spec, config, data)
    }
}

/// The plan that trains `spec` on `samples` rows.
fn plan_for(spec: &MlpSpec, config: &TrainConfig, samples: usize) -> Result<Plan> {
    config.optimizer.check()?;
    if config.epochs == 0 {
        return Err(Error::Setting { what: "--epochs", found: "0".into(), expected: "at least 1".into() });
    }
    let batch = batch_rows(config.batch, samples);
    let ring_slot = 8 * loss_groups((batch * spec.outputs()) as u64) as usize;
    let slots = (MAX_RING / ring_slot.max(1)).clamp(1, MAX_SLOTS);
    let recipe = Recipe::new(config.optimizer.rule);
    match config.plan.unwrap_or(PlanKind::Layered) {
        PlanKind::Layered => {
            plan::train(spec, &recipe, TrainShape { samples, validation: 0, batch, replicas: 1, slots })
        }
    }
}

fn batch_rows(batch: Batch, samples: usize) -> usize {
    match batch {
        Batch::Full => samples,
        Batch::Rows(rows) => rows.min(samples),
    }
}

impl<B: Backend<Real = f32>> Trainer<B> {
    fn with_backend(mut backend: B, spec: &MlpSpec, config: &TrainConfig, data: &Dataset) -> Result<Self> {
        for (role, values) in [(Role::Features, data.features()), (Role::Targets, data.targets())] {
            let buffer = backend.plan().buffer(role)?;
            backend.write(buffer, values)?;
        }
        let hyper = backend.plan().buffer(Role::Hyper)?;
        backend.write(hyper, &config.optimizer.hyper(0.0).map(|value| value as f32))?;
        let (spec, config) = (spec.clone(), config.clone());
        let (samples, batch) = (data.rows(), batch_rows(config.batch, data.rows()));
        Ok(Self {
            backend,
            spec,
            config,
            samples,
            batch,
            next_step: 0,
            submissions: 0,
            first_submission: 0,
            snapshot_steps: [0; SNAPSHOTS],
            pending: VecDeque::with_capacity(MAX_IN_FLIGHT),
            sums: Sums::default(),
        })
    }

    /// Sets all parameters, in the order of [`Layout`].
    pub fn set_parameters(&mut self, values: &[f32]) -> Result<()> {
        Layout::new(&self.spec).check(values)?;
        self.first_submission = self.submissions;
        self.backend.write(self.backend.plan().buffer(Role::Parameters)?, values)
    }

    /// Steps that the parameters have behind them.
    pub fn steps(&self) -> u64 {
        self.next_step
    }

    /// Whole epochs that the parameters have behind them.
    pub fn epochs(&self) -> u64 {
        self.next_step / self.steps_per_epoch()
    }

    /// All parameters, in the order of [`Layout`].
    pub async fn parameters(&mut self) -> Result<Vec<f32>> {
        let buffer = self.backend.plan().buffer(Role::Parameters)?;
        self.backend.read(buffer).await
    }

    /// The gradients of the last step, in the order of [`Layout`].
    pub async fn gradients(&mut self) -> Result<Vec<f32>> {
        let buffer = self.backend.plan().buffer(Role::Gradients)?;
        self.backend.read(buffer).await
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        self.backend.plan()
    }

    /// What the backend has done so far.
    pub fn counters(&self) -> Counters {
        self.backend.counters()
    }

    /// Rows of a whole batch.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// Trains for the configured number of epochs; called again, for as many more, the rest of an epoch that was
    /// broken off counting as one. `on_event` learns of every submission and of every epoch in order; when it
    /// breaks, the steps that are under way are finished and training ends.
    ///
    /// When the loss stops being finite the error names the step, and the parameters are those from which the
    /// last submission with a finite first loss began; the optimiser starts anew.
    pub async fn fit(&mut self, mut on_event: impl FnMut(Event) -> ControlFlow<()>) -> Result<Outcome> {
        self.drain().await?;
        let first_step = self.next_step;
        let epochs = (first_step / self.steps_per_epoch()).saturating_add(self.config.epochs);
        let end = epochs.saturating_mul(self.steps_per_epoch());
        let mut pace = Pace::new(self.backend.plan().slots);
        let started = Instant::now();
        let mut outcome =
            Outcome { epochs: 0, steps: 0, seconds: 0.0, first_step_seconds: 0.0, stopped: false, last_epoch: None };
        loop {
            while self.pending.len() < MAX_IN_FLIGHT && self.next_step < end && !outcome.stopped {
                self.submit(pace.steps(), end)?;
            }
            if self.pending.is_empty() {
                break;
            }
            let ring = self.backend.collect().await?;
            let Some(done) = self.pending.pop_front() else { break };
            pace.ended(done.steps);
            if outcome.steps == 0 {
                outcome.first_step_seconds = started.elapsed().as_secs_f64();
            }
            let mut progress = None;
            for (slot, losses) in ring.chunks_exact(ring.len() / done.steps).enumerate() {
                let step = done.first_step + slot as u64;
                let batch = self.sum(step, losses);
                if !batch.loss.is_finite() {
                    return Err(self.diverged(&done, slot).await?);
                }
                outcome.steps += 1;
                progress = Some(Progress {
                    step: outcome.steps,
                    steps: end - first_step,
                    loss: batch.loss / batch.outputs,
                    accuracy: self.accuracy(&batch),
                });
                self.sums.loss += batch.loss;
                self.sums.hits += batch.hits;
                self.sums.outputs += batch.outputs;
                if (step + 1).is_multiple_of(self.steps_per_epoch()) {
                    let sums = std::mem::take(&mut self.sums);
                    let (loss, accuracy) = (sums.loss / sums.outputs, self.accuracy(&sums));
                    let epoch = Epoch { epoch: (step + 1) / self.steps_per_epoch(), loss, accuracy };
                    outcome.epochs += 1;
                    outcome.last_epoch = Some(epoch);
                    outcome.stopped |= on_event(Event::Epoch(epoch)).is_break();
                }
            }
            if let Some(progress) = progress {
                outcome.stopped |= on_event(Event::Steps(progress)).is_break();
            }
        }
        outcome.stopped &= self.next_step < end;
        outcome.seconds = started.elapsed().as_secs_f64();
        self.check_parameters().await?;
        Ok(outcome)
    }

    fn steps_per_epoch(&self) -> u64 {
        self.samples.div_ceil(self.batch) as u64
    }

    /// Collects what an earlier call, broken off by an error or dropped, has left in flight.
    async fn drain(&mut self) -> Result<()> {
        while !self.pending.is_empty() {
            self.backend.collect().await?;
            self.pending.pop_front();
        }
        Ok(())
    }

    /// Submits the next steps, after a copy of the parameters that they start from.
    fn submit(&mut self, steps: usize, end: u64) -> Result<()> {
        let steps = (steps as u64).min(end - self.next_step) as usize;
        let plan = self.backend.plan();
        let (parameters, snapshot) =
            (plan.buffer(Role::Parameters)?, plan.buffer(Role::Snapshot(self.submissions % SNAPSHOTS))?);
        self.backend.copy(parameters, snapshot)?;
        let queue: Vec<_> = (self.next_step..self.next_step + steps as u64).map(|step| self.step(step)).collect();
        self.backend.submit(&queue)?;
        self.pending.push_back(Pending { index: self.submissions, first_step: self.next_step, steps });
        self.snapshot_steps[self.submissions % SNAPSHOTS] = self.next_step;
        self.next_step += steps as u64;
        self.submissions += 1;
        Ok(())
    }

    /// The pass of a step, and the position of its first row in the epoch's order.
    fn pass(&self, step: u64) -> (usize, usize) {
        let first_row = (step % self.steps_per_epoch()) as usize * self.batch;
        (usize::from(first_row + self.batch > self.samples), first_row)
    }

    /// The pass and the record of a step.
    fn step(&self, step: u64) -> (usize, Step) {
        let (pass, first_row) = self.pass(step);
        let key = order_key(self.config.seed, step / self.steps_per_epoch());
        let corrections = self.config.optimizer.corrections(step + 1);
        let mask_key = mask_key(self.config.seed, step);
        (pass, Step { slot: 0, first_row: first_row as u32, key, mask_key, rate: 1.0, corrections })
    }

    /// Adds up a slot of the loss ring, in f64 and in order.
    fn sum(&self, step: u64, losses: &[f32]) -> Sums {
        let (pass, _) = self.pass(step);
        let rows = self.backend.plan().passes[pass].rows;
        let mut sums = Sums { outputs: (rows * self.spec.outputs()) as f64, ..Sums::default() };
        for group in losses.chunks_exact(2) {
            sums.loss += f64::from(group[0]);
            sums.hits += f64::from(group[1]);
        }
        sums
    }

    fn accuracy(&self, sums: &Sums) -> Option<f64> {
        self.spec.loss().classifies().then(|| sums.hits / sums.outputs)
    }

    /// Goes back to the last parameters that gave a finite loss: those from which the submission began, or,
    /// when its first loss was not finite, those of the submission before.
    async fn diverged(&mut self, done: &Pending, slot: usize) -> Result<Error> {
        self.drain().await?;
        let good = if slot == 0 { done.index.saturating_sub(1).max(self.first_submission) } else { done.index };
        let error = self.divergence(done.first_step + slot as u64, "loss");
        self.restore(good)?;
        Ok(error)
    }

    /// Goes back to the parameters from which the last submission began, and gives them. The optimiser starts
    /// anew.
    pub async fn roll_back(&mut self) -> Result<Vec<f32>> {
        self.drain().await?;
        if self.submissions > self.first_submission {
            self.restore(self.submissions - 1)?;
        }
        self.parameters().await
    }

    fn restore(&mut self, submission: usize) -> Result<()> {
        let place = submission % SNAPSHOTS;
        let plan = self.backend.plan();
        let (snapshot, parameters, state) =
            (plan.buffer(Role::Snapshot(place))?, plan.buffer(Role::Parameters)?, plan.buffer(Role::OptimizerState)?);
        let fresh = vec![0.0; plan.buffers[state].len];
        self.backend.copy(snapshot, parameters)?;
        self.backend.write(state, &fresh)?;
        self.next_step = self.snapshot_steps[place];
        self.sums = Sums::default();
        Ok(())
    }

    fn divergence(&self, step: u64, what: &str) -> Error {
        Error::Diverged { step: step + 1, epoch: step / self.steps_per_epoch() + 1, what: what.into() }
    }

    /// The last update has no loss to tell of it, and a device may compute a finite loss from a NaN.
    async fn check_parameters(&mut self) -> Result<()> {
        let values = self.parameters().await?;
        let Some(place) = values.iter().position(|value| !value.is_finite()) else { return Ok(()) };
        let layout = Layout::new(&self.spec);
        let tensor = layout.tensors.iter().find(|tensor| tensor.range.contains(&place));
        let name = tensor.map_or_else(String::new, |tensor| format!("parameter tensor {}", tensor.name));
        let error = self.divergence(self.next_step.saturating_sub(1), &name);
        self.roll_back().await?;
        Err(error)
    }
}
