//! What a model says of the rows of a table.

use std::path::Path;

use serde::Serialize;

use super::evaluate::{check_target, encoder_of, evaluate};
use crate::backend::Device;
use crate::data::{Encoder, Table, TargetKind};
use crate::error::Result;
use crate::infer::Metrics;
use crate::math::predicted_class;
use crate::model::{IN_MEMORY, Model};

/// What is predicted of a row.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Prediction {
    /// One of the classes that the model knows.
    Class {
        /// Its label: the most probable one, the first of them where several are.
        label: String,
        /// The probability of each class, in the order of [`Encoder::classes`].
        probabilities: Vec<f64>,
    },
    /// A number, in the target's own unit, to the digits that the network's output in f32 tells apart, and within the
    /// target's range if the model has one.
    Number(f64),
}

impl Prediction {
    /// The label of a class.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        if let Self::Class { label, .. } = self { Some(label) } else { None }
    }

    /// A number.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    /// What tells how far the networks of an ensemble disagree on it: the standard deviation of the number, or of the probability of the
    /// class that they predict together. `each` are the predictions of each network by itself.
    #[cfg(feature = "cli")]
    pub(crate) fn spread(&self, each: &[Self]) -> f64 {
        let class = match self {
            Self::Class { probabilities, .. } => predicted_class(probabilities),
            Self::Number(_) => 0,
        };
        let values = each.iter().map(|one| match one {
            Self::Class { probabilities, .. } => probabilities[class],
            Self::Number(number) => *number,
        });
        let count = each.len() as f64;
        let mean = values.clone().sum::<f64>() / count;
        let squares = values.map(|value| (value - mean).powi(2)).sum::<f64>();
        if each.len() > 1 { (squares / (count - 1.0)).sqrt() } else { 0.0 }
    }

    /// What the network's outputs for one row come to.
    pub(crate) fn of_outputs(model: &Model, encoder: &Encoder, z: &[f32]) -> Self {
        let loss = model.spec.loss();
        let first = f64::from(z[0]);
        match &encoder.target().kind {
            TargetKind::Binary { classes } => {
                // Each probability from its own sign of z: 1 - p would lose the small ones.
                let yes = loss.prediction(first);
                let label = classes[predicted_class(&[yes])].clone();
                Self::Class { label, probabilities: vec![loss.prediction(-first), yes] }
            }
            TargetKind::Multiclass { classes } => {
                let probabilities = loss.predictions_of(z);
                Self::Class { label: classes[predicted_class(&probabilities)].clone(), probabilities }
            }
            TargetKind::Regression { .. } => {
                let number = |z: f32| encoder.decode_target(loss.prediction(f64::from(z)));
                // Rounded first: what is rounded may lie beyond the range.
                Self::Number(encoder.target().kind.clip(rounded(number(z[0]), number(z[0].next_up()))))
            }
        }
    }
}

/// The number to as many decimals as tell it from `next`, which the next output in f32 stands for: those behind are noise.
fn rounded(number: f64, next: f64) -> f64 {
    let unit = 10f64.powf(-(next - number).abs().log10().floor());
    let rounded = (number * unit).round() / unit;
    if rounded.is_finite() { rounded } else { number }
}

impl Model {
    /// How good the model is on a table that has its target.
    ///
    /// # Errors
    /// Those of [`predict`](Self::predict), and of [`Encoder::encode`] for the target.
    #[cfg(not(target_family = "wasm"))]
    pub fn evaluate(&self, table: &Table, device: &Device) -> Result<Metrics> {
        pollster::block_on(self.evaluate_async(table, device))
    }

    /// [`evaluate`](Self::evaluate) for async programs.
    ///
    /// # Errors
    /// As there.
    pub async fn evaluate_async(&self, table: &Table, device: &Device) -> Result<Metrics> {
        let encoder = encoder_of(self, Path::new(IN_MEMORY))?;
        check_target(self.spec.loss(), encoder, table)?;
        evaluate(device, self, &encoder.encode(table)?, None).await
    }
}
