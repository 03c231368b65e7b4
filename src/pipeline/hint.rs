//! What a run noticed of its data and decided by them, and the settings that decide otherwise.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use super::estimator::Estimator;
use super::length::{Length, Rows};
use super::preset::Preset;
use crate::data::{Dataset, Encoder, Notes, NumericEncoding, Table, TargetKind, Task};
use crate::error::{Result, count, list, set, setting, shorten};
use crate::train::{Budget, EarlyStopping, TrainConfig};

/// Most whole numbers that may stand for classes.
const MOST: usize = 20;
/// How much rarer than the most frequent class one has to be for a hint.
const RARE: usize = 10;

/// Something that a run noticed or decided. Its text is a line, or one for each kind of note, that names the setting which decides
/// otherwise.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Hint {
    /// What was decided while a table was read and encoded.
    Notes {
        /// Where the table is from, unless it is that of the training rows.
        table: Option<PathBuf>,
        /// The decisions.
        notes: Notes,
    },
    /// Which task it is, and why.
    Task(String),
    /// What the preset decided, with whatever was said instead; none for the plain one.
    Preset(String),
    /// How long the run is by the number of its rows.
    Length(String),
    /// How many networks and epochs there are by the operations that they take.
    Effort(String),
    /// What fits the time that the run is to take.
    Budget(String),
    /// Which networks are trained, if they are several.
    Ensemble(String),
    /// Which of them predict, if that was chosen; it is known after the last step.
    Portfolio(String),
    /// What may be better set otherwise.
    Advice(String),
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Notes { table, notes } => {
                let head = table.as_ref().map_or_else(String::new, |path| format!("{}: ", path.display()));
                let lines = notes.lines().into_iter().map(|line| format!("note: {head}{line}"));
                f.write_str(&lines.collect::<Vec<_>>().join("\n"))
            }
            Self::Task(text) => write!(f, "task: {text}"),
            Self::Preset(text) => write!(f, "preset: {text}"),
            Self::Length(text) => write!(f, "epochs: {text}"),
            Self::Effort(text) => write!(f, "effort: {text}"),
            Self::Budget(text) => write!(f, "budget: {text}"),
            Self::Ensemble(text) => write!(f, "ensemble: {text}"),
            Self::Portfolio(text) => write!(f, "portfolio: {text}"),
            Self::Advice(text) => write!(f, "note: {text}"),
        }
    }
}

impl Hint {
    /// What was decided and why, by what it is about; none of notes and advice.
    #[cfg(feature = "cli")]
    pub(crate) fn decision(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::Task(text) => Some(("task", text)),
            Self::Preset(text) => Some(("preset", text)),
            Self::Length(text) => Some(("epochs", text)),
            Self::Effort(text) => Some(("effort", text)),
            Self::Budget(text) => Some(("budget", text)),
            Self::Ensemble(text) => Some(("ensemble", text)),
            Self::Portfolio(text) => Some(("portfolio", text)),
            Self::Notes { .. } | Self::Advice(_) => None,
        }
    }

    /// Which task it is and why: `wanted` where it was set, `known` where a model to start from has it.
    pub(super) fn task(encoder: &Encoder, wanted: Option<Task>, known: bool) -> Self {
        let shown = shorten(&encoder.target().name);
        let reason = match &encoder.target().kind {
            _ if known => "as in the model".to_string(),
            _ if wanted.is_some() => format!("as {} says", setting("task")),
            TargetKind::Binary { classes } => format!("`{shown}` has two values, {}", list(classes)),
            TargetKind::Multiclass { classes } => format!("`{shown}` has {} texts, {}", classes.len(), list(classes)),
            TargetKind::Regression { .. } => format!("`{shown}` holds more than two different numbers"),
        };
        Self::Task(format!("{}, {reason}", encoder.task()))
    }

    /// Numbers that stand for classes look like any others.
    pub(super) fn whole_numbers(encoder: &Encoder, table: &Table) -> Result<Option<Self>> {
        let name = &encoder.target().name;
        if encoder.task() != Task::Regression {
            return Ok(None);
        }
        let hint = |distinct| {
            Self::Advice(format!(
                "`{}` has {distinct} distinct whole numbers: taken as a regression; {} takes them as classes",
                shorten(name),
                set("task", "multiclass")
            ))
        };
        Ok(table.distinct_whole_numbers(name, MOST)?.map(hint))
    }

    /// One class is much rarer than another, and no weights are given.
    pub(super) fn imbalance(encoder: &Encoder, train: &Dataset) -> Option<Self> {
        let classes = encoder.classes().filter(|_| train.weights().is_none())?;
        let mut counts = vec![0_usize; classes.len()];
        train.targets().iter().for_each(|&class| counts[class as usize] += 1);
        let by_count = |&class: &usize| counts[class];
        let (most, least) = ((0..counts.len()).max_by_key(by_count)?, (0..counts.len()).min_by_key(by_count)?);
        (counts[least] * RARE < counts[most]).then(|| {
            Self::Advice(format!(
                "of {} training rows {} are `{}` and {} `{}`: {} makes classes count the same",
                count(train.rows() as u64),
                count(counts[most] as u64),
                shorten(&classes[most]),
                count(counts[least] as u64),
                shorten(&classes[least]),
                set("class_weight", "balanced")
            ))
        })
    }

    /// What a preset decided, where it is not the plain one: the settings in force.
    pub(super) fn preset(settled: &Estimator, rows: Rows) -> Option<Self> {
        let Estimator { preset, hidden, activation, scaling, numbers, config, calibrates, clips, .. } = settled;
        let TrainConfig { optimizer, schedule, parametrization, batch, epochs, early_stopping, .. } = config;
        let kept = match early_stopping {
            Some(rule) => {
                format!("the best by the {} of {} validation rows", rule.monitor, count(rows.validation as u64))
            }
            None => "the last".into(),
        };
        let inputs = match numbers {
            NumericEncoding::Scaled => String::new(),
            other => format!(", numbers {other}"),
        };
        (*preset != Preset::Plain).then(|| {
            Self::Preset(format!(
                "{preset}: layers {hidden} of {activation}, scaling {}{inputs}, {} at {} with {schedule} and {parametrization}, {batch} rows a \
                 step, {} epochs, of which {kept} is kept{}{}; {} is a smaller network",
                scaling.name(),
                optimizer.rule,
                optimizer.learning_rate,
                count(*epochs),
                if *calibrates == Some(true) { ", calibrated" } else { "" },
                if *clips == Some(true) { ", predictions within the training rows' targets" } else { "" },
                set("preset", "plain"),
            ))
        })
    }

    /// Several networks take the place of one.
    pub(super) fn ensemble(each: usize, folds: &[Range<usize>], share_weights: bool) -> Option<Self> {
        let networks = each * folds.len().max(1);
        let sizes = folds.iter().map(ExactSizeIterator::len);
        let shared = match share_weights {
            true => {
                let which = if folds.is_empty() { "they" } else { "those of a fold" };
                let otherwise = set("share_weights", "false");
                format!(
                    "; {which} share all weights but factors on the inputs and the last layer, {otherwise} gives each its own"
                )
            }
            false => String::new(),
        };
        let networks = match (sizes.clone().min(), sizes.max()) {
            (Some(least), Some(most)) => {
                let rows = if least == most { count(most as u64) } else { format!("{least} to {most}") };
                let of = if each > 1 { format!(" for each of {} folds", folds.len()) } else { String::new() };
                format!(
                    "{} networks{of}, each with a fold of {rows} rows held out, by which its epochs are judged",
                    count(if each > 1 { each } else { networks } as u64)
                )
            }
            _ if networks > 1 => format!("{} networks with seeds of their own", count(networks as u64)),
            _ => return None,
        };
        Some(Self::Ensemble(networks + &shared))
    }

    /// What the number of rows decided; none where it decided nothing. `config` is what [`Length::apply`] gave, `drawn` says that
    /// the rows for validation were decided on, too.
    pub(super) fn length(length: &Length, config: &TrainConfig, rows: Rows, drawn: bool) -> Option<Self> {
        if length.epochs.is_some() {
            return None;
        }
        let (epochs, train) = (count(config.epochs), count(rows.train as u64));
        let otherwise = format!("{} trains for N", set("epochs", "N"));
        let all = if drawn { " on all rows" } else { "" };
        let validation = count(rows.validation as u64);
        Some(Self::Length(match (config.early_stopping, rows.validation) {
            (Some(EarlyStopping { patience: Some(patience), monitor, .. }), 1..) => format!(
                "{epochs} at most on {train} rows, until {} in a row have not improved the {monitor} of {validation} \
                 validation rows; the best is kept; {otherwise}{all}",
                count(patience),
            ),
            (Some(EarlyStopping { patience: None, monitor, .. }), 1..) => format!(
                "{epochs} on {train} rows, by their number; the best by the {monitor} of {validation} validation rows \
                 is kept; {otherwise}",
            ),
            (None, 0) if drawn => format!(
                "{epochs} on all {train} rows, none for validation, {}; {otherwise}",
                if Budget::validation_fraction(rows.train) > 0.0 {
                    "since they are of one group".into()
                } else {
                    format!("which would be fewer than {} rows", Budget::FEWEST_ROWS)
                }
            ),
            _ => format!("{epochs} on {train} rows, by their number; {otherwise}"),
        }))
    }
}
