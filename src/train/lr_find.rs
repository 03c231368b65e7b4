//! The learning-rate range test: a short run whose rate grows from step to step until the loss does too.

use serde::Serialize;

use super::Trainer;
use crate::error::{Error, Result};

/// Weight of the past in the smoothed loss.
const SMOOTHING: f64 = 0.9;
/// The test ends when the smoothed loss is so many times its smallest value.
const BLOWN_UP: f64 = 4.0;

/// The range of learning rates, and the number of steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LrRange {
    /// The first rate.
    pub from: f64,
    /// The last one, larger.
    pub to: f64,
    /// Steps, at least 10.
    pub steps: usize,
}

impl Default for LrRange {
    /// 1e-7 to 10 in 200 steps.
    fn default() -> Self {
        Self { from: 1e-7, to: 10.0, steps: 200 }
    }
}

/// The result of a range test.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LrCurve {
    /// Learning rate, loss of the step's batch before its update, and the smoothed loss.
    pub points: Vec<LrPoint>,
    /// The rate at which the smoothed loss fell fastest; none where it never fell.
    pub suggestion: Option<f64>,
}

/// A step of a range test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LrPoint {
    /// Learning rate.
    pub rate: f64,
    /// Mean loss of the batch.
    pub loss: f64,
    /// Exponential mean of the losses so far, corrected for its start.
    pub smoothed: f64,
}

impl Trainer {
    /// [`lr_find`](Self::lr_find) for async programs.
    ///
    /// Raises the learning rate by the same factor from step to step, up to the end of the range or where the loss blows up
    /// (Smith 2017). The trainer is used up by it: its parameters are those of the test, its run has begun.
    pub async fn lr_find_async(mut self, range: LrRange) -> Result<LrCurve> {
        let LrRange { from, to, steps } = range;
        if !(from > 0.0 && to > from && to.is_finite()) || steps < 10 {
            return Err(Error::Setting {
                what: "the range of learning rates",
                found: format!("{from} to {to} in {steps} steps"),
                expected: "a positive rate and a larger one, in at least 10 steps".into(),
            });
        }
        let mut points: Vec<LrPoint> = Vec::with_capacity(steps);
        let (mut mean, mut lowest) = (0.0, f64::INFINITY);
        for step in 0..steps {
            let rate = from * (to / from).powf(step as f64 / (steps - 1) as f64);
            self.set_learning_rate(rate)?;
            let loss = match self.step_async().await {
                Ok(progress) => progress.loss,
                Err(Error::Diverged { .. }) => break,
                Err(error) => return Err(error),
            };
            mean = SMOOTHING * mean + (1.0 - SMOOTHING) * loss;
            let smoothed = mean / (1.0 - SMOOTHING.powf(step as f64 + 1.0));
            points.push(LrPoint { rate, loss, smoothed });
            lowest = f64::min(lowest, smoothed);
            if smoothed > BLOWN_UP * lowest {
                break;
            }
        }
        let suggestion = steepest(&points);
        Ok(LrCurve { points, suggestion })
    }
}

/// Where the smoothed loss falls fastest over the logarithm of the rate, all steps of which are equal: over a tenth of the
/// points, so that a batch's luck is no slope. Of the first tenth the mean has too little to be smooth.
fn steepest(points: &[LrPoint]) -> Option<f64> {
    let (first, width) = (points.len() / 10, (points.len() / 10).max(3));
    let falls =
        points[first..].windows(width).map(|part| (part[width - 1].smoothed - part[0].smoothed, part[width / 2].rate));
    falls.filter(|(fall, _)| *fall < 0.0).min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, rate)| rate)
}
