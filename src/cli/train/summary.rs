//! The end of a run: one JSON object or a table.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::parts::Parts;
use crate::backend::{Counters, Device};
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
    /// From the opening of the device to the first steps' losses.
    first_step_seconds: f64,
    steps_per_second: f64,
    stopped: bool,
    counters: Counters,
    #[serde(flatten)]
    metrics: &'a Parts<Metrics>,
    /// The losses as the article prints them, by the decimal logarithm.
    #[serde(skip_serializing_if = "Option::is_none")]
    log10_loss: Option<Log10Loss>,
    /// The model file, if one was written.
    model: Option<&'a Path>,
}

#[derive(Debug, Serialize)]
struct Log10Loss {
    train: f64,
    test: Option<f64>,
}

impl<'a> Summary<'a> {
    /// Puts the figures of a run together; `setup` is what it took to open the device and load the plan, `article` adds the
    /// article's loss.
    pub fn new(
        device: &Device,
        trainer: &Trainer,
        model: &Model,
        setup: Duration,
        outcome: &Outcome,
        metrics: &'a Parts<Metrics>,
        article: bool,
        saved: Option<&'a Path>,
    ) -> Self {
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
            first_step_seconds: setup.as_secs_f64() + outcome.first_step_seconds,
            steps_per_second: outcome.steps as f64 / outcome.seconds,
            stopped: outcome.stopped,
            counters: trainer.counters(),
            metrics,
            log10_loss: article
                .then(|| Log10Loss { train: log10(&metrics.train), test: metrics.test.as_ref().map(log10) }),
            model: saved,
        }
    }

    /// The same for people.
    pub fn text(&self) -> String {
        let mut text = metrics_table(&self.metrics.named().collect::<Vec<_>>()).to_string();
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
