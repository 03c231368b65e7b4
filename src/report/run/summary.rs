//! The end of a run: one JSON object or a table.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::backend::Counters;
use crate::data::{Notes, Task};
use crate::infer::Metrics;
use crate::params::Layout;
use crate::pipeline::{Baseline, Fitted, Fitting, Hint, Member, Splits, Timings};
use crate::report::{Table, count, count_of, figure, metrics_table, rate, significant};

/// What `--json` prints.
#[derive(Debug, Serialize)]
pub struct Summary<'a> {
    /// The run's name, which all files of its folder tell.
    run: Option<String>,
    device: String,
    backend: &'static str,
    plan: &'static str,
    network: String,
    parameters: usize,
    epochs: u64,
    /// With those before the run was resumed.
    #[serde(skip)]
    epochs_in_all: u64,
    steps: u64,
    seconds: f64,
    /// From the opening of the device to the first steps' losses.
    first_step_seconds: f64,
    steps_per_second: f64,
    stopped: bool,
    counters: Counters,
    /// None where the run was asked to end.
    #[serde(flatten)]
    metrics: Option<&'a Splits<Metrics>>,
    /// The networks of an ensemble.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    members: Vec<Member>,
    /// Whether the validation figures are those of the rows that each network held out.
    #[serde(skip_serializing_if = "is_not")]
    out_of_fold: bool,
    /// What it had to be better than, once that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline: Option<&'a Baseline>,
    #[serde(skip)]
    task: Task,
    /// The losses as the article prints them, by the decimal logarithm.
    #[serde(skip_serializing_if = "Option::is_none")]
    log10_loss: Option<Log10Loss>,
    /// What was decided while the table was read and encoded.
    notes: Notes,
    /// What was decided on the run, and why.
    decisions: Vec<Decision>,
    /// Seconds of each phase, as far as there are.
    pub(super) phases: Timings,
    /// The model file, if one was written.
    model: Option<&'a Path>,
    /// The page about the run, once it is written.
    pub(super) report: Option<PathBuf>,
}

/// What a run decided on something that nobody said.
#[derive(Debug, Serialize)]
struct Decision {
    /// What it is about.
    kind: &'static str,
    /// What, why, and the flags that decide otherwise.
    text: String,
}

impl Decision {
    fn of(hint: &Hint) -> Option<Self> {
        hint.decision().map(|(kind, text)| Self { kind, text: text.into() })
    }
}

fn is_not(is: &bool) -> bool {
    !is
}

#[derive(Debug, Serialize)]
struct Log10Loss {
    train: f64,
    test: Option<f64>,
}

impl<'a> Summary<'a> {
    /// What is known of a run that has ended, before it is evaluated. `saved` is its model's file.
    pub fn new(fitting: &Fitting, saved: Option<&'a Path>) -> Self {
        let (prepared, trainer, outcome) = (fitting.prepared(), fitting.trainer(), fitting.outcome());
        Self {
            run: fitting.name().map(String::from),
            device: fitting.device().name(),
            backend: fitting.device().backend(),
            plan: trainer.plan().kind.name(),
            network: prepared.spec.to_string(),
            parameters: Layout::new(&prepared.spec).len(),
            epochs: outcome.epochs,
            epochs_in_all: trainer.epochs(),
            steps: outcome.steps,
            seconds: outcome.seconds,
            first_step_seconds: prepared.timings.setup().as_secs_f64() + outcome.first_step_seconds,
            steps_per_second: outcome.steps as f64 / outcome.seconds,
            stopped: outcome.stopped,
            counters: trainer.counters(),
            metrics: None,
            members: fitting.members(),
            out_of_fold: !prepared.folds.is_empty(),
            baseline: None,
            task: prepared.encoder.task(),
            log10_loss: None,
            notes: prepared.notes.clone(),
            decisions: prepared.hints.iter().filter_map(Decision::of).collect(),
            phases: prepared.timings.clone(),
            model: saved,
            report: None,
        }
    }

    /// Adds how good the model is; `article` the article's loss, too.
    pub fn score(&mut self, fitted: &'a Fitted, article: bool) {
        let log10 = |metrics: &Metrics| metrics.loss / std::f64::consts::LN_10;
        let Fitted { metrics, baseline, timings, .. } = fitted;
        let log10_loss = || Log10Loss { train: log10(&metrics.train), test: metrics.test.as_ref().map(log10) };
        (self.metrics, self.baseline) = (Some(metrics), baseline.as_ref());
        self.log10_loss = article.then(log10_loss);
        self.phases = timings.clone();
    }

    /// The same for people.
    pub fn text(&self) -> String {
        let mut text = self.metrics.map_or_else(String::new, |_| self.figures().to_string());
        if let Some(Log10Loss { train, test }) = &self.log10_loss {
            let test = test.map_or_else(String::new, |test| format!(", test {}", figure(test)));
            text += &format!("log10 loss: train {}{test}\n", figure(*train));
        }
        text += &format!(
            "{}{}, {} in {} s, {} steps/s, on {}\n",
            if self.stopped { "stopped after " } else { "" },
            count_of(self.epochs, "epoch"),
            match self.members.len() {
                0 => count_of(self.steps, "step"),
                networks => format!("{} of {networks} networks", count_of(self.steps, "step")),
            },
            significant(self.seconds, 3),
            rate(self.steps_per_second),
            self.device
        );
        match self.model {
            Some(path) => text += &format!("model: {}\n", path.display()),
            None => text += "the model was not saved: --out DIR writes DIR/model.safetensors and a report\n",
        }
        if let Some(path) = &self.report {
            text += &format!("report: {}\n", path.display());
        }
        text
    }

    /// The figures of each part, and of what the network had to be better than.
    pub fn figures(&self) -> Table {
        let baseline = self.baseline.map_or(Vec::new(), |baseline| baseline.named(self.task));
        let name = |name| if name == "validation" && self.out_of_fold { "out-of-fold" } else { name };
        let parts = self.metrics.into_iter().flat_map(Splits::named);
        let mut rows: Vec<(&str, &Metrics)> = parts.map(|(part, metrics)| (name(part), metrics)).collect();
        rows.extend(baseline.iter().map(|(name, metrics)| (name.as_str(), *metrics)));
        metrics_table(&rows)
    }

    /// What ran where, by name.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let rows = self
            .metrics
            .into_iter()
            .flat_map(Splits::named)
            .map(|(name, part)| format!("{} {name}", count(part.rows as u64)));
        let mut facts = vec![
            ("run", self.run.clone().unwrap_or_default()),
            ("device", self.device.clone()),
            ("backend", self.backend.into()),
            (
                "network",
                match self.members.len() {
                    0 => self.network.clone(),
                    several => format!("{several} times {}", self.network),
                },
            ),
            ("parameters", count(self.parameters as u64)),
            ("rows", rows.collect::<Vec<_>>().join(", ")),
            ("plan", self.plan.into()),
            ("epochs", count(self.epochs_in_all)),
            ("steps", format!("{}, {} a second", count(self.steps), rate(self.steps_per_second))),
            ("first step", format!("after {} s", significant(self.first_step_seconds, 3))),
            ("mlp", env!("CARGO_PKG_VERSION").into()),
        ];
        let chosen = |kind| if kind == "epochs" { "length" } else { kind };
        facts.extend(self.decisions.iter().map(|decision| (chosen(decision.kind), decision.text.clone())));
        facts
    }
}
