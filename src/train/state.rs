//! The state from which a run continues as if it had never been interrupted.

use serde::{Deserialize, Serialize};

use super::member::Member;
use super::run::Course;
use super::run_state::{ReplicaProgress, RunProgress};
use super::{Replica, ReplicaEnd, TrainConfig, Trainer};
use crate::backend::Backend as _;
use crate::error::{Error, Result};
use crate::plan::Role;
use crate::spec::MlpSpec;

/// The state of a [`Trainer`] between two steps. With the same data, device and build, training continues from it to
/// the bytes of the uninterrupted run.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainState {
    /// All parameters, in the order of [`Layout`](crate::params::Layout), one replica's behind the other's; so the other lists.
    pub parameters: Vec<f32>,
    /// The optimiser's state, [parameters, values for a parameter]; one value if it has none.
    pub optimizer: Vec<f32>,
    /// The best parameters so far, where early stopping keeps them, in the form in which they are trained.
    pub best: Option<Vec<f32>>,
    /// Where networks share weights, what they train: [`parameters`](Self::parameters) with the factors on inputs apart, behind them.
    pub trained: Option<Vec<f32>>,
    /// How far the run has come.
    pub progress: TrainProgress,
}

/// The small part of a [`TrainState`], for a file's metadata.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainProgress {
    spec: MlpSpec,
    config: TrainConfig,
    /// CRC-32 of the data sets.
    data: u32,
    #[serde(rename = "age")]
    steps_before: u64,
    optimizer_start: u64,
    step: u64,
    run: Runs,
    /// Of several replicas: what each has of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    replicas: Vec<Replica>,
}

/// The run, and how far each replica has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Runs {
    #[serde(flatten)]
    run: RunProgress,
    #[serde(flatten)]
    first: ReplicaProgress,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    others: Vec<ReplicaProgress>,
}

impl Runs {
    fn of(run: &RunProgress, members: &[Member]) -> Self {
        let mut all = members.iter().map(|member| member.progress.clone());
        Self { run: run.clone(), first: all.next().unwrap_or_default(), others: all.collect() }
    }

    fn replicas(&self) -> impl Iterator<Item = &ReplicaProgress> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

impl TrainProgress {
    /// The settings.
    pub fn config(&self) -> &TrainConfig {
        &self.config
    }
}

impl Trainer {
    /// [`state`](Self::state) for async programs.
    pub async fn state_async(&mut self) -> Result<TrainState> {
        let best = match self.plan().find(Role::Best) {
            Some(_) => Some(self.read(Role::Best).await?),
            None => None,
        };
        let best = best.map(|best| self.of_all(best, |member| member.kept.as_deref()));
        let progress = TrainProgress {
            spec: self.spec.clone(),
            config: self.config().clone(),
            data: self.fingerprint,
            steps_before: self.steps_before,
            optimizer_start: self.optimizer_start,
            step: self.next_step,
            run: Runs::of(&self.run, &self.members),
            replicas: self.replicas_of_several(),
        };
        let optimizer = self.read(Role::OptimizerState).await?;
        // What an optimiser keeps of a replica that has ended is of no use.
        let optimizer = self.of_all(optimizer, |_| None);
        let trained = self.trained().await?;
        let kept = (self.config().sharing > 1).then(|| trained.clone());
        Ok(TrainState { parameters: self.folded(trained), optimizer, best, trained: kept, progress })
    }

    /// [`restore`](Self::restore) for async programs.
    pub async fn restore_async(&mut self, state: &TrainState) -> Result<()> {
        let TrainState { parameters, optimizer, best, trained, progress } = state;
        let refused = |found: String, expected: &str| {
            Err(Error::Setting { what: "the state to resume from", found, expected: expected.into() })
        };
        if progress.spec != self.spec {
            return refused(format!("of the network {}", progress.spec), &self.spec.to_string());
        }
        // What decides on the parameters is compared: not how they began, nor how often the device is spoken to.
        let alike = |own: &TrainConfig, other: &TrainConfig| {
            let TrainConfig { epochs, init, submission, .. } = *own;
            TrainConfig { epochs, init, submission, ..other.clone() }
        };
        let same_epochs = alike(self.config(), &progress.config);
        if same_epochs != *self.config() {
            return refused(format!("of a run with {same_epochs:?}"), &format!("{:?}", self.config()));
        }
        let own = self.replicas_of_several();
        let is_same = |(own, other): (&Replica, &Replica)| {
            *own == Replica { config: alike(&own.config, &other.config), ..other.clone() }
        };
        if own.len() != progress.replicas.len() || !own.iter().zip(&progress.replicas).all(is_same) {
            let found = format!("of a run of {} other networks", progress.replicas.len().max(1));
            return refused(found, &format!("one of the same {}", own.len().max(1)));
        }
        if progress.data != self.fingerprint {
            return refused("of a run on other data".into(), "the same training and validation rows");
        }
        let TrainProgress { steps_before, optimizer_start, step, run, .. } = progress;
        let steps = steps_before.checked_add(*step).filter(|steps| *steps <= u64::MAX / 2 && optimizer_start <= steps);
        let epochs = |progress: &TrainProgress| {
            let others = progress.replicas.iter().map(|replica| replica.config.epochs);
            others.max().unwrap_or(progress.config.epochs)
        };
        let course = Course {
            epochs: epochs(progress),
            steps_per_epoch: self.steps_per_epoch(),
            validation: self.validation,
            validation_step: self.validation_batch(),
        };
        let check = || {
            steps.ok_or("its count of steps is invalid")?;
            if run.replicas().count() != self.members.len() {
                return Err("it has another number of replicas".into());
            }
            let waits = run.run.check(*step, &course)?;
            let configs = self.members.iter().zip(0..).map(|(member, place): (_, usize)| {
                (member, progress.replicas.get(place).map_or(&progress.config, |replica| &replica.config))
            });
            let mut each = run.replicas().zip(configs);
            each.try_for_each(|(replica, (member, config))| replica.check(&run.run, waits, member, config, &course))
        };
        let fits: std::result::Result<(), String> = check();
        if let Err(problem) = fits {
            return refused(
                format!("at step {step} of an impossible run: {problem}"),
                "a state that a trainer has given",
            );
        }
        if best.is_some() != self.plan().find(Role::Best).is_some() {
            let (found, expected) = ("without the best parameters so far", "them, since early stopping restores them");
            return match best {
                None => refused(found.into(), expected),
                Some(_) => refused("with best parameters".into(), "none without early stopping"),
            };
        }
        if trained.is_some() != (self.config().sharing > 1) {
            return refused("without what networks share, or with it".into(), "it, where they share weights");
        }
        self.drain().await?;
        self.places = (0..self.members.len()).collect();
        self.members.iter_mut().for_each(|member| member.kept = None);
        self.backend.run_first(self.members.len())?;
        self.check_len(Role::OptimizerState, "the optimiser's state", optimizer)?;
        if let Some(best) = best {
            self.check_len(Role::Best, "the best parameters", best)?;
            self.write(Role::Best, best)?;
        }
        self.set_parameters(parameters)?;
        if let Some(trained) = trained {
            self.check_len(Role::Parameters, "what is trained", trained)?;
            self.set_trained(trained)?;
        }
        self.write(Role::OptimizerState, optimizer)?;
        self.write_hyper()?;
        (self.steps_before, self.optimizer_start) = (*steps_before, *optimizer_start);
        (self.next_step, self.run) = (*step, run.run.clone());
        for (member, replica) in self.members.iter_mut().zip(run.replicas()) {
            member.progress = replica.clone();
        }
        if epochs(progress) != self.epochs_of_run() {
            self.run.set_epochs(self.epochs_of_run(), self.steps_per_epoch());
            // More epochs are a new chance.
            let stopped = |member: &&mut Member| member.progress.end == Some(ReplicaEnd::Stopped);
            self.members.iter_mut().filter(stopped).for_each(|member| member.progress.end = None);
        }
        Ok(())
    }

    /// [`adopt`](Self::adopt) for async programs.
    pub async fn adopt_async(&mut self, state: &TrainState) -> Result<()> {
        let TrainState { parameters, optimizer, progress, .. } = state;
        let refused =
            |found: String, expected: String| Err(Error::Setting { what: "the state to go on from", found, expected });
        if self.members.len() > 1 {
            return refused("one network's".into(), format!("none: the trainer has {} replicas", self.members.len()));
        }
        if progress.spec != self.spec {
            return refused(format!("of the network {}", progress.spec), self.spec.to_string());
        }
        let (own, other) = (self.config().optimizer.rule, progress.config.optimizer.rule);
        if own != other || !progress.replicas.is_empty() {
            return refused(format!("of {other}"), format!("that of one network's {own}"));
        }
        self.check_len(Role::OptimizerState, "the optimiser's state", optimizer)?;
        let steps = progress.steps_before.checked_add(progress.step).filter(|steps| *steps <= u64::MAX / 2);
        let Some(steps) = steps.filter(|steps| progress.optimizer_start <= *steps) else {
            return refused("of an impossible number of steps".into(), "a state that a trainer has given".into());
        };
        self.drain().await?;
        self.set_parameters(parameters)?;
        self.write(Role::OptimizerState, optimizer)?;
        (self.steps_before, self.optimizer_start) = (steps, progress.optimizer_start);
        (self.next_step, self.run) = (0, RunProgress::default());
        self.members[0].progress = ReplicaProgress::default();
        Ok(())
    }

    /// Refuses another number of values than the plan has of a role.
    fn check_len(&self, role: Role, what: &str, values: &[f32]) -> Result<()> {
        let expected = self.plan().buffers[self.plan().buffer(role)?].len;
        if values.len() == expected {
            return Ok(());
        }
        Err(Error::Shape { what: what.into(), found: values.len(), expected: expected.to_string() })
    }

    /// What each replica has of its own, where there are several.
    fn replicas_of_several(&self) -> Vec<Replica> {
        let all = self.members.iter().map(|member| member.replica.clone());
        if self.members.len() > 1 { all.collect() } else { Vec::new() }
    }
}
