//! Which rows are for training, validation and testing.

use std::borrow::Cow;

use super::splits::Splits;
use crate::data::{
    Split, Table, blocks, group_folds, group_split, last_split, random_folds, stratified_split, train_test_split,
};
use crate::error::{Error, Result, set, setting};
use crate::train::Budget;

/// What rows are shared out by.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SplitBy {
    /// At random, as many of each class in each part as there can be.
    Random,
    /// The last rows of the table are held out.
    Last,
    /// The latest rows by a column of numbers or dates are held out.
    Time(String),
    /// Rows with the same cell in a column stay together.
    Group(String),
    /// The last of these rows are held out.
    Order(Vec<usize>),
    /// Rows of a group stay together: the group of each row.
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
    /// The column that says how rows are split.
    #[must_use]
    pub fn column(&self) -> Option<&str> {
        if let Self::Time(column) | Self::Group(column) = self { Some(column) } else { None }
    }

    /// The column of groups.
    pub(super) fn group(&self) -> Option<&str> {
        if let Self::Group(column) = self { Some(column) } else { None }
    }

    /// Draws the rows of each split: the test rows first, the validation rows from what remains. `classes`: of every row.
    ///
    /// # Errors
    /// [`Error::Setting`] for fractions outside [0, 1) and for too few rows or groups; [`Error::MissingColumns`] and what else a
    /// column that is to split the rows may lack.
    pub fn split(&self, sizes: SplitSizes, table: &Table, classes: Option<&[usize]>) -> Result<Splits<Vec<usize>>> {
        self.by_rows(table)?.split_rows(sizes, table.rows(), classes)
    }

    /// Cuts rows that [`split`](Self::split) has drawn for training into folds: at random, whole groups, or one after the other in their
    /// order. `classes`: of every row.
    ///
    /// # Errors
    /// [`Error::Setting`] for fewer than 2 folds, and for more than rows, groups, or rows of a class.
    pub fn folds(
        &self,
        rows: &[usize],
        count: usize,
        seed: u32,
        table: &Table,
        classes: Option<&[usize]>,
    ) -> Result<Vec<Vec<usize>>> {
        let of = |all: &[usize]| rows.iter().map(|&row| all[row]).collect::<Vec<_>>();
        let classes = classes.map(of);
        let folds = match &*self.by_rows(table)? {
            Self::Order(_) => blocks(rows.len(), count)?,
            Self::Groups(groups) => group_folds(&of(groups), classes.as_deref(), count, seed)?,
            _ => random_folds(rows.len(), classes.as_deref(), count, seed)?,
        };
        Ok(folds.into_iter().map(|fold| fold.into_iter().map(|place| rows[place]).collect()).collect())
    }

    /// The same by rows, where it is by a column.
    fn by_rows(&self, table: &Table) -> Result<Cow<'_, Self>> {
        Ok(match self {
            Self::Last => Cow::Owned(Self::Order((0..table.rows()).collect())),
            Self::Time(column) => Cow::Owned(Self::Order(table.rows_by_time(column)?)),
            Self::Group(column) => Cow::Owned(Self::Groups(table.groups(column)?)),
            Self::Random | Self::Order(_) | Self::Groups(_) => Cow::Borrowed(self),
        })
    }

    fn split_rows(&self, sizes: SplitSizes, rows: usize, classes: Option<&[usize]>) -> Result<Splits<Vec<usize>>> {
        let all = match self {
            Self::Order(order) => order.clone(),
            _ => (0..rows).collect(),
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
            (Self::Order(_), _) => last_split(rows.len(), fraction)?,
            (Self::Groups(groups), _) => group_split(&of(groups), classes.as_deref(), fraction, seed)?,
            (_, Some(classes)) => stratified_split(classes, fraction, seed)?,
            (_, None) => train_test_split(rows.len(), fraction, seed)?,
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
