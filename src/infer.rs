//! Running a network, and judging what it gives.

use serde::Serialize;

use crate::backend::{Backend, Device, Executor};
use crate::data::{Dataset, Encoder};
use crate::error::{Error, Result};
use crate::kernels::Step;
use crate::params::Layout;
use crate::plan::{self, Role};
use crate::spec::MlpSpec;

/// Rows that are run at a time.
const ROWS: usize = 4096;

/// A network loaded for inference.
#[derive(Debug)]
pub struct Predictor<B = Executor> {
    backend: B,
    spec: MlpSpec,
    rows: usize,
}

impl Predictor {
    /// Loads a network on a device, for tables of about `rows` rows. `parameters` as [`Layout`] lays them out.
    /// A wide network runs fewer rows at a time, as many as the device's buffers hold.
    pub async fn new(device: &Device, spec: &MlpSpec, parameters: &[f32], rows: usize) -> Result<Self> {
        Layout::new(spec).check(parameters)?;
        let mut rows = rows.clamp(1, ROWS);
        let mut backend = loop {
            match device.load(plan::forward(spec, rows, 1)?).await {
                Err(Error::TooLarge { .. }) if rows > 1 => rows /= 2,
                loaded => break loaded?,
            }
        };
        let buffer = backend.plan().buffer(Role::Parameters)?;
        backend.write(buffer, parameters)?;
        Ok(Self { backend, spec: spec.clone(), rows })
    }
}

impl<B: Backend<Real = f32>> Predictor<B> {
    /// The network's outputs [rows, outputs] for `features` [rows, inputs], both by rows: what
    /// [`Loss::predictions`](crate::math::Loss::predictions) turns into predictions.
    pub async fn outputs(&mut self, features: &[f32]) -> Result<Vec<f32>> {
        let (inputs, outputs) = (self.spec.inputs(), self.spec.outputs());
        if !features.len().is_multiple_of(inputs) {
            return Err(Error::Shape {
                what: "the table of features".into(),
                found: features.len(),
                expected: format!("a multiple of {inputs}, the network's inputs"),
            });
        }
        let (input, output) = (self.backend.plan().buffer(Role::Features)?, self.backend.plan().output);
        let mut all = Vec::with_capacity(features.len() / inputs * outputs);
        for chunk in features.chunks(self.rows * inputs) {
            self.backend.write(input, chunk)?;
            self.backend.submit(&[(0, Step::default())])?;
            self.backend.collect().await?;
            let result = self.backend.read(output).await?;
            // The rows behind a last, shorter chunk hold what the chunk before left there.
            all.extend_from_slice(&result[..chunk.len() / inputs * outputs]);
        }
        Ok(all)
    }
}

/// How good a network's outputs are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Metrics {
    /// Mean loss over rows, each as much as it weighs, and terms; of a regression on the standardised target.
    pub loss: f64,
    /// Share classified rightly; for classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// Root of the mean squared error, in the target's own unit; for a regression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rmse: Option<f64>,
    /// Coefficient of determination, 1 - residual / total sum of squares; for a regression. Not finite for a
    /// constant target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r2: Option<f64>,
}

impl Metrics {
    /// Compares `outputs`, [rows, outputs], with `data`'s targets; sums in f64. An encoder gives a regression's errors
    /// their unit back.
    pub fn new(spec: &MlpSpec, outputs: &[f32], data: &Dataset, encoder: Option<&Encoder>) -> Result<Self> {
        spec.check_data(data)?;
        let (loss, c, width) = (spec.loss(), spec.loss_parameter(), spec.outputs());
        let expected = data.rows() * width;
        if outputs.len() != expected {
            let what = "the list of outputs".into();
            return Err(Error::Shape { what, found: outputs.len(), expected: expected.to_string() });
        }
        let [mut predictions, targets] =
            [outputs, data.targets()].map(|values| values.iter().map(|&value| f64::from(value)).collect::<Vec<_>>());
        let count = targets.len() as f64;
        let (mut sum, mut weights, mut hits) = (0.0, 0.0, 0);
        let rows = predictions.chunks_exact_mut(width).zip(targets.chunks_exact(spec.target_columns()));
        for (row, (z, y)) in rows.enumerate() {
            let weight = data.weights().map_or(1.0, |weights| weights[row].into());
            let (value, right) = loss.row(z, y, c, None);
            sum += weight * value;
            weights += weight;
            hits += right;
            loss.predictions(z);
        }
        let mean_loss = sum / (weights * spec.target_columns() as f64);
        if loss.classifies() {
            return Ok(Self { loss: mean_loss, accuracy: Some(hits as f64 / count), rmse: None, r2: None });
        }
        let decode = |&value| encoder.map_or(value, |encoder| encoder.decode_regression(value));
        let mean = targets.iter().map(decode).sum::<f64>() / count;
        let pairs = predictions.iter().zip(&targets);
        let residual: f64 = pairs.map(|(p, y)| (decode(p) - decode(y)).powi(2)).sum();
        let total: f64 = targets.iter().map(|y| (decode(y) - mean).powi(2)).sum();
        let (rmse, r2) = ((residual / count).sqrt(), 1.0 - residual / total);
        Ok(Self { loss: mean_loss, accuracy: None, rmse: Some(rmse), r2: Some(r2) })
    }
}
