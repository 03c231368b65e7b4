//! What presets decide. In: an estimator and a preset. Out: the estimator with the value of every setting that the preset decides, which
//! settings made afterwards override.

use super::estimator::{Estimator, ValidationRows};
use super::length::Length;
use super::preset::Preset;
use crate::data::{FeatureScaling, NumericEncoding, Task};
use crate::math::{Activation, Optimizer, Rule};
use crate::params::Init;
use crate::spec::HiddenLayers;
use crate::train::{Batch, Monitor, Parametrization, Schedule, TrainConfig};

/// The learning rates of RealMLP's TD-S for classes and for numbers.
const RATES: [f64; 2] = [0.04, 0.07];
/// Its decay of the mean squared gradient.
const BETA_2: f64 = 0.95;
/// Its label smoothing, where the accuracy is what counts.
const SMOOTHING: f64 = 0.1;
/// Its rows of a step, and its epochs.
const ROWS: usize = 256;
const EPOCHS: u64 = 256;
/// The most bins of a number.
const BINS: usize = 16;
/// The parameter of the losses for classes.
const LABEL_SMOOTHING: &str = "label_smoothing";

impl Estimator {
    /// Gives every setting that the preset decides its value. Settings that are made afterwards override it.
    pub fn preset(self, preset: Preset) -> Self {
        let adam = Optimizer::new(Rule::Adam, Rule::Adam.default_learning_rate());
        let is_tabular = preset == Preset::Tabular;
        let base = Self {
            preset,
            rate_by_task: is_tabular,
            smooths_labels: is_tabular,
            length: Length::default(),
            validation: ValidationRows::ByLength,
            ..self
        };
        match preset {
            Preset::Plain => Self {
                hidden: HiddenLayers::plain(&[64, 32]),
                activation: Activation::Relu,
                scaling: FeatureScaling::Standard,
                numbers: NumericEncoding::Scaled,
                config: TrainConfig { batch: Batch::Rows(32), optimizer: adam, ..base.config }
                    .init(Init::He)
                    .schedule(Schedule::Constant)
                    .parametrization(Parametrization::Standard),
                ..base
            },
            Preset::Tabular => Self {
                hidden: HiddenLayers::plain(&[256, 256, 256]),
                activation: Activation::Mish,
                scaling: FeatureScaling::RobustAll,
                numbers: NumericEncoding::Piecewise { bins: BINS },
                config: TrainConfig {
                    batch: Batch::Rows(ROWS),
                    optimizer: Optimizer { learning_rate: RATES[0], beta_2: BETA_2, ..adam },
                    ..base.config
                }
                .init(Init::Ntp)
                .schedule(Schedule::CosLog { cycles: 4 })
                .parametrization(Parametrization::Ntp),
                ..base
            }
            .epochs(EPOCHS)
            .keep_best(),
        }
    }

    /// Settles the learning rate where a preset has it by the task.
    pub(super) fn settle_rate(&mut self, task: Task) {
        if self.rate_by_task {
            self.config.optimizer.learning_rate = RATES[usize::from(task == Task::Regression)];
            self.rate_by_task = false;
        }
    }

    /// The label smoothing that the preset decides, with its name. A loss whose accuracy decides is one for classes, which has it.
    pub(crate) fn preset_smoothing(&self) -> Option<(&'static str, f64)> {
        (self.smooths_labels && self.length.rule.monitor == Monitor::Accuracy).then_some((LABEL_SMOOTHING, SMOOTHING))
    }

    /// The parameters of the loss that are said or decided.
    pub(super) fn all_loss_parameters(&self) -> Vec<(&'static str, f64)> {
        self.loss_parameters.iter().copied().chain(self.preset_smoothing()).collect()
    }

    /// Takes note that a parameter of the loss is said.
    pub(crate) fn loss_parameter_is_said(&mut self, name: &str) {
        self.smooths_labels &= name != LABEL_SMOOTHING;
    }
}
