//! What is to be predicted, and the numbers of classes. In: labels as texts or numbers. Out: the class's number.
//! Knows nothing of tables.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::data::cell::of_number;
use crate::data::cell::{is_padded, loses_digits};
use crate::data::encoder::category::{Alike, Index};
use crate::data::form::NumberForm;
use crate::error::shorten;

/// What the network is to predict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// One of two classes.
    Binary,
    /// One of three or more classes.
    Multiclass,
    /// A number.
    Regression,
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Binary => "binary",
            Self::Multiclass => "multiclass",
            Self::Regression => "regression",
        })
    }
}

/// The target column and how the network sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// The column's name.
    pub name: String,
    /// Classes or numbers.
    pub kind: TargetKind,
}

/// How the network sees the target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "lowercase")]
pub enum TargetKind {
    /// 0 for the first class, 1 for the second one.
    Binary {
        /// The labels: numbers ascending, texts in lexicographic order. The second one is the positive class.
        classes: [String; 2],
    },
    /// The number of the class, from 0; the network has an output for each.
    Multiclass {
        /// The labels, at least three: numbers ascending, texts in lexicographic order.
        classes: Vec<String>,
    },
    /// `(cell − mean) / scale`.
    Regression {
        /// What is subtracted, in the target's unit; 0 without standardisation.
        mean: f64,
        /// What the difference is divided by, in the target's unit, above 0; 1 without standardisation.
        scale: f64,
        /// The least and the largest target of the training rows, in its unit; predictions are kept within them. None where
        /// predictions stay as the network says them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        range: Option<[f64; 2]>,
    },
}

impl TargetKind {
    /// What the network predicts.
    #[must_use]
    pub fn task(&self) -> Task {
        match self {
            Self::Binary { .. } => Task::Binary,
            Self::Multiclass { .. } => Task::Multiclass,
            Self::Regression { .. } => Task::Regression,
        }
    }

    /// The labels in the order of their numbers, or None for a regression.
    #[must_use]
    pub fn classes(&self) -> Option<&[String]> {
        match self {
            Self::Binary { classes } => Some(classes),
            Self::Multiclass { classes } => Some(classes),
            Self::Regression { .. } => None,
        }
    }

    /// The labels of three classes or more; nothing of two or of a number.
    pub(in crate::data) fn several(&self) -> &[String] {
        if let Self::Multiclass { classes } = self { classes } else { &[] }
    }

    /// What predicted numbers are kept within, if anything.
    #[must_use]
    pub fn range(&self) -> Option<[f64; 2]> {
        if let Self::Regression { range, .. } = self { *range } else { None }
    }

    /// A number in the target's unit, of what the network learns; of classes what it is.
    pub(crate) fn decode(&self, y: f64) -> f64 {
        match *self {
            Self::Binary { .. } | Self::Multiclass { .. } => y,
            Self::Regression { mean, scale, .. } => y * scale + mean,
        }
    }

    /// A number in the target's unit, kept within the range. NaN stays NaN.
    pub(crate) fn clip(&self, number: f64) -> f64 {
        match self.range() {
            Some([least, _]) if number < least => least,
            Some([_, most]) if number > most => most,
            _ => number,
        }
    }
}

/// What is wrong with a range that was read from a file.
pub(in crate::data) fn check_range(name: &str, [least, most]: [f64; 2]) -> Result<(), String> {
    let fits = least.is_finite() && most.is_finite() && least <= most;
    let problem = || {
        format!("the encoder keeps `{}` within {least} and {most}: expected finite numbers, ascending", shorten(name))
    };
    if fits { Ok(()) } else { Err(problem()) }
}

/// Numbers of classes by their labels, as texts and as numbers: a column of the labels `1` and `x` is read as
/// numbers in a table that has only the former.
pub(in crate::data) struct ClassIndex<'a>(pub Index<'a>);

impl<'a> ClassIndex<'a> {
    pub(in crate::data) fn new(classes: &'a [String]) -> Self {
        let alike = Alike::of_classes(classes.iter().map(String::as_str));
        let places = classes.iter().enumerate().map(|(class, label)| (label.as_str(), class));
        Self(Index::new(places, alike))
    }

    pub(in crate::data) fn of_text(&self, label: &str) -> Option<usize> {
        self.0.place(label)
    }

    /// The same of a label that may be a number of this form, but for those that say more than their number.
    pub(in crate::data) fn of_written(&self, label: &str, form: NumberForm) -> Option<usize> {
        let number = || form.parse(label).filter(|&number| !(is_padded(label) || loses_digits(label, number)));
        self.of_text(label).or_else(|| self.of_number(number()?))
    }

    pub(in crate::data) fn of_number(&self, label: f64) -> Option<usize> {
        self.of_text(&of_number(label))
    }
}
