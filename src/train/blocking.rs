//! The plain names of a trainer's methods: each waits for its async form on this thread.

use std::ops::ControlFlow;

use pollster::block_on;

use super::{Event, LrCurve, LrRange, Outcome, Progress, Replica, TrainConfig, TrainState, Trainer};
use crate::backend::Device;
use crate::data::Dataset;
use crate::error::Result;
use crate::ranks::DataParallel;
use crate::spec::MlpSpec;

impl Trainer {
    /// Plans the training of `spec` on `data` and loads it on `device`, which allocates all memory.
    /// [`TrainConfig::init`] and [`TrainConfig::seed`] determine the initial parameters.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for settings or data that do not fit the network;
    /// [`Error::TooLarge`](crate::Error::TooLarge) if the plan does not fit the device.
    pub fn new(device: &Device, spec: &MlpSpec, config: &TrainConfig, data: &Dataset) -> Result<Self> {
        block_on(Self::new_async(device, spec, config, data))
    }

    /// [`new`](Self::new) with a validation set. The device computes its loss after every epoch, unweighted.
    ///
    /// # Errors
    /// Those of [`new`](Self::new).
    pub fn with_validation(
        device: &Device,
        spec: &MlpSpec,
        config: &TrainConfig,
        data: &Dataset,
        validation: Option<&Dataset>,
    ) -> Result<Self> {
        block_on(Self::with_validation_async(device, spec, config, data, validation))
    }

    /// Plans the training of many networks of one shape side by side, each with its own settings, and loads it on `device`. They take no
    /// more dispatches than one network takes. On the CPU each is a task of its own.
    ///
    /// [`fit`](Self::fit) ends when all have ended: by their epochs, by early stopping, by
    /// [`drop_replica`](Self::drop_replica) or by a divergence, which ends no other. [`outcomes`](Self::outcomes) says how each ended.
    /// A replica's first parameters, orders of rows and masks are those of a run alone with its seed; docs/ensembles.md says where its
    /// bytes are, too.
    ///
    /// ```
    /// use wgpu_mlp::train::Replica;
    /// use wgpu_mlp::{Activation, Batch, Dataset, Loss, MlpSpec, Optimizer, TrainConfig, Trainer, open};
    ///
    /// # fn main() -> wgpu_mlp::Result<()> {
    /// let spec = MlpSpec::new(&[1, 4, 1], Activation::Tanh, Loss::MeanSquaredError)?;
    /// let x: Vec<f32> = (0..40).map(|i| i as f32 / 20.0 - 1.0).collect();
    /// let data = Dataset::new(x.clone(), x, 1, 1)?;
    /// let config = |seed| TrainConfig::new(20, Batch::Rows(8), Optimizer::sgd(0.1)).seed(seed);
    /// // Four folds of the rows: each network is judged by the fold that it does not learn.
    /// let folds: Vec<_> = (0..4).map(|k| Replica::new(config(k)).fold(10 * k as usize..10 * (k as usize + 1))).collect();
    /// let mut trainer = Trainer::with_replicas(&open("cpu")?.device, &spec, &folds, &data, None)?;
    /// trainer.fit()?;
    /// let losses: Vec<_> = trainer.outcomes().iter().filter_map(|outcome| outcome.last_epoch?.validation).collect();
    /// # assert_eq!(losses.len(), 4);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`new`](Self::new), and [`Error::Setting`](crate::Error::Setting) for replicas that differ in what they have to share.
    pub fn with_replicas(
        device: &Device,
        spec: &MlpSpec,
        replicas: &[Replica],
        data: &Dataset,
        validation: Option<&Dataset>,
    ) -> Result<Self> {
        block_on(Self::with_replicas_async(device, spec, replicas, data, validation))
    }

    /// Plans the training of one network by several ranks, each of which calls this with the same arguments but its own `device`, and
    /// then does what it would do with a trainer of its own. Each has on its device the rows of its shards only.
    ///
    /// The rows are dealt into [`shards`](field@DataParallel::shards), row r into shard r mod S. An epoch takes the positions 0, 1, 2, … of an
    /// order: position p is of shard p mod S, and there of the p/S-th row in that shard's own order, which is drawn anew for every epoch.
    /// A step takes the next batch of these positions. So every step takes equally many rows of each shard, but for one, and which rows
    /// they are does not depend on the number of ranks. The gradients of the shards are added in the order of a binary tree over them. So
    /// the same number of shards gives the same bytes on any number of ranks, as far as their devices compute alike, and with the batch
    /// [`Full`](crate::train::Batch::Full) those of [`new`](Self::new) but for rounding.
    ///
    /// ```
    /// use wgpu_mlp::ranks::{Alone, DataParallel, Ranks};
    /// use wgpu_mlp::{Activation, Batch, Dataset, Loss, MlpSpec, Optimizer, TrainConfig, Trainer, open};
    ///
    /// # fn main() -> wgpu_mlp::Result<()> {
    /// let spec = MlpSpec::new(&[1, 4, 1], Activation::Tanh, Loss::MeanSquaredError)?;
    /// let x: Vec<f32> = (0..40).map(|i| i as f32 / 20.0 - 1.0).collect();
    /// let data = Dataset::new(x.clone(), x, 1, 1)?;
    /// let config = TrainConfig::new(20, Batch::Rows(16), Optimizer::sgd(0.1));
    /// let ranks = DataParallel::new(Ranks::new(Alone)).shards(4);
    /// let mut trainer = Trainer::data_parallel(&open("cpu")?.device, &spec, &config, &data, None, &ranks)?;
    /// trainer.fit()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`new`](Self::new); [`Error::Ranks`](crate::Error::Ranks) where the ranks do not have the same data and settings, here
    /// and, where one has failed, in each call that takes a step.
    pub fn data_parallel(
        device: &Device,
        spec: &MlpSpec,
        config: &TrainConfig,
        data: &Dataset,
        validation: Option<&Dataset>,
        parallel: &DataParallel,
    ) -> Result<Self> {
        block_on(Self::data_parallel_async(device, spec, config, data, validation, parallel))
    }

    /// Each replica's parameters, as [`parameters`](Self::parameters) has them one behind the other.
    ///
    /// # Errors
    /// Errors of the device.
    pub fn replica_parameters(&mut self) -> Result<Vec<Vec<f32>>> {
        block_on(self.replica_parameters_async())
    }

    /// A trainer without data, for a loss of the program's own, for example in reinforcement learning or distillation.
    /// A step takes a batch of at most `rows` rows and the gradient of the program's loss by the outputs.
    ///
    /// Every step is an epoch of [`TrainConfig::epochs`], which schedules use. The batch size is ignored. The network's
    /// own loss only determines its predictions. The plan is layered. The program has to detect a divergence itself,
    /// since the trainer knows no loss.
    ///
    /// ```
    /// use wgpu_mlp::{Activation, Batch, Loss, MlpSpec, Optimizer, TrainConfig, Trainer, open};
    ///
    /// # fn main() -> wgpu_mlp::Result<()> {
    /// let spec = MlpSpec::new(&[2, 8, 1], Activation::Tanh, Loss::MeanSquaredError)?;
    /// let config = TrainConfig::new(1000, Batch::Full, Optimizer::sgd(0.1));
    /// let mut trainer = Trainer::without_data(&open("cpu")?.device, &spec, &config, 64)?;
    /// let x = [0.5, -1.0, 0.25, 2.0];
    /// let z = trainer.forward(&x)?;
    /// // Of the loss Σ z⁴ / 4 over two rows.
    /// let gradient: Vec<f32> = z.iter().map(|z| z.powi(3)).collect();
    /// trainer.backward(&gradient)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`new`](Self::new); [`Error::Setting`](crate::Error::Setting) for a plan that is not layered, and for early stopping or
    /// a plateau schedule, since no loss is known.
    pub fn without_data(device: &Device, spec: &MlpSpec, config: &TrainConfig, rows: usize) -> Result<Self> {
        block_on(Self::without_data_async(device, spec, config, rows))
    }

    /// The outputs [rows, outputs] of `x` [rows, inputs], both by rows, as in a training step, with dropout. z and a
    /// stay on the device for [`backward`](Self::backward).
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) for more rows than there is room for, or none;
    /// [`Error::Setting`](crate::Error::Setting) for a feature that is not finite, and for a trainer with data.
    pub fn forward(&mut self, x: &[f32]) -> Result<Vec<f32>> {
        block_on(self.forward_async(x))
    }

    /// Backpropagates the gradient by the outputs of the last [`forward`](Self::forward), [rows, outputs], and makes
    /// the optimiser's step. The gradient already contains every divisor of the program's loss, such as the number of
    /// rows. [`gradients`](Self::gradients) gives the gradients by the parameters.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) for another number of values; [`Error::Setting`](crate::Error::Setting) for a value that
    /// is not finite, and without a forward pass since the last step.
    pub fn backward(&mut self, gradient: &[f32]) -> Result<()> {
        block_on(self.backward_async(gradient))
    }

    /// [`backward`](Self::backward) that also gives the gradient by the features, [rows, inputs], at the parameters
    /// before the step.
    ///
    /// # Errors
    /// Those of [`backward`](Self::backward).
    pub fn backward_to_inputs(&mut self, gradient: &[f32]) -> Result<Vec<f32>> {
        block_on(self.backward_to_inputs_async(gradient))
    }

    /// [`forward`](Self::forward) and [`backward`](Self::backward) for a gradient that is already known; the outputs
    /// are not read back.
    ///
    /// # Errors
    /// Those of both.
    pub fn step_with_output_gradient(&mut self, x: &[f32], gradient: &[f32]) -> Result<()> {
        block_on(self.step_with_output_gradient_async(x, gradient))
    }

    /// Replaces the training rows, as scikit-learn's `partial_fit` does. The parameters, the optimiser's state and the
    /// step count stay.
    ///
    /// The same number of rows is written over the old rows. Nothing is allocated, and the current run continues with
    /// its schedule in the middle of its epoch. Another number of rows, or weighted rows after unweighted ones, need a
    /// new plan; then the run ends.
    ///
    /// # Errors
    /// Those of [`new`](Self::new), and [`Error::Setting`](crate::Error::Setting) for rows that the replica's fold does not fit. The
    /// trainer is unchanged then.
    pub fn load(&mut self, data: &Dataset) -> Result<()> {
        block_on(self.load_async(data))
    }

    /// Takes over the parameters and the optimiser's state of another trainer of one network of this shape, whatever its rows were, and goes
    /// on with other rows: [`load`](Self::load) across processes. The run begins anew.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for the state of another network or optimiser.
    pub fn adopt(&mut self, state: &TrainState) -> Result<()> {
        block_on(self.adopt_async(state))
    }

    /// Trains on data that arrive in parts and need not fit into memory together. [`load`](Self::load) loads each part,
    /// which is trained on for an epoch. A run with its schedule and early stopping has [`TrainConfig::epochs`] parts;
    /// then the next run begins. Parts should have equal numbers of rows: a part with another number ends the run.
    ///
    /// # Errors
    /// The first error among the parts; those of [`load`](Self::load) and [`fit`](Self::fit).
    pub fn fit_stream(
        &mut self,
        parts: impl IntoIterator<Item = Result<Dataset>>,
        on_event: impl FnMut(Event) -> ControlFlow<()>,
    ) -> Result<Outcome> {
        block_on(self.fit_stream_async(parts, on_event))
    }

    /// Trains for the configured number of epochs. Another call trains for as many more, with the schedule and early
    /// stopping from their start; the rest of an interrupted epoch counts as one epoch.
    ///
    /// # Errors
    /// [`Error::Diverged`](crate::Error::Diverged) if the loss is not finite. The error names the step. The parameters
    /// return to the start of the last submission whose first loss was finite. The optimiser's state and step count
    /// return to 0.
    pub fn fit(&mut self) -> Result<Outcome> {
        block_on(self.fit_async())
    }

    /// [`fit`](Self::fit) with a callback, which gets every submission and every epoch in order. If it breaks, the
    /// steps under way are finished and the call ends; [`resume`](Self::resume) continues.
    ///
    /// # Errors
    /// Those of [`fit`](Self::fit).
    pub fn fit_with(&mut self, on_event: impl FnMut(Event) -> ControlFlow<()>) -> Result<Outcome> {
        block_on(self.fit_with_async(on_event))
    }

    /// Continues an interrupted run, or one that was restored from a [`TrainState`], to its end. The result has the
    /// bytes of the uninterrupted run.
    ///
    /// # Errors
    /// Those of [`fit`](Self::fit).
    pub fn resume(&mut self) -> Result<Outcome> {
        block_on(self.resume_async())
    }

    /// [`resume`](Self::resume) with a callback, as in [`fit_with`](Self::fit_with).
    ///
    /// # Errors
    /// Those of [`fit`](Self::fit).
    pub fn resume_with(&mut self, on_event: impl FnMut(Event) -> ControlFlow<()>) -> Result<Outcome> {
        block_on(self.resume_with_async(on_event))
    }

    /// Does the next step and waits for it, for training loops of a program's own. After the run's last step it begins
    /// another run. A step that ends an epoch includes validation, schedule and early stopping.
    ///
    /// # Errors
    /// Those of [`fit`](Self::fit).
    pub fn step(&mut self) -> Result<Progress> {
        block_on(self.step_async())
    }

    /// Does so many steps, at least one, and waits for the last: what as many calls of [`step`](Self::step) do, with the submissions of
    /// [`fit`](Self::fit), so that the device is not waited for in between. It tells of the last step.
    ///
    /// # Errors
    /// Those of [`fit`](Self::fit).
    pub fn run_steps(&mut self, steps: u64) -> Result<Progress> {
        block_on(self.run_steps_async(steps))
    }

    /// The state after the last step.
    ///
    /// # Errors
    /// Errors of the device.
    pub fn state(&mut self) -> Result<TrainState> {
        block_on(self.state_async())
    }

    /// Restores a state, from which [`resume`](Self::resume) continues. Another number of epochs lengthens or shortens
    /// the run.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) if the state belongs to another network, other settings or other data;
    /// [`Error::Shape`](crate::Error::Shape) if its lists do not fit.
    pub fn restore(&mut self, state: &TrainState) -> Result<()> {
        block_on(self.restore_async(state))
    }

    /// Multiplies the learning rate by the same factor from step to step, up to the end of the range or until the loss
    /// blows up (Smith 2017). It uses the trainer up: the parameters change, and the run has begun.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for a range that is none. Errors of the device.
    pub fn lr_find(self, range: LrRange) -> Result<LrCurve> {
        block_on(self.lr_find_async(range))
    }

    /// All parameters, in the order of [`Layout`](crate::params::Layout).
    ///
    /// # Errors
    /// Errors of the device.
    pub fn parameters(&mut self) -> Result<Vec<f32>> {
        block_on(self.parameters_async())
    }

    /// The best parameters that early stopping has found, which a run restores at its end. None without early stopping
    /// and before its first epoch.
    ///
    /// # Errors
    /// Errors of the device.
    pub fn best_parameters(&mut self) -> Result<Option<Vec<f32>>> {
        block_on(self.best_parameters_async())
    }

    /// The gradients of the last step's mean loss by the networks' own weights, in the order of [`Layout`](crate::params::Layout), before
    /// clipping and penalties.
    ///
    /// # Errors
    /// Errors of the device.
    pub fn gradients(&mut self) -> Result<Vec<f32>> {
        block_on(self.gradients_async())
    }

    /// Restores the parameters at the start of the last submission, and returns them. The optimiser's state and step
    /// count return to 0.
    ///
    /// # Errors
    /// Errors of the device.
    pub fn roll_back(&mut self) -> Result<Vec<f32>> {
        block_on(self.roll_back_async())
    }
}
