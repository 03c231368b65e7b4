//! The flags that say how training goes on from epoch to epoch: learning rate, dropout.

use std::fmt;
use std::str::FromStr;

use crate::cli::help;
use crate::error::{Error, Result};
use crate::train::{Parametrization, Schedule, TrainConfig};

#[derive(Debug, clap::Args)]
pub struct ControlArgs {
    #[arg(long, value_name = "NAME[:KEY=F,…]", help = help::schedules() + " [default: constant, or by --preset]")]
    schedule: Option<Schedule>,
    /// Dropout rates of the hidden layers, in [0, 1): one for all layers, or one for each
    #[arg(long, default_value_t = Rates::default(), value_name = "F,F,…")]
    dropout: Rates,
    #[arg(long, value_name = "NAME", help = help::parametrizations() + " [default: standard, or by --preset]")]
    parametrization: Option<Parametrization>,
}

impl ControlArgs {
    /// The configuration with what the flags say.
    pub fn apply(&self, config: TrainConfig) -> TrainConfig {
        let config = self.schedule.into_iter().fold(config, TrainConfig::schedule).dropout(&self.dropout.0);
        self.parametrization.into_iter().fold(config, TrainConfig::parametrization)
    }
}

/// Rates with commas between them.
#[derive(Clone, Debug, Default)]
pub struct Rates(Vec<f64>);

impl FromStr for Rates {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        if text == "none" {
            return Ok(Self::default());
        }
        let rates = text.split(',').map(|rate| rate.trim().parse().ok());
        rates.collect::<Option<_>>().map(Self).ok_or_else(|| Error::Setting {
            what: "--dropout",
            found: format!("`{text}`"),
            expected: "numbers in [0, 1) separated by commas, or `none`".into(),
        })
    }
}

impl fmt::Display for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rates: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(if rates.is_empty() { "none".into() } else { rates.join(",") }.as_str())
    }
}
