//! Splits of the rows into a training and a test (or validation) part. In: numbers of rows, a fraction, a
//! seed. Out: row numbers; no data is touched.

use super::random::NumpyRandom;
use crate::error::{Error, Result};

/// Row numbers of the two parts, counted from 0 and in the order in which the rows are to be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Rows to learn from; never empty.
    pub train: Vec<usize>,
    /// Rows held out; empty where the fraction was 0.
    pub test: Vec<usize>,
}

/// Splits `rows` rows as scikit-learn's `train_test_split(test_size=test_fraction, random_state=seed)`
/// does: of a permutation of the rows, the first ⌈fraction · rows⌉ are the test part and the others, in
/// that order, the training part. A fraction of 0 leaves all rows in the training part, in file order.
///
/// `setting` names the fraction in messages, as the user knows it (`--test-fraction`).
///
/// # Errors
/// [`Error::Setting`] for a fraction outside [0, 1), and for one that leaves no row to train on.
pub fn train_test_split(rows: usize, test_fraction: f64, seed: u32, setting: &'static str) -> Result<Split> {
    let unfit = |expected: String| Error::Setting { what: setting, found: test_fraction.to_string(), expected };
    if !(0.0..1.0).contains(&test_fraction) {
        return Err(unfit("a fraction from 0 to less than 1".into()));
    }
    let held_out = (test_fraction * rows as f64).ceil() as usize;
    if held_out >= rows {
        return Err(unfit(format!("one that leaves rows to train on, of {rows} in all")));
    }
    if held_out == 0 {
        return Ok(Split { train: (0..rows).collect(), test: Vec::new() });
    }
    let mut test = NumpyRandom::new(seed).permutation(rows);
    let train = test.split_off(held_out);
    Ok(Split { train, test })
}
