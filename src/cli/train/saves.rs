//! `--checkpoint-every`, `--keep`, `--resume`: when checkpoints are written, and the run that goes on from one.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

#[derive(Debug, clap::Args)]
pub struct SaveArgs {
    /// Write a checkpoint to the folder of --out every N epochs (10), or every N minutes at the end of an epoch (5m)
    #[arg(long, value_name = "N|Nm", requires = "out")]
    pub checkpoint_every: Option<Every>,
    /// Number of checkpoints to keep, besides the best
    #[arg(long, default_value_t = 3, value_name = "N")]
    pub keep: usize,
    /// Resume from a checkpoint file, or the newest checkpoint in a folder. Only --epochs, --device, output locations and
    /// verbosity may change
    #[arg(long, value_name = "FILE", conflicts_with = "init_from")]
    pub resume: Option<PathBuf>,
}

/// How often.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Every {
    Epochs(u64),
    Minutes(f64),
}

impl FromStr for Every {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let minutes = text.strip_suffix('m').and_then(|minutes| minutes.parse().ok());
        let minutes = minutes.filter(|minutes: &f64| minutes.is_finite() && *minutes > 0.0).map(Self::Minutes);
        let epochs = || text.parse().ok().filter(|&epochs| epochs > 0).map(Self::Epochs);
        minutes.or_else(epochs).ok_or_else(|| Error::Setting {
            what: "--checkpoint-every",
            found: format!("`{text}`"),
            expected: "a number of epochs of at least 1 (10), or of minutes above 0 (5m)".into(),
        })
    }
}

impl fmt::Display for Every {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Epochs(epochs) => write!(f, "{epochs}"),
            Self::Minutes(minutes) => write!(f, "{minutes}m"),
        }
    }
}

impl SaveArgs {
    /// The epochs after which a checkpoint is due.
    pub fn epochs(&self) -> Option<u64> {
        if let Some(Every::Epochs(epochs)) = self.checkpoint_every { Some(epochs) } else { None }
    }
}

/// Tells when a checkpoint is due.
#[derive(Debug)]
pub struct Clock {
    every: Option<Every>,
    last: Instant,
}

impl Clock {
    pub fn new(every: Option<Every>) -> Self {
        Self { every, last: Instant::now() }
    }

    /// Whether the end of an epoch is the time for a checkpoint.
    pub fn is_due(&mut self, epoch: u64) -> bool {
        let due = match self.every {
            None => false,
            Some(Every::Epochs(epochs)) => epoch.is_multiple_of(epochs),
            Some(Every::Minutes(minutes)) => self.last.elapsed() >= Duration::from_secs_f64(60.0 * minutes),
        };
        if due {
            self.last = Instant::now();
        }
        due
    }
}
