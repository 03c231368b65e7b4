//! Early stopping.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The value that early stopping monitors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Monitor {
    /// The loss: lower is better.
    #[default]
    Loss,
    /// The accuracy: higher is better.
    Accuracy,
    /// The area under the ROC curve on rows that are held out, of classes that exclude each other, as their mean: higher is better. Each epoch
    /// takes the parameters from the device for it.
    RocAuc,
}

/// Keeps the best epoch, and stops when `patience` epochs in a row have not improved on it, as Keras' `EarlyStopping` does. Without a
/// patience all epochs are run. Of epochs that are equally good, as few validation rows make many of the same accuracy, the one with the
/// lowest loss is kept then, and of equal losses the last, which has trained the longest (RealMLP takes the last of equal accuracy:
/// Holzmüller, Grinsztajn and Steinwart 2024).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyStopping {
    /// Epochs in a row without an improvement, at least 1; none never stops.
    pub patience: Option<u64>,
    /// A value must be better than the best by more than this, at least 0; without a patience by this at least.
    #[serde(default)]
    pub min_delta: f64,
    /// The monitored value.
    #[serde(default)]
    pub monitor: Monitor,
}

/// The state of early stopping in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyStoppingState {
    /// The best value so far.
    pub best: Option<f64>,
    /// Its loss.
    #[serde(default)]
    pub best_loss: f64,
    /// Its epoch, in the caller's count.
    pub best_epoch: u64,
    /// Epochs since then.
    pub bad_epochs: u64,
}

/// The decision of early stopping after an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoppingDecision {
    /// Whether the epoch is the best so far.
    pub improved: bool,
    /// Whether training is to stop.
    pub stop: bool,
}

impl EarlyStopping {
    /// Stops after `patience` epochs without a lower loss.
    pub fn new(patience: u64) -> Self {
        Self { patience: Some(patience), ..Self::keep_best() }
    }

    /// Never stops, and keeps the last epoch with the lowest loss.
    pub fn keep_best() -> Self {
        Self { patience: None, min_delta: 0.0, monitor: Monitor::Loss }
    }

    /// Refuses settings that make no sense.
    pub fn check(&self) -> Result<()> {
        let refused = |what, found, expected: &str| Err(Error::Setting { what, found, expected: expected.into() });
        if self.patience == Some(0) {
            return refused("patience", "0".into(), "a whole number of at least 1");
        }
        if !(self.min_delta.is_finite() && self.min_delta >= 0.0) {
            return refused("min_delta", self.min_delta.to_string(), "a number of at least 0");
        }
        Ok(())
    }
}

impl EarlyStoppingState {
    /// Takes the monitored value of an epoch that has ended, and its loss. A value that is not finite is not an improvement.
    pub fn observe(&mut self, rule: &EarlyStopping, epoch: u64, value: f64, loss: f64) -> StoppingDecision {
        let ahead = |best: f64| match rule.monitor {
            Monitor::Loss => best - (value + rule.min_delta),
            Monitor::Accuracy | Monitor::RocAuc => (value - rule.min_delta) - best,
        };
        let wins_tie = rule.patience.is_none() && (rule.min_delta > 0.0 || loss <= self.best_loss);
        let is_better = |ahead: f64| ahead > 0.0 || (ahead == 0.0 && wins_tie);
        let improved = value.is_finite() && self.best.is_none_or(|best| is_better(ahead(best)));
        if improved {
            *self = Self { best: Some(value), best_loss: loss, best_epoch: epoch, bad_epochs: 0 };
        } else {
            self.bad_epochs += 1;
        }
        let stop = !improved && rule.patience.is_some_and(|patience| self.bad_epochs >= patience);
        StoppingDecision { improved, stop }
    }
}

impl FromStr for Monitor {
    type Err = Error;
    fn from_str(name: &str) -> Result<Self> {
        match name {
            "loss" => Ok(Self::Loss),
            "accuracy" => Ok(Self::Accuracy),
            "roc_auc" => Ok(Self::RocAuc),
            _ => {
                let expected = "loss, accuracy or roc_auc".into();
                Err(Error::Setting { what: "monitor", found: format!("`{name}`"), expected })
            }
        }
    }
}

impl fmt::Display for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loss => "loss",
            Self::Accuracy => "accuracy",
            Self::RocAuc => "roc_auc",
        })
    }
}
