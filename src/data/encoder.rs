//! Between a table's columns and a network's numbers. In: a [`Table`]. Out: a [`Dataset`], and network
//! outputs back in the target's unit. An [`Encoder`] is fitted once on the training rows (see `fit`) and
//! saved with the model, so that every later table is encoded as the training rows were.

use std::collections::HashSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::dataset::Dataset;
use super::table::{Cells, Table, parse_number, shorten};
use crate::error::{Error, Result};

/// What the network is to predict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// One of two classes.
    Binary,
    /// A number.
    Regression,
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Binary => "binary",
            Self::Regression => "regression",
        })
    }
}

/// A feature column: the network sees `(cell − mean) / scale`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    /// The column's name.
    pub name: String,
    /// What is subtracted, in the column's unit; 0 without standardisation.
    pub mean: f64,
    /// What the difference is divided by, in the column's unit, above 0; 1 without standardisation and for
    /// a constant column.
    pub scale: f64,
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
    /// `(cell − mean) / scale`.
    Regression {
        /// What is subtracted, in the target's unit.
        mean: f64,
        /// What the difference is divided by, in the target's unit, above 0.
        scale: f64,
    },
}

/// The features and the target of a model, by name, with what turns their cells into the network's numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Encoder {
    pub(super) features: Vec<Feature>,
    pub(super) target: Target,
}

impl Encoder {
    /// What the network predicts.
    #[must_use]
    pub fn task(&self) -> Task {
        match self.target.kind {
            TargetKind::Binary { .. } => Task::Binary,
            TargetKind::Regression { .. } => Task::Regression,
        }
    }

    /// The feature columns, in the order of the network's inputs.
    #[must_use]
    pub fn features(&self) -> &[Feature] {
        &self.features
    }

    /// The target column.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The two labels, the positive class second, or None for a regression.
    #[must_use]
    pub fn classes(&self) -> Option<&[String; 2]> {
        match &self.target.kind {
            TargetKind::Binary { classes } => Some(classes),
            TargetKind::Regression { .. } => None,
        }
    }

    /// Number of the network's inputs, at least 1.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.features.len()
    }

    /// Number of the network's outputs: 1.
    #[must_use]
    pub fn outputs(&self) -> usize {
        1
    }

    /// Encodes features and target, found by name, in all rows of the table.
    ///
    /// # Errors
    /// Those of [`encode_features`](Self::encode_features); [`Error::MissingColumn`] where the target is
    /// absent; [`Error::UnfitTarget`] for a class that the encoder doesn't know; [`Error::NotANumber`] for a
    /// text in the target of a regression.
    pub fn encode(&self, table: &Table) -> Result<Dataset> {
        let targets = self.encode_target(table)?;
        let features = self.encode_features(table)?;
        Dataset::new(features, targets, self.inputs(), self.outputs())
    }

    /// Encodes the features, found by name, in all rows: `[rows, inputs]`, row-major. The order of the
    /// table's columns doesn't matter, and the target may be there or not.
    ///
    /// # Errors
    /// [`Error::ExtraColumns`] and [`Error::MissingColumn`] where the columns aren't those of the encoder;
    /// [`Error::NotANumber`] for a column of texts; [`Error::NonFinite`] for a cell that is too large for f32
    /// when encoded.
    pub fn encode_features(&self, table: &Table) -> Result<Vec<f32>> {
        let known: HashSet<&str> = self.features.iter().map(|feature| feature.name.as_str()).collect();
        for feature in &self.features {
            table.column(&feature.name)?; // a misspelt name is both missing and extra: missing says more
        }
        let names = table.names().into_iter();
        let extra: Vec<String> =
            names.filter(|name| *name != self.target.name && !known.contains(name.as_str())).collect();
        if !extra.is_empty() {
            let (expected, found) = (self.inputs(), known.len() + extra.len());
            return Err(Error::ExtraColumns { path: table.source().into(), expected, found, extra });
        }
        let mut encoded = vec![0.0; table.rows() * self.inputs()];
        for (at, Feature { name, mean, scale }) in self.features.iter().enumerate() {
            let cells = encoded[at..].iter_mut().step_by(self.inputs());
            for (row, (&value, cell)) in table.numbers(name)?.iter().zip(cells).enumerate() {
                *cell = standardised(table, name, row, value, *mean, *scale)?;
            }
        }
        Ok(encoded)
    }

    fn encode_target(&self, table: &Table) -> Result<Vec<f32>> {
        let name = &self.target.name;
        match &self.target.kind {
            TargetKind::Binary { classes } => {
                let cells = table.column(name)?;
                (0..table.rows()).map(|row| self.class_of(table, cells, row, classes)).collect()
            }
            TargetKind::Regression { mean, scale } => {
                let values = table.numbers(name)?.iter().enumerate();
                values.map(|(row, &value)| standardised(table, name, row, value, *mean, *scale)).collect()
            }
        }
    }

    /// 0 or 1 for a row's label. Labels are compared as texts and as numbers, because a column of the
    /// labels `1` and `x` is read as numbers in a table that has only the former.
    fn class_of(&self, table: &Table, cells: &Cells, row: usize, classes: &[String; 2]) -> Result<f32> {
        let (label, number) = match cells {
            Cells::Number(values) => (None, Some(values[row])),
            Cells::Text(values) => (Some(values[row].as_str()), parse_number(&values[row])),
        };
        let is = |class: &str| label == Some(class) || number.is_some() && number == parse_number(class);
        match classes.iter().position(|class| is(class)) {
            Some(class) => Ok(class as f32),
            None => {
                let label = label.map_or_else(|| number.unwrap_or_default().to_string(), shorten);
                let [first, second] = classes;
                let problem = format!(
                    "is `{label}` in line {}: the model knows the classes `{first}` and `{second}`",
                    table.line(row)
                );
                Err(Error::UnfitTarget { path: table.source().into(), column: self.target.name.clone(), problem })
            }
        }
    }

    /// A regression network's output in the target's unit: `z · scale + mean`. For a binary task, `z` itself.
    #[must_use]
    pub fn decode_regression(&self, z: f64) -> f64 {
        match self.target.kind {
            TargetKind::Binary { .. } => z,
            TargetKind::Regression { mean, scale } => z * scale + mean,
        }
    }

    /// Checks an encoder that was read from a file: at least one feature, names that are unique and not empty,
    /// finite means, finite scales above 0, two different classes.
    ///
    /// # Errors
    /// What is wrong, for a message about that file.
    pub fn validate(&self) -> std::result::Result<(), String> {
        if self.features.is_empty() {
            return Err("the encoder has no features".into());
        }
        let mut seen = HashSet::from([self.target.name.as_str()]);
        let check = |name: &str, mean: f64, scale: f64| {
            let fit = mean.is_finite() && scale.is_finite() && scale > 0.0;
            let problem = || format!("the encoder's column `{name}` has mean {mean} and scale {scale}");
            if fit { Ok(()) } else { Err(problem()) }
        };
        for Feature { name, mean, scale } in &self.features {
            if !seen.insert(name) {
                return Err(format!("the encoder has two columns `{name}`"));
            }
            check(name, *mean, *scale)?;
        }
        if seen.contains("") {
            return Err("the encoder has a column without a name".into());
        }
        match &self.target.kind {
            TargetKind::Binary { classes: [first, second] } if first == second => {
                Err(format!("the encoder has the class `{first}` twice"))
            }
            TargetKind::Binary { .. } => Ok(()),
            TargetKind::Regression { mean, scale } => check(&self.target.name, *mean, *scale),
        }
    }
}

/// `(value − mean) / scale` as f32, computed in f64. [`Error::NonFinite`] where that is too large for f32.
pub(super) fn standardised(table: &Table, column: &str, row: usize, value: f64, mean: f64, scale: f64) -> Result<f32> {
    let encoded = ((value - mean) / scale) as f32;
    if encoded.is_finite() {
        return Ok(encoded);
    }
    Err(table.not_finite(column, row, format_args!("{value:e}, encoded as f32,")))
}
