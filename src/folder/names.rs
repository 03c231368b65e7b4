//! Which run a file is of: every file of a run's folder says it, but for `predictions.csv`, a table for other programs.

use std::fmt;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::str::FromStr;

use serde_json::Value;

use super::{CONFIG, FINDINGS, METRICS, MODEL, RUN_COMMENT};

/// In a model's metadata.
const TRAINING: &str = "mlp.training";
const SCORE: &str = "mlp.score";

/// A run's name: `5be01f2c-150`, a CRC-32 of what decides its result and the number of its epochs. Equal runs have equal names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RunName {
    key: u32,
    epochs: u64,
}

#[cfg(feature = "cli")]
impl RunName {
    /// `key` as [`Trainer::key`](crate::train::Trainer::key) gives it.
    pub fn new(key: u32, epochs: u64) -> Self {
        Self { key, epochs }
    }

    /// The same run with another number of epochs.
    pub fn with_epochs(&self, epochs: u64) -> Self {
        Self { key: self.key, epochs }
    }

    /// Whether they differ in the number of epochs at most.
    pub fn is_longer_or_shorter(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl fmt::Display for RunName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}-{}", self.key, self.epochs)
    }
}

impl FromStr for RunName {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let (key, epochs) = text.split_once('-').ok_or(())?;
        let key = u32::from_str_radix(key, 16).map_err(|_| ())?;
        Ok(Self { key, epochs: epochs.parse().map_err(|_| ())? })
    }
}

/// The run of each file of a folder that names one.
pub(super) fn all(folder: &Path) -> Vec<(&'static str, RunName)> {
    let findings = || {
        let text = fs::read(folder.join(FINDINGS)).ok()?;
        parsed(serde_json::from_slice::<Value>(&text).ok()?.get("run")?.get("run")?)
    };
    let config = || first_line(&folder.join(CONFIG))?.strip_prefix(RUN_COMMENT)?.trim_end().parse().ok();
    let names = [
        (MODEL, name_in_model(&folder.join(MODEL))),
        (METRICS, first_line(&folder.join(METRICS)).and_then(|line| name_in_line(&line))),
        (CONFIG, config()),
        (FINDINGS, findings()),
    ];
    names.into_iter().filter_map(|(file, name)| Some((file, name?))).collect()
}

/// The run that a model's file, or a checkpoint, names.
pub(super) fn name_in_model(path: &Path) -> Option<RunName> {
    parsed(training(path)?.get("run")?)
}

/// The name of the data that a model's file was trained on.
#[cfg(feature = "cli")]
pub(crate) fn data_of(path: &Path) -> Option<String> {
    Some(training(path)?.get("data")?.as_str()?.into())
}

fn training(path: &Path) -> Option<Value> {
    serde_json::from_str(metadata(path)?[TRAINING].as_str()?).ok()
}

/// The score that a checkpoint's file tells.
pub(crate) fn score_of(path: &Path) -> Option<f64> {
    metadata(path)?[SCORE].as_str()?.parse().ok()
}

/// The run that a line of `metrics.jsonl` names.
fn name_in_line(line: &str) -> Option<RunName> {
    parsed(serde_json::from_str::<Value>(line).ok()?.get("run")?)
}

pub(super) fn parsed(value: &Value) -> Option<RunName> {
    value.as_str()?.parse().ok()
}

fn first_line(path: &Path) -> Option<String> {
    let mut line = String::new();
    BufReader::new(File::open(path).ok()?).read_line(&mut line).ok()?;
    Some(line)
}

/// The metadata of a file of safetensors, from its header alone.
fn metadata(path: &Path) -> Option<Value> {
    let mut file = File::open(path).ok()?;
    let mut length = [0; 8];
    file.read_exact(&mut length).ok()?;
    let mut header = Vec::new();
    file.take(u64::from_le_bytes(length)).read_to_end(&mut header).ok()?;
    Some(serde_json::from_slice::<Value>(&header).ok()?.get("__metadata__")?.clone())
}
