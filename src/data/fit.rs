//! Fits an [`Encoder`]. In: a [`Table`], the target's name, the training rows. Out: the task, the classes and
//! the means and scales, or an error that says why the target can't serve.

use std::collections::BTreeSet;

use super::column::{Cells, Texts, some_at_a_time};
use super::encode;
use super::encoder::Encoder;
use super::feature::{Feature, mean_and_scale};
use super::table::{Table, parse_number, shorten};
use super::target::{Target, TargetKind, Task, distinct};
use crate::error::{Error, Result};

/// What is standardised: which columns lose the mean and are divided by the standard deviation of the training rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scaling {
    /// The features.
    pub features: bool,
    /// The target of a regression. A loss that takes the target for what it is, as a count, needs it as it is.
    pub target: bool,
}

impl Scaling {
    /// Features and target.
    pub const ALL: Self = Self { features: true, target: true };
    /// Nothing: the network sees the cells as they are.
    pub const NONE: Self = Self { features: false, target: false };
}

impl Encoder {
    /// Fits an encoder: every column except `target` becomes a feature, in the order of the table.
    ///
    /// `rows` are the training rows (from 0): means, scales, categories and what stands for missing cells come from them
    /// alone, so that nothing of a held-out row reaches the network. Which task it is, and the classes, are read off the whole
    /// column, lest a rare label be unknown later. With `task` None, two distinct values make a binary
    /// task, more texts a multiclass one and more numbers a regression. A column makes at most half as many classes
    /// as the table has rows: names and identifiers are no classes.
    ///
    /// What `scaling` names gets the mean and the population standard deviation, as in scikit-learn's
    /// `StandardScaler`: of a constant column only the mean is removed. The rest gets 0 and 1.
    ///
    /// # Errors
    /// [`Error::MissingColumns`] without the target; [`Error::UnfitTarget`] where it has a single value (in all
    /// or in the training rows), or cannot serve the task; [`Error::Shape`] without features or training rows,
    /// or for a row that the table doesn't have; [`Error::MissingCell`] where the target is missing;
    /// [`Error::NonFinite`] for cells whose mean or scale overflows f64.
    pub fn fit(table: &Table, target: &str, rows: &[usize], task: Option<Task>, scaling: Scaling) -> Result<Self> {
        let cells = table.column(target)?;
        if table.columns().len() == 1 {
            let expected = format!("at least one column besides the target `{}`", shorten(target));
            return Err(Error::Shape { what: "the table's features".into(), found: 0, expected });
        }
        if rows.is_empty() || rows.iter().any(|&row| row >= table.rows()) {
            let expected = format!("some, all below {}", table.rows());
            return Err(Error::Shape { what: "the list of training rows".into(), found: rows.len(), expected });
        }
        let kind = Fit { table, target, rows }.kind(cells, task, scaling.target)?;
        let columns = table.columns().iter().filter(|column| column.name != target).collect();
        let features = some_at_a_time(columns, |column| Feature::fit(table, column, rows, scaling.features))?;
        Ok(Self { features, target: Target { name: target.into(), kind }, weight: None })
    }
}

/// The class of every row, as [`Encoder::fit`] would number them; none where the target is a number. For splits that leave
/// each part as many of each class as it can.
///
/// # Errors
/// Those of [`Encoder::fit`] that concern the target.
pub fn class_numbers(table: &Table, target: &str, task: Option<Task>) -> Result<Option<Vec<usize>>> {
    let rows: Vec<usize> = (0..table.rows()).collect();
    let kind = Fit { table, target, rows: &rows }.kind(table.column(target)?, task, false)?;
    encode::class_numbers(&Target { name: target.into(), kind }, table)
}

/// The target's side of a fit.
struct Fit<'a> {
    table: &'a Table,
    target: &'a str,
    rows: &'a [usize],
}

impl Fit<'_> {
    fn kind(&self, cells: &Cells, task: Option<Task>, standardize: bool) -> Result<TargetKind> {
        if let Some(row) = (0..cells.len()).find(|&row| cells.is_missing(row)) {
            return Err(self.table.missing(self.target, row));
        }
        let kind = match cells {
            Cells::Number(values) => self.kind_of_numbers(values, task, standardize)?,
            cells @ (Cells::Text(_) | Cells::Date(_)) => self.kind_of_texts(&cells.to_texts(), task)?,
        };
        let first = self.rows[0];
        let varies = match cells {
            Cells::Number(values) => self.rows.iter().any(|&row| values[row] != values[first]),
            Cells::Text(texts) => self.rows.iter().any(|&row| texts.code(row) != texts.code(first)),
            Cells::Date(dates) => self.rows.iter().any(|&row| dates.seconds[row] != dates.seconds[first]),
        };
        if !varies {
            return Err(self.single(cells, first, format!("its {} training rows", self.rows.len())));
        }
        Ok(kind)
    }

    fn kind_of_numbers(&self, values: &[f64], task: Option<Task>, standardize: bool) -> Result<TargetKind> {
        // Only for classes does it matter which they are, if they are more than two.
        let distinct = distinct(values, if task == Some(Task::Multiclass) { usize::MAX } else { 2 });
        match (task, distinct.as_slice()) {
            (_, []) | (_, [_]) => Err(self.single(&Cells::Number(distinct), 0, "all rows".into())),
            (Some(Task::Binary) | None, [first, second]) => {
                Ok(TargetKind::Binary { classes: [first.to_string(), second.to_string()] })
            }
            (Some(Task::Binary), _) => Err(self.unfit(
                "has more than two distinct values: --task multiclass takes them as classes, --task regression as numbers"
                    .into(),
            )),
            (Some(Task::Multiclass), _) => self.classes(distinct.iter().map(f64::to_string)),
            (Some(Task::Regression) | None, _) => {
                let (mean, scale) = if standardize {
                    let values: Vec<f64> = self.rows.iter().map(|&row| values[row]).collect();
                    mean_and_scale(self.table, self.target, self.rows, &values)?
                } else {
                    (0.0, 1.0)
                };
                Ok(TargetKind::Regression { mean, scale })
            }
        }
    }

    fn kind_of_texts(&self, texts: &Texts, task: Option<Task>) -> Result<TargetKind> {
        let distinct: BTreeSet<&str> = texts.labels().iter().map(String::as_str).collect();
        let first_text = || {
            let stray = texts.first_text().unwrap_or(0);
            let text = texts.get(stray).map(shorten).unwrap_or_default();
            format!("`{text}` in {} is the first cell that is no number", self.table.place(stray))
        };
        let numbers: Vec<bool> = texts.labels().iter().map(|label| parse_number(label).is_some()).collect();
        let is_number = |&row: &usize| texts.code(row).is_some_and(|code| numbers[code]);
        // Nothing but numbers: they were to be read as texts.
        let mixed = numbers.contains(&false);
        let mostly_numbers = || mixed && 2 * (0..texts.len()).filter(is_number).count() > texts.len();
        let mut labels = distinct.iter().map(ToString::to_string);
        match (task, distinct.len()) {
            (_, ..=1) => Err(self.single(&Cells::Text(texts.clone()), 0, "all rows".into())),
            (Some(Task::Regression), _) => {
                Err(self.unfit(format!("must hold numbers for a regression: {}", first_text())))
            }
            (Some(Task::Binary) | None, 2) => {
                Ok(TargetKind::Binary { classes: [(); 2].map(|()| labels.next().unwrap_or_default()) })
            }
            (Some(Task::Binary), count) => {
                Err(self.unfit(format!("has {count} classes: a binary task has two, --task multiclass takes more")))
            }
            (None, count) if mostly_numbers() => Err(self.unfit(format!(
                "holds mostly numbers, but {}: mend or remove such rows, or take all {count} values as classes with \
                 --task multiclass",
                first_text()
            ))),
            (Some(Task::Multiclass) | None, _) => self.classes(labels),
        }
    }

    /// Three or more labels as classes.
    fn classes(&self, labels: impl ExactSizeIterator<Item = String>) -> Result<TargetKind> {
        let (count, rows) = (labels.len(), self.table.rows());
        if count < 3 {
            return Err(self.unfit("has two classes: --task binary is for two".into()));
        }
        if count > rows / 2 {
            return Err(self.unfit(format!(
                "has {count} distinct values in {rows} rows: classes need two rows each on average; \
                 is it a name or an identifier, or a number for --task regression?"
            )));
        }
        Ok(TargetKind::Multiclass { classes: labels.collect() })
    }

    /// The error for a target with nothing to tell apart.
    fn single(&self, cells: &Cells, row: usize, place: String) -> Error {
        let value = match cells {
            Cells::Number(values) => values[row].to_string(),
            cells @ (Cells::Text(_) | Cells::Date(_)) => cells.to_texts().get(row).map(shorten).unwrap_or_default(),
        };
        self.unfit(format!("is `{value}` in {place}: there must be a second class, or numbers that vary"))
    }

    fn unfit(&self, problem: String) -> Error {
        Error::UnfitTarget { path: self.table.source().into(), column: self.target.into(), problem }
    }
}
