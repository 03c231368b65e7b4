//! Metrics of predicted numbers.

use serde::Serialize;

use super::{check_columns, check_table, count_rows};
use crate::error::{Error, Result};

/// Largest size of a number: the sum of its square over any number of rows is finite.
pub(crate) const LARGEST: f64 = 1e140;

/// Metrics of predicted numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Regression {
    /// The score of a single output, or the mean over several, metric by metric: `multioutput="uniform_average"`. There
    /// is no r2 if an output has none.
    #[serde(flatten)]
    pub score: RegressionScore,
    /// The score of each output, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<RegressionScore>,
}

/// Metrics of the predictions of one output, in its own unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RegressionScore {
    /// Mean absolute error: `mean_absolute_error`.
    pub mae: f64,
    /// Median absolute error: `median_absolute_error`.
    pub median_absolute_error: f64,
    /// Root of the mean squared error: `root_mean_squared_error`.
    pub rmse: f64,
    /// Coefficient of determination, 1 - residual / total sum of squares: `r2_score`. `None` for a constant target;
    /// scikit-learn returns 0, or 1 if the predictions are correct.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r2: Option<f64>,
}

impl Regression {
    /// From `predictions` and `truth`, both [rows, outputs] by rows.
    ///
    /// # Errors
    /// [`Error::Setting`] for no outputs, [`Error::Shape`] for no rows and for lists that do not fit,
    /// [`Error::UnfitValue`] for NaN and for a number beyond ±1e140, whose square is too large.
    pub fn new(predictions: &[f64], truth: &[f64], outputs: usize) -> Result<Self> {
        check_columns("the number of outputs", outputs, 1)?;
        check_table(predictions.len(), count_rows(truth.len(), outputs)?, outputs)?;
        for (what, values) in [("prediction", predictions), ("true value", truth)] {
            if let Some(at) = values.iter().position(|value| !(value.abs() <= LARGEST)) {
                let (row, what) = (at / outputs, format!("the {what} of output {}", at % outputs));
                let (found, expected) = (values[at].to_string(), "a number in [-1e140, 1e140]".into());
                return Err(Error::UnfitValue { row, what, found, expected });
            }
        }
        let column = |values: &[f64], output| values.iter().skip(output).step_by(outputs).copied().collect::<Vec<_>>();
        let score = |output| RegressionScore::new(&column(predictions, output), &column(truth, output));
        let mut scores: Vec<_> = (0..outputs).map(score).collect();
        let mean = |score: fn(&RegressionScore) -> f64| scores.iter().map(score).sum::<f64>() / outputs as f64;
        let score = RegressionScore {
            mae: mean(|score| score.mae),
            median_absolute_error: mean(|score| score.median_absolute_error),
            rmse: mean(|score| score.rmse),
            r2: scores.iter().map(|score| score.r2).sum::<Option<f64>>().map(|sum| sum / outputs as f64),
        };
        if outputs == 1 {
            scores.clear();
        }
        Ok(Self { score, outputs: scores })
    }
}

impl RegressionScore {
    /// Two lists of the same length, 1 or more.
    fn new(predictions: &[f64], truth: &[f64]) -> Self {
        let rows = truth.len() as f64;
        let mut errors: Vec<f64> = predictions.iter().zip(truth).map(|(p, y)| (p - y).abs()).collect();
        let residual: f64 = errors.iter().map(|error| error * error).sum();
        let mean = truth.iter().sum::<f64>() / rows;
        let total: f64 = truth.iter().map(|y| (y - mean).powi(2)).sum();
        // The mean of equal numbers may differ from them by a rounding, and the total from 0.
        let constant = truth.iter().all(|&y| y == truth[0]);
        Self {
            mae: errors.iter().sum::<f64>() / rows,
            rmse: (residual / rows).sqrt(),
            r2: (!constant).then(|| 1.0 - residual / total),
            median_absolute_error: median(&mut errors),
        }
    }
}

/// The middle value, or the mean of the two in the middle.
fn median(values: &mut [f64]) -> f64 {
    let half = values.len() / 2;
    let even = values.len().is_multiple_of(2);
    let (below, &mut upper, _) = values.select_nth_unstable_by(half, f64::total_cmp);
    if even { (below.iter().copied().fold(0.0, f64::max) + upper) / 2.0 } else { upper }
}
