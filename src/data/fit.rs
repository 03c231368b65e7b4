//! Fits an [`Encoder`]. In: a [`Table`], the target's name, the training rows. Out: the task, the classes and
//! the means and scales, or an error that says why the target can't serve.

use std::collections::BTreeSet;

use super::encoder::{Encoder, Feature, Target, TargetKind, Task};
use super::table::{Cells, Column, Table, parse_number, shorten};
use crate::error::{Error, Result};

impl Encoder {
    /// Fits an encoder: every column except `target` becomes a feature, in the order of the table.
    ///
    /// `rows` are the training rows (from 0): means and scales come from them alone, so that nothing of
    /// a held-out row reaches the network. Which task it is, and the classes, are read off the whole
    /// column, lest a rare label be unknown later. With `task` None, two distinct values make a binary
    /// task and more numbers a regression.
    ///
    /// With `standardize`, mean and scale are the mean and the population standard deviation, as in
    /// scikit-learn's `StandardScaler`: of a constant column only the mean is removed. Without it they are 0
    /// and 1, for features and for the target of a regression alike.
    ///
    /// # Errors
    /// [`Error::MissingColumn`] without the target; [`Error::UnfitTarget`] where it has a single value (in all
    /// or in the training rows), or cannot serve the task; [`Error::Shape`] without features or training rows,
    /// or for a row that the table doesn't have; [`Error::NotANumber`] for texts in another column;
    /// [`Error::NonFinite`] for cells whose mean or scale overflows f64.
    pub fn fit(table: &Table, target: &str, rows: &[usize], task: Option<Task>, standardize: bool) -> Result<Self> {
        let cells = table.column(target)?;
        if table.columns().len() == 1 {
            let expected = format!("at least one column besides the target `{target}`");
            return Err(Error::Shape { what: "the table's features".into(), found: 0, expected });
        }
        if rows.is_empty() || rows.iter().any(|&row| row >= table.rows()) {
            let expected = format!("some, all below {}", table.rows());
            return Err(Error::Shape { what: "the list of training rows".into(), found: rows.len(), expected });
        }
        let kind = Fit { table, target, rows }.kind(cells, task, standardize)?;
        let mut features = Vec::with_capacity(table.columns().len() - 1);
        for Column { name, .. } in table.columns().iter().filter(|column| column.name != target) {
            let values = table.numbers(name)?;
            let (mean, scale) = if standardize { mean_and_scale(table, name, values, rows)? } else { (0.0, 1.0) };
            features.push(Feature { name: name.clone(), mean, scale });
        }
        Ok(Self { features, target: Target { name: target.into(), kind } })
    }
}

/// The target's side of a fit.
struct Fit<'a> {
    table: &'a Table,
    target: &'a str,
    rows: &'a [usize],
}

impl Fit<'_> {
    fn kind(&self, cells: &Cells, task: Option<Task>, standardize: bool) -> Result<TargetKind> {
        let kind = match cells {
            Cells::Number(values) => self.kind_of_numbers(values, task, standardize)?,
            Cells::Text(values) => self.kind_of_texts(values, task)?,
        };
        let first = self.rows[0];
        let varies = match cells {
            Cells::Number(values) => self.rows.iter().any(|&row| values[row] != values[first]),
            Cells::Text(values) => self.rows.iter().any(|&row| values[row] != values[first]),
        };
        if !varies {
            return Err(self.single(cells, first, format!("its {} training rows", self.rows.len())));
        }
        Ok(kind)
    }

    fn kind_of_numbers(&self, values: &[f64], task: Option<Task>, standardize: bool) -> Result<TargetKind> {
        let mut distinct: Vec<f64> = Vec::new();
        for &value in values {
            if !distinct.contains(&value) {
                distinct.push(value + 0.0); // −0 is the label `0`
            }
            if distinct.len() > 2 {
                break;
            }
        }
        distinct.sort_by(f64::total_cmp);
        match (task, distinct.as_slice()) {
            (Some(Task::Binary) | None, [first, second]) => {
                Ok(TargetKind::Binary { classes: [first.to_string(), second.to_string()] })
            }
            (Some(Task::Binary), [_, _, ..]) => Err(self.unfit(
                "has more than two distinct values: a binary task needs two classes, --task regression takes any numbers"
                    .into(),
            )),
            (Some(Task::Regression) | None, [_, _, ..]) => {
                let (mean, scale) = if standardize {
                    mean_and_scale(self.table, self.target, values, self.rows)?
                } else {
                    (0.0, 1.0)
                };
                Ok(TargetKind::Regression { mean, scale })
            }
            (_, _) => Err(self.single(&Cells::Number(distinct), 0, "all rows".into())),
        }
    }

    fn kind_of_texts(&self, values: &[String], task: Option<Task>) -> Result<TargetKind> {
        let distinct: BTreeSet<&str> = values.iter().map(String::as_str).collect();
        let stray = values.iter().position(|cell| parse_number(cell).is_none()).unwrap_or(0);
        let first_text = || {
            format!(
                "`{}` in line {} is the first cell that is no number",
                shorten(&values[stray]),
                self.table.line(stray)
            )
        };
        match (task, distinct.iter().collect::<Vec<_>>().as_slice()) {
            (_, [_]) => Err(self.single(&Cells::Text(values[..1].to_vec()), 0, "all rows".into())),
            (Some(Task::Regression), _) => {
                Err(self.unfit(format!("must hold numbers for a regression: {}", first_text())))
            }
            (_, [first, second]) => Ok(TargetKind::Binary { classes: [first.to_string(), second.to_string()] }),
            (_, classes) => {
                let mut problem = format!("has {} classes: two classes or numbers are needed", classes.len());
                let numbers = values.iter().filter(|cell| parse_number(cell).is_some()).count();
                if 2 * numbers > values.len() {
                    problem += &format!("; {}", first_text());
                }
                Err(self.unfit(problem))
            }
        }
    }

    /// The error for a target with nothing to tell apart.
    fn single(&self, cells: &Cells, row: usize, place: String) -> Error {
        let value = match cells {
            Cells::Number(values) => values[row].to_string(),
            Cells::Text(values) => shorten(&values[row]),
        };
        self.unfit(format!("is `{value}` in {place}: there must be a second class, or numbers that vary"))
    }

    fn unfit(&self, problem: String) -> Error {
        Error::UnfitTarget { path: self.table.source().into(), column: self.target.into(), problem }
    }
}

/// Mean and population standard deviation of the given rows, the mean with a second pass for its
/// rounding; scale 1 where the variance is within rounding of 0. That bound is `_is_constant_feature` in
/// scikit-learn's `preprocessing/_data.py`.
fn mean_and_scale(table: &Table, column: &str, values: &[f64], rows: &[usize]) -> Result<(f64, f64)> {
    let count = rows.len() as f64;
    let sum = |of: &dyn Fn(f64) -> f64| rows.iter().map(|&row| of(values[row])).sum::<f64>();
    let rough = sum(&|value| value) / count;
    let mean = rough + sum(&|value| value - rough) / count;
    let variance = sum(&|value| (value - mean).powi(2)) / count;
    if !(mean.is_finite() && variance.is_finite()) {
        let widest = rows.iter().max_by(|&&a, &&b| values[a].abs().total_cmp(&values[b].abs()));
        let row = widest.copied().unwrap_or(0);
        return Err(table.not_finite(column, row, format_args!("{:e}, squared for the variance,", values[row])));
    }
    let rounding = count * f64::EPSILON * variance + (count * mean * f64::EPSILON).powi(2);
    Ok((mean, if variance <= rounding { 1.0 } else { variance.sqrt() }))
}
