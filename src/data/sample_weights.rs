//! What rows count for in training. In: a column of a table, or how often each class occurs. Out: a weight for each
//! class or row, for [`Dataset::with_weights`](crate::data::Dataset::with_weights).

use crate::data::table::Table;
use crate::error::{Error, Result};

impl Table {
    /// Takes the column of this name out of the table, as weights of the rows: numbers of at least 0.
    ///
    /// # Errors
    /// Those of [`numbers`](Self::numbers) and [`take`](Self::take); [`Error::NegativeWeight`] for a number that is
    /// negative, [`Error::NonFinite`] for one that is too large for f32, [`Error::MissingCell`] for one that is
    /// missing.
    pub fn take_weights(&mut self, name: &str) -> Result<Vec<f32>> {
        let weight = |(row, &number): (usize, &f64)| {
            if number < 0.0 {
                let (path, place) = (self.source().into(), self.place(row));
                return Err(Error::NegativeWeight { path, place, column: name.into(), found: number });
            }
            if number.is_nan() {
                return Err(self.missing(name, row));
            }
            let weight = number as f32;
            let too_large = || self.not_finite(name, row, format_args!("{number:e}, a sample weight as f32,"));
            if weight.is_finite() { Ok(weight) } else { Err(too_large()) }
        };
        let weights = self.numbers(name)?.iter().enumerate().map(weight).collect::<Result<_>>()?;
        self.take(name)?;
        Ok(weights)
    }
}

/// A weight for each class that makes all of them count the same: n / (k · n_c) with n rows, n_c of them of class c, and
/// k classes that occur. It is scikit-learn's `compute_class_weight("balanced")`. A class without rows gets 1.
///
/// `targets` are class numbers below `classes`, as an encoder makes them.
///
/// # Panics
/// Where one isn't below `classes`.
#[must_use]
pub fn balanced_class_weights(targets: &[f32], classes: usize) -> Vec<f64> {
    let mut counts = vec![0_usize; classes];
    targets.iter().for_each(|&class| counts[class as usize] += 1);
    let occurring = counts.iter().filter(|&&count| count > 0).count();
    let weight = |count| if count == 0 { 1.0 } else { targets.len() as f64 / (occurring as f64 * count as f64) };
    counts.into_iter().map(weight).collect()
}

/// A weight for each row: its class's one, times its own in `rows` if they have some.
///
/// # Panics
/// Where a target isn't below the number of `classes`, or `rows` has fewer values than `targets`.
#[must_use]
pub fn row_weights(targets: &[f32], classes: &[f64], rows: Option<&[f32]>) -> Vec<f32> {
    let own = |row: usize| rows.map_or(1.0, |rows| f64::from(rows[row]));
    targets.iter().enumerate().map(|(row, &class)| (classes[class as usize] * own(row)) as f32).collect()
}
