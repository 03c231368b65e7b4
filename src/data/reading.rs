//! What a user, or a model, says of how a table is written; what nobody says is guessed.

use serde::{Deserialize, Serialize};

use crate::data::form::Marks;

/// How a table is written. The default leaves all of it to be found out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Reading {
    /// Texts that stand for missing cells.
    pub missing: MissingWords,
    /// In front of the fraction of all numbers: a point or a comma.
    pub decimal: Option<char>,
    /// Between the thousands of all numbers.
    pub thousands: Option<char>,
    /// Whether the first row of delimited text has the columns' names. None takes it for names.
    pub header: Option<bool>,
    /// The label of a text's encoding by the Encoding Standard, as `windows-1252`. None is UTF-8, or UTF-16 where a byte order mark says so.
    pub encoding: Option<String>,
    /// Columns that are to be numeric, whatever else stands in them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub numeric: Vec<String>,
    /// The names of the columns of a file without a header.
    pub columns: Vec<String>,
    /// Those of them that a file without a header may have alone, in its order: a model's features.
    #[serde(skip)]
    pub features: Vec<String>,
    /// Whether a first row of nothing but numbers is refused instead of noted where `header` says nothing.
    #[serde(skip)]
    pub names_only: bool,
    /// Other choices of them that it may have.
    #[serde(skip)]
    pub subsets: Vec<Vec<String>>,
}

impl Reading {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// With a first row of nothing but numbers refused, unless `header` says what it is.
    #[must_use]
    pub fn with_names_only(self) -> Self {
        Self { names_only: true, ..self }
    }

    pub(super) fn marks(&self) -> Marks {
        Marks { decimal: self.decimal, thousands: self.thousands }
    }

    /// What this says, and where it is silent what `other` does: flags over a model.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        Self {
            missing: self.missing.and(&other.missing),
            decimal: self.decimal.or(other.decimal),
            thousands: self.thousands.or(other.thousands),
            header: self.header.or(other.header),
            encoding: self.encoding.clone().or_else(|| other.encoding.clone()),
            numeric: if self.numeric.is_empty() { other.numeric.clone() } else { self.numeric.clone() },
            columns: if self.columns.is_empty() { other.columns.clone() } else { self.columns.clone() },
            features: if self.features.is_empty() { other.features.clone() } else { self.features.clone() },
            names_only: self.names_only || other.names_only,
            subsets: if self.subsets.is_empty() { other.subsets.clone() } else { self.subsets.clone() },
        }
    }
}

/// Which texts stand for missing cells: empty ones, those that pandas takes by default, `?`, and NA, NaN, N/A, null in any
/// case; some more, and some of these less. A number that is named stands for all ways of writing it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MissingWords {
    /// More of them.
    pub more: Vec<String>,
    /// Those that are none.
    pub fewer: Vec<String>,
}

/// pandas' `STR_NA_VALUES`, in its case; the empty text goes without saying.
const PANDAS: [&str; 18] = [
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL",
    "NaN", "None", "n/a", "nan", "null",
];
const ANY_CASE: [&str; 4] = ["na", "nan", "n/a", "null"];

impl MissingWords {
    /// Whether a cell, without white space around it, stands for one that is missing.
    #[must_use]
    pub fn contains(&self, cell: &str) -> bool {
        if cell.is_empty() {
            return true;
        }
        if !self.more.is_empty() && self.more.iter().any(|word| word == cell || same_number(word, cell)) {
            return true;
        }
        // Most texts are none of them, which their length or first letter tells.
        let known = cell.len() <= 8
            && (cell == "?" || PANDAS.contains(&cell) || ANY_CASE.iter().any(|word| cell.eq_ignore_ascii_case(word)));
        known && !self.fewer.iter().any(|word| word == cell)
    }

    /// Whether a number stands for a missing cell.
    pub(super) fn has_number(&self, number: f64) -> bool {
        self.more.iter().any(|word| word.parse::<f64>().is_ok_and(|word| word == number))
    }

    /// Whether nothing is said of them.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.more.is_empty() && self.fewer.is_empty()
    }

    fn and(&self, other: &Self) -> Self {
        let with = |own: &[String], others: &[String], except: &[String]| {
            let others = others.iter().filter(|word| !own.contains(word) && !except.contains(word));
            own.iter().chain(others).cloned().collect()
        };
        Self { more: with(&self.more, &other.more, &self.fewer), fewer: with(&self.fewer, &other.fewer, &self.more) }
    }
}

fn same_number(word: &str, cell: &str) -> bool {
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    number(word).is_some_and(|word| number(cell) == Some(word))
}
