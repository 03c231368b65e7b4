//! Prediction intervals of numbers. In: predictions of rows that were not learned, and the truth. Out: how far off the truth is at most, for
//! each coverage.
//!
//! It is split conformal prediction (Vovk, Gammerman and Shafer 2005; Lei, G'Sell, Rinaldo, Tibshirani and Wasserman 2018): of n absolute
//! errors the ⌈(n + 1) c⌉-th smallest is half the width of an interval that covers a new row with a probability of at least c, if
//! that row is drawn as these were and if predictions are the same for all. Rows are taken apart by their predictions first (Mondrian
//! categories, Boström and Johansson 2020), so large numbers may have wider intervals than small ones, and each part keeps the promise.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, count};

/// Rows of a part at the least, where there are several.
const ROWS_OF_PART: usize = 200;
/// Parts at the most.
const MOST_PARTS: usize = 10;

/// Intervals around predicted numbers, for coverages in whole percents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intervals {
    /// Rows that they were made from.
    rows: usize,
    /// The predictions above which the next part begins.
    bounds: Vec<f64>,
    /// Of each part, half the width for each percent from [`LEAST`](Self::LEAST), up to those that its rows can promise.
    half_widths: Vec<Vec<f64>>,
}

impl Intervals {
    /// The least coverage [%].
    pub const LEAST: u8 = 50;
    /// The largest coverage [%].
    pub const MOST: u8 = 99;
    /// The coverage [%] where none is named.
    pub const USUAL: u8 = 90;

    /// From predictions of rows and the truth, in the same unit. `None` where the rows are too few for the least coverage, or an error is not
    /// finite.
    #[must_use]
    pub fn new(predictions: &[f64], truth: &[f64]) -> Option<Self> {
        let mut rows: Vec<_> = predictions.iter().zip(truth).map(|(p, y)| (*p, (p - y).abs())).collect();
        if !rows.iter().all(|(_, error)| error.is_finite()) {
            return None;
        }
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        let parts = (rows.len() / ROWS_OF_PART).clamp(1, MOST_PARTS);
        let mut bounds: Vec<f64> = (1..parts).map(|part| rows[part * rows.len() / parts - 1].0).collect();
        bounds.dedup();
        // The largest prediction bounds nothing.
        bounds.retain(|bound| rows.last().is_some_and(|last| *bound < last.0));
        let mut errors = vec![Vec::new(); bounds.len() + 1];
        rows.iter().for_each(|(p, error)| errors[part_of(&bounds, *p)].push(*error));
        let half_widths: Vec<_> = errors.into_iter().map(half_widths).collect();
        half_widths.iter().all(|part| !part.is_empty()).then_some(Self { rows: rows.len(), bounds, half_widths })
    }

    /// Rows that they were made from.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The largest coverage [%] that all parts can promise.
    #[must_use]
    pub fn most(&self) -> u8 {
        let shortest = self.half_widths.iter().map(Vec::len).min().unwrap_or(0);
        Self::LEAST + shortest.min(usize::from(Self::MOST - Self::LEAST + 1)) as u8 - 1
    }

    /// Refuses a coverage [%] that they do not have.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub fn check(&self, percent: u8) -> Result<()> {
        if (Self::LEAST..=self.most()).contains(&percent) {
            return Ok(());
        }
        let expected = format!(
            "{} to {}, which the {} rows that the network did not learn can promise",
            Self::LEAST,
            self.most(),
            count(self.rows as u64)
        );
        Err(Error::Setting { what: "interval", found: percent.to_string(), expected })
    }

    /// The least and the largest half of a width, for a coverage [%] that [`check`](Self::check) takes.
    #[must_use]
    pub fn range(&self, percent: u8) -> [f64; 2] {
        let at = self.place(percent);
        let widths = || self.half_widths.iter().map(|part| part[at]);
        [widths().fold(f64::INFINITY, f64::min), widths().fold(0.0, f64::max)]
    }

    /// Half the width of the interval around a prediction, for a coverage [%] that [`check`](Self::check) takes.
    #[must_use]
    pub fn half_width(&self, prediction: f64, percent: u8) -> f64 {
        self.half_widths[part_of(&self.bounds, prediction)][self.place(percent)]
    }

    /// Where a coverage [%] stands among the half widths of every part.
    fn place(&self, percent: u8) -> usize {
        usize::from(percent.clamp(Self::LEAST, self.most()) - Self::LEAST)
    }
}

/// A prediction on a bound is in the part below it.
fn part_of(bounds: &[f64], prediction: f64) -> usize {
    bounds.partition_point(|bound| *bound < prediction)
}

/// Half the width for each percent that so many errors can promise.
fn half_widths(mut errors: Vec<f64>) -> Vec<f64> {
    errors.sort_by(f64::total_cmp);
    let rank = |percent: u8| ((errors.len() + 1) * usize::from(percent)).div_ceil(100);
    (Intervals::LEAST..=Intervals::MOST).map_while(|percent| errors.get(rank(percent) - 1).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::Intervals;

    /// Numbers in [0, 1) that look drawn.
    fn drawn(seed: u64) -> impl Iterator<Item = f64> {
        (1_u64..).map(move |i| {
            let mut z = seed.wrapping_add(i.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
        })
    }

    /// Rows whose errors grow with the prediction, and are skewed.
    fn rows(seed: u64, count: usize) -> (Vec<f64>, Vec<f64>) {
        let draws: Vec<_> = drawn(seed).take(2 * count).collect();
        draws.chunks_exact(2).map(|row| (10.0 * row[0], 10.0 * row[0] * (1.0 - row[1].ln()))).unzip()
    }

    /// For small and for large predictions as many new rows as promised; the standard deviation for 5 parts of 400 rows is 0.011 at most.
    #[test]
    fn intervals_cover_as_they_promise() {
        let (predictions, truth) = rows(1, 4000);
        let intervals = Intervals::new(&predictions, &truth).expect("rows enough");
        let (new, new_truth) = rows(2, 20_000);
        for percent in [50, 80, 90, 99] {
            for large in [false, true] {
                let of = |(p, y): (&f64, &f64)| {
                    ((*p > 5.0) == large).then(|| (p - y).abs() <= intervals.half_width(*p, percent))
                };
                let covered: Vec<bool> = new.iter().zip(&new_truth).filter_map(of).collect();
                let share = covered.iter().filter(|yes| **yes).count() as f64 / covered.len() as f64;
                let wanted = f64::from(percent) / 100.0;
                assert!((share - wanted).abs() < 0.03, "{percent} %, large {large}: {share}");
            }
        }
        assert!(intervals.half_width(9.0, 90) > 5.0 * intervals.half_width(1.0, 90));
    }

    /// Over all draws of n rows the promise is met exactly: 9 errors have 9 ranks for a tenth.
    #[test]
    fn ranks_are_those_of_n_plus_one() {
        let truth: Vec<f64> = (1..=9).map(f64::from).collect();
        let intervals = Intervals::new(&[0.0; 9], &truth).expect("rows enough");
        assert_eq!((intervals.half_width(0.0, 50), intervals.half_width(0.0, 81)), (5.0, 9.0));
        assert_eq!((intervals.most(), intervals.rows()), (90, 9));
        assert!(intervals.check(90).is_ok());
        let error = intervals.check(91).expect_err("9 rows cannot").to_string();
        assert!(error.contains("50 to 90"), "{error}");
    }

    #[test]
    fn no_rows_promise_nothing() {
        assert_eq!(Intervals::new(&[], &[]), None);
        assert_eq!(Intervals::new(&[f64::NAN, 1.0], &[1.0, 1.0]), None);
        // Equal predictions are one part.
        let many = Intervals::new(&[3.0; 1000], &[4.0; 1000]).expect("rows enough");
        assert_eq!((many.half_width(3.0, 99), many.bounds.len()), (1.0, 0));
    }
}
