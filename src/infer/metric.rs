//! By what models are judged.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Metrics;
use crate::data::Task;
use crate::error::{Error, Result, shorten};

/// A metric of the rows that are held out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Metric {
    /// The loss that is trained, without penalties. Trials with different losses cannot be compared by it.
    Loss,
    /// Mean of -log p of the true class, in nats.
    LogLoss,
    /// Fraction of the rows whose class is predicted.
    Accuracy,
    /// Mean of the recalls of the classes.
    BalancedAccuracy,
    /// Mean of the F1 scores of the classes.
    MacroF1,
    /// Area under the ROC curve, or its mean over the classes.
    RocAuc,
    /// Root of the mean squared error, in the target's unit.
    Rmse,
    /// Mean absolute error, in the target's unit.
    Mae,
    /// Coefficient of determination.
    R2,
}

impl Metric {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Loss,
        Self::LogLoss,
        Self::Accuracy,
        Self::BalancedAccuracy,
        Self::MacroF1,
        Self::RocAuc,
        Self::Rmse,
        Self::Mae,
        Self::R2,
    ];

    /// The one of a task unless another is named: `log_loss` of classes, `rmse` of numbers.
    #[must_use]
    pub fn of_task(task: Task) -> Self {
        if task == Task::Regression { Self::Rmse } else { Self::LogLoss }
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::LogLoss => "log_loss",
            Self::Accuracy => "accuracy",
            Self::BalancedAccuracy => "balanced_accuracy",
            Self::MacroF1 => "macro_f1",
            Self::RocAuc => "roc_auc",
            Self::Rmse => "rmse",
            Self::Mae => "mae",
            Self::R2 => "r2",
        }
    }

    /// Whether a lower score is the better one.
    #[must_use]
    pub fn lower_is_better(self) -> bool {
        matches!(self, Self::Loss | Self::LogLoss | Self::Rmse | Self::Mae)
    }

    /// Whether a task has it.
    #[must_use]
    pub fn fits(self, task: Task) -> bool {
        match self {
            Self::Loss => true,
            Self::Rmse | Self::Mae | Self::R2 => task == Task::Regression,
            _ => task != Task::Regression,
        }
    }

    /// Its value; none where it is not defined or not finite.
    #[must_use]
    pub fn of(self, metrics: &Metrics) -> Option<f64> {
        let classes = metrics.classification();
        let value = match self {
            Self::Loss => Some(metrics.loss),
            Self::LogLoss => classes.map(|scores| scores.log_loss),
            Self::Accuracy => metrics.accuracy(),
            Self::BalancedAccuracy => classes.map(|scores| scores.balanced_accuracy),
            Self::MacroF1 => classes.map(|scores| scores.macro_average.f1),
            Self::RocAuc => classes.and_then(|scores| scores.roc_auc),
            Self::Rmse => metrics.rmse(),
            Self::Mae => metrics.regression().map(|scores| scores.score.mae),
            Self::R2 => metrics.r2(),
        };
        value.filter(|value| value.is_finite())
    }

    /// The one that is named, or that of the task.
    ///
    /// # Errors
    /// [`Error::Setting`] for one that the task does not have.
    pub fn for_task(named: Option<Self>, task: Task) -> Result<Self> {
        match named {
            Some(metric) if !metric.fits(task) => {
                let names: Vec<_> =
                    Self::ALL.iter().filter(|other| other.fits(task)).map(|other| other.name()).collect();
                let expected = format!("one of {}, for a {task} target", names.join(", "));
                Err(Error::Setting { what: "metric", found: metric.name().into(), expected })
            }
            Some(metric) => Ok(metric),
            None => Ok(Self::of_task(task)),
        }
    }
}

impl FromStr for Metric {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.iter().copied().find(|metric| metric.name() == text.replace('-', "_")).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|metric| metric.name()).collect();
            let found = format!("`{}`", shorten(text));
            Error::Setting { what: "metric", found, expected: format!("one of {}", names.join(", ")) }
        })
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
