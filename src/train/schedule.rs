//! Learning-rate schedules: the factor on the optimiser's rate at each step. Adding one: a variant of [`Schedule`],
//! its place in `ALL`, and an arm in `name`, `settings` and `factor`.

use std::collections::BTreeMap;
use std::f64::consts::{FRAC_PI_2, PI};
use std::fmt;
use std::iter;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, setting};

/// How the learning rate changes during a run. Every factor multiplies the optimiser's rate; epochs and steps count
/// from 0. The text form is `cosine:warmup=5,floor=0.01`, and files have a table `{ name = "cosine", warmup = 5, floor
/// = 0.01 }`. A setting that is left out has its value of [`Schedule::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", try_from = "ScheduleTable")]
#[non_exhaustive]
pub enum Schedule {
    /// 1 throughout.
    #[default]
    Constant,
    /// factor^⌊epoch / every⌋, PyTorch's `StepLR`.
    Step {
        /// Epochs between changes, at least 1.
        every: u64,
        /// Factor of a change, in (0, 1].
        factor: f64,
    },
    /// factor^epoch, PyTorch's `ExponentialLR`.
    Exponential {
        /// Factor of an epoch, in (0, 1].
        factor: f64,
    },
    /// From step to step up a line to 1, then down half a cosine (Loshchilov and Hutter 2017) that comes to `floor` as
    /// the run ends: with W steps of warm-up optax's `warmup_cosine_decay_schedule` from 1 / (W + 1), so that the first
    /// step already trains.
    Cosine {
        /// Epochs of warm-up, in [0, epochs of the run); need not be whole.
        warmup: f64,
        /// Factor at the end, in [0, 1].
        floor: f64,
    },
    /// From step to step up half a cosine to 1 and down another (Smith and Topin 2018): PyTorch's `OneCycleLR` with
    /// cosine annealing, but for its cycle of the momentum. The optimiser's rate is the peak, PyTorch's `max_lr`.
    OneCycle {
        /// Fraction of the steps until the peak, in [0, 1]; PyTorch's `pct_start`.
        warmup: f64,
        /// Factor at the first step, in (0, 1]; 1 / `div_factor`.
        start: f64,
        /// Factor at the last step, in (0, 1]; 1 / (`div_factor` `final_div_factor`).
        end: f64,
    },
    /// (1 - cos(2π log₂(1 + (2^cycles - 1) t))) / 2 at the fraction t of the run: cycles that each take twice as long as the one before
    /// (Holzmüller, Grinsztajn and Steinwart 2024, `coslog4`). t is that of a step's middle, so that the first step already trains.
    CosLog {
        /// The number of cycles, in 1 ..= 16.
        cycles: u64,
    },
    /// 1 / (t + 1)^power after t rows in whole epochs: scikit-learn's `invscaling`, which changes as an epoch ends.
    InverseScaling {
        /// The power, at least 0.
        power: f64,
    },
    /// Times `factor` when the loss has not fallen for more than `patience` epochs: PyTorch's `ReduceLROnPlateau` in
    /// `threshold_mode="abs"`, without cooldown and without its `eps`. [`PlateauState`] holds the factor.
    Plateau {
        /// Factor of a change, in (0, 1].
        factor: f64,
        /// Epochs without a lower loss that are tolerated.
        patience: u64,
        /// A loss must be lower than the lowest by more than this, at least 0.
        min_delta: f64,
        /// Least factor, in [0, 1].
        floor: f64,
    },
}

/// A step's place in its run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The step, counted from 0.
    pub step: u64,
    /// Steps of an epoch.
    pub steps_per_epoch: u64,
    /// Steps of the whole run.
    pub steps: u64,
    /// Rows of an epoch.
    pub samples: u64,
}

impl Position {
    /// The step's epoch, counted from 0.
    fn epoch(&self) -> u64 {
        self.step / self.steps_per_epoch.max(1)
    }
}

/// The state of [`Schedule::Plateau`] in a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlateauState {
    /// The factor, to be multiplied with that of [`Schedule::factor`].
    pub factor: f64,
    /// Lowest loss so far.
    pub best: Option<f64>,
    /// Epochs since then, or since the last change.
    pub bad_epochs: u64,
}

impl Default for PlateauState {
    fn default() -> Self {
        Self { factor: 1.0, best: None, bad_epochs: 0 }
    }
}

impl PlateauState {
    /// Takes the loss of an epoch that has ended; any schedule but [`Schedule::Plateau`] leaves the factor at 1. A loss
    /// that is not finite is not lower.
    pub fn observe(&mut self, schedule: &Schedule, loss: f64) {
        let Schedule::Plateau { factor, patience, min_delta, floor } = *schedule else { return };
        if loss.is_finite() && self.best.is_none_or(|best| loss < best - min_delta) {
            (self.best, self.bad_epochs) = (Some(loss), 0);
            return;
        }
        self.bad_epochs += 1;
        if self.bad_epochs > patience {
            (self.factor, self.bad_epochs) = ((self.factor * factor).max(floor), 0);
        }
    }
}

impl Schedule {
    /// Every schedule, with the defaults of its settings.
    pub const ALL: &[Self] = &[
        Self::Constant,
        Self::Step { every: 10, factor: 0.5 },
        Self::Exponential { factor: 0.95 },
        Self::Cosine { warmup: 0.0, floor: 0.0 },
        Self::OneCycle { warmup: 0.3, start: 0.04, end: 4e-6 },
        Self::CosLog { cycles: 4 },
        Self::InverseScaling { power: 0.5 },
        Self::Plateau { factor: 0.1, patience: 10, min_delta: 1e-4, floor: 0.0 },
    ];

    /// The name on the command line and in files.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Step { .. } => "step",
            Self::Exponential { .. } => "exponential",
            Self::Cosine { .. } => "cosine",
            Self::OneCycle { .. } => "one-cycle",
            Self::CosLog { .. } => "cos-log",
            Self::InverseScaling { .. } => "inverse-scaling",
            Self::Plateau { .. } => "plateau",
        }
    }

    /// The factor on the learning rate at a step: finite, positive during a run unless f64 cannot hold it, and after
    /// the run's last step what it ended with. 1 for a plateau, whose factor is [`PlateauState::factor`].
    pub fn factor(&self, at: &Position) -> f64 {
        let (step, steps) = (at.step as f64, at.steps as f64);
        match *self {
            Self::Constant | Self::Plateau { .. } => 1.0,
            Self::Step { every, factor } => factor.powf((at.epoch() / every.max(1)) as f64),
            Self::Exponential { factor } => factor.powf(at.epoch() as f64),
            Self::Cosine { warmup, floor } => match warmup * at.steps_per_epoch as f64 {
                warmup if step < warmup => (step + 1.0) / (warmup + 1.0),
                warmup => anneal(1.0, floor, step - warmup, steps - warmup),
            },
            Self::OneCycle { warmup, start, end } => match warmup * steps - 1.0 {
                peak if step <= peak => anneal(start, 1.0, step, peak),
                peak => anneal(1.0, end, step - peak, steps - 1.0 - peak),
            },
            Self::CosLog { cycles } => {
                let t = ((step.min(steps - 1.0) + 0.5) / steps.max(1.0)).max(0.0);
                let turns = (1.0 + ((cycles as f64).exp2() - 1.0) * t).log2();
                // (1 - cos 2x) / 2 without its cancellation.
                (PI * turns).sin().powi(2)
            }
            Self::InverseScaling { power } => 1.0 / (at.epoch() as f64 * at.samples as f64 + 1.0).powf(power),
        }
    }

    /// Refuses settings that make no sense in a run of so many epochs.
    pub fn check(&self, epochs: u64) -> Result<()> {
        let mut schedule = *self;
        for Setting { what, value, range } in schedule.settings() {
            if !(range.holds)(value.number()) {
                return Err(Error::Setting { what, found: value.to_string(), expected: range.expected.into() });
            }
        }
        match *self {
            Self::Cosine { warmup, .. } if warmup >= epochs as f64 => Err(Error::Setting {
                what: "schedule cosine:warmup",
                found: warmup.to_string(),
                expected: format!("fewer than {}, {epochs}", setting("epochs")),
            }),
            _ => Ok(()),
        }
    }

    /// The one table of settings: text and files are read and written by it, and `check` goes by it.
    fn settings(&mut self) -> Vec<Setting<'_>> {
        let count = |what, value, range| Setting { what, value: Value::Count(value), range };
        let number = |what, value, range| Setting { what, value: Value::Number(value), range };
        match self {
            Self::Constant => vec![],
            Self::Step { every, factor } => vec![
                count("schedule step:every", every, Range::COUNT),
                number("schedule step:factor", factor, Range::FACTOR),
            ],
            Self::Exponential { factor } => vec![number("schedule exponential:factor", factor, Range::FACTOR)],
            Self::Cosine { warmup, floor } => vec![
                number("schedule cosine:warmup", warmup, Range::FROM_0),
                number("schedule cosine:floor", floor, Range::SHARE),
            ],
            Self::OneCycle { warmup, start, end } => vec![
                number("schedule one-cycle:warmup", warmup, Range::SHARE),
                number("schedule one-cycle:start", start, Range::FACTOR),
                number("schedule one-cycle:end", end, Range::FACTOR),
            ],
            Self::CosLog { cycles } => vec![count("schedule cos-log:cycles", cycles, Range::CYCLES)],
            Self::InverseScaling { power } => vec![number("schedule inverse-scaling:power", power, Range::FROM_0)],
            Self::Plateau { factor, patience, min_delta, floor } => vec![
                number("schedule plateau:factor", factor, Range::FACTOR),
                count("schedule plateau:patience", patience, Range::COUNT_0),
                number("schedule plateau:min_delta", min_delta, Range::FROM_0),
                number("schedule plateau:floor", floor, Range::SHARE),
            ],
        }
    }

    /// The schedule of a name, with the defaults.
    fn named(name: &str) -> Result<Self> {
        Self::ALL.iter().copied().find(|schedule| schedule.name() == name).ok_or_else(|| Error::Setting {
            what: "schedule",
            found: format!("`{name}`"),
            expected: Self::ALL.iter().map(Self::name).collect::<Vec<_>>().join(", "),
        })
    }

    fn set(&mut self, key: &str, text: &str) -> Result<()> {
        let schedule = *self;
        let Some(Setting { what, value, range }) = self.settings().into_iter().find(|setting| setting.key() == key)
        else {
            return Err(schedule.unknown(&format!("{key}={text}")));
        };
        let read = match value {
            Value::Count(value) => text.parse().map(|read| *value = read).is_ok(),
            Value::Number(value) => text.parse().map(|read| *value = read).is_ok(),
        };
        let refused = || Error::Setting { what, found: format!("`{text}`"), expected: range.expected.into() };
        read.then_some(()).ok_or_else(refused)
    }

    /// A setting that the schedule does not have, or has already.
    fn unknown(&self, setting: &str) -> Error {
        let defaults = Self::named(self.name()).unwrap_or(*self);
        Error::Setting {
            what: "schedule",
            found: format!("`{}` with `{setting}`", self.name()),
            expected: format!("settings, each once, as in `{defaults}`"),
        }
    }
}

/// Half a cosine between two values: `from` with nothing `done`, `to` with all of the `whole`.
fn anneal(from: f64, to: f64, done: f64, whole: f64) -> f64 {
    let part = if whole > 0.0 { (done / whole).min(1.0) } else { 1.0 };
    // cos² x = (1 + cos 2x) / 2 without its cancellation: a rate that falls to 0 is positive until it is there.
    let rest = (FRAC_PI_2 * part).cos().powi(2);
    from * rest + to * (1.0 - rest)
}

/// A setting of a schedule.
struct Setting<'a> {
    /// `--schedule NAME:KEY`.
    what: &'static str,
    value: Value<'a>,
    range: Range,
}

impl Setting<'_> {
    fn key(&self) -> &'static str {
        self.what.rsplit(':').next().unwrap_or_default()
    }
}

enum Value<'a> {
    Count(&'a mut u64),
    Number(&'a mut f64),
}

impl Value<'_> {
    fn number(&self) -> f64 {
        match self {
            Self::Count(value) => **value as f64,
            Self::Number(value) => **value,
        }
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(value) => value.fmt(f),
            Self::Number(value) => value.fmt(f),
        }
    }
}

/// What a setting may be.
#[derive(Clone, Copy)]
struct Range {
    holds: fn(f64) -> bool,
    expected: &'static str,
}

impl Range {
    const COUNT_0: Self = Self { holds: |value| value >= 0.0, expected: "a whole number of at least 0" };
    const COUNT: Self = Self { holds: |value| value >= 1.0, expected: "a whole number of at least 1" };
    const CYCLES: Self = Self { holds: |value| (1.0..=16.0).contains(&value), expected: "a whole number from 1 to 16" };
    const FACTOR: Self = Self { holds: |value| value > 0.0 && value <= 1.0, expected: "a number in (0, 1]" };
    const SHARE: Self = Self { holds: |value| (0.0..=1.0).contains(&value), expected: "a number in [0, 1]" };
    const FROM_0: Self = Self { holds: |value| value.is_finite() && value >= 0.0, expected: "a number of at least 0" };
}

/// `NAME:KEY=VALUE,…`, with every setting.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        let separators = iter::once(':').chain(iter::repeat(','));
        let mut schedule = *self;
        schedule
            .settings()
            .iter()
            .zip(separators)
            .try_for_each(|(setting, separator)| write!(f, "{separator}{}={}", setting.key(), setting.value))
    }
}

impl FromStr for Schedule {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let Some((name, settings)) = text.split_once(':') else { return Self::named(text) };
        let mut schedule = Self::named(name)?;
        let mut seen = Vec::new();
        for setting in settings.split(',') {
            match setting.split_once('=') {
                Some((key, value)) if !seen.contains(&key) => {
                    schedule.set(key, value)?;
                    seen.push(key);
                }
                _ => return Err(schedule.unknown(setting)),
            }
        }
        Ok(schedule)
    }
}

/// A schedule as it stands in a file.
#[derive(Deserialize)]
#[serde(expecting = "a table with a `name` and settings, as { name = \"cosine\", warmup = 5 }")]
struct ScheduleTable {
    name: String,
    #[serde(flatten)]
    settings: BTreeMap<String, serde_json::Number>,
}

impl TryFrom<ScheduleTable> for Schedule {
    type Error = Error;
    fn try_from(table: ScheduleTable) -> Result<Self> {
        let mut schedule = Self::named(&table.name)?;
        table.settings.iter().try_for_each(|(key, value)| schedule.set(key, &value.to_string()))?;
        Ok(schedule)
    }
}
