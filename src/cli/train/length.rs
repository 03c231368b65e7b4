//! How long to train: `--epochs`, `--patience` and what goes with it, and what the table's size decides where nothing is said.

use std::fmt;
use std::str::FromStr;

use crate::cli::config::AUTO;
use crate::pipeline::{Length, Rows};
use crate::report::count;
use crate::train::{Budget, EarlyStopping, Monitor, TrainConfig};

#[derive(Debug, clap::Args)]
pub struct LengthArgs {
    /// Passes over the training rows. Without --patience all N are run and the last parameters are kept. `auto` depends on the
    /// size of the table; with validation rows it ends when their loss no longer falls, and keeps the best parameters
    /// [default: 10000 for moons, auto for files]
    #[arg(long, value_name = "N|auto")]
    epochs: Option<Auto<u64>>,
    /// Stop after N epochs in a row that are not better than the best one, and keep the best parameters [default: by the size
    /// of the table with --epochs auto and validation rows]
    #[arg(long, value_name = "N")]
    patience: Option<u64>,
    /// Least improvement of an epoch that --patience counts
    #[arg(long, default_value_t = 0.0, value_name = "F")]
    min_delta: f64,
    /// Metric that --patience monitors on the validation rows: loss or accuracy
    #[arg(long, default_value_t = Monitor::Loss, value_name = "NAME")]
    monitor: Monitor,
}

/// A number, or what the table's size makes of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Auto<T> {
    Auto,
    Given(T),
}

impl<T> Auto<T> {
    pub fn given(self) -> Option<T> {
        match self {
            Self::Auto => None,
            Self::Given(value) => Some(value),
        }
    }
}

impl LengthArgs {
    /// What is said; `default` where no number of epochs is, None for the table's size.
    pub fn length(&self, default: Option<u64>) -> Length {
        let length = Length::new(self.epochs.map_or(default, Auto::given), self.patience);
        let rule = EarlyStopping { min_delta: self.min_delta, monitor: self.monitor, ..length.rule };
        Length { rule, ..length }
    }
}

/// What was decided, in a line; none where nothing was. `config` is what [`Length::apply`] gave, `drawn` says that it
/// was decided on validation rows, too.
pub fn tell(length: &Length, config: &TrainConfig, rows: Rows, drawn: bool) -> Option<String> {
    if length.epochs.is_some() {
        return None;
    }
    let (epochs, train) = (count(config.epochs), count(rows.train as u64));
    let otherwise = "--epochs N trains for N";
    let all = if drawn { " on all rows" } else { "" };
    Some(match (config.early_stopping, rows.validation) {
        (Some(rule), 1..) => format!(
            "epochs: {epochs} at most on {train} rows, until {} in a row have not improved the {} of {} validation rows; \
             the best is kept; {otherwise}{all}",
            count(rule.patience),
            rule.monitor,
            count(rows.validation as u64),
        ),
        (None, 0) if drawn => format!(
            "epochs: {epochs} on all {train} rows, none for validation, {}; {otherwise}",
            if Budget::validation_fraction(rows.train) > 0.0 {
                "since they are of one group".into()
            } else {
                format!("which would be fewer than {} rows", Budget::FEWEST_ROWS)
            }
        ),
        _ => format!("epochs: {epochs} on {train} rows, by their number; {otherwise}"),
    })
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
