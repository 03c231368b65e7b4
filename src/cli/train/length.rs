//! How long to train: `--epochs`, `--patience` and what goes with it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::cli::config::AUTO;
use crate::cli::help;
use crate::infer::Metric;
use crate::pipeline::{Effort, Estimator};
use crate::train::Monitor;

#[derive(Debug, clap::Args)]
pub struct LengthArgs {
    /// Passes over the training rows. Without --patience all N are run and the last parameters are kept. `auto` depends on the
    /// size of the table; with validation rows it ends when their loss no longer falls, and keeps the best parameters
    /// [default: 10000 for moons; for files auto, or by --preset]
    #[arg(long, value_name = "N|auto")]
    epochs: Option<Auto<u64>>,
    /// Time that training is to take (60s, 5m, 1.5h). The first steps are timed and tell, once and before the start, how many epochs
    /// fit, or how many networks where all epochs take less; DIR/config.toml keeps these numbers
    #[arg(long, value_name = "TIME", conflicts_with_all = ["epochs", "data_parallel", "lr_find", "dump_config"])]
    pub budget: Option<TimeLimit>,
    /// How much the networks and epochs of --preset tabular may take that no flag says, by counted operations: fast (1e10, with layers of
    /// 64 and 64 units, less than a second on a core), normal (2e12, half a minute) or best (2e13, five minutes, up to three networks for
    /// each fold); DIR/config.toml keeps their numbers [default: normal]
    #[arg(long, value_name = "NAME", conflicts_with_all = ["budget", "dump_config"])]
    pub effort: Option<Effort>,
    /// Stop after N epochs in a row that are not better than the best one, and keep the best parameters. `none` runs all epochs
    /// and keeps the best by the validation rows, of equal accuracy the one with the lowest loss [default: by the size of the table with --epochs auto
    /// and validation rows]
    #[arg(long, value_name = "N|none")]
    patience: Option<Patience>,
    /// Least improvement of an epoch that --patience counts
    #[arg(long, default_value_t = 0.0, value_name = "F")]
    min_delta: f64,
    #[arg(long, value_name = "NAME", help = help::metrics("What the model is to be good at: decides what epochs are judged by"))]
    metric: Option<Metric>,
    /// What --patience monitors on the rows held out: loss, accuracy or roc_auc [default: loss, or by --preset and --metric]
    #[arg(long, value_name = "NAME")]
    monitor: Option<Monitor>,
}

/// A number, or what the table's size makes of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Auto<T> {
    Auto,
    Given(T),
}

/// A time above 0 with its unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeLimit(pub Duration);

impl FromStr for TimeLimit {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let units = [("s", 1.0), ("m", 60.0), ("h", 3600.0)];
        let of = |(unit, seconds): (&str, f64)| Some(text.strip_suffix(unit)?.parse::<f64>().ok()? * seconds);
        let found = units.into_iter().find_map(of).filter(|seconds| *seconds > 0.0);
        let limit =
            found.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).filter(|limit| !limit.is_zero());
        limit.map(Self).ok_or_else(|| "expected a time above 0 with its unit: 60s, 5m, 1.5h".into())
    }
}

/// The word for a run that is never stopped.
const NEVER: &str = "none";

/// A number of epochs, or none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Patience {
    None,
    Epochs(u64),
}

impl Patience {
    /// As a word of the command line.
    pub fn word(patience: Option<u64>) -> String {
        patience.map_or(NEVER.into(), |epochs| epochs.to_string())
    }
}

impl FromStr for Patience {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            NEVER => Ok(Self::None),
            _ => text.parse().map(Self::Epochs).map_err(|error| format!("{error}; expected a number or `{NEVER}`")),
        }
    }
}

impl LengthArgs {
    /// The estimator with what is said.
    pub fn apply(&self, estimator: Estimator) -> Estimator {
        let estimator = match self.epochs {
            Some(Auto::Given(epochs)) => estimator.epochs(epochs),
            Some(Auto::Auto) => estimator.epochs_by_number(),
            None => estimator,
        };
        let estimator = match self.patience {
            Some(Patience::Epochs(epochs)) => estimator.patience(epochs),
            Some(Patience::None) => estimator.keep_best(),
            None => estimator,
        };
        let estimator = self.metric.into_iter().fold(estimator, Estimator::metric);
        self.monitor.into_iter().fold(estimator.min_delta(self.min_delta), Estimator::monitor)
    }
}

impl<T: FromStr<Err: fmt::Display>> FromStr for Auto<T> {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            AUTO => Ok(Self::Auto),
            _ => text.parse().map(Self::Given).map_err(|error: T::Err| format!("{error}; expected a number or `auto`")),
        }
    }
}

impl<T: fmt::Display> fmt::Display for Auto<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str(AUTO),
            Self::Given(value) => value.fmt(f),
        }
    }
}
