//! From a table to a model.

use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use serde::Deserialize;
use wgpu_mlp::data::Task;
use wgpu_mlp::infer::Metric;
use wgpu_mlp::math::Optimizer;
use wgpu_mlp::pipeline::{ClassWeight, Hint, Preset};
use wgpu_mlp::train::Batch;
use wgpu_mlp::{Estimator, Loss, Result};

use crate::device::Opened;
use crate::error::{raise, unfit};
use crate::model::Model;
use crate::predictor::predictions;
use crate::table::Table;
use crate::watch::{Reports, Told, Watch, told};

/// An estimator's settings. What is left out the preset or the data decide.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    target: String,
    task: Task,
    preset: String,
    seed: u64,
    ensemble: Option<usize>,
    folds: Option<usize>,
    calibrate: Option<bool>,
    clip_outputs: Option<bool>,
    target_encoding: Option<bool>,
    share_weights: Option<bool>,
    weight_column: Option<String>,
    balanced: bool,
    class_weight: Vec<(String, f64)>,
    hidden: Option<String>,
    activation: Option<String>,
    loss: Option<String>,
    optimizer: Option<String>,
    learning_rate: Option<f64>,
    beta_1: Option<f64>,
    beta_2: Option<f64>,
    epsilon: Option<f64>,
    alpha: Option<f64>,
    batch: Option<String>,
    epochs: Option<u64>,
    patience: Option<u64>,
    min_delta: Option<f64>,
    metric: Option<Metric>,
    effort: Option<String>,
    validation_fraction: Option<f64>,
    dropout: Option<Vec<f64>>,
}

impl Settings {
    fn estimator(&self, rows: usize) -> Result<Estimator> {
        let preset: Preset = self.preset.parse()?;
        let mut estimator = Estimator::new(self.target.as_str()).preset(preset).task(self.task).test_fraction(0.0);
        if let Some(hidden) = &self.hidden {
            estimator = estimator.hidden_layers(hidden.parse()?);
        }
        if let Some(activation) = &self.activation {
            estimator = estimator.activation(activation.parse()?);
        }
        if let Some(loss) = &self.loss {
            estimator = estimator.loss(loss.parse::<Loss>()?);
        }
        if let Some(batch) = &self.batch {
            estimator = estimator.batch(batch.parse()?);
        }
        if let Some(name) = &self.optimizer {
            let mut named = Optimizer::named(name, 1.0)?;
            named.learning_rate = named.rule.default_learning_rate();
            estimator = estimator.optimizer(named);
        }
        if let Some(rate) = self.learning_rate {
            estimator = estimator.learning_rate(rate);
        }
        let optimizer = |own: Optimizer, batch: Batch| {
            let own = own.betas(self.beta_1.unwrap_or(own.beta_1), self.beta_2.unwrap_or(own.beta_2));
            let own = own.epsilon(self.epsilon.unwrap_or(own.epsilon));
            // scikit-learn divides the penalty by the rows of a step.
            own.l2(self.alpha.map_or(own.l2, |alpha| alpha / batch.rows(rows) as f64))
        };
        estimator = estimator.train_config(|mut config| {
            config.optimizer = optimizer(config.optimizer, config.batch);
            config.dropout = self.dropout.clone().unwrap_or(config.dropout);
            config
        });
        estimator = self.epochs.into_iter().fold(estimator, Estimator::epochs);
        estimator = self.patience.into_iter().fold(estimator, Estimator::patience);
        estimator = self.min_delta.into_iter().fold(estimator, Estimator::min_delta);
        estimator = self.metric.into_iter().fold(estimator, Estimator::metric);
        if let Some(effort) = &self.effort {
            estimator = estimator.effort(effort.parse()?);
        }
        estimator = self.validation_fraction.into_iter().fold(estimator, Estimator::validation_fraction);
        estimator = self.weight_column.iter().fold(estimator, Estimator::weight_column);
        estimator = self.ensemble.into_iter().fold(estimator, Estimator::ensemble);
        estimator = self.folds.into_iter().fold(estimator, Estimator::folds);
        let weights = match (self.balanced, &self.class_weight[..]) {
            (true, _) => ClassWeight::Balanced,
            (false, []) => ClassWeight::None,
            (false, given) => ClassWeight::Given(given.to_vec()),
        };
        let estimator = estimator.seed(self.seed).split_seed(self.seed as u32);
        let estimator = self.calibrate.into_iter().fold(estimator, Estimator::calibrate);
        let estimator = self.clip_outputs.into_iter().fold(estimator, Estimator::clip_outputs);
        let estimator = self.target_encoding.into_iter().fold(estimator, Estimator::target_encoding);
        let estimator = self.share_weights.into_iter().fold(estimator, Estimator::share_weights);
        Ok(estimator.class_weight(weights).data_name("a frame in Python"))
    }
}

/// What a fit gives.
#[pyclass(module = "wgpu_mlp._engine", frozen, get_all)]
pub struct Fit {
    model: Py<Model>,
    /// What was noticed and decided, a line each.
    hints: Vec<String>,
    /// What is told of each network's epochs.
    epochs: Vec<Told>,
    best_epoch: Option<u64>,
    /// The metrics of the training rows, those for validation and the folds, as JSON.
    metrics: String,
    /// With folds, what the networks say of the rows that they held out: probabilities or numbers, row after row in the table's order.
    out_of_fold: Option<Py<PyArray1<f64>>>,
    interrupted: bool,
}

/// Learns a table's target.
#[pyfunction]
pub fn fit_table(
    py: Python<'_>,
    device: &str,
    threads: usize,
    settings: &str,
    table: &mut Table,
    reports: Reports,
) -> PyResult<Fit> {
    let settings: Settings = serde_json::from_str(settings).map_err(|error| unfit("settings", &error))?;
    let table = table.take()?;
    let mut watch = Watch::new(reports, None);
    let fit = py.detach(|| {
        let opened = Opened::of(device, threads)?;
        let estimator = settings.estimator(table.rows())?;
        let prepared = opened.on_threads(|| estimator.prepare(table))?;
        let mut fitting = prepared.start(&opened.device)?;
        fitting.run_with(|event| watch.receive(event))?;
        fitting.finish()
    });
    let interrupted = watch.was_interrupted(py)?;
    let fitted = fit.map_err(raise)?;
    let mut metrics = serde_json::json!({ "train": fitted.metrics.train, "validation": fitted.metrics.validation });
    let out_of_fold = fitted.out_of_fold.as_ref().and_then(|out| {
        metrics["out_of_fold"] = serde_json::json!(out.metrics);
        let encoder = fitted.model.encoder.as_ref()?;
        let width = encoder.outputs();
        let mut all = predictions(
            fitted.model.spec.loss(),
            &out.outputs,
            width,
            encoder.classes().is_some_and(|all| all.len() == 2),
        );
        if encoder.classes().is_none() {
            all.mapv_inplace(|z| encoder.decode_regression(z));
        }
        // From the order of the folds to that of the table.
        let mut ordered = all.clone();
        for (at, &row) in fitted.splits.train.iter().enumerate() {
            ordered.row_mut(row).assign(&all.row(at));
        }
        Some(ordered.into_iter().collect::<Vec<f64>>())
    });
    let hints = fitted.hints.iter().map(Hint::to_string).filter(|hint| !hint.is_empty()).collect();
    Ok(Fit {
        best_epoch: fitted.outcome.best_epoch,
        model: Py::new(py, Model::from(fitted.model))?,
        hints,
        epochs: watch.epochs.iter().map(told).collect(),
        metrics: metrics.to_string(),
        out_of_fold: out_of_fold.map(|all| all.into_pyarray(py).unbind()),
        interrupted,
    })
}
