//! A column of a table. In: cells. Out: numbers, or texts by their distinct values. A cell may be missing.
//!
//! Numbers are f64, NaN where one is missing: 8 bytes a row. Texts are kept once each, with a number of 4 bytes a row, so a
//! column of a million rows with a dozen categories takes 4 MB.

use foldhash::{HashMap, HashSet};

use crate::data::cell::{is_exact, parse_number};
use crate::data::date;
use crate::data::form::NumberForm;
use crate::error::Result;
use crate::parallel;
use crate::parallel::prelude::*;

/// Fewest rows in which values that all differ are thought to tell the rows apart.
const ENOUGH: usize = 20;

/// The cells of one column, one for each row.
#[derive(Clone, Debug)]
pub enum Cells {
    /// Finite numbers; NaN where one is missing.
    Number(Vec<f64>),
    /// Texts, without white space around them.
    Text(Categorical),
    /// Dates.
    Date(Dates),
}

/// Dates, with or without a time of day.
#[derive(Clone, Debug)]
pub struct Dates {
    /// Seconds since the start of 1970, by the clock that they were written by (an offset from UTC is taken off); NaN where one is
    /// missing.
    pub seconds: Vec<f64>,
    /// Whether any has a time of day.
    pub with_time: bool,
}

impl Cells {
    /// Number of cells.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Number(values) | Self::Date(Dates { seconds: values, .. }) => values.len(),
            Self::Text(texts) => texts.len(),
        }
    }

    /// Whether there is no cell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the cell of a row (from 0) is missing.
    ///
    /// # Panics
    /// Where there is no such row.
    #[must_use]
    pub fn is_missing(&self, row: usize) -> bool {
        match self {
            Self::Number(values) | Self::Date(Dates { seconds: values, .. }) => values[row].is_nan(),
            Self::Text(texts) => texts.code(row).is_none(),
        }
    }

    /// How many cells are missing.
    #[must_use]
    pub fn missing(&self) -> usize {
        match self {
            Self::Number(values) | Self::Date(Dates { seconds: values, .. }) => {
                values.iter().filter(|value| value.is_nan()).count()
            }
            Self::Text(texts) => texts.codes.iter().filter(|&&code| code == Categorical::MISSING).count(),
        }
    }

    /// The cells as texts: numbers as they are written at their shortest, dates in ISO 8601's form.
    #[must_use]
    pub fn to_texts(&self) -> Categorical {
        match self {
            Self::Text(texts) => texts.clone(),
            Self::Number(values) => {
                let text = |value: &f64| (!value.is_nan()).then(|| (value + 0.0).to_string());
                values.iter().map(text).collect()
            }
            Self::Date(Dates { seconds, with_time }) => {
                let text = |&seconds: &f64| (!seconds.is_nan()).then(|| date::write(seconds, *with_time));
                seconds.iter().map(text).collect()
            }
        }
    }
}

/// Missing cells are equal.
impl PartialEq for Cells {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Date(a), Self::Date(b)) if a.with_time != b.with_time => false,
            (Self::Number(a), Self::Number(b))
            | (Self::Date(Dates { seconds: a, .. }), Self::Date(Dates { seconds: b, .. })) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a == b || (a.is_nan() && b.is_nan()))
            }
            (Self::Text(a), Self::Text(b)) => a == b,
            _ => false,
        }
    }
}

/// Texts by their distinct values. `collect` makes one of `Option<impl Into<String>>`, `None` where a cell is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Categorical {
    labels: Vec<String>,
    codes: Vec<u32>,
}

impl Categorical {
    /// Stands for a missing cell.
    pub(super) const MISSING: u32 = u32::MAX;

    /// Texts whose codes are below the number of labels, or [`MISSING`](Self::MISSING).
    pub(super) fn from_parts(labels: Vec<String>, codes: Vec<u32>) -> Self {
        Self { labels, codes }
    }

    /// The labels and the codes.
    pub(super) fn into_parts(self) -> (Vec<String>, Vec<u32>) {
        (self.labels, self.codes)
    }

    /// Number of cells.
    #[must_use]
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Whether there is no cell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// The distinct texts, in the order of their first rows.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Which of the labels the row (from 0) has, if it is not missing.
    ///
    /// # Panics
    /// Where there is no such row.
    #[must_use]
    pub fn code(&self, row: usize) -> Option<usize> {
        let code = self.codes[row];
        (code != Self::MISSING).then_some(code as usize)
    }

    /// The text of the row (from 0), if it is not missing.
    ///
    /// # Panics
    /// Where there is no such row.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<&str> {
        self.code(row).map(|code| self.labels[code].as_str())
    }

    /// The first row whose text is not a number.
    pub(super) fn first_text(&self) -> Option<usize> {
        let stray: Vec<bool> = self.labels.iter().map(|label| parse_number(label).is_none()).collect();
        (0..self.len()).find(|&row| self.code(row).is_some_and(|code| stray[code]))
    }
}

impl<S: Into<String>> FromIterator<Option<S>> for Categorical {
    fn from_iter<I: IntoIterator<Item = Option<S>>>(cells: I) -> Self {
        let mut known = HashMap::default();
        let mut texts = Self::default();
        for cell in cells {
            let code = cell.map(|cell| {
                let next = known.len() as u32;
                *known.entry(cell.into()).or_insert(next)
            });
            texts.codes.push(code.unwrap_or(Self::MISSING));
        }
        texts.labels = in_order(known);
        texts
    }
}

/// Labels by their numbers.
pub(super) fn in_order(known: HashMap<String, u32>) -> Vec<String> {
    let mut labels: Vec<_> = known.into_iter().collect();
    labels.sort_unstable_by_key(|&(_, code)| code);
    labels.into_iter().map(|(label, _)| label).collect()
}

/// A column of a [`Table`](crate::data::Table).
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name in the header, unique in the table and never empty.
    pub name: String,
    /// Its cells, one for each row.
    pub cells: Cells,
    /// How its numbers were written.
    pub form: NumberForm,
    /// What was written, where it holds whole numbers of which f64 loses digits: they count as different where their texts do.
    pub exact: Option<Categorical>,
}

impl Column {
    /// A column of this name. Its numbers were written as programs write them, and lose nothing.
    #[must_use]
    pub fn new(name: impl Into<String>, cells: Cells) -> Self {
        Self { name: name.into(), cells, form: NumberForm::default(), exact: None }
    }

    /// Whether its cells look like numbers of rows or names, in enough rows: texts of which hardly two are the same, or whole numbers
    /// that all differ and ascend, descend, leave none out, or are called an identifier. Any other numbers may differ as well.
    pub(super) fn identifies_rows(&self) -> bool {
        let rows = self.cells.len();
        rows >= ENOUGH
            && match (&self.cells, &self.exact) {
                (_, Some(texts)) => texts.labels().len() == rows,
                (Cells::Text(texts), None) => 100 * texts.labels().len() >= 99 * rows,
                (Cells::Number(values), None) => is_count(values, names_rows(&self.name)),
                (Cells::Date(_), None) => false,
            }
    }

    /// The column as texts: what was written, where its numbers lose digits.
    #[must_use]
    pub fn to_texts(&self) -> Categorical {
        self.exact.clone().unwrap_or_else(|| self.cells.to_texts())
    }
}

/// Whether whole numbers all differ and count rows; `named`: their column's name says so.
fn is_count(values: &[f64], named: bool) -> bool {
    let mut seen = HashSet::default();
    if !values.iter().all(|value| is_exact(*value) && seen.insert((value + 0.0).to_bits())) {
        return false;
    }
    let (least, most) = values.iter().fold((f64::MAX, f64::MIN), |(least, most), &x| (least.min(x), most.max(x)));
    named || values.is_sorted() || values.iter().rev().is_sorted() || most - least == (values.len() - 1) as f64
}

/// Whether a name ends in a word for what tells rows apart: `id`, `passenger_id`, `PassengerId`.
fn names_rows(name: &str) -> bool {
    let begins = |(at, char): (usize, char)| {
        let before = name[..at].chars().next_back();
        (char.is_uppercase() && before.is_some_and(char::is_lowercase)) || before.is_some_and(|c| !c.is_alphanumeric())
    };
    let last = name.char_indices().rfind(|&place| begins(place)).map_or(0, |(at, _)| at);
    ["id", "index", "key", "number", "no", "nr"].iter().any(|word| name[last..].eq_ignore_ascii_case(word))
}

/// Columns that are worked on at a time, whatever the number of cores: each takes a copy of itself meanwhile.
const AT_A_TIME: usize = 8;

/// Works on columns in parallel. The error of the first one that has one is told.
pub(super) fn some_at_a_time<C: Send, T: Send>(
    columns: Vec<C>,
    work: impl Fn(C) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    parallel::start()?;
    let (mut columns, mut all) = (columns.into_iter(), Vec::new());
    loop {
        let some: Vec<C> = columns.by_ref().take(AT_A_TIME).collect();
        if some.is_empty() {
            return Ok(all);
        }
        let done: Vec<Result<T>> = some.into_par_iter().map(&work).collect();
        for one in done {
            all.push(one?);
        }
    }
}
