//! What presets decide. In: an estimator and a preset. Out: the estimator with the value of every setting that the preset decides, which
//! settings made afterwards override.

use super::effort::Effort;
use super::estimator::{Estimator, ValidationRows};
use super::length::Length;
use super::preset::Preset;
use crate::data::{FeatureScaling, NumericEncoding, Task};
use crate::error::Result;
use crate::infer::Metric;
use crate::math::{Activation, Optimizer, Rule};
use crate::params::Init;
use crate::spec::HiddenLayers;
use crate::train::{Batch, Monitor, Parametrization, Schedule, TrainConfig};

/// The learning rate: RealMLP's TD-S has 0.04 for classes and 0.07 for numbers. Of more than two classes 0.08 has the lower log loss with
/// Mish and bins (docs/training.md).
fn rate(task: Task) -> f64 {
    match task {
        Task::Binary => 0.04,
        Task::Multiclass => 0.08,
        Task::Regression => 0.07,
    }
}

/// Its decay of the mean squared gradient.
const BETA_2: f64 = 0.95;
/// Its rows of a step.
const ROWS: usize = 256;
/// The most bins of a number.
const BINS: usize = 16;

impl Estimator {
    /// Gives every setting that the preset decides its value. Settings that are made afterwards override it.
    pub fn preset(self, preset: Preset) -> Self {
        let adam = Optimizer::new(Rule::Adam, Rule::Adam.default_learning_rate());
        let is_tabular = preset == Preset::Tabular;
        let base = Self {
            preset,
            rate_by_task: is_tabular,
            hidden_by_effort: is_tabular,
            numbers_are_open: is_tabular,
            monitor_by_task: is_tabular || self.metric.is_some(),
            effort: is_tabular.then(Effort::default),
            calibrates: (!is_tabular).then_some(false),
            clips: (!is_tabular).then_some(false),
            encodes_target: is_tabular,
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
                hidden: Effort::default().hidden(),
                activation: Activation::Mish,
                scaling: FeatureScaling::RobustAll,
                numbers: NumericEncoding::Piecewise { bins: BINS },
                config: TrainConfig {
                    batch: Batch::Rows(ROWS),
                    optimizer: Optimizer { learning_rate: rate(Task::Binary), beta_2: BETA_2, ..adam },
                    ..base.config
                }
                .init(Init::Ntp)
                .schedule(Schedule::CosLog { cycles: 4 })
                .parametrization(Parametrization::Ntp),
                ..base
            }
            .keep_best(),
        }
    }

    /// Settles what a preset has by the task: the learning rate, and what epochs are judged by.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for a metric that the task does not have.
    pub(super) fn settle_by_task(&mut self, task: Task) -> Result<()> {
        if self.rate_by_task {
            self.config.optimizer.learning_rate = rate(task);
            self.rate_by_task = false;
        }
        if self.monitor_by_task {
            self.length.rule.monitor = self.monitor_of(Metric::for_task(self.metric, task)?);
            self.monitor_by_task = false;
        }
        Ok(())
    }

    /// What serves a metric to choose the epoch by. Probabilities that are calibrated afterwards have the lowest log loss where the accuracy is
    /// best (docs/training.md has how it was measured).
    fn monitor_of(&self, metric: Metric) -> Monitor {
        match metric {
            Metric::LogLoss if self.preset == Preset::Tabular => Monitor::Accuracy,
            Metric::Accuracy | Metric::BalancedAccuracy | Metric::MacroF1 => Monitor::Accuracy,
            Metric::RocAuc => Monitor::RocAuc,
            Metric::Loss | Metric::LogLoss | Metric::Rmse | Metric::Mae | Metric::R2 => Monitor::Loss,
        }
    }

    /// Settles whether probabilities are calibrated; nothing is without classes or rows that are held out.
    pub(super) fn settle_calibration(&mut self, task: Task, held_out: usize) {
        let can_be = task != Task::Regression && held_out > 0;
        self.calibrates.get_or_insert(self.preset == Preset::Tabular && can_be);
    }
}
