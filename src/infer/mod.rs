//! Running a network, and measuring its outputs.

mod importance;
mod loaded;
mod metric;
mod predictor;
mod rows;

use serde::Serialize;

use crate::data::{Dataset, Encoder};
use crate::error::{Error, Result};
use crate::math::TargetDomain;
use crate::metrics::{Classification, LARGEST, MultiLabel, Regression};
use crate::spec::MlpSpec;
pub use importance::Importance;
pub use metric::Metric;
pub use predictor::Predictor;

/// Metrics of a network's outputs. Serialised, the scores are beside the loss.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Metrics {
    /// Number of rows.
    pub rows: usize,
    /// Mean loss over rows and terms, with sample weights; for a regression on the standardised
    /// target, of outputs that no range has clipped: what training minimises.
    pub loss: f64,
    /// The scores, unweighted. `None` if the loss is not finite, as after a divergence, or if a predicted number is
    /// beyond ±1e140.
    #[serde(flatten)]
    pub scores: Option<Scores>,
}

/// The scores by the kind of a loss's predictions.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Scores {
    /// One class for each row, of a softmax or of a single yes or no, with the encoder's labels.
    Classification(Classification),
    /// Several yes-or-no outputs; a target above one half is yes.
    MultiLabel(MultiLabel),
    /// Numbers, in the target's own unit and within its range if the encoder has one.
    Regression(Regression),
}

impl Metrics {
    /// Compares `outputs`, [rows, outputs], with `data`'s targets, in f64. An encoder adds the labels of classes and
    /// the unit of a regression's errors.
    ///
    /// # Errors
    /// [`Error::Setting`] and [`Error::Shape`] for data, outputs or an encoder of another network;
    /// [`Error::UnfitValue`] for a true value beyond ±1e140.
    pub fn new(spec: &MlpSpec, outputs: &[f32], data: &Dataset, encoder: Option<&Encoder>) -> Result<Self> {
        Self::with_top_k(spec, outputs, data, encoder, None)
    }

    /// The same with the top-k accuracy of a softmax, for k below the number of classes.
    ///
    /// # Errors
    /// Those of [`new`](Self::new), and [`Error::Setting`] for another k and for another loss.
    pub fn with_top_k(
        spec: &MlpSpec,
        outputs: &[f32],
        data: &Dataset,
        encoder: Option<&Encoder>,
        top_k: Option<usize>,
    ) -> Result<Self> {
        spec.check_data(data)?;
        let (loss, c, width) = (spec.loss(), spec.loss_parameter(), spec.outputs());
        if let Some(k) = top_k.filter(|_| loss.domain() != TargetDomain::Class) {
            let (what, expected) = ("the k of top-k accuracy", format!("none: {loss} has no classes"));
            return Err(Error::Setting { what, found: k.to_string(), expected });
        }
        let expected = data.rows() * width;
        if outputs.len() != expected {
            let what = "the list of outputs".into();
            return Err(Error::Shape { what, found: outputs.len(), expected: expected.to_string() });
        }
        let mut predictions: Vec<f64> = outputs.iter().map(|&z| z.into()).collect();
        let (mut sum, mut weights) = (0.0, 0.0);
        let mut y = vec![0.0; spec.target_columns()];
        let rows = predictions.chunks_exact_mut(width).zip(data.targets().chunks_exact(y.len()));
        for (row, (z, targets)) in rows.enumerate() {
            y.iter_mut().zip(targets).for_each(|(y, &target)| *y = target.into());
            let weight = data.weights().map_or(1.0, |weights| weights[row].into());
            sum += weight * loss.row(z, &y, c, None).0;
            weights += weight;
            loss.predictions(z);
        }
        let loss = sum / (weights * y.len() as f64);
        let scores = if loss.is_finite() { scores(spec, predictions, data, encoder, top_k)? } else { None };
        Ok(Self { rows: data.rows(), loss, scores })
    }

    /// The scores of classes that exclude each other.
    #[must_use]
    pub fn classification(&self) -> Option<&Classification> {
        if let Some(Scores::Classification(scores)) = &self.scores { Some(scores) } else { None }
    }

    /// The scores of several yes-or-no outputs.
    #[must_use]
    pub fn multi_label(&self) -> Option<&MultiLabel> {
        if let Some(Scores::MultiLabel(scores)) = &self.scores { Some(scores) } else { None }
    }

    /// The scores of a regression.
    #[must_use]
    pub fn regression(&self) -> Option<&Regression> {
        if let Some(Scores::Regression(scores)) = &self.scores { Some(scores) } else { None }
    }

    /// Accuracy over the rows, or over all labels of all rows if there are several.
    #[must_use]
    pub fn accuracy(&self) -> Option<f64> {
        let one = self.classification().map(|scores| scores.accuracy);
        one.or_else(|| Some(self.multi_label()?.accuracy))
    }

    /// Root of the mean squared error, in the target's own unit.
    #[must_use]
    pub fn rmse(&self) -> Option<f64> {
        Some(self.regression()?.score.rmse)
    }

    /// Coefficient of determination; none for a constant target.
    #[must_use]
    pub fn r2(&self) -> Option<f64> {
        self.regression()?.score.r2
    }
}

/// Compares predictions with the data's targets, both finite.
fn scores(
    spec: &MlpSpec,
    mut predictions: Vec<f64>,
    data: &Dataset,
    encoder: Option<&Encoder>,
    top_k: Option<usize>,
) -> Result<Option<Scores>> {
    let (width, targets) = (spec.outputs(), data.targets());
    let yes = || targets.iter().map(|&y| y > 0.5);
    let labelled = |scores: Classification| match encoder.and_then(Encoder::classes) {
        Some(labels) => scores.with_labels(labels),
        None => Ok(scores),
    };
    Ok(Some(match spec.loss().domain() {
        TargetDomain::Class => {
            let truth: Vec<usize> = targets.iter().map(|&class| class as usize).collect();
            Scores::Classification(labelled(Classification::new(&predictions, width, &truth, top_k)?)?)
        }
        TargetDomain::Probability if width == 1 => {
            let truth: Vec<usize> = yes().map(usize::from).collect();
            Scores::Classification(labelled(Classification::binary(&predictions, &truth)?)?)
        }
        TargetDomain::Probability => {
            Scores::MultiLabel(MultiLabel::new(&predictions, width, &yes().collect::<Vec<_>>())?)
        }
        TargetDomain::Real | TargetDomain::NonNegative => {
            let prediction = |z| encoder.map_or(z, |encoder| encoder.decode_regression(z));
            predictions.iter_mut().for_each(|value| *value = prediction(*value));
            if !predictions.iter().all(|value| value.abs() <= LARGEST) {
                return Ok(None);
            }
            let truth = |y: f64| encoder.map_or(y, |encoder| encoder.decode_target(y));
            let truth: Vec<f64> = targets.iter().map(|&y| truth(y.into())).collect();
            Scores::Regression(Regression::new(&predictions, &truth, width)?)
        }
    }))
}
