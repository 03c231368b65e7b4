//! Which rows are for training, validation and testing.

use super::splits::Splits;
use crate::data::{Split, group_split, last_split, stratified_split, train_test_split};
use crate::error::{Error, Result, set, setting};
use crate::train::Budget;

/// What rows are shared out by.
#[derive(Clone, Debug)]
pub enum SplitBy {
    /// At random, as many of each class in each part as there can be.
    Random,
    /// The last of these rows are held out.
    Order(Vec<usize>),
    /// Rows of a group stay together.
    Groups(Vec<usize>),
}

/// How large the splits are.
#[derive(Clone, Copy, Debug)]
pub struct SplitSizes {
    /// Part of all rows that is for testing, in [0, 1).
    pub test: f64,
    /// Part of the remaining rows that is for validation, in [0, 1); None where their number decides ([`Budget::validation_fraction`]).
    pub validation: Option<f64>,
    /// Seed of the draw.
    pub seed: u32,
}

impl SplitBy {
    /// Draws the rows of each split: the test rows first, the validation rows from what remains. `classes`: of every row.
    ///
    /// # Errors
    /// [`Error::Setting`] for fractions outside [0, 1) and for too few rows or groups.
    pub fn split(&self, sizes: SplitSizes, rows: usize, classes: Option<&[usize]>) -> Result<Splits<Vec<usize>>> {
        let all = match self {
            Self::Order(order) => order.clone(),
            Self::Random | Self::Groups(_) => (0..rows).collect(),
        };
        let outer = self.cut(&all, sizes.test, sizes.seed, classes).map_err(named("test_fraction"))?;
        let fraction = match sizes.validation {
            Some(fraction) => fraction,
            None if self.is_single(&outer.train) => 0.0,
            None => Budget::validation_fraction(outer.train.len()),
        };
        let inner = self.cut(&outer.train, fraction, sizes.seed, classes).map_err(named("validation_fraction"))?;
        let some = |rows: Vec<usize>| (!rows.is_empty()).then_some(rows);
        Ok(Splits { train: inner.train, validation: some(inner.test), test: some(outer.test) })
    }

    /// Splits some of the rows.
    fn cut(&self, rows: &[usize], fraction: f64, seed: u32, classes: Option<&[usize]>) -> Result<Split> {
        let of = |all: &[usize]| rows.iter().map(|&row| all[row]).collect::<Vec<_>>();
        let classes = classes.map(of);
        let split = match (self, &classes) {
            (Self::Random, Some(classes)) => stratified_split(classes, fraction, seed)?,
            (Self::Random, None) => train_test_split(rows.len(), fraction, seed)?,
            (Self::Order(_), _) => last_split(rows.len(), fraction)?,
            (Self::Groups(groups), _) => group_split(&of(groups), classes.as_deref(), fraction, seed)?,
        };
        let pick = |places: Vec<usize>| places.into_iter().map(|place| rows[place]).collect();
        Ok(Split { train: pick(split.train), test: pick(split.test) })
    }

    /// Whether all these rows are of one group.
    fn is_single(&self, rows: &[usize]) -> bool {
        matches!(self, Self::Groups(groups) if rows.iter().all(|&row| groups[row] == groups[rows[0]]))
    }
}

/// An error of a split, for rows that the setting `fraction` cuts off.
fn named(fraction: &'static str) -> impl Fn(Error) -> Error {
    move |error| match error {
        Error::Setting { what: "test_fraction", found, expected } => Error::Setting { what: fraction, found, expected },
        Error::Setting { what: what @ "group", found, .. } => {
            let expected = format!("at least one group for each part, or {}", set(fraction, "0"));
            Error::Setting { what, found: format!("{found} for {}", setting(fraction)), expected }
        }
        other => other,
    }
}
