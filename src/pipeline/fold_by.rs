//! Which fold each training row is in.

use std::collections::HashMap;
use std::ops::Range;

use super::split_by::SplitBy;
use super::splits::Splits;
use crate::data::Table;
use crate::error::{Error, Result, shorten};

/// What says which fold a row is in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FoldBy {
    /// So many folds, drawn as [`SplitBy`] says: [`SplitBy::folds`].
    Number(usize),
    /// A column of the table, which is no feature: rows with the same cell are a fold.
    Column(String),
}

/// The training rows fold by fold, and where each fold stands among them.
#[derive(Clone)]
pub(super) struct InFolds {
    pub splits: Splits<Vec<usize>>,
    pub folds: Vec<Range<usize>>,
}

impl FoldBy {
    /// The column that says it.
    #[must_use]
    pub fn column(&self) -> Option<&str> {
        if let Self::Column(column) = self { Some(column) } else { None }
    }

    /// Puts the training rows into folds. `classes`: of every row of the table.
    pub(super) fn apply(
        &self,
        rows: Splits<Vec<usize>>,
        split_by: &SplitBy,
        seed: u32,
        table: &Table,
        target: &str,
        classes: Option<&[usize]>,
    ) -> Result<InFolds> {
        let folds = match self {
            Self::Number(count) => {
                if let (SplitBy::Random, Some(classes)) = (split_by, classes) {
                    check_classes(&rows.train, *count, table, target, classes)?;
                }
                split_by.folds(&rows.train, *count, seed, table, classes)?
            }
            Self::Column(column) => of_column(&rows.train, column, split_by, table, target)?,
        };
        let mut end = 0;
        let range = |fold: &Vec<usize>| {
            end += fold.len();
            end - fold.len()..end
        };
        let ranges = folds.iter().map(range).collect();
        Ok(InFolds { splits: Splits { train: folds.concat(), ..rows }, folds: ranges })
    }
}

fn refused<T>(what: &'static str, found: String, expected: &str) -> Result<T> {
    Err(Error::Setting { what, found, expected: expected.into() })
}

/// Refuses more folds than rows of a class, by its name.
fn check_classes(rows: &[usize], count: usize, table: &Table, target: &str, classes: &[usize]) -> Result<()> {
    let mut first: HashMap<usize, (usize, usize)> = HashMap::new();
    rows.iter().for_each(|&row| first.entry(classes[row]).or_insert((row, 0)).1 += 1);
    match first.into_values().min_by_key(|&(row, rows)| (rows, row)) {
        Some((row, fewest)) if fewest < count && count <= rows.len() => {
            let texts = table.column_of(target)?.to_texts();
            let class = shorten(texts.get(row).unwrap_or_default());
            refused("folds", count.to_string(), &format!("at most {fewest}, the training rows of class `{class}`"))
        }
        _ => Ok(()),
    }
}

/// Rows with the same cell are a fold; a group is in one of them.
fn of_column(rows: &[usize], column: &str, split_by: &SplitBy, table: &Table, target: &str) -> Result<Vec<Vec<usize>>> {
    if column == target {
        return refused("fold_column", format!("`{}`", shorten(column)), "another column than the target");
    }
    let folds = table.groups(column)?;
    if let SplitBy::Group(name) = split_by {
        let texts = table.column_of(column)?.to_texts();
        let label = |row: usize| shorten(texts.get(row).unwrap_or_default());
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
    let mut all = vec![Vec::new(); folds.iter().max().map_or(0, |most| most + 1)];
    rows.iter().for_each(|&row| all[folds[row]].push(row));
    all.retain(|fold| !fold.is_empty());
    if all.len() < 2 {
        return refused("fold_column", format!("`{}`, which makes a single fold", shorten(column)), "at least two");
    }
    Ok(all)
}
