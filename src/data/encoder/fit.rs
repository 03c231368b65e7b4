//! Fits an [`Encoder`]. In: a [`Table`], the target's name, the training rows. Out: the task, the classes and
//! the means and scales, or an error that says why the target can't serve.

use std::collections::HashMap;

use crate::data::cell::distinct;
use crate::data::cell::parse_number;
use crate::data::column::{Categorical, Cells, Column, some_at_a_time};
use crate::data::date;
use crate::data::encoder::Encoder;
use crate::data::encoder::category::{Alike, merged, side};
use crate::data::encoder::encode;
use crate::data::encoder::feature::Feature;
use crate::data::encoder::scaling::Scaling;
use crate::data::encoder::target::{ClassIndex, Target, TargetKind, Task};
use crate::data::form::NumberForm;
use crate::data::statistics::mean_and_scale;
use crate::data::table::Table;
use crate::error::{Error, Result, set, shorten};

impl Encoder {
    /// Fits an encoder. Every column except `target` becomes a feature, in the order of the table. A column is left out
    /// if it is constant in the training rows, or if all of its categories are rare ([`left_out`](Self::left_out)).
    ///
    /// `rows` are the training rows (from 0). Means, scales, categories and the fills of missing cells come from them
    /// alone, so nothing of a held-out row reaches the network. The task and the classes come from the whole column, so
    /// that no rare label is unknown later. With `task` None, two distinct values make a binary task, more texts a
    /// multiclass one and more numbers a regression. A column makes at most half as many classes as the table has rows:
    /// names and identifiers are not classes.
    ///
    /// `scaling` says how columns are scaled; a standard deviation is that of the population.
    ///
    /// # Errors
    /// [`Error::MissingColumns`] without the target; [`Error::UnfitTarget`] where it has a single value (in all or in
    /// the training rows), or cannot serve the task; [`Error::Shape`] without features or training rows, or for a row
    /// that the table doesn't have; [`Error::NoFeatures`] where all columns are left out; [`Error::MissingCell`] where
    /// the target is missing; [`Error::NonFinite`] for cells whose mean, scale or bins overflow f64; [`Error::Setting`] for a
    /// number of bins that cannot be.
    pub fn fit(table: &Table, target: &str, rows: &[usize], task: Option<Task>, scaling: Scaling) -> Result<Self> {
        scaling.numbers.check()?;
        let truth = table.column_of(target)?;
        if table.columns().len() == 1 {
            let expected = format!("at least one column besides the target `{}`", shorten(target));
            return Err(Error::Shape { what: "the table's features".into(), found: 0, expected });
        }
        if rows.is_empty() || rows.iter().any(|&row| row >= table.rows()) {
            let expected = format!("row numbers below {}", table.rows());
            return Err(Error::Shape { what: "the list of training rows".into(), found: rows.len(), expected });
        }
        let kind = Fit { table, target, rows }.kind(truth, task, scaling)?;
        let columns = table.columns().iter().filter(|column| column.name != target).collect();
        let target = Target { name: target.into(), kind };
        let encoded = || encode::encode_target(&target, NumberForm::default(), table, rows);
        let encoded = scaling.target_means.then(encoded).transpose()?;
        let targets = encoded.map(|encoded| encode::decoded(&target.kind, &encoded));
        let fitted = some_at_a_time(columns, |column| Feature::fit(table, column, rows, targets.as_ref(), scaling))?;
        let (mut features, mut left_out) = (Vec::new(), Vec::new());
        for column in fitted {
            features.extend(column.feature);
            left_out.extend(column.left_out);
        }
        if features.is_empty() {
            let (path, target) = (table.source().into(), target.name);
            let columns: Vec<String> = left_out.into_iter().map(|column| column.name).collect();
            let long = |name: &&String| table.column_of(name).is_ok_and(|column| column.exact.is_some());
            let hint = match columns.iter().find(long) {
                Some(name) => {
                    let name = shorten(name);
                    format!(
                        "{} keeps the long numbers of `{name}` apart, which are equal as f64",
                        set("categorical", &name)
                    )
                }
                None => "add columns that vary, or rows".into(),
            };
            return Err(Error::NoFeatures { path, target, columns, hint });
        }
        Ok(Self { left_out, ..Self::new(features, target) }.with_forms(table))
    }
}

/// The class of every row, as [`Encoder::fit`] would number them; none where the target is a number. For splits that leave
/// each part as many of each class as it can.
///
/// # Errors
/// Those of [`Encoder::fit`] that concern the target.
pub fn class_numbers(table: &Table, target: &str, task: Option<Task>) -> Result<Option<Vec<usize>>> {
    let rows: Vec<usize> = (0..table.rows()).collect();
    let kind = Fit { table, target, rows: &rows }.kind(table.column_of(target)?, task, Scaling::NONE)?;
    encode::class_numbers(&Target { name: target.into(), kind }, NumberForm::default(), table)
}

/// The labels of the classes, as [`Encoder::fit`] would find them; none where the target is a number.
///
/// # Errors
/// Those of [`Encoder::fit`] that concern the target.
pub fn class_labels(table: &Table, target: &str, task: Option<Task>) -> Result<Option<Vec<String>>> {
    let rows: Vec<usize> = (0..table.rows()).collect();
    let kind = Fit { table, target, rows: &rows }.kind(table.column_of(target)?, task, Scaling::NONE)?;
    Ok(kind.classes().map(<[String]>::to_vec))
}

/// The target's side of a fit.
struct Fit<'a> {
    table: &'a Table,
    target: &'a str,
    rows: &'a [usize],
}

impl Fit<'_> {
    fn kind(&self, column: &Column, task: Option<Task>, scaling: Scaling) -> Result<TargetKind> {
        let cells = &column.cells;
        if let Some(row) = (0..cells.len()).find(|&row| cells.is_missing(row)) {
            return Err(self.table.missing(self.target, row));
        }
        let kind = match cells {
            Cells::Number(values) => self.kind_of_numbers(column, values, task, scaling)?,
            Cells::Text(texts) => self.kind_of_texts(texts, task)?,
            Cells::Date(_) => return Err(self.dates()),
        };
        let first = self.rows[0];
        let varies = match cells {
            // Different numbers are different classes, where f64 has all of their digits.
            Cells::Number(values) if column.exact.is_none() || kind.classes().is_none() => {
                self.rows.iter().any(|&row| values[row] != values[first])
            }
            _ => {
                let index = ClassIndex::new(kind.classes().unwrap_or_default());
                let texts = column.to_texts();
                let of_labels: Vec<_> = texts.labels().iter().map(|label| index.of_text(label)).collect();
                let class = |row: usize| texts.code(row).and_then(|code| of_labels[code]);
                self.rows.iter().any(|&row| class(row) != class(first))
            }
        };
        if !varies {
            return Err(self.single(column, first, &format!("its {} training rows", self.rows.len())));
        }
        Ok(kind)
    }

    fn kind_of_numbers(
        &self,
        column: &Column,
        values: &[f64],
        task: Option<Task>,
        scaling: Scaling,
    ) -> Result<TargetKind> {
        // Only for classes does it matter which they are, if they are more than two.
        let distinct = match &column.exact {
            Some(texts) => exact_numbers(values, texts),
            None => {
                let found = distinct(values, if task == Some(Task::Multiclass) { usize::MAX } else { 2 });
                found.iter().map(f64::to_string).collect()
            }
        };
        match (task, distinct.as_slice()) {
            (_, []) | (_, [_]) => Err(self.single(column, 0, "all rows")),
            (Some(Task::Binary) | None, [first, second]) => {
                Ok(TargetKind::Binary { classes: [first.clone(), second.clone()] })
            }
            (Some(Task::Binary), _) => Err(self.unfit(format!(
                "has more than two distinct values: {} takes them as classes, {} as numbers",
                set("task", "multiclass"),
                set("task", "regression")
            ))),
            (Some(Task::Multiclass), _) => self.classes(distinct),
            (Some(Task::Regression) | None, _) => {
                let values = || self.rows.iter().map(|&row| values[row]);
                let (mean, scale) = if scaling.target {
                    mean_and_scale(self.table, self.target, self.rows, &values().collect::<Vec<_>>())?
                } else {
                    (0.0, 1.0)
                };
                let range = || [values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max)];
                Ok(TargetKind::Regression { mean, scale, range: scaling.clip.then(range) })
            }
        }
    }

    fn kind_of_texts(&self, texts: &Categorical, task: Option<Task>) -> Result<TargetKind> {
        let labels = || texts.labels().iter().map(String::as_str);
        let alike = Alike::of_classes(labels());
        let mut distinct: Vec<String> =
            merged(labels().map(|label| (label, 1)), alike).into_iter().map(|(label, _)| label.into()).collect();
        // Of a pair no comes first.
        let no = |label: &String| alike == Alike::Pair && side(label) == Some(true);
        distinct.sort_unstable_by(|a, b| no(a).cmp(&no(b)).then_with(|| a.cmp(b)));
        let first_text = || {
            let stray = texts.first_text().unwrap_or(0);
            let text = texts.get(stray).map(shorten).unwrap_or_default();
            format!("`{text}` in {} is the first cell that is not a number", self.table.place(stray))
        };
        let numbers: Vec<bool> = labels().map(|label| parse_number(label).is_some()).collect();
        let is_number = |&row: &usize| texts.code(row).is_some_and(|code| numbers[code]);
        // Nothing but numbers: they were to be read as texts.
        let mixed = numbers.contains(&false);
        let mostly_numbers = || mixed && 2 * (0..texts.len()).filter(is_number).count() > texts.len();
        let dates = || labels().all(|label| date::parse(label).is_some());
        match (task, &distinct[..]) {
            (_, [] | [_]) => Err(self.single(self.table.column_of(self.target)?, 0, "all rows")),
            (Some(Task::Regression), _) if dates() => Err(self.dates()),
            (Some(Task::Regression), _) => {
                Err(self.unfit(format!("must hold numbers for a regression: {}", first_text())))
            }
            (Some(Task::Binary) | None, [first, second]) => {
                Ok(TargetKind::Binary { classes: [first.clone(), second.clone()] })
            }
            (Some(Task::Binary), some) => Err(self.unfit(format!(
                "has {} classes: a binary task has two; {} takes more",
                some.len(),
                set("task", "multiclass")
            ))),
            (None, some) if mostly_numbers() => Err(self.unfit(format!(
                "contains mostly numbers, but {}: fix or remove these rows, or use {} to treat all {} values as \
                classes",
                first_text(),
                set("task", "multiclass"),
                some.len()
            ))),
            (None, some) if some.len() > self.table.rows() / 2 && dates() => Err(self.dates()),
            (Some(Task::Multiclass) | None, _) => self.classes(distinct),
        }
    }

    fn dates(&self) -> Error {
        self.unfit(
            "holds dates: a network predicts numbers or classes; write them as numbers, as days since a day".into(),
        )
    }

    /// Three or more labels as classes.
    fn classes(&self, labels: Vec<String>) -> Result<TargetKind> {
        let (count, rows) = (labels.len(), self.table.rows());
        if count < 3 {
            return Err(self.unfit(format!("has two classes: use {}", set("task", "binary"))));
        }
        if count > rows / 2 {
            return Err(self.unfit(format!(
                "has {count} distinct values in {rows} rows: classes need two rows each on average. Is it an \
                identifier, or a number for {}?",
                set("task", "regression")
            )));
        }
        Ok(TargetKind::Multiclass { classes: labels })
    }

    /// The error for a target with nothing to tell apart.
    fn single(&self, column: &Column, row: usize, place: &str) -> Error {
        let texts = column.to_texts();
        let value = texts.get(row).map(shorten).unwrap_or_default();
        if column.exact.is_some() && texts.labels().len() > 1 {
            let task = set("task", "multiclass");
            let hint = format!("a regression cannot tell such numbers apart; {task} takes them as classes");
            return self.unfit(format!("is near `{value}` in {place}: {hint}"));
        }
        self.unfit(format!("is `{value}` in {place}: expected a second class, or numbers that vary"))
    }

    fn unfit(&self, problem: String) -> Error {
        Error::UnfitTarget { path: self.table.source().into(), column: self.target.into(), problem }
    }
}

/// The different numbers as they are written, ascending, of a column whose numbers lose digits.
fn exact_numbers(values: &[f64], texts: &Categorical) -> Vec<String> {
    let mut of_labels: HashMap<&str, f64> = HashMap::new();
    for (row, &value) in values.iter().enumerate() {
        of_labels.extend(texts.get(row).map(|label| (label, value)));
    }
    let labels = texts.labels().iter().map(|label| (label.as_str(), 1));
    let with_value = |(label, _)| (of_labels.get(label).copied().unwrap_or(0.0), label);
    let mut found: Vec<(f64, &str)> = merged(labels, Alike::Number).into_iter().map(with_value).collect();
    // Of equal f64 those with more digits, or larger ones, are further from 0.
    let digits = |value: f64, a: &str, b: &str| {
        let order = a.len().cmp(&b.len()).then_with(|| a.cmp(b));
        if value < 0.0 { order.reverse() } else { order }
    };
    found.sort_by(|(a, of_a), (b, of_b)| a.total_cmp(b).then_with(|| digits(*a, of_a, of_b)));
    found.into_iter().map(|(_, label)| label.to_string()).collect()
}
