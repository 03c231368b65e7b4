//! Timing of steps: warmed up, with the device's work inside the interval, as a median with its spread.

use std::collections::VecDeque;

use serde::Serialize;
use web_time::Instant;

use crate::backend::{Backend, MAX_IN_FLIGHT};
use crate::error::Result;
use crate::kernels::Step;

/// Seconds that a submission should take, as in training.
const SUBMISSION: f64 = 0.02;
/// Repetitions of a measurement, while its time lasts.
const MOST: usize = 7;
/// Repetitions of a measurement at least.
const LEAST: usize = 3;

/// A number of things a second, from several repetitions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rate {
    /// The middle one, or the mean of the two in the middle.
    pub median: f64,
    /// The slowest repetition.
    pub least: f64,
    /// The fastest repetition.
    pub most: f64,
    /// How many there were.
    pub repetitions: usize,
}

impl Rate {
    fn new(mut rates: Vec<f64>) -> Self {
        rates.sort_by(f64::total_cmp);
        let at = |index: usize| rates.get(index).copied().unwrap_or(f64::NAN);
        let repetitions = rates.len();
        let median = median(&rates);
        Self { median, least: at(0), most: at(repetitions.saturating_sub(1)), repetitions }
    }

    /// The same in another unit.
    pub(super) fn times(self, factor: f64) -> Self {
        let Self { median, least, most, repetitions } = self;
        Self { median: median * factor, least: least * factor, most: most * factor, repetitions }
    }
}

/// Of sorted values.
pub(super) fn median(sorted: &[f64]) -> f64 {
    let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
    (at(sorted.len().saturating_sub(1) / 2) + at(sorted.len() / 2)) / 2.0
}

/// Steps a second of the plan's first pass, which has run once already, measured for about `seconds`: more where three steps take longer.
pub(super) async fn time<B: Backend>(backend: &mut B, seconds: f64) -> Result<Rate> {
    let share = seconds / MOST as f64;
    // Longer and longer, until the cost of a step is known; the first runs warm up.
    let mut steps = 1;
    let mut per_step = run(backend, 1, steps).await?;
    // The check before has been the warm-up of a step that takes longer than its share.
    let mut rates = if per_step > share { vec![1.0 / per_step] } else { Vec::new() };
    while per_step * (steps as f64) < share.min(SUBMISSION) {
        steps *= 4;
        per_step = run(backend, chunk(per_step), steps).await? / steps as f64;
    }
    let steps = (share / per_step).ceil().max(1.0) as usize;
    let started = Instant::now();
    while rates.len() < LEAST || (rates.len() < MOST && started.elapsed().as_secs_f64() < seconds) {
        rates.push(steps as f64 / run(backend, chunk(per_step), steps).await?);
    }
    Ok(Rate::new(rates))
}

/// Steps of a submission.
fn chunk(per_step: f64) -> usize {
    (SUBMISSION / per_step.max(1e-9)) as usize
}

/// Seconds of `steps` steps, `chunk` to a submission as far as the plan allows, the device's work included.
async fn run<B: Backend>(backend: &mut B, chunk: usize, steps: usize) -> Result<f64> {
    let chunk = chunk.clamp(1, backend.plan().slots);
    // Each takes its rows in an order of its own, as the steps of an epoch take rows of their own.
    let records: Vec<_> = (0..chunk as u32).map(|key| (0, Step { key, ..Step::default() })).collect();
    let started = Instant::now();
    let (mut left, mut in_flight) = (steps, VecDeque::new());
    while left > 0 || !in_flight.is_empty() {
        if left > 0 && in_flight.len() < MAX_IN_FLIGHT {
            let now = left.min(chunk);
            backend.submit(&records[..now])?;
            in_flight.push_back(now);
            left -= now;
        } else {
            backend.collect().await?;
            in_flight.pop_front();
        }
    }
    Ok(started.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_the_median_with_its_spread() {
        let rate = Rate::new(vec![3.0, 1.0, 2.0, 10.0]);
        assert_eq!(rate, Rate { median: 2.5, least: 1.0, most: 10.0, repetitions: 4 });
        assert_eq!(Rate::new(vec![3.0, 1.0, 2.0]).median, 2.0);
        assert_eq!(rate.times(2.0), Rate { median: 5.0, least: 2.0, most: 20.0, repetitions: 4 });
        assert!(Rate::new(vec![]).median.is_nan());
    }
}
