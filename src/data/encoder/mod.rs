//! The encoder between a table's columns and a network's numbers. In: a [`Table`](crate::data::Table). Out: a
//! [`Dataset`](crate::data::Dataset), and network outputs back in the target's unit. An [`Encoder`] is fitted once on
//! the training rows (see `fit`) and saved with the model, so that every later table is encoded (see `encode`) as the
//! training rows were.

mod calendar;
mod category;
mod decided;
mod encode;
mod feature;
mod fit;
mod fit_feature;
mod inputs;
mod left_out;
mod piecewise;
#[cfg(feature = "cli")]
mod readable;
mod scaling;
mod target;
mod target_mean;

pub use calendar::{DateInput, DatePart};
pub use encode::Encoded;
pub use feature::{Feature, FeatureKind, Holds};
pub use fit::{class_labels, class_numbers};
pub use left_out::{LeftOut, Why};
pub use piecewise::NumericEncoding;
#[cfg(feature = "cli")]
pub(crate) use readable::ReadableColumns;
pub use scaling::{FeatureScaling, InputScaling, Scaling};
pub use target::{Target, TargetKind, Task};
pub use target_mean::TargetMean;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::data::column::Column;
use crate::data::form::NumberForm;
use crate::data::read_as::{ReadAs, Strays};
use crate::data::reading::Reading;
use crate::data::table::Table;
use crate::error::{Error, Result, shorten};
use feature::check_scale;
use target::{ClassIndex, check_range};
use target_mean::check_classes;

/// The features and the target of a model, by name, with the conversion of their cells to the network's numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Encoder {
    pub(in crate::data) features: Vec<Feature>,
    pub(in crate::data) target: Target,
    /// The column of sample weights, which is not a feature. Tables may have it or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::data) weight: Option<String>,
    /// How tables are read.
    #[serde(default, skip_serializing_if = "Reading::is_default")]
    pub(in crate::data) reading: Reading,
    /// The form of the numbers of a feature or the target, by name, if it is not the default.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::data) forms: BTreeMap<String, NumberForm>,
    /// Columns without information in the training rows. Such a column may have a feature that says whether its cell is
    /// missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::data) left_out: Vec<LeftOut>,
}

impl Encoder {
    /// An encoder that was not fitted, for a network of another program; [`validate`](Self::validate) checks it.
    #[must_use]
    pub fn new(features: Vec<Feature>, target: Target) -> Self {
        let (reading, forms) = (Reading::default(), BTreeMap::new());
        Self { features, target, weight: None, reading, forms, left_out: Vec::new() }
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

    /// The labels in the order of their indices, or None for a regression. Of two classes the second one is the
    /// positive class.
    #[must_use]
    pub fn classes(&self) -> Option<&[String]> {
        self.target.kind.classes()
    }

    /// The index of the class with this label, as a text or as a number: `1.0` is the class `1`.
    #[must_use]
    pub fn class_number(&self, label: &str) -> Option<usize> {
        ClassIndex::new(self.classes()?).of_written(label, self.form(&self.target.name))
    }

    /// The column of sample weights, if the model was trained with one. It is not a feature, and later tables may have
    /// it or not.
    #[must_use]
    pub fn weight_column(&self) -> Option<&str> {
        self.weight.as_deref()
    }

    /// Skips the column of this name in every later table, as the column of sample weights.
    ///
    /// # Errors
    /// [`Error::Setting`] where it is a feature or the target.
    pub fn with_weight_column(self, name: &str) -> Result<Self> {
        if self.target.name == name || self.features.iter().any(|feature| feature.name == name) {
            let expected = "a column that is neither a feature nor the target".into();
            return Err(Error::Setting {
                what: "the column of sample weights",
                found: format!("`{}`", shorten(name)),
                expected,
            });
        }
        Ok(Self { weight: Some(name.into()), ..self })
    }

    /// Columns of the training table that are not inputs, since they have no information in the training rows.
    #[must_use]
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// Keeps how the training table was read, which had columns of these names: they are those of later files without a
    /// header.
    #[must_use]
    pub fn with_reading(self, reading: &Reading, names: &[String]) -> Self {
        let columns = names.to_vec();
        let (features, subsets, names_only) = (Vec::new(), Vec::new(), false);
        Self { reading: Reading { columns, features, subsets, names_only, ..reading.clone() }, ..self }
    }

    /// How tables for this model are read. A file without a header may have all columns of the training file, all but
    /// the target, or the features in their order, with those that are left out or without them.
    #[must_use]
    pub fn reading(&self) -> Reading {
        let features: Vec<String> = self.features.iter().map(|feature| feature.name.clone()).collect();
        let columns = &self.reading.columns;
        let some = |wanted: &dyn Fn(&String) -> bool| columns.iter().filter(|name| wanted(name)).cloned().collect();
        let known = |name: &String| features.contains(name) || self.left_out.iter().any(|column| column.name == *name);
        let subsets = match columns[..] {
            [] => Vec::new(),
            _ => vec![some(&|name| *name != self.target.name), some(&known)],
        };
        Reading { features, subsets, ..self.reading.clone() }
    }

    /// Keeps how the numbers of its columns are written in a table.
    #[must_use]
    pub fn with_forms(self, table: &Table) -> Self {
        // Classes that lose digits as numbers go by what is written.
        let is_class = |column: &Column| column.name == self.target.name && column.exact.is_none();
        let is_number =
            |column: &Column| matches!(self.read_as(&column.name, true), ReadAs::Written(..)) || is_class(column);
        let written = table.columns().iter().filter(|column| !column.form.is_plain() && is_number(column));
        let forms = written.map(|column| (column.name.clone(), column.form)).collect();
        Self { forms, ..self }
    }

    /// How the numbers of this column are written.
    #[must_use]
    pub fn form(&self, name: &str) -> NumberForm {
        self.forms.get(name).copied().unwrap_or_default()
    }

    /// Number of the network's inputs, at least 1.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.features.iter().map(Feature::width).sum()
    }

    /// Number of the network's outputs: one for each of three or more classes, else 1.
    #[must_use]
    pub fn outputs(&self) -> usize {
        match &self.target.kind {
            TargetKind::Multiclass { classes } => classes.len(),
            TargetKind::Binary { .. } | TargetKind::Regression { .. } => 1,
        }
    }

    /// How to read a column of this name, so that its cells have the type that they had in training; the target only on
    /// request.
    #[must_use]
    pub fn read_as(&self, name: &str, with_target: bool) -> ReadAs {
        let is_target = name == self.target.name;
        let numbers = |strays| ReadAs::Written(self.form(name), strays);
        match self.features.iter().find(|feature| feature.name == name).map(|feature| &feature.kind) {
            Some(FeatureKind::Number { .. } | FeatureKind::Presence { cells: Holds::Numbers }) => {
                let expected = self.reading.numeric.iter().any(|column| column == name);
                numbers(if expected { Strays::Expected } else { Strays::Missing })
            }
            Some(FeatureKind::Category { .. } | FeatureKind::Presence { cells: Holds::Categorical }) => ReadAs::Text,
            Some(FeatureKind::Date { .. } | FeatureKind::Presence { cells: Holds::Dates }) => ReadAs::Date,
            None if is_target && with_target && self.classes().is_some() => ReadAs::Text,
            None if is_target && with_target => numbers(Strays::Refused),
            None => ReadAs::Skip,
        }
    }

    /// Looks for the needed columns among these names of a table. Returns the unknown ones: neither features nor the
    /// target, the sample weights or a column that was left out.
    ///
    /// # Errors
    /// [`Error::MissingColumns`], with all that are missing.
    pub fn extra_columns(&self, path: &Path, names: &[String], with_target: bool) -> Result<Vec<String>> {
        let there: HashSet<&str> = names.iter().map(String::as_str).collect();
        let target = with_target.then_some(&self.target.name);
        let needed = self.features.iter().map(|feature| &feature.name).chain(target);
        let missing: Vec<String> = needed.filter(|name| !there.contains(name.as_str())).cloned().collect();
        if !missing.is_empty() {
            return Err(Error::MissingColumns { path: path.into(), columns: missing, available: names.to_vec() });
        }
        let mut known: HashSet<&str> = self.features.iter().map(|feature| feature.name.as_str()).collect();
        known.extend([self.target.name.as_str()].into_iter().chain(self.weight_column()));
        known.extend(self.left_out.iter().map(|column| column.name.as_str()));
        Ok(names.iter().filter(|name| !known.contains(name.as_str())).cloned().collect())
    }

    /// A regression network's output as a prediction in the target's unit: `z · scale + mean`, kept within the range of
    /// the target if the encoder has one. For classes, `z` itself. NaN stays NaN.
    #[must_use]
    pub fn decode_regression(&self, z: f64) -> f64 {
        self.target.kind.clip(self.decode_target(z))
    }

    /// A regression's target in its unit, from what [`encode`](Self::encode) made of it. It is nowhere clipped: rows that
    /// were held out may lie beyond the range. For classes, `y` itself.
    #[must_use]
    pub fn decode_target(&self, y: f64) -> f64 {
        self.target.kind.decode(y)
    }

    /// Checks an encoder that was read from a file: at least one feature, names that are unique and not empty,
    /// finite means, finite scales above 0, a finite range that ascends, categories and classes that differ, two of them
    /// for a binary task and more for a multiclass one.
    ///
    /// # Errors
    /// What is wrong, for a message about that file.
    pub fn validate(&self) -> std::result::Result<(), String> {
        if self.features.is_empty() {
            return Err("the encoder has no features".into());
        }
        let mut seen = HashSet::from([self.target.name.as_str()]);
        for feature in &self.features {
            if !seen.insert(&feature.name) {
                return Err(format!("the encoder has two columns `{}`", shorten(&feature.name)));
            }
            feature.validate()?;
            check_classes(&feature.name, feature.means(), self.target.kind.several())?;
        }
        if self.weight.as_ref().is_some_and(|weight| !seen.insert(weight)) {
            return Err("the encoder's column of sample weights is a feature or the target".into());
        }
        for LeftOut { name, .. } in &self.left_out {
            let presence = |of: &Feature| of.name == *name && matches!(of.kind, FeatureKind::Presence { .. });
            if !seen.insert(name) && !self.features.iter().any(presence) {
                return Err(format!("the encoder leaves out its column `{name}`"));
            }
        }
        for (name, form) in &self.forms {
            form.validate().map_err(|problem| format!("the encoder's column `{name}`: {problem}"))?;
        }
        if seen.contains("") {
            return Err("the encoder has a column without a name".into());
        }
        if let TargetKind::Regression { mean, scale, range } = self.target.kind {
            range.map_or(Ok(()), |range| check_range(&self.target.name, range))?;
            return check_scale(&self.target.name, mean, scale);
        }
        let classes = self.classes().unwrap_or_default();
        let mut seen = HashSet::new();
        if let Some(class) = classes.iter().find(|class| !seen.insert(*class)) {
            return Err(format!("the encoder has the class `{}` twice", shorten(class)));
        }
        if self.task() == Task::Multiclass && classes.len() < 3 {
            return Err(format!("the encoder has {} classes for a multiclass task", classes.len()));
        }
        Ok(())
    }
}
