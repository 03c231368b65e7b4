//! Metrics of predictions, as in scikit-learn: [`Classification`] into classes of which each row has one,
//! [`MultiLabel`] for labels of which a row may have any number, [`Regression`] for numbers.
//!
//! In: probabilities or numbers by rows, in f64, and the truth. Out: metrics, ready to be serialised. A softmax, a
//! sigmoid or the unit of a target is the caller's business: nothing here knows of networks or devices. Sums are in
//! f64; the tests compare every metric with scikit-learn's to 1e-12.

mod classification;
mod curves;
mod intervals;
mod multi_label;
mod ranking;
mod regression;

pub use classification::{ClassScore, Classification, TopK};
pub use curves::{CalibrationBin, calibration, roc_curve};
pub use intervals::Intervals;
pub use multi_label::MultiLabel;
pub(crate) use regression::LARGEST;
pub use regression::{Regression, RegressionScore};

use serde::Serialize;

use crate::error::{Error, Result};

/// Scores of a class or label, or the average of several. A quotient with a denominator of 0 is 0: scikit-learn's
/// `zero_division=0`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Score {
    /// Number of rows that have the class; for an average, the sum.
    pub support: u64,
    /// Fraction of the rows with this prediction that have the class.
    pub precision: f64,
    /// Fraction of the rows of the class that have this prediction.
    pub recall: f64,
    /// Harmonic mean of the two.
    pub f1: f64,
}

/// What a score is computed from.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    /// Rows of the class with this prediction.
    true_positives: u64,
    /// Rows with this prediction.
    predicted: u64,
    /// Rows of the class.
    support: u64,
}

impl Counts {
    fn score(self) -> Score {
        let Self { true_positives, predicted, support } = self;
        let (precision, recall) = (ratio(true_positives, predicted), ratio(true_positives, support));
        Score { support, precision, recall, f1: ratio(2 * true_positives, predicted + support) }
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// The mean of the scores, each with its weight; not all weights may be 0.
fn average(counts: &[Counts], weight: fn(&Counts) -> u64) -> Score {
    let whole = counts.iter().map(weight).sum::<u64>() as f64;
    let mean = |score: fn(Score) -> f64| {
        counts.iter().map(|count| weight(count) as f64 * score(count.score())).sum::<f64>() / whole
    };
    Score {
        support: counts.iter().map(|count| count.support).sum(),
        precision: mean(|score| score.precision),
        recall: mean(|score| score.recall),
        f1: mean(|score| score.f1),
    }
}

/// The number of rows of the truth. Refuses none, and a last one that is not whole.
fn count_rows(values: usize, columns: usize) -> Result<usize> {
    if values == 0 || !values.is_multiple_of(columns) {
        let expected = format!("at least one whole row of {columns}");
        return Err(Error::Shape { what: "the list of true values".into(), found: values, expected });
    }
    Ok(values / columns)
}

/// Refuses another number of predicted values than rows times columns.
fn check_table(values: usize, rows: usize, columns: usize) -> Result<()> {
    if rows.checked_mul(columns) == Some(values) {
        return Ok(());
    }
    let expected = format!("{columns} for each of the {rows} true rows");
    Err(Error::Shape { what: "the table of predictions".into(), found: values, expected })
}

/// Refuses a number of classes, labels or outputs below the least.
fn check_columns(what: &'static str, found: usize, least: usize) -> Result<()> {
    if found >= least {
        return Ok(());
    }
    Err(Error::Setting { what, found: found.to_string(), expected: format!("{least} or more") })
}

/// Refuses a number outside [0, 1]. `what` and `column` name the class or label.
fn check_probability(row: usize, what: &str, column: usize, value: f64) -> Result<()> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    let what = format!("the probability of {what} {column}");
    Err(Error::UnfitValue { row, what, found: value.to_string(), expected: "a number in [0, 1]".into() })
}
