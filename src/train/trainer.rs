//! A network with its data on a device, ready to train: loading, and what can be set and read.

use std::collections::VecDeque;
use std::ops::Range;

use super::mark::Mark;
use super::member::Member;
use super::pacer::SubmissionPacer;
use super::ranked::Ranked;
use super::replica::{Replica, dropout_of};
use super::run_state::{Pending, RunProgress};
use super::{Epoch, TrainConfig};
use crate::backend::{Backend as _, Counters, Device, Executor, GpuBackend, MAX_IN_FLIGHT};
use crate::data::{Dataset, checksum};
use crate::error::{Error, Result};
use crate::kernels::{StepRecord, loss_kernel};
use crate::math::{Clip, Optimizer};
use crate::params::Layout;
use crate::plan::{self, Given, PassKind, Plan, Recipe, Role, SNAPSHOTS, TrainShape};
use crate::spec::MlpSpec;

/// Most steps of a submission.
const MAX_SLOTS: usize = 1024;
/// Most bytes of the loss ring.
const MAX_RING: usize = 16 << 20;
/// Most bytes of the step records of a submission.
const MAX_RECORD_BYTES: usize = 4 << 20;

/// Trains one network on one data set, or [many](Self::with_replicas) side by side.
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
    /// Its replicas, at least one.
    pub(super) members: Vec<Member>,
    /// The replica at each place of the plan that runs.
    pub(super) places: Vec<usize>,
    pub(super) samples: usize,
    /// Rows of the validation set, or of the largest fold.
    pub(super) validation: usize,
    /// Rows of a whole batch.
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
    /// Most submissions that are under way at a time.
    pub(super) in_flight: usize,
    /// Submissions whose losses are awaited, oldest first.
    pub(super) pending: VecDeque<Pending>,
    /// Epochs after which nothing is submitted before they have been collected.
    pub(super) pause: Option<u64>,
    /// What replicas are ranked by that early stopping judges so.
    pub(super) ranked: Option<Ranked>,
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
        Self::with_replicas_async(device, spec, &[Replica::new(config.clone())], data, validation).await
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
    plan_of(device, spec, &[Replica::new(config.clone())], data, validation)
}

/// The plan that trains these replicas of `spec` on `data`.
pub(super) fn plan_of(
    device: &Device,
    spec: &MlpSpec,
    replicas: &[Replica],
    data: &Dataset,
    validation: usize,
) -> Result<Plan> {
    let (recipe, shape) = recipe_and_shape(spec, replicas, data, validation);
    plan::choose(replicas[0].config.plan, spec, &recipe, shape, device.target())
}

/// What a plan is asked to do.
pub(super) fn recipe_and_shape(
    spec: &MlpSpec,
    replicas: &[Replica],
    data: &Dataset,
    validation: usize,
) -> (Recipe, TrainShape) {
    let (samples, config, count) = (data.rows(), &replicas[0].config, replicas.len());
    let folds = replicas.iter().filter_map(|replica| Some(replica.fold.as_ref()?.len()));
    let training = folds.clone().min().map(|fewest| samples - fewest);
    let validation = folds.max().unwrap_or(validation);
    let batch = config.batch.rows(training.unwrap_or(samples));
    let (_, _, groups) = loss_kernel(spec.loss(), batch.max(validation), spec.outputs());
    let of_step = size_of::<StepRecord>().saturating_mul(count);
    let slots = (MAX_RING / groups.max(1).saturating_mul(8 * count)).min(MAX_RECORD_BYTES / of_step);
    let recipe = Recipe {
        rule: config.optimizer.rule,
        dropout: plan::dropout_rates(spec, &dropout_of(replicas)),
        clip_norm: replicas.iter().any(|replica| matches!(replica.config.optimizer.clip, Clip::Norm(_))),
        keep_best: replicas.iter().any(|replica| replica.config.early_stopping.is_some()),
        factors: config.rate_factors(spec),
        sharing: config.sharing,
    };
    let (weightings, slots) = (data.weightings(), slots.clamp(1, MAX_SLOTS));
    (recipe, TrainShape { samples, validation, folds: training, batch, replicas: count, slots, weightings })
}

impl Trainer {
    pub(super) fn with_backend(
        device: &Device,
        mut backend: Executor,
        spec: &MlpSpec,
        replicas: &[Replica],
        data: &Dataset,
        validation: Option<&Dataset>,
    ) -> Result<Self> {
        let targets = data.weighted_targets();
        let has_folds = replicas[0].fold.is_some();
        let folds = has_folds.then_some(data).filter(|data| data.weights().is_some());
        let parts = [
            (Role::Features, Some(data.features())),
            (Role::Targets, Some(&targets[..])),
            (Role::ValidationFeatures, validation.map(Dataset::features)),
            (Role::ValidationTargets, validation.or(folds).map(Dataset::targets)),
        ];
        for (role, values) in parts.into_iter().filter_map(|(role, values)| Some((role, values?))) {
            if !values.is_empty() {
                let buffer = backend.plan().buffer(role)?;
                backend.write(buffer, values)?;
            }
        }
        let slots = backend.plan().slots;
        let (dropout, submission) = (dropout_of(replicas), replicas[0].config.submission);
        let members: Vec<_> = replicas.iter().map(|replica| Member::new(replica, data.rows(), &dropout)).collect();
        let shared = validation.map_or(0, Dataset::rows);
        let mut trainer = Self {
            device: device.clone(),
            backend,
            spec: spec.clone(),
            samples: data.rows(),
            validation: members.iter().map(|member| member.validation(shared)).max().unwrap_or(0),
            batch: members.iter().map(Member::batch).max().unwrap_or(1),
            places: (0..members.len()).collect(),
            members,
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
            in_flight: MAX_IN_FLIGHT,
            pending: VecDeque::with_capacity(MAX_IN_FLIGHT),
            pause: None,
            ranked: Ranked::new(replicas, data, validation)?,
            pacers: [SubmissionPacer::new(slots, submission), SubmissionPacer::new(slots, submission)],
        };
        trainer.write_hyper()?;
        let drawn = replicas.iter().map(|Replica { config, .. }| config.init.draw(spec, config.seed));
        trainer.set_parameters(&drawn.collect::<Result<Vec<_>>>()?.concat())?;
        Ok(trainer)
    }

    /// Begins with submissions of one step.
    pub(super) fn begin_pacers(&mut self) {
        let (slots, time) = (self.plan().slots, self.config().submission);
        self.pacers = [SubmissionPacer::new(slots, time), SubmissionPacer::new(slots, time)];
    }

    /// Sets all parameters, in the order of [`Layout`], one replica's behind the other's, in place of those that [`TrainConfig::init`] has
    /// drawn. Of networks that [share weights](TrainConfig::sharing) the first one's are shared, and factors on inputs begin anew.
    pub fn set_parameters(&mut self, values: &[f32]) -> Result<()> {
        let layout = Layout::new(&self.spec);
        let each = if self.members.len() > 1 { layout.len() } else { values.len().max(1) };
        values.chunks(each).try_for_each(|values| layout.check(values))?;
        if values.len() != layout.len() * self.members.len() {
            let expected = format!("{} for each of {} replicas", layout.len(), self.members.len());
            return Err(Error::Shape { what: "the list of parameters".into(), found: values.len(), expected });
        }
        let trained = self.unfolded(values);
        self.set_trained(&trained)
    }

    /// Sets what the networks train, one's behind the other's.
    pub(super) fn set_trained(&mut self, values: &[f32]) -> Result<()> {
        let each = values.len() / self.members.len();
        self.first_submission = self.submissions;
        let of_place = |&member: &usize| &values[member * each..][..each];
        let packed: Vec<f32> = self.places.iter().flat_map(of_place).copied().collect();
        for (member, values) in self.members.iter_mut().zip(values.chunks_exact(each)) {
            member.kept = member.kept.take().map(|_| values.to_vec());
        }
        self.write(Role::Parameters, &packed)
    }

    /// Sets the base learning rate of all replicas' schedules, for the steps that are submitted from now on.
    pub fn set_learning_rate(&mut self, learning_rate: f64) -> Result<()> {
        for member in &mut self.members {
            let optimizer = Optimizer { learning_rate, ..member.replica.config.optimizer };
            optimizer.check()?;
            member.replica.config.optimizer = optimizer;
        }
        self.write_hyper()
    }

    /// Runs of parameters that share a learning rate, and the factor on it.
    pub(super) fn rate_groups(&self) -> Vec<(Range<usize>, f64)> {
        let config = self.config();
        plan::rate_groups(&self.spec, &config.rate_factors(&self.spec), config.sharing)
    }

    /// Whether the plan clips the gradients of some replica to a norm.
    pub(super) fn clips_norms(&self) -> bool {
        self.members.iter().any(|member| matches!(member.replica.config.optimizer.clip, Clip::Norm(_)))
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

    /// The run's last epoch that ended, of the first replica.
    pub fn last_epoch(&self) -> Option<Epoch> {
        self.members[0].progress.last
    }

    /// The epoch that early stopping has found best so far, of the first replica.
    pub fn best_epoch(&self) -> Option<u64> {
        let progress = &self.members[0].progress;
        progress.has_best().then_some(progress.stopping.best_epoch)
    }

    /// [`parameters`](Self::parameters) for async programs.
    pub async fn parameters_async(&mut self) -> Result<Vec<f32>> {
        let trained = self.trained().await?;
        Ok(self.folded(trained))
    }

    /// What the networks train, one's behind the other's.
    pub(super) async fn trained(&mut self) -> Result<Vec<f32>> {
        let values = self.read(Role::Parameters).await?;
        Ok(self.of_all(values, |member| member.kept.as_deref()))
    }

    /// [`best_parameters`](Self::best_parameters) for async programs.
    pub async fn best_parameters_async(&mut self) -> Result<Option<Vec<f32>>> {
        if !self.members.iter().any(|member| member.progress.has_best()) {
            return Ok(None);
        }
        let (mut best, last) = (self.read(Role::Best).await?, self.read(Role::Parameters).await?);
        let count = last.len() / self.plan().replicas;
        let no_best = self.places_where(|member| !member.progress.has_best());
        for range in no_best.into_iter().map(|range| range.start * count..range.end * count) {
            best[range.clone()].copy_from_slice(&last[range]);
        }
        let best = self.of_all(best, |member| member.kept.as_deref());
        Ok(Some(self.folded(best)))
    }

    /// [`gradients`](Self::gradients) for async programs.
    pub async fn gradients_async(&mut self) -> Result<Vec<f32>> {
        self.read(Role::Gradients).await
    }

    /// What all replicas have of a buffer, in their order, from what its places hold and from what the host has of those that have none;
    /// 0 of a replica that neither has anything of.
    pub(super) fn of_all<'a>(&'a self, values: Vec<f32>, kept: impl Fn(&'a Member) -> Option<&'a [f32]>) -> Vec<f32> {
        if self.places.len() == self.members.len() {
            return values;
        }
        let each = values.len() / self.plan().replicas;
        let mut all = vec![0.0; each * self.members.len()];
        for (member, values) in self.places.iter().zip(values.chunks_exact(each)) {
            all[member * each..][..each].copy_from_slice(values);
        }
        for (member, place) in self.members.iter().zip(all.chunks_exact_mut(each)) {
            if let Some(values) = kept(member) {
                place.copy_from_slice(values);
            }
        }
        all
    }

    /// The network.
    pub fn spec(&self) -> &MlpSpec {
        &self.spec
    }

    /// CRC-32 of everything that determines a run: network, settings except the number of epochs, data and `first`
    /// parameters.
    pub fn key(&self, first: &[f32]) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        for Member { replica, .. } in &self.members {
            let config = TrainConfig { epochs: 0, ..replica.config.clone() };
            let settings = serde_json::to_string(&(&self.spec, &config)).unwrap_or_default();
            hasher.update(settings.as_bytes());
            if self.members.len() > 1 {
                hasher.update(format!("{:?} {:?}", replica.fold, replica.loss_parameter).as_bytes());
            }
        }
        hasher.update(&self.fingerprint.to_le_bytes());
        hasher.update(bytemuck::cast_slice(first));
        hasher.finalize()
    }

    /// The settings, of the first replica.
    pub fn config(&self) -> &TrainConfig {
        &self.members[0].replica.config
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

    /// Steps of an epoch, of the replica that has the most.
    pub fn steps_per_epoch(&self) -> u64 {
        self.members.iter().map(|member| member.steps_per_epoch).max().unwrap_or(1)
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

    /// Copies what these places have.
    pub(super) fn copy(&mut self, from: Role, to: Role, places: &[Range<usize>]) -> Result<()> {
        if places.is_empty() {
            return Ok(());
        }
        let plan = self.backend.plan();
        let (from, to) = (plan.buffer(from)?, plan.buffer(to)?);
        self.backend.copy(from, to, places)
    }
}
