//! The end of a run: one JSON object or a table.

use std::path::Path;

use serde::Serialize;

use super::baseline::{Baseline, task};
use super::parts::Parts;
use super::phases::Phases;
use crate::backend::{Counters, Device};
use crate::data::Task;
use crate::infer::Metrics;
use crate::model::Model;
use crate::report::{count, metrics_table, rate};
use crate::train::{Outcome, Trainer};

/// What `--json` prints.
#[derive(Debug, Serialize)]
pub struct Summary<'a> {
    device: String,
    backend: &'static str,
    plan: &'static str,
    network: String,
    parameters: usize,
    epochs: u64,
    steps: u64,
    seconds: f64,
    first_step_seconds: f64,
    steps_per_second: f64,
    stopped: bool,
    counters: Counters,
    /// Seconds of each phase.
    phases: Phases,
    #[serde(flatten)]
    metrics: &'a Parts<Metrics>,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline: Option<&'a Baseline>,
    #[serde(skip)]
    task: Option<Task>,
    /// The losses as the article prints them, by the decimal logarithm.
    #[serde(skip_serializing_if = "Option::is_none")]
    log10_loss: Option<Log10Loss>,
    /// The model file, if one was written.
    model: Option<&'a Path>,
}

/// What a run came to, beside what it had to be better than.
pub struct Judged<'a> {
    pub metrics: &'a Parts<Metrics>,
    pub baseline: Option<&'a Baseline>,
    pub phases: Phases,
}

#[derive(Debug, Serialize)]
struct Log10Loss {
    train: f64,
    test: Option<f64>,
}

impl<'a> Summary<'a> {
    /// Puts the figures of a run together; `article` adds the article's loss.
    pub fn new(
        device: &Device,
        trainer: &Trainer,
        model: &Model,
        outcome: &Outcome,
        judged: Judged<'a>,
        article: bool,
        saved: Option<&'a Path>,
    ) -> Self {
        let Judged { metrics, baseline, phases } = judged;
        let log10 = |metrics: &Metrics| metrics.loss / std::f64::consts::LN_10;
        Self {
            device: device.name(),
            backend: device.backend(),
            plan: trainer.plan().kind.name(),
            network: model.spec.to_string(),
            parameters: model.parameters.len(),
            epochs: outcome.epochs,
            steps: outcome.steps,
            seconds: outcome.seconds,
            first_step_seconds: outcome.first_step_seconds,
            steps_per_second: outcome.steps as f64 / outcome.seconds,
            stopped: outcome.stopped,
            counters: trainer.counters(),
            phases,
            metrics,
            baseline,
            task: task(model),
            log10_loss: article
                .then(|| Log10Loss { train: log10(&metrics.train), test: metrics.test.as_ref().map(log10) }),
            model: saved,
        }
    }

    /// The same for people.
    pub fn text(&self) -> String {
        let baseline = self.baseline.map_or(Vec::new(), |baseline| baseline.named(self.task));
        let mut rows: Vec<(&str, &Metrics)> = self.metrics.named().collect();
        rows.extend(baseline.iter().map(|(name, metrics)| (name.as_str(), *metrics)));
        let mut text = metrics_table(&rows).to_string();
        if let Some(Log10Loss { train, test }) = &self.log10_loss {
            let test = test.map_or_else(String::new, |test| format!(", test {test:.4}"));
            text += &format!("log10 loss: train {train:.4}{test}\n");
        }
        text += &format!(
            "{}{} epochs, {} steps in {:.2} s, {} steps/s, on {}\n",
            if self.stopped { "stopped after " } else { "" },
            count(self.epochs),
            count(self.steps),
            self.seconds,
            rate(self.steps_per_second),
            self.device
        );
        match self.model {
            Some(path) => text + &format!("model: {}\n", path.display()),
            None => text + "the model was not kept: --out DIR writes DIR/model.safetensors\n",
        }
    }
}
