//! Training inside a program's frame: some steps in its own encoder, on features and targets in its own buffers.

use super::bound::Bound;
use super::device::GpuDevice;
use super::prepare::alignment;
use crate::error::{Error, Result};
use crate::kernels::{Step, StepRecord, mask_key, order_key};
use crate::math::{Clip, Optimizer};
use crate::params::Init;
use crate::plan::{
    BufferId, PassKind, PlanKind, Recipe, Role, TrainShape, check_dropout, choose, dropout_rates, fused,
};
use crate::spec::MlpSpec;

/// Most steps whose records go up at once.
const WINDOW: u64 = 1024;
/// Bytes of these records.
const WINDOW_BYTES: u64 = 4 << 20;

/// How a [`FrameTrainer`] trains.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FrameTraining {
    /// The rule with its settings.
    pub optimizer: Optimizer,
    /// Rows of a network's data.
    pub rows: usize,
    /// Rows of a step, all at first. Fewer are drawn in an order of their own for each epoch and each network.
    pub batch: usize,
    /// Networks side by side, one at first, at most 1,365.
    pub networks: usize,
    /// Share of a hidden layer's units that a step drops, in [0, 1): one for each hidden layer, or one for all, or none, as at first.
    pub dropout: Vec<f64>,
    /// How the parameters start. He's at first.
    pub init: Init,
    /// Seed of the first parameters, the sample orders and dropout, 0 at first. Network i, from 0 on, has the seed `seed` + i and does what
    /// it would do alone.
    pub seed: u64,
}

impl FrameTraining {
    /// One network on all of its `rows` in every step.
    pub fn new(optimizer: Optimizer, rows: usize) -> Self {
        Self { optimizer, rows, batch: rows, networks: 1, dropout: Vec::new(), init: Init::He, seed: 0 }
    }
}

/// Trains one network, or many of one shape side by side, each on rows of its own, in as many dispatches as one takes. A step is that of
/// [`Trainer`](crate::train::Trainer) at the configured rate; losses stay on the device, in [`losses`](Self::losses).
#[derive(Debug)]
pub struct FrameTrainer {
    bound: Bound,
    parameters: BufferId,
    losses: BufferId,
    spec: MlpSpec,
    training: FrameTraining,
    /// Bytes from one step's record to the next.
    distance: u64,
    /// Steps whose records go up at once.
    window: u64,
    /// Steps recorded so far.
    steps: u64,
}

impl FrameTrainer {
    /// Makes what it takes to train `spec`: pipelines, bind groups and buffers, but for those given: `features` [networks, rows,
    /// inputs] and `targets` [networks, rows, targets], with the demands of [`FrameIo`](super::FrameIo). A target is a number or, for
    /// a softmax, the number of a class. Parameters are drawn by `training.init`.
    ///
    /// # Errors
    /// As [`FrameNetwork::new`](super::FrameNetwork::new), and [`Error::Setting`] for settings that cannot train.
    pub async fn new(
        gpu: &GpuDevice,
        spec: &MlpSpec,
        training: FrameTraining,
        features: Option<wgpu::BufferSlice<'_>>,
        targets: Option<wgpu::BufferSlice<'_>>,
    ) -> Result<Self> {
        let training = FrameTraining { batch: training.batch.min(training.rows), ..training };
        let FrameTraining { optimizer, rows, batch, networks, ref dropout, .. } = training;
        optimizer.check()?;
        check_dropout(spec, dropout)?;
        let clip_norm = matches!(optimizer.clip, Clip::Norm(_));
        let recipe = Recipe { dropout: dropout_rates(spec, dropout), clip_norm, ..Recipe::new(optimizer.rule) };
        let shape = TrainShape { batch, replicas: networks, ..TrainShape::full(rows) };
        let mut plan = choose(None, spec, &recipe, shape, gpu.summary().target())?;
        if plan.kind == PlanKind::Resident {
            // Its dispatch takes a run of steps, whose records stand together.
            plan = fused(spec, &recipe, shape, gpu.summary().target())?;
        }
        let plan = plan.with_own_data();
        let given = [(plan.buffer(Role::Features)?, features), (plan.buffer(Role::Targets)?, targets)];
        let (parameters, losses) = (plan.buffer(Role::Parameters)?, plan.buffer(Role::LossRing)?);
        let distance = (networks * size_of::<StepRecord>()).next_multiple_of(alignment(gpu) as usize) as u64;
        let window = (WINDOW_BYTES / distance).clamp(1, WINDOW);
        let bound = Bound::new(gpu, plan, &given, 2 * window * distance).await?;
        let mut trainer = Self { bound, parameters, losses, spec: spec.clone(), training, distance, window, steps: 0 };
        trainer.set_learning_rate(optimizer.learning_rate)?;
        let (init, seed) = (trainer.training.init, trainer.training.seed);
        let drawn = (0..networks as u64).map(|network| init.draw(spec, seed.wrapping_add(network)));
        trainer.set_parameters(&drawn.collect::<Result<Vec<_>>>()?.concat())?;
        Ok(trainer)
    }

    /// Records the next `steps` training steps. What is recorded later, in this encoder or in one that is submitted later, has the
    /// parameters that they give. A step has to be submitted before [`most_steps`](Self::most_steps) more are recorded.
    ///
    /// # Errors
    /// [`Error::Setting`] for more than [`most_steps`](Self::most_steps), and [`Error::DeviceLost`].
    pub fn record_steps(&mut self, encoder: &mut wgpu::CommandEncoder, steps: usize) -> Result<()> {
        if steps > self.most_steps() {
            let expected = format!("at most {}", self.window);
            return Err(Error::Setting { what: "number of steps of a frame", found: steps.to_string(), expected });
        }
        for step in self.steps..self.steps + steps as u64 {
            if step.is_multiple_of(self.window) {
                let networks = self.training.networks as u64;
                let each = |step| (0..networks).map(move |network| (step, network));
                let records = (step..step + self.window).flat_map(each);
                let records: Vec<_> = records.map(|(step, network)| self.record(step, network).into()).collect();
                self.bound.write_records(self.place(step), &records, self.distance)?;
            }
        }
        let mut pass = encoder.begin_compute_pass(&Default::default());
        for step in self.steps..self.steps + steps as u64 {
            let (rows, batch) = (self.training.rows, self.training.batch);
            for prepared in &self.bound.passes[usize::from(self.first_row(step) + batch > rows)] {
                prepared.encode(&mut pass, self.place(step) as u32, self.training.networks);
            }
        }
        self.steps += steps as u64;
        Ok(())
    }

    /// Where a step's record stands: the last steps' records stay until their own place comes again.
    fn place(&self, step: u64) -> u64 {
        step % (2 * self.window) * self.distance
    }

    /// Steps of an epoch.
    fn per_epoch(&self) -> u64 {
        self.training.rows.div_ceil(self.training.batch) as u64
    }

    /// Position of a step's first row in its epoch.
    fn first_row(&self, step: u64) -> usize {
        (step % self.per_epoch()) as usize * self.training.batch
    }

    /// The record of a network's step.
    fn record(&self, step: u64, network: u64) -> Step {
        let FrameTraining { optimizer, rows, batch, seed, .. } = self.training;
        let (first_row, seed) = (self.first_row(step), seed.wrapping_add(network));
        Step {
            rows: batch.min(rows - first_row) as u32,
            first_row: first_row as u32,
            key: order_key(seed, step / self.per_epoch()),
            mask_key: mask_key(seed, step),
            lr_factor: 1.0,
            bias_corrections: optimizer.bias_corrections(step + 1),
            ..Step::default()
        }
    }

    /// Most steps of a frame: 1,024, or fewer of very many networks.
    pub fn most_steps(&self) -> usize {
        self.window as usize
    }

    /// Dispatches of a step on a whole batch, however many networks there are.
    pub fn dispatches(&self) -> usize {
        let training = self.bound.plan.passes_of(PassKind::Train).next();
        training.map_or(0, |(_, pass)| pass.dispatches.len())
    }

    /// Steps recorded so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The parameters, [networks, parameters], as [`FrameNetwork::set_parameters_from`](super::FrameNetwork::set_parameters_from)
    /// takes them.
    pub fn parameters(&self) -> wgpu::BufferSlice<'_> {
        self.bound.slice(self.parameters)
    }

    /// What the last step left of its loss: [networks, groups, 2], partial sums of the rows' losses and the hits. Their sum over the
    /// groups, divided by the rows of the batch and by the target columns, is the mean loss.
    pub fn losses(&self) -> wgpu::BufferSlice<'_> {
        self.bound.slice(self.losses)
    }

    /// Sets the parameters as [`FrameNetwork::set_parameters`](super::FrameNetwork::set_parameters) does. What the optimiser keeps
    /// stays.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of them.
    pub fn set_parameters(&self, values: &[f32]) -> Result<()> {
        self.bound.write(Role::Parameters, values)
    }

    /// Sets the learning rate of all networks, for all that is submitted later.
    ///
    /// # Errors
    /// [`Error::Setting`] for one that is not positive.
    pub fn set_learning_rate(&mut self, learning_rate: f64) -> Result<()> {
        let optimizer = Optimizer { learning_rate, ..self.training.optimizer };
        optimizer.check()?;
        self.training.optimizer = optimizer;
        let hyper = optimizer.hyper(self.spec.loss_parameter());
        self.bound.write(Role::Hyper, &hyper.map(|value| value as f32))
    }
}
