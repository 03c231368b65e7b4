//! What the network has to be better than: a constant prediction, a linear model, and where it is a large one a small network.

use serde::Serialize;

use super::estimator::Estimator;
use super::evaluate::evaluate;
use super::length::Rows;
use super::preset::Preset;
use super::splits::Splits;
use crate::backend::{Device, open_async};
use crate::data::Dataset;
#[cfg(feature = "cli")]
use crate::data::Task;
use crate::error::{Error, Result};
use crate::infer::Metrics;
use crate::math::{Activation, Optimizer, TargetDomain};
use crate::model::Model;
use crate::params::Layout;
use crate::spec::{Layer, MlpSpec};
use crate::train::{Batch, Budget, Replica, Schedule, TrainConfig, Trainer};

/// Steps in which the linear model is trained, at least; an epoch is never cut.
const STEPS: usize = 3000;
/// Rows of such a step.
const ROWS: usize = 256;
const RATE: f64 = 0.02;

/// Metrics on the test rows, or on the training rows where there are none.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Baseline {
    /// The part of the data.
    pub part: &'static str,
    /// The shares of the classes in the training rows, so that the most frequent one is predicted; for numbers the mean.
    pub constant: Metrics,
    /// The network without its hidden layers, and without bins of numbers, which are no linear function of them, trained on the CPU; none where
    /// the network has no hidden layers, or this one diverged.
    pub linear: Option<Metrics>,
    /// The network of [`Preset::Plain`] on the same inputs, trained on the CPU; none where the run is of that preset, or it diverged.
    pub plain: Option<Metrics>,
}

impl Baseline {
    pub(crate) async fn new(data: &Splits<Dataset>, model: &Model, is_plain: bool) -> Result<Self> {
        let (part, judged) = data.test.as_ref().map_or(("train", &data.train), |test| ("test", test));
        let spec = &model.spec;
        let outputs = constant(spec, &data.train).repeat(judged.rows());
        let constant = Metrics::new(spec, &outputs, judged, model.encoder.as_ref())?;
        let linear = if spec.layers().len() > 1 { linear(data, judged, model).await? } else { None };
        let plain = if is_plain { None } else { plain(data, judged, model).await? };
        Ok(Self { part, constant, linear, plain })
    }

    /// The rows of a table of metrics.
    #[cfg(feature = "cli")]
    pub(crate) fn named(&self, task: Task) -> Vec<(String, &Metrics)> {
        let constant = if task == Task::Regression { "mean" } else { "majority" };
        let row = |name, metrics| (format!("{}, {name}", self.part), metrics);
        let networks = [("plain", &self.plain), ("linear", &self.linear)];
        let networks = networks.into_iter().filter_map(|(name, metrics)| Some(row(name, metrics.as_ref()?)));
        networks.chain([row(constant, &self.constant)]).collect()
    }
}

/// The outputs that tell nothing of a row: the shares of the classes, or the mean.
fn constant(spec: &MlpSpec, train: &Dataset) -> Vec<f32> {
    let targets = train.targets();
    let mean = targets.iter().map(|&y| f64::from(y)).sum::<f64>() / targets.len() as f64;
    match spec.loss().domain() {
        // One row more of each class than there is: a share is never 0.
        TargetDomain::Probability => {
            let rows = targets.len() as f64;
            let share = (mean * rows + 1.0) / (rows + 2.0);
            vec![(share / (1.0 - share)).ln() as f32]
        }
        TargetDomain::Class => {
            let mut counts = vec![1.0_f64; spec.outputs()];
            targets.iter().for_each(|&class| counts[class as usize] += 1.0);
            counts.into_iter().map(|count| count.ln() as f32).collect()
        }
        TargetDomain::Real => vec![mean as f32],
        TargetDomain::NonNegative => vec![mean.max(f64::from(f32::MIN_POSITIVE)).ln() as f32],
    }
}

async fn linear(data: &Splits<Dataset>, judged: &Dataset, model: &Model) -> Result<Option<Metrics>> {
    let (spec, kept) = (&model.spec, without_bins(model));
    let some = |of: &Dataset| if kept.len() < spec.inputs() { of.of_inputs(&kept) } else { of.clone() };
    let (train, judged) = (some(&data.train), some(judged));
    let layer = Layer { inputs: kept.len(), outputs: spec.outputs(), activation: Activation::Identity };
    let spec = with_loss_of(MlpSpec::from_layers(vec![layer], spec.loss())?, spec)?;
    let device = open_async("cpu").await?.device;
    let epochs = STEPS.div_ceil(train.rows().div_ceil(ROWS)) as u64;
    let config = TrainConfig::new(epochs, Batch::Rows(ROWS), Optimizer::named("adam", RATE)?)
        .schedule(Schedule::Cosine { warmup: 0.0, floor: 0.0 });
    let mut trainer = Trainer::new_async(&device, &spec, &config, &train).await?;
    trainer.set_parameters(&vec![0.0; Layout::new(&spec).len()])?;
    trained(trainer, &device, &judged, model).await
}

/// The inputs that are no bins.
fn without_bins(model: &Model) -> Vec<usize> {
    let Some(encoder) = &model.encoder else { return (0..model.spec.inputs()).collect() };
    let each = encoder.features().iter().flat_map(|feature| {
        let bins = feature.bin_inputs();
        (0..feature.width()).map(move |input| !bins.contains(&input))
    });
    each.enumerate().filter_map(|(input, is_kept)| is_kept.then_some(input)).collect()
}

/// The plain network, whose epochs a tenth of the rows judges.
async fn plain(data: &Splits<Dataset>, judged: &Dataset, model: &Model) -> Result<Option<Metrics>> {
    let (Splits { train, validation, .. }, spec) = (data, &model.spec);
    let preset = Estimator::new("").preset(Preset::Plain);
    let own = preset.hidden.spec(spec.inputs(), spec.outputs(), preset.activation, spec.loss())?;
    let own = with_loss_of(own, spec)?;
    let held_out = match validation {
        Some(rows) => rows.rows(),
        None => (Budget::validation_fraction(train.rows()) * train.rows() as f64).ceil() as usize,
    };
    let fold = validation.is_none() && held_out > 0;
    let learned = train.rows() - if fold { held_out } else { 0 };
    let config = preset.length.apply(preset.config, Rows { train: learned, validation: held_out });
    let replica = Replica::new(config);
    let replica = if fold { replica.fold(0..held_out) } else { replica };
    let device = open_async("cpu").await?.device;
    let trainer = Trainer::with_replicas_async(&device, &own, &[replica], train, validation.as_ref()).await?;
    trained(trainer, &device, judged, model).await
}

/// A network with the parameter that another's loss has.
fn with_loss_of(spec: MlpSpec, other: &MlpSpec) -> Result<MlpSpec> {
    match other.loss().parameter() {
        Some(_) => spec.with_loss_parameter(other.loss_parameter()),
        None => Ok(spec),
    }
}

/// Trains; how good the network is, unless it diverges.
async fn trained(mut trainer: Trainer, device: &Device, judged: &Dataset, model: &Model) -> Result<Option<Metrics>> {
    match trainer.fit_async().await {
        Err(Error::Diverged { .. }) => return Ok(None),
        fitted => fitted?,
    };
    let (spec, parameters) = (trainer.spec().clone(), trainer.parameters_async().await?);
    let other = Model { spec, parameters, encoder: model.encoder.clone(), training: None };
    let metrics = evaluate(device, &other, judged, None).await?;
    Ok(metrics.scores.is_some().then_some(metrics))
}
