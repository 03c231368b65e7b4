//! Metrics of rows that have any number of labels.

use serde::Serialize;

use super::{Counts, Score, average, check_columns, check_probability, check_table, count_rows, ratio};
use crate::error::Result;

/// Metrics of several yes-or-no predictions for each row. A label is predicted if its probability is above one half.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct MultiLabel {
    /// Fraction of all labels of all rows that are correct: 1 - `hamming_loss`.
    pub accuracy: f64,
    /// The score of all labels taken together: `average="micro"`.
    pub micro_average: Score,
    /// Mean over the labels: `average="macro"`.
    pub macro_average: Score,
    /// The score of each label.
    pub labels: Vec<Score>,
}

impl MultiLabel {
    /// From `probabilities` and `truth`, both [rows, labels] by rows.
    ///
    /// # Errors
    /// [`Setting`](crate::Error::Setting) for no labels, [`Shape`](crate::Error::Shape) for no rows and for lists that do not fit,
    /// [`UnfitValue`](crate::Error::UnfitValue) for a probability outside 0 to 1 or NaN.
    pub fn new(probabilities: &[f64], labels: usize, truth: &[bool]) -> Result<Self> {
        check_columns("the number of labels", labels, 1)?;
        check_table(probabilities.len(), count_rows(truth.len(), labels)?, labels)?;
        let (mut counts, mut right) = (vec![Counts::default(); labels], 0);
        for (at, (&p, &actual)) in probabilities.iter().zip(truth).enumerate() {
            check_probability(at / labels, "label", at % labels, p)?;
            let predicted = p > 0.5;
            let count = &mut counts[at % labels];
            count.true_positives += u64::from(predicted && actual);
            count.predicted += u64::from(predicted);
            count.support += u64::from(actual);
            right += u64::from(predicted == actual);
        }
        let sum = |of: fn(&Counts) -> u64| counts.iter().map(of).sum();
        let all = Counts {
            true_positives: sum(|c| c.true_positives),
            predicted: sum(|c| c.predicted),
            support: sum(|c| c.support),
        };
        Ok(Self {
            accuracy: ratio(right, truth.len() as u64),
            micro_average: all.score(),
            macro_average: average(&counts, |_| 1),
            labels: counts.into_iter().map(Counts::score).collect(),
        })
    }
}
