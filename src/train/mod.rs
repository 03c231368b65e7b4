//! Training: the order of rows, the length of submissions, the losses, and when to stop. It works on any backend. It
//! knows nothing of files or terminals, and reports through events.

#[cfg(not(target_family = "wasm"))]
mod blocking;
mod budget;
mod data_parallel;
mod early_stopping;
mod given;
mod load;
mod lr_find;
mod many;
mod mark;
mod member;
mod pacer;
mod parametrization;
mod ranked;
mod records;
mod replica;
mod run;
mod run_state;
mod schedule;
mod sharing;
mod state;
mod trainer;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use budget::Budget;
pub use early_stopping::{EarlyStopping, EarlyStoppingState, Monitor, StoppingDecision};
pub use lr_find::{LrCurve, LrPoint, LrRange};
pub use parametrization::Parametrization;
pub use replica::{Replica, ReplicaEnd, ReplicaOutcome};
pub use schedule::{PlateauState, Position, Schedule};
pub use state::{TrainProgress, TrainState};
pub use trainer::Trainer;
pub(crate) use trainer::plan_for;

use crate::error::{Error, Result};
use crate::math::{Optimizer, TargetDomain};
use crate::params::{Init, Layout};
use crate::plan::{PlanKind, check_dropout, check_factors};
use crate::spec::MlpSpec;

/// Rows of a training step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Batch {
    /// The whole data set, in its own order.
    Full,
    /// 200 rows, or all if there are fewer, as in scikit-learn's MLPs. The order is drawn anew for every epoch.
    Auto,
    /// This number of rows, in an order drawn anew for every epoch. The last step of an epoch takes the remaining rows.
    Rows(usize),
}

/// [`Batch::Auto`], as in scikit-learn's `MLPClassifier`.
const AUTO_BATCH: usize = 200;

impl Batch {
    /// Rows of a whole step on a data set of `samples` rows.
    #[must_use]
    pub fn rows(self, samples: usize) -> usize {
        match self {
            Self::Full => samples,
            Self::Auto => samples.min(AUTO_BATCH),
            Self::Rows(rows) => rows.min(samples),
        }
    }
}

impl FromStr for Batch {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        match (text, text.parse()) {
            ("full", _) => Ok(Self::Full),
            ("auto", _) => Ok(Self::Auto),
            (_, Ok(rows)) if rows > 0 => Ok(Self::Rows(rows)),
            _ => Err(Error::Setting {
                what: "batch",
                found: format!("`{text}`"),
                expected: "`full`, `auto` or a number of rows of at least 1".into(),
            }),
        }
    }
}

impl fmt::Display for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("full"),
            Self::Auto => f.write_str("auto"),
            Self::Rows(rows) => rows.fmt(f),
        }
    }
}

/// The settings of a run.
///
/// ```
/// use wgpu_mlp::math::{Optimizer, Rule};
/// use wgpu_mlp::train::{Batch, EarlyStopping, Schedule, TrainConfig};
///
/// # fn main() -> wgpu_mlp::Result<()> {
/// let config = TrainConfig::new(100, Batch::Rows(64), Optimizer::new(Rule::Adam, 1e-3))
///     .seed(7)
///     .schedule("cosine:warmup=5".parse()?)
///     .dropout(&[0.2])
///     .early_stopping(EarlyStopping::new(10));
/// # assert_eq!(config.epochs, 100);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrainConfig {
    /// Passes over the data set, at least 1.
    pub epochs: u64,
    /// Rows of a step.
    pub batch: Batch,
    /// The optimiser with its settings.
    pub optimizer: Optimizer,
    /// Seed of the initial parameters, the sample order and dropout.
    pub seed: u64,
    /// Initialisation of the parameters.
    #[serde(skip)]
    pub init: Init,
    /// The kind of plan; none for the one that [`choose`](crate::plan::choose) takes.
    pub plan: Option<PlanKind>,
    /// How the learning rate changes.
    pub schedule: Schedule,
    /// Dropout rate in [0, 1): one for each hidden layer, or one for all, or none.
    pub dropout: Vec<f64>,
    /// When to stop before the last epoch.
    pub early_stopping: Option<EarlyStopping>,
    /// Factors of the learning rate, one for each layer (its weight and its bias), or one for each weight and bias in
    /// the order of [`Layout`]. 0 freezes. An empty list means 1 for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub learning_rate_factors: Vec<f64>,
    /// How learning rates depend on the sizes of layers; its factors are multiplied with those above.
    #[serde(default, skip_serializing_if = "Parametrization::is_standard")]
    pub parametrization: Parametrization,
    /// Of networks that are trained side by side: how many, one behind the other, share all weights but those of the last layer and a factor on each
    /// input; 1 where none do.
    #[serde(default = "alone", skip_serializing_if = "is_alone")]
    pub sharing: usize,
    /// Time that a submission of steps should take; [`SUBMISSION`](Self::SUBMISSION) by default.
    #[serde(skip, default = "submission")]
    pub submission: Duration,
}

impl TrainConfig {
    /// Default time of a submission, 20 ms. A display on the same GPU stays responsive, the host keeps ahead of the
    /// device, and no driver mistakes the work for a hang.
    pub const SUBMISSION: Duration = Duration::from_millis(20);

    /// Training for `epochs` epochs from He's initialisation, with seed 0, a constant learning rate and the plan of
    /// [`choose`](crate::plan::choose).
    pub fn new(epochs: u64, batch: Batch, optimizer: Optimizer) -> Self {
        Self {
            epochs,
            batch,
            optimizer,
            seed: 0,
            plan: None,
            schedule: Schedule::Constant,
            dropout: Vec::new(),
            early_stopping: None,
            learning_rate_factors: Vec::new(),
            parametrization: Parametrization::Standard,
            init: Init::He,
            sharing: 1,
            submission: Self::SUBMISSION,
        }
    }

    /// With another seed of the initial parameters, the sample order and dropout.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// With another initialisation. [`Trainer::set_parameters`] sets any other parameters.
    #[must_use]
    pub fn init(self, init: Init) -> Self {
        Self { init, ..self }
    }

    /// With a plan of this kind, whatever the network.
    #[must_use]
    pub fn plan(self, kind: PlanKind) -> Self {
        Self { plan: Some(kind), ..self }
    }

    /// With a factor of the learning rate for each tensor, in the order of [`Layout`] (weight and bias of the first
    /// layer, weight and bias of the second one), or for each layer, for its weight and its bias. 0 freezes a tensor:
    /// neither the rule nor weight decay changes it. Its gradients still exist and count in a clipped norm.
    #[must_use]
    pub fn learning_rate_factors(self, factors: &[f64]) -> Self {
        Self { learning_rate_factors: factors.to_vec(), ..self }
    }

    /// With learning rates by the sizes of layers.
    #[must_use]
    pub fn parametrization(self, parametrization: Parametrization) -> Self {
        Self { parametrization, ..self }
    }

    /// With runs of so many networks that share weights, as in TabM-mini (Gorishniy, Kotelnikov and Babenko 2025). Each has a factor on each input,
    /// which multiplies that input's row of the first layer's weight, and a last layer of its own; all else is trained by the mean of their
    /// gradients, and begins as the first of them draws it. Factors begin as 1 or −1. They have one fold and differ in their seeds alone,
    /// no early stopping may end one, and there is a hidden layer. [`Trainer::parameters`] gives ordinary networks, with the factors in
    /// their first layers.
    #[must_use]
    pub fn sharing(self, networks: usize) -> Self {
        Self { sharing: networks, ..self }
    }

    /// With submissions of about this time. A program that shares the GPU with a display needs less than a frame. A
    /// single step cannot be divided.
    #[must_use]
    pub fn submission(self, time: Duration) -> Self {
        Self { submission: time, ..self }
    }

    /// With a learning-rate schedule.
    #[must_use]
    pub fn schedule(self, schedule: Schedule) -> Self {
        Self { schedule, ..self }
    }

    /// With dropout in the hidden layers: a rate for each layer, or one for all.
    #[must_use]
    pub fn dropout(self, rates: &[f64]) -> Self {
        Self { dropout: rates.to_vec(), ..self }
    }

    /// With early stopping by the loss of the validation set, or of the training rows if there is no validation set.
    /// The best parameters are kept.
    #[must_use]
    pub fn early_stopping(self, rule: EarlyStopping) -> Self {
        Self { early_stopping: Some(rule), ..self }
    }

    /// Refuses settings that cannot train `spec`.
    pub fn check(&self, spec: &MlpSpec) -> Result<()> {
        let refused = |what, found, expected| Err(Error::Setting { what, found, expected });
        if self.epochs == 0 {
            return refused("epochs", "0".into(), "at least 1".into());
        }
        if self.sharing == 0 || (self.sharing > 1 && spec.layers().len() == 1) {
            let expected = "1, or more for a network with a hidden layer".into();
            return refused("sharing", self.sharing.to_string(), expected);
        }
        self.optimizer.check()?;
        self.schedule.check(self.epochs)?;
        check_dropout(spec, &self.dropout)?;
        check_factors(&Layout::new(spec), &self.learning_rate_factors)?;
        let Some(rule) = &self.early_stopping else { return Ok(()) };
        if rule.monitor == Monitor::Accuracy && !spec.loss().classifies() {
            return refused("monitor", rule.monitor.to_string(), format!("loss: {} has no accuracy", spec.loss()));
        }
        let one_class = spec.outputs() == 1 || spec.loss().domain() == TargetDomain::Class;
        if rule.monitor == Monitor::RocAuc && !(spec.loss().classifies() && one_class) {
            let expected =
                format!("loss: {} of {} has no classes that exclude each other", spec.loss(), spec.outputs());
            return refused("monitor", rule.monitor.to_string(), expected);
        }
        rule.check()
    }

    /// The factors on the learning rate of each weight and bias, or of each layer, in the order of [`Layout`]; none where all are 1.
    fn rate_factors(&self, spec: &MlpSpec) -> Vec<f64> {
        let (given, own) = (&self.learning_rate_factors, self.parametrization.factors(spec, self.optimizer.rule));
        if own.is_empty() {
            return given.clone();
        }
        let tensors = own.len();
        let of_tensor = |at: usize| given.get(at * given.len() / tensors).copied().unwrap_or(1.0);
        own.iter().enumerate().map(|(at, factor)| factor * of_tensor(at)).collect()
    }

    /// Whether the result of an epoch decides on the next one.
    fn is_controlled(&self) -> bool {
        self.early_stopping.is_some() || matches!(self.schedule, Schedule::Plateau { .. })
    }
}

/// The default of a configuration that is read from a file.
fn alone() -> usize {
    1
}

fn is_alone(sharing: &usize) -> bool {
    *sharing == 1
}

fn submission() -> Duration {
    TrainConfig::SUBMISSION
}

/// What happens during training.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A submission of steps has been collected.
    Steps(Progress),
    /// An epoch has ended.
    Epoch(Epoch),
}

/// How far training has come.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// Steps done.
    pub step: u64,
    /// Steps of the whole run, unless it ends early.
    pub steps: u64,
    /// Mean loss of the last step's batch, before its update; of several replicas their mean.
    pub loss: f64,
    /// Accuracy on the last step's batch; none for a regression.
    pub accuracy: Option<f64>,
}

/// An epoch that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Epoch {
    /// Which of the trainer's replicas it is of, counted from 0.
    #[serde(default, skip_serializing_if = "is_first")]
    pub replica: usize,
    /// The epoch, counted from 1.
    pub epoch: u64,
    /// Steps done.
    pub step: u64,
    /// The learning rate of its last step.
    pub learning_rate: f64,
    /// Mean loss over its rows, each before its step's update, with dropout and without penalties.
    pub loss: f64,
    /// Accuracy over its rows; none for a regression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// Loss and accuracy on the validation set at its end, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<ValidationScore>,
}

/// Whether a replica is the first, whose number is not written.
fn is_first(replica: &usize) -> bool {
    *replica == 0
}

/// Loss and accuracy of the parameters on a set of rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ValidationScore {
    /// Mean loss, unweighted.
    pub loss: f64,
    /// Accuracy; none for a regression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// The area under the ROC curve, where early stopping monitors it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roc_auc: Option<f64>,
}

/// How training ended.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Outcome {
    /// Epochs finished.
    pub epochs: u64,
    /// Steps done.
    pub steps: u64,
    /// Seconds from the first submission to the last result.
    pub seconds: f64,
    /// Seconds from the first submission to its first result.
    pub first_step_seconds: f64,
    /// Whether the callback stopped it.
    pub stopped: bool,
    /// The run's last epoch that ended.
    pub last_epoch: Option<Epoch>,
    /// The epoch whose parameters were kept, with early stopping.
    pub best_epoch: Option<u64>,
}

impl Outcome {
    /// This outcome joined with that of a later call on the same run.
    #[must_use]
    pub fn then(self, later: Self) -> Self {
        Self {
            epochs: self.epochs + later.epochs,
            steps: self.steps + later.steps,
            seconds: self.seconds + later.seconds,
            first_step_seconds: if self.steps > 0 { self.first_step_seconds } else { later.first_step_seconds },
            ..later
        }
    }
}
