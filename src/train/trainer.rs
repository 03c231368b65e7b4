//! A network with its data on a device, ready to train: loading, and what can be set and read.

use std::collections::VecDeque;

use super::mark::Mark;
use super::pacer::SubmissionPacer;
use super::run_state::{Pending, RunProgress};
use super::{Epoch, TrainConfig};
use crate::backend::{Backend as _, Counters, Device, Executor, GpuBackend, MAX_IN_FLIGHT};
use crate::data::{Dataset, checksum};
use crate::error::Result;
use crate::kernels::loss_kernel;
use crate::math::{Clip, Optimizer};
use crate::params::Layout;
use crate::plan::{self, Given, PassKind, Plan, Recipe, Role, SNAPSHOTS, TrainShape};
use crate::spec::MlpSpec;

/// Most steps of a submission.
const MAX_SLOTS: usize = 1024;
/// Most bytes of the loss ring.
const MAX_RING: usize = 16 << 20;

/// Trains one network on one data set.
///
/// [`fit`](Self::fit) does a whole run. [`step`](Self::step) does one step, for training loops of a program's own.
/// [`submit`](Self::submit) and [`try_collect`](Self::try_collect) do steps between a program's frames. Parameters and
/// gradients stay on the device and are read on request.
///
/// The plain names block the thread until the device is done. The names that end in `_async` are for programs with an
/// executor. On native platforms they do not yield either: the CPU works on the caller's thread, and a wait for a GPU
/// blocks. An async program trains in its own thread, for example by tokio's `spawn_blocking`; a trainer may be moved
/// there.
#[derive(Debug)]
pub struct Trainer {
    pub(super) device: Device,
    pub(super) backend: Executor,
    pub(super) spec: MlpSpec,
    pub(super) config: TrainConfig,
    pub(super) samples: usize,
    /// Rows of the validation set.
    pub(super) validation: usize,
    pub(super) batch: usize,
    /// Checksum of the data sets, so that a state is not restored with other data.
    pub(super) fingerprint: u32,
    pub(super) validation_mark: Mark,
    /// The state of a trainer without data, whose steps take the program's gradient.
    pub(super) own: Option<Own>,
    /// Steps of the parameters before this data was loaded.
    pub(super) steps_before: u64,
    /// Steps of the parameters before the optimiser began with a state of 0.
    pub(super) optimizer_start: u64,
    /// Steps submitted on this data.
    pub(super) next_step: u64,
    /// The run under way, or the last one.
    pub(super) run: RunProgress,
    pub(super) submissions: usize,
    /// The first submission after the parameters were set: no snapshot before it is theirs.
    pub(super) first_submission: usize,
    /// The step that each snapshot's submission began with.
    pub(super) snapshot_steps: [u64; SNAPSHOTS],
    /// Submissions whose losses are awaited, oldest first.
    pub(super) pending: VecDeque<Pending>,
    /// Epochs after which nothing is submitted before they have been collected.
    pub(super) pause: Option<u64>,
    /// Of training steps and of validation steps.
    pub(super) pacers: [SubmissionPacer; 2],
}

/// What a trainer without data has besides.
#[derive(Debug)]
pub(super) struct Own {
    pub given: Given,
    /// Rows of the forward pass that no backward pass has followed yet.
    pub rows: Option<usize>,
}

impl Trainer {
    /// [`new`](Self::new) for async programs.
    pub async fn new_async(device: &Device, spec: &MlpSpec, config: &TrainConfig, data: &Dataset) -> Result<Self> {
        Self::with_validation_async(device, spec, config, data, None).await
    }

    /// [`with_validation`](Self::with_validation) for async programs.
    pub async fn with_validation_async(
        device: &Device,
        spec: &MlpSpec,
        config: &TrainConfig,
        data: &Dataset,
        validation: Option<&Dataset>,
    ) -> Result<Self> {
        config.check(spec)?;
        for data in [data].into_iter().chain(validation) {
            spec.check_data(data)?;
        }
        let plan = plan_for(device, spec, config, data, validation.map_or(0, Dataset::rows))?;
        let backend = device.load(plan).await?;
        Self::with_backend(device, backend, spec, config, data, validation)
    }

    /// The GPU's executor, if the device is a GPU, for a program that shares buffers with it.
    pub fn gpu(&self) -> Option<&GpuBackend> {
        if let Executor::Gpu(backend) = &self.backend { Some(backend) } else { None }
    }
}

/// The plan that trains `spec` on `data`.
pub(crate) fn plan_for(
    device: &Device,
    spec: &MlpSpec,
    config: &TrainConfig,
    data: &Dataset,
    validation: usize,
) -> Result<Plan> {
    let (recipe, shape) = recipe_and_shape(spec, config, data, validation);
    plan::choose(config.plan, spec, &recipe, shape, device.target())
}

/// What a plan is asked to do.
pub(super) fn recipe_and_shape(
    spec: &MlpSpec,
    config: &TrainConfig,
    data: &Dataset,
    validation: usize,
) -> (Recipe, TrainShape) {
    let samples = data.rows();
    let batch = config.batch.rows(samples);
    let (_, _, groups) = loss_kernel(spec.loss(), batch.max(validation), spec.outputs());
    let slots = (MAX_RING / (8 * groups.max(1))).clamp(1, MAX_SLOTS);
    let recipe = Recipe {
        rule: config.optimizer.rule,
        dropout: config.rates(spec),
        clip_norm: matches!(config.optimizer.clip, Clip::Norm(_)),
        keep_best: config.early_stopping.is_some(),
        factors: config.learning_rate_factors.clone(),
    };
    let weighted = data.weights().is_some();
    (recipe, TrainShape { samples, validation, batch, replicas: 1, slots, weighted })
}

impl Trainer {
    pub(super) fn with_backend(
        device: &Device,
        mut backend: Executor,
        spec: &MlpSpec,
        config: &TrainConfig,
        data: &Dataset,
        validation: Option<&Dataset>,
    ) -> Result<Self> {
        let targets = data.weighted_targets();
        let parts = [
            (Role::Features, Some(data.features())),
            (Role::Targets, Some(&targets[..])),
            (Role::ValidationFeatures, validation.map(Dataset::features)),
            (Role::ValidationTargets, validation.map(Dataset::targets)),
        ];
        for (role, values) in parts.into_iter().filter_map(|(role, values)| Some((role, values?))) {
            if !values.is_empty() {
                let buffer = backend.plan().buffer(role)?;
                backend.write(buffer, values)?;
            }
        }
        let slots = backend.plan().slots;
        let mut trainer = Self {
            device: device.clone(),
            backend,
            spec: spec.clone(),
            config: config.clone(),
            samples: data.rows(),
            validation: validation.map_or(0, Dataset::rows),
            batch: config.batch.rows(data.rows()),
            fingerprint: checksum([data].into_iter().chain(validation)),
            validation_mark: validation.map(Mark::of).unwrap_or_default(),
            own: None,
            steps_before: 0,
            optimizer_start: 0,
            next_step: 0,
            run: RunProgress::default(),
            submissions: 0,
            first_submission: 0,
            snapshot_steps: [0; SNAPSHOTS],
            pending: VecDeque::with_capacity(MAX_IN_FLIGHT),
            pause: None,
            pacers: [SubmissionPacer::new(slots, config.submission), SubmissionPacer::new(slots, config.submission)],
        };
        trainer.set_learning_rate(config.optimizer.learning_rate)?;
        trainer.set_parameters(&config.init.draw(spec, config.seed)?)?;
        Ok(trainer)
    }

    /// Begins with submissions of one step.
    pub(super) fn begin_pacers(&mut self) {
        let (slots, time) = (self.plan().slots, self.config.submission);
        self.pacers = [SubmissionPacer::new(slots, time), SubmissionPacer::new(slots, time)];
    }

    /// Sets all parameters, in the order of [`Layout`], in place of those that [`TrainConfig::init`] has drawn.
    pub fn set_parameters(&mut self, values: &[f32]) -> Result<()> {
        Layout::new(&self.spec).check(values)?;
        self.first_submission = self.submissions;
        self.write(Role::Parameters, values)
    }

    /// Sets the base learning rate of the schedule, for the steps that are submitted from now on.
    pub fn set_learning_rate(&mut self, learning_rate: f64) -> Result<()> {
        self.config.optimizer.learning_rate = learning_rate;
        self.config.optimizer.check()?;
        let groups = plan::rate_groups(&Layout::new(&self.spec), &self.config.learning_rate_factors);
        let row = |(_, factor)| {
            let optimizer = Optimizer { learning_rate: learning_rate * factor, ..self.config.optimizer };
            optimizer.hyper(self.spec.loss_parameter())
        };
        let hyper: Vec<f32> = groups.into_iter().flat_map(row).map(|value| value as f32).collect();
        self.write(Role::Hyper, &hyper)
    }

    /// Waits for the device after this number of epochs, so that a callback that stops training stops exactly there.
    pub fn pause_every(&mut self, epochs: Option<u64>) {
        self.pause = epochs;
    }

    /// Steps that the parameters have been trained for.
    pub fn steps(&self) -> u64 {
        self.steps_before + self.next_step
    }

    /// Whole epochs of this data that the parameters have been trained for.
    pub fn epochs(&self) -> u64 {
        self.next_step / self.steps_per_epoch()
    }

    /// The run's last epoch that ended.
    pub fn last_epoch(&self) -> Option<Epoch> {
        self.run.last
    }

    /// The epoch that early stopping has found best so far.
    pub fn best_epoch(&self) -> Option<u64> {
        self.run.has_best().then_some(self.run.stopping.best_epoch)
    }

    /// [`parameters`](Self::parameters) for async programs.
    pub async fn parameters_async(&mut self) -> Result<Vec<f32>> {
        self.read(Role::Parameters).await
    }

    /// [`best_parameters`](Self::best_parameters) for async programs.
    pub async fn best_parameters_async(&mut self) -> Result<Option<Vec<f32>>> {
        Ok(if self.run.has_best() { Some(self.read(Role::Best).await?) } else { None })
    }

    /// [`gradients`](Self::gradients) for async programs.
    pub async fn gradients_async(&mut self) -> Result<Vec<f32>> {
        self.read(Role::Gradients).await
    }

    /// The network.
    pub fn spec(&self) -> &MlpSpec {
        &self.spec
    }

    /// CRC-32 of everything that determines a run: network, settings except the number of epochs, data and `first`
    /// parameters.
    pub fn key(&self, first: &[f32]) -> u32 {
        let config = TrainConfig { epochs: 0, ..self.config.clone() };
        let settings = serde_json::to_string(&(&self.spec, &config)).unwrap_or_default();
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(settings.as_bytes());
        hasher.update(&self.fingerprint.to_le_bytes());
        hasher.update(bytemuck::cast_slice(first));
        hasher.finalize()
    }

    /// The settings.
    pub fn config(&self) -> &TrainConfig {
        &self.config
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        self.backend.plan()
    }

    /// Counts of the backend's work so far.
    pub fn counters(&self) -> Counters {
        self.backend.counters()
    }

    /// Rows of a whole batch.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// Steps of an epoch.
    pub fn steps_per_epoch(&self) -> u64 {
        self.samples.div_ceil(self.batch) as u64
    }

    /// Rows of a whole validation step; 1 without a validation set.
    pub(super) fn validation_batch(&self) -> usize {
        self.plan().passes_of(PassKind::Validate).next().map_or(1, |(_, pass)| pass.rows)
    }

    pub(super) fn write(&mut self, role: Role, values: &[f32]) -> Result<()> {
        self.backend.write(self.backend.plan().buffer(role)?, values)
    }

    pub(super) async fn read(&mut self, role: Role) -> Result<Vec<f32>> {
        self.backend.read(self.backend.plan().buffer(role)?).await
    }

    pub(super) fn copy(&mut self, from: Role, to: Role) -> Result<()> {
        let plan = self.backend.plan();
        let (from, to) = (plan.buffer(from)?, plan.buffer(to)?);
        self.backend.copy(from, to)
    }
}
