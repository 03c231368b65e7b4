//! Rows in folds: each is held out once, while the others are learned.

use std::collections::HashMap;

use crate::data::{NumpyRandom, Table, class_numbers};
use crate::error::{Error, Result, set, setting, shorten};
use crate::pipeline::{Estimator, SplitBy, SplitSizes, Splits};

/// The rows of each fold, and those that are for testing alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folds {
    /// The rows of each fold, counted from 0 in their table.
    folds: Vec<Vec<usize>>,
    /// The rows that are in none.
    test: Vec<usize>,
}

/// What says which fold a row is in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FoldBy {
    /// Rows are dealt into so many folds: [`Folds::new`].
    Number(usize),
    /// A column of the table, which is no feature: [`Folds::of_column`].
    Column(String),
}

impl FoldBy {
    /// The column that says it.
    #[must_use]
    pub fn column(&self) -> Option<&str> {
        if let Self::Column(column) = self { Some(column) } else { None }
    }
}

impl Folds {
    /// The folds that are asked for.
    ///
    /// # Errors
    /// Those of [`new`](Self::new) and [`of_column`](Self::of_column).
    pub fn by(by: &FoldBy, estimator: &Estimator, table: &Table) -> Result<Self> {
        match by {
            FoldBy::Number(folds) => Self::new(estimator, table, *folds),
            FoldBy::Column(column) => Self::of_column(estimator, table, column),
        }
    }

    /// Rows with the same cell in a column are a fold, as far as the estimator does not keep them for testing.
    ///
    /// # Errors
    /// [`Error::Setting`] for a column with a single cell, for a fold without rows and for a group that is in two folds; what else
    /// the column may lack.
    pub fn of_column(estimator: &Estimator, table: &Table, column: &str) -> Result<Self> {
        let refused =
            |what, found: String, expected: &str| Err(Error::Setting { what, found, expected: expected.into() });
        if column == estimator.target {
            return refused("fold_column", format!("`{}`", shorten(column)), "another column than the target");
        }
        let folds = table.groups(column)?;
        let texts = table.column_of(column)?.to_texts();
        let label = |row: usize| shorten(texts.get(row).unwrap_or_default());
        if let SplitBy::Group(name) = &estimator.split_by {
            let mut first = HashMap::new();
            for (row, group) in table.groups(name)?.into_iter().enumerate() {
                let known = *first.entry(group).or_insert(row);
                if folds[known] != folds[row] {
                    let groups = table.column_of(name)?.to_texts();
                    let (name, group) = (shorten(name), shorten(groups.get(row).unwrap_or_default()));
                    let found =
                        format!("`{name}`, whose `{group}` is in the folds `{}` and `{}`", label(known), label(row));
                    return refused("group", found, "no group in two folds");
                }
            }
        }
        let classes = Self::classes(estimator, table)?;
        let outer = Self::outer(estimator, table, classes.as_deref())?;
        let (rows, test) = (outer.train, outer.test.unwrap_or_default());
        let mut all = vec![Vec::new(); folds.iter().max().map_or(0, |most| most + 1)];
        rows.iter().for_each(|&row| all[folds[row]].push(row));
        all.iter_mut().for_each(|fold| fold.sort_unstable());
        all.retain(|fold| !fold.is_empty());
        if all.len() < 2 {
            return refused("fold_column", format!("`{}`, which makes a single fold", shorten(column)), "at least two");
        }
        Ok(Self { folds: all, test })
    }

    /// The class of each row of the table, where folds are to share them out.
    fn classes(estimator: &Estimator, table: &Table) -> Result<Option<Vec<usize>>> {
        match estimator.stratify {
            true => class_numbers(table, &estimator.target, estimator.task),
            false => Ok(None),
        }
    }

    /// The rows that are for testing, and the others.
    fn outer(estimator: &Estimator, table: &Table, classes: Option<&[usize]>) -> Result<Splits<Vec<usize>>> {
        let sizes = SplitSizes { validation: Some(0.0), ..estimator.split_sizes() };
        estimator.split_by.split(sizes, table, classes)
    }

    /// Deals the rows of a table that the estimator does not keep for testing into so many folds. Of classes each fold has as many of
    /// each as it can; of groups (`Estimator::split_by`) each is in one fold.
    ///
    /// # Errors
    /// [`Error::Setting`] for fewer than two folds, for more folds than rows of a class, than groups or than rows, and for rows that are
    /// split by their order.
    pub fn new(estimator: &Estimator, table: &Table, folds: usize) -> Result<Self> {
        let refused = |found: String, expected: String| Error::Setting { what: "folds", found, expected };
        if folds < 2 {
            return Err(refused(folds.to_string(), "at least 2".into()));
        }
        let classes = Self::classes(estimator, table)?;
        let outer = Self::outer(estimator, table, classes.as_deref())?;
        let (rows, test) = (outer.train, outer.test.unwrap_or_default());
        if folds > rows.len() {
            return Err(refused(folds.to_string(), format!("at most {}, the number of rows", rows.len())));
        }
        let groups = match &estimator.split_by {
            SplitBy::Group(column) => Some(table.groups(column)?),
            SplitBy::Groups(groups) => Some(groups.clone()),
            SplitBy::Random => None,
            SplitBy::Last | SplitBy::Time(_) | SplitBy::Order(_) => {
                let found = format!("{folds} beside rows that are split by their order");
                return Err(refused(found, format!("{}, or groups", set("split", "random"))));
            }
        };
        let seed = estimator.split_sizes().seed;
        let folds = match (&groups, &classes) {
            (Some(groups), _) => whole(&rows, groups, folds, seed).map_err(|count| {
                let expected = format!("at most {count}, the number of groups of {}", setting("group"));
                refused(folds.to_string(), expected)
            })?,
            (None, Some(classes)) => match stratified(&rows, classes, folds, seed) {
                Ok(folds) => folds,
                Err((count, row)) => {
                    let texts = table.column_of(&estimator.target)?.to_texts();
                    let class = shorten(texts.get(row).unwrap_or_default());
                    let expected = format!("at most {count}, the number of rows of class `{class}`");
                    return Err(refused(folds.to_string(), expected));
                }
            },
            (None, None) => {
                let mut random = NumpyRandom::new(seed);
                let order = random.permutation(rows.len()).into_iter().map(|at| rows[at]);
                dealt(order, folds)
            }
        };
        Ok(Self { folds, test })
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.folds.len()
    }

    /// Never: there are at least two.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.folds.is_empty()
    }

    /// The rows of a fold.
    #[must_use]
    pub fn rows(&self, fold: usize) -> &[usize] {
        &self.folds[fold]
    }

    /// The estimator with the rows of this fold for validation and those of the others for training. A column by which rows are
    /// grouped has to be taken out of the table, unless it is a feature.
    pub fn apply(&self, estimator: Estimator, fold: usize) -> Estimator {
        let others = self.folds.iter().enumerate().filter(|(at, _)| *at != fold).flat_map(|(_, rows)| rows);
        let mut order: Vec<usize> = others.copied().collect();
        // In the table's order, as every split without a draw has its rows.
        order.sort_unstable();
        let (train, held_out, test) = (order.len(), self.folds[fold].len(), self.test.len());
        order.extend(self.folds[fold].iter().chain(&self.test));
        estimator
            .split_by(SplitBy::Order(order))
            .test_fraction(fraction(test, train + held_out + test))
            .validation_fraction(fraction(held_out, train + held_out))
    }
}

/// A fraction of the rows of which a split makes exactly so many.
fn fraction(part: usize, rows: usize) -> f64 {
    if part == 0 { 0.0 } else { (part as f64 - 0.5) / rows as f64 }
}

/// Rows one after the other into one fold after the other; each fold in the table's order.
fn dealt(rows: impl Iterator<Item = usize>, folds: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new(); folds];
    rows.enumerate().for_each(|(at, row)| all[at % folds].push(row));
    all.iter_mut().for_each(|fold| fold.sort_unstable());
    all
}

/// The rows of each class dealt one after the other, so that neither classes nor folds differ by more than a row. An error is the number
/// of rows of a class that has too few, and one of them.
fn stratified(rows: &[usize], classes: &[usize], folds: usize, seed: u32) -> Result<Vec<Vec<usize>>, (usize, usize)> {
    let mut members = vec![Vec::new(); classes.iter().max().map_or(0, |most| most + 1)];
    rows.iter().for_each(|&row| members[classes[row]].push(row));
    members.retain(|rows| !rows.is_empty());
    if let Some(few) = members.iter().filter(|rows| rows.len() < folds).min_by_key(|rows| rows.len()) {
        return Err((few.len(), few[0]));
    }
    let mut random = NumpyRandom::new(seed);
    let shuffled = members.iter().flat_map(|rows| {
        let order = random.permutation(rows.len());
        order.into_iter().map(|at| rows[at]).collect::<Vec<_>>()
    });
    Ok(dealt(shuffled, folds))
}

/// Whole groups, the largest first, each into the fold that has the fewest rows: scikit-learn's `GroupKFold`, with equal groups in a
/// drawn order. An error is the number of groups, where that are too few.
fn whole(rows: &[usize], groups: &[usize], folds: usize, seed: u32) -> Result<Vec<Vec<usize>>, usize> {
    let (mut places, mut members) = (HashMap::new(), Vec::<Vec<usize>>::new());
    for &row in rows {
        let place = *places.entry(groups[row]).or_insert(members.len());
        if place == members.len() {
            members.push(Vec::new());
        }
        members[place].push(row);
    }
    if members.len() < folds {
        return Err(members.len());
    }
    let mut order = NumpyRandom::new(seed).permutation(members.len());
    order.sort_by_key(|&group| std::cmp::Reverse(members[group].len()));
    let mut all = vec![Vec::new(); folds];
    for group in order {
        let least = (0..folds).min_by_key(|&fold: &usize| all[fold].len()).unwrap_or(0);
        let fold: &mut Vec<usize> = &mut all[least];
        fold.append(&mut members[group]);
    }
    all.iter_mut().for_each(|fold| fold.sort_unstable());
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Cells, Column};

    fn table(rows: usize) -> Table {
        let number = |name, of: fn(usize) -> f64| Column::new(name, Cells::Number((0..rows).map(of).collect()));
        // Classes 2 : 1, and groups of four rows.
        let classes = Column::new("class", Cells::Text((0..rows).map(|i| Some(["a", "b", "a"][i % 3])).collect()));
        Table::new("t", vec![number("x", |i| i as f64), number("g", |i| (i / 4) as f64), classes]).unwrap()
    }

    fn sorted(folds: &Folds) -> Vec<usize> {
        let mut all: Vec<usize> = folds.folds.iter().flatten().chain(&folds.test).copied().collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn each_row_is_held_out_once() {
        let table = table(31);
        for estimator in [
            Estimator::new("x").test_fraction(0.0),
            Estimator::new("class").test_fraction(0.2),
            Estimator::new("class").test_fraction(0.1).split_by(SplitBy::Group("g".into())),
        ] {
            let folds = Folds::new(&estimator, &table, 3).unwrap();
            assert_eq!(folds.len(), 3);
            assert_eq!(sorted(&folds), (0..31).collect::<Vec<_>>());
            assert_eq!(folds, Folds::new(&estimator, &table, 3).unwrap());
            for fold in 0..3 {
                let mut table = table.clone();
                estimator.column_apart().map(|column| table.take(column).unwrap());
                let splits = folds.apply(estimator.clone().epochs(1), fold).prepare(table).unwrap().splits;
                assert_eq!(splits.validation.as_deref(), Some(folds.rows(fold)));
                assert_eq!(splits.test.unwrap_or_default(), folds.test);
                assert_eq!(splits.train.len() + folds.rows(fold).len() + folds.test.len(), 31);
            }
        }
        let other = Folds::new(&Estimator::new("x").test_fraction(0.0).split_seed(1), &table, 3).unwrap();
        assert_ne!(other, Folds::new(&Estimator::new("x").test_fraction(0.0), &table, 3).unwrap());
    }

    #[test]
    fn classes_are_shared_out_and_groups_stay_together() {
        let table = table(60);
        let folds = Folds::new(&Estimator::new("class").test_fraction(0.0), &table, 5).unwrap();
        for fold in 0..5 {
            let b = folds.rows(fold).iter().filter(|&&row| row % 3 == 1).count();
            assert_eq!((folds.rows(fold).len(), b), (12, 4));
        }
        let by_group = Estimator::new("class").test_fraction(0.0).split_by(SplitBy::Group("g".into()));
        let folds = Folds::new(&by_group, &table, 5).unwrap();
        let fold_of = |row: usize| (0..5).find(|&fold| folds.rows(fold).contains(&row)).unwrap();
        assert!((0..60).all(|row| fold_of(row) == fold_of(row / 4 * 4)));
        assert!((0..5).all(|fold| folds.rows(fold).len() == 12));
    }

    #[test]
    fn too_many_folds_are_refused() {
        let table = table(9);
        let error = |estimator: Estimator, folds| {
            Folds::new(&estimator.test_fraction(0.0), &table, folds).unwrap_err().to_string()
        };
        assert!(error(Estimator::new("x"), 1).contains("at least 2"));
        assert!(error(Estimator::new("x"), 10).contains("at most 9, the number of rows"));
        assert!(error(Estimator::new("class"), 4).contains("at most 3, the number of rows of class `b`"));
        let grouped = Estimator::new("x").split_by(SplitBy::Group("g".into()));
        assert!(error(grouped, 4).contains("at most 3, the number of groups"));
        assert!(error(Estimator::new("x").split_by(SplitBy::Last), 3).contains("split by their order"));
    }
}
