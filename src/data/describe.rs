//! The description of a table. In: a [`Table`], and perhaps the target's name. Out: the values of each column, and
//! warnings of columns that are unsuitable as features.

use std::collections::HashMap;

use serde::Serialize;

use crate::data::column::{Categorical, Cells, Column};
use crate::data::date;
use crate::data::infer::counts;
use crate::data::statistics::median;
use crate::data::table::Table;
use crate::error::{Result, flag_word, set, setting, shorten};
use crate::parallel;
use crate::parallel::prelude::*;

/// Most frequent texts that are told.
const TOLD: usize = 5;

/// The description of a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Description {
    /// Number of rows.
    pub rows: usize,
    /// The columns, in the order of the file.
    pub columns: Vec<ColumnDescription>,
    /// Columns that are constant, look like identifiers, or equal the target, each in a sentence.
    pub warnings: Vec<String>,
}

/// The description of a column.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColumnDescription {
    /// Its name.
    pub name: String,
    /// Missing cells.
    pub missing: usize,
    /// Different values among the others.
    pub distinct: usize,
    /// What the values are.
    #[serde(flatten)]
    pub values: Values,
}

/// The values of a column.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Values {
    /// Numbers; none where all are missing.
    Number {
        /// The least.
        min: Option<f64>,
        /// The mean.
        mean: Option<f64>,
        /// The median.
        median: Option<f64>,
        /// The greatest.
        max: Option<f64>,
    },
    /// Dates, as ISO 8601 writes them; none where all are missing.
    Date {
        /// The first.
        min: Option<String>,
        /// The one in the middle.
        median: Option<String>,
        /// The last.
        max: Option<String>,
    },
    /// Texts.
    Text {
        /// The most frequent ones with their numbers of rows, the most frequent first.
        most_frequent: Vec<(String, usize)>,
    },
}

impl Description {
    /// Looks at all cells of a table.
    ///
    /// # Errors
    /// [`Error::MissingColumns`](crate::Error::MissingColumns) where the table lacks the target.
    pub fn new(table: &Table, target: Option<&str>) -> Result<Self> {
        parallel::start()?;
        let columns: Vec<_> = table.columns().par_iter().map(describe).collect();
        let rows = table.rows();
        let truth = target.map(|target| table.position(target)).transpose()?;
        let mut warnings = Vec::new();
        for (column, of) in table.columns().iter().zip(&columns) {
            let name = &of.name;
            let is_target = target == Some(name.as_str());
            let equal = || {
                truth.is_some_and(|truth| {
                    // Columns that say the same have equally many values.
                    let (like, truth) = (&columns[truth], &table.columns()[truth]);
                    !is_target && of.distinct == like.distinct && says_the_same(column, truth)
                })
            };
            let warning = match of.distinct {
                0 => "has no values at all",
                1 if of.missing == 0 => "is the same in all rows",
                _ if equal() => "repeats the target",
                _ if !is_target && column.identifies_rows() => match of.distinct == rows {
                    true => "is different in every row, so it is probably an identifier",
                    false => "is different in nearly every row, so it is probably an identifier",
                },
                _ => continue,
            };
            let shown = shorten(name);
            let hint = match shown == *name {
                _ if is_target => String::new(),
                true => format!(": {}", set("ignore", &flag_word(name))),
                false => format!(": {} leaves it out", setting("ignore")), // a name that nobody would type from here
            };
            warnings.push(format!("`{shown}` {warning}{hint}"));
        }
        Ok(Self { rows, columns, warnings })
    }
}

fn describe(column: &Column) -> ColumnDescription {
    let missing = column.cells.missing();
    let (distinct, values) = match &column.cells {
        Cells::Number(values) => {
            let mut values: Vec<f64> = values.iter().filter(|value| !value.is_nan()).map(|value| value + 0.0).collect();
            let mean = values.iter().map(|value| value / values.len() as f64).sum::<f64>();
            let median = median(&mut values);
            values.sort_unstable_by(f64::total_cmp);
            let (min, max) = (values.first().copied(), values.last().copied());
            values.dedup();
            let distinct = column.exact.as_ref().map_or(values.len(), |texts| texts.labels().len());
            (distinct, Values::Number { min, mean: min.map(|_| mean), median, max })
        }
        Cells::Date(dates) => {
            let mut seconds: Vec<f64> = dates.seconds.iter().copied().filter(|seconds| !seconds.is_nan()).collect();
            seconds.sort_unstable_by(f64::total_cmp);
            let text = |seconds: f64| date::write(seconds, dates.with_time);
            let (min, max) = (seconds.first().copied().map(text), seconds.last().copied().map(text));
            let median = median(&mut seconds.clone()).map(text);
            seconds.dedup();
            (seconds.len(), Values::Date { min, median, max })
        }
        Cells::Text(texts) => most_frequent(texts),
    };
    ColumnDescription { name: column.name.clone(), missing, distinct, values }
}

/// The number of different texts, and the most frequent ones.
fn most_frequent(texts: &Categorical) -> (usize, Values) {
    let by_label = counts(texts);
    let mut by_count: Vec<_> = texts.labels().iter().zip(by_label).collect();
    let distinct = by_count.len();
    by_count.sort_by(|(a, of_a), (b, of_b)| of_b.cmp(of_a).then(a.cmp(b)));
    by_count.truncate(TOLD);
    let most_frequent = by_count.into_iter().map(|(label, count)| (label.clone(), count)).collect();
    (distinct, Values::Text { most_frequent })
}

/// Whether two columns have equal numbers, or tell the rows apart in the same way, by values that each occur twice on
/// average or more often.
fn says_the_same(a: &Column, b: &Column) -> bool {
    if let (Cells::Number(of_a), Cells::Number(of_b)) = (&a.cells, &b.cells)
        && of_a == of_b
        && (&a.exact, &b.exact) == (&None, &None)
    {
        return true;
    }
    let (a, b) = (a.to_texts(), b.to_texts());
    let few = a.labels().len() > 1 && 2 * a.labels().len() <= a.len();
    let mut pairs = HashMap::new();
    few && a.labels().len() == b.labels().len()
        && (0..a.len()).all(|row| *pairs.entry(a.code(row)).or_insert_with(|| b.code(row)) == b.code(row))
}
