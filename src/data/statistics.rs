//! Figures of a column.

use super::table::Table;
use crate::error::Result;

/// Those that are not missing.
pub(super) fn present(values: &[f64]) -> Vec<f64> {
    values.iter().copied().filter(|value| !value.is_nan()).collect()
}

/// The median of numbers that are no NaN, whose order it changes: of an even count the mean of the two in the middle.
pub(super) fn median(values: &mut [f64]) -> Option<f64> {
    let middle = values.len().checked_sub(1)? / 2;
    let even = values.len().is_multiple_of(2);
    let (_, &mut lower, above) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = if even { above.iter().copied().reduce(f64::min)? } else { lower };
    Some(lower / 2.0 + upper / 2.0) // their sum could overflow
}

/// Mean and population standard deviation of values, which the given rows have, the mean with a second pass for its
/// rounding; scale 1 where the variance is within rounding of 0. That bound is `_is_constant_feature` in
/// scikit-learn's `preprocessing/_data.py`.
pub(super) fn mean_and_scale(table: &Table, column: &str, rows: &[usize], values: &[f64]) -> Result<(f64, f64)> {
    let count = values.len() as f64;
    let rough = values.iter().sum::<f64>() / count;
    let mean = rough + values.iter().map(|value| value - rough).sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    if !(mean.is_finite() && variance.is_finite()) {
        let widest = widest(values);
        let found = format_args!("{:e}, squared for the variance,", values[widest]);
        return Err(table.not_finite(column, rows[widest], found));
    }
    let rounding = count * f64::EPSILON * variance + (count * mean * f64::EPSILON).powi(2);
    Ok((mean, if variance <= rounding { 1.0 } else { variance.sqrt() }))
}

/// Median and the difference of the quartiles of values, which the given rows have; where that is 0, half of what the values span. The
/// quartiles are those of numpy's `quantile`.
pub(super) fn median_and_scale(table: &Table, column: &str, rows: &[usize], values: &[f64]) -> Result<(f64, f64)> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let (median, scale) = robust(sorted.len(), |at| sorted[at]);
    let half = sorted[sorted.len() - 1] / 2.0 - sorted[0] / 2.0;
    if !(scale.is_finite() && half.is_finite()) {
        let widest = widest(values);
        return Err(table.not_finite(column, rows[widest], format_args!("{:e}, less another one,", values[widest])));
    }
    Ok((median, scale))
}

/// The same of so many values, at least one, in ascending order; 1 where they are all the same.
pub(super) fn robust(count: usize, sorted: impl Fn(usize) -> f64) -> (f64, f64) {
    let quarters = |part: usize| quantile(count, &sorted, [part, 4]);
    let scale = match (quarters(3) - quarters(1), sorted(count - 1) / 2.0 - sorted(0) / 2.0) {
        (0.0, 0.0) => 1.0,
        (0.0, half) => half,
        (scale, _) => scale,
    };
    (quarters(2), scale)
}

/// The quantile of `part` of `parts` of so many values, at least one, in ascending order, as numpy's `quantile` has it: on the line between
/// the two values next to it. Its place among them is exact.
pub(super) fn quantile(count: usize, sorted: impl Fn(usize) -> f64, [part, parts]: [usize; 2]) -> f64 {
    let last = count - 1;
    let place = last as u128 * part as u128;
    let (at, rest) = ((place / parts as u128) as usize, (place % parts as u128) as f64);
    let (below, above) = (sorted(at), sorted((at + 1).min(last)));
    below + (above - below) * (rest / parts as f64)
}

/// Where the value that is farthest from 0 stands; a missing one is at 0.
pub(super) fn widest(values: &[f64]) -> usize {
    let size = |at: usize| if values[at].is_nan() { 0.0 } else { values[at].abs() };
    (0..values.len()).max_by(|&a, &b| size(a).total_cmp(&size(b))).unwrap_or(0)
}
