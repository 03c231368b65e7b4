//! Between a table's columns and a network's numbers. In: a [`Table`]. Out: a [`Dataset`], and network
//! outputs back in the target's unit. An [`Encoder`] is fitted once on the training rows (see `fit`) and
//! saved with the model, so that every later table is encoded as the training rows were.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::dataset::Dataset;
use super::table::{Cells, Table, shorten};
use super::target::{ClassIndex, Target, TargetKind, Task};
use crate::error::{Error, Result, list};

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

/// The features and the target of a model, by name, with what turns their cells into the network's numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Encoder {
    pub(super) features: Vec<Feature>,
    pub(super) target: Target,
    /// The column of the rows' weights, which is no feature; tables may have it or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) weight: Option<String>,
}

impl Encoder {
    /// An encoder that was not fitted, for a network of another program; [`validate`](Self::validate) checks it.
    #[must_use]
    pub fn new(features: Vec<Feature>, target: Target) -> Self {
        Self { features, target, weight: None }
    }

    /// What the network predicts.
    #[must_use]
    pub fn task(&self) -> Task {
        self.target.kind.task()
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

    /// The labels in the order of their numbers, or None for a regression. Of two, the second one is the positive class.
    #[must_use]
    pub fn classes(&self) -> Option<&[String]> {
        self.target.kind.classes()
    }

    /// The number of the class with this label, as a text or as a number: `1.0` is the class `1`.
    #[must_use]
    pub fn class_number(&self, label: &str) -> Option<usize> {
        ClassIndex::new(self.classes()?).of_text(label)
    }

    /// The column of the rows' weights, if the model was trained with one. It may be in later tables or not, and is
    /// no feature.
    #[must_use]
    pub fn weight_column(&self) -> Option<&str> {
        self.weight.as_deref()
    }

    /// Has the column of this name passed over in every later table, as that of the rows' weights.
    ///
    /// # Errors
    /// [`Error::Setting`] where it is a feature or the target.
    pub fn with_weight_column(self, name: &str) -> Result<Self> {
        if self.target.name == name || self.features.iter().any(|feature| feature.name == name) {
            let expected = "a column that is neither a feature nor the target".into();
            return Err(Error::Setting { what: "the column of weights", found: format!("`{name}`"), expected });
        }
        Ok(Self { weight: Some(name.into()), ..self })
    }

    /// Number of the network's inputs, at least 1.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.features.len()
    }

    /// Number of the network's outputs: one for each of three or more classes, else 1.
    #[must_use]
    pub fn outputs(&self) -> usize {
        match &self.target.kind {
            TargetKind::Multiclass { classes } => classes.len(),
            TargetKind::Binary { .. } | TargetKind::Regression { .. } => 1,
        }
    }

    /// Encodes features and target, found by name, in all rows of the table. The target makes one column, for classes
    /// with their numbers.
    ///
    /// # Errors
    /// Those of [`encode_features`](Self::encode_features); [`Error::MissingColumn`] where the target is
    /// absent; [`Error::UnfitTarget`] for a class that the encoder doesn't know; [`Error::NotANumber`] for a
    /// text in the target of a regression.
    pub fn encode(&self, table: &Table) -> Result<Dataset> {
        let targets = self.encode_target(table)?;
        let features = self.encode_features(table)?;
        Dataset::new(features, targets, self.inputs(), 1)
    }

    /// Encodes the features, found by name, in all rows: `[rows, inputs]`, row-major. The order of the
    /// table's columns doesn't matter, and the target and the weights may be there or not.
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
        let passed_over = [Some(self.target.name.as_str()), self.weight_column()];
        let is_extra = |name: &String| !passed_over.contains(&Some(name)) && !known.contains(name.as_str());
        let extra: Vec<String> = table.names().into_iter().filter(is_extra).collect();
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
        if let TargetKind::Regression { mean, scale } = self.target.kind {
            let values = table.numbers(name)?.iter().enumerate();
            return values.map(|(row, &value)| standardised(table, name, row, value, mean, scale)).collect();
        }
        let classes = self.classes().unwrap_or_default();
        let index = ClassIndex::new(classes);
        let number = |row: usize, class: Option<usize>, label: &dyn Fn() -> String| match class {
            Some(class) => Ok(class as f32),
            None => {
                let (label, line) = (label(), table.line(row));
                let problem = format!("is `{label}` in line {line}: the model knows the classes {}", list(classes));
                Err(Error::UnfitTarget { path: table.source().into(), column: name.clone(), problem })
            }
        };
        match table.column(name)? {
            Cells::Number(values) => {
                let values = values.iter().enumerate();
                values.map(|(row, value)| number(row, index.of_number(*value), &|| value.to_string())).collect()
            }
            Cells::Text(values) => {
                let values = values.iter().enumerate();
                values.map(|(row, text)| number(row, index.of_text(text), &|| shorten(text))).collect()
            }
        }
    }

    /// A regression network's output in the target's unit: `z · scale + mean`. For classes, `z` itself.
    #[must_use]
    pub fn decode_regression(&self, z: f64) -> f64 {
        match self.target.kind {
            TargetKind::Binary { .. } | TargetKind::Multiclass { .. } => z,
            TargetKind::Regression { mean, scale } => z * scale + mean,
        }
    }

    /// Checks an encoder that was read from a file: at least one feature, names that are unique and not empty,
    /// finite means, finite scales above 0, classes that differ, two of them for a
    /// binary task and more for a multiclass one.
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
        if self.weight.as_ref().is_some_and(|weight| !seen.insert(weight)) {
            return Err("the encoder's column of weights is a feature or the target".into());
        }
        if seen.contains("") {
            return Err("the encoder has a column without a name".into());
        }
        if let TargetKind::Regression { mean, scale } = self.target.kind {
            return check(&self.target.name, mean, scale);
        }
        let classes = self.classes().unwrap_or_default();
        let mut seen = HashSet::new();
        if let Some(class) = classes.iter().find(|class| !seen.insert(*class)) {
            return Err(format!("the encoder has the class `{class}` twice"));
        }
        if self.task() == Task::Multiclass && classes.len() < 3 {
            return Err(format!("the encoder has {} classes for a multiclass task", classes.len()));
        }
        Ok(())
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
