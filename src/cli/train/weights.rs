//! What the training rows count for: the flags, and the weights that they make. Held-out rows all count the same.

use std::collections::HashSet;
use std::str::FromStr;

use crate::data::{Dataset, Encoder, Table, balanced_class_weights, row_weights};
use crate::error::{Error, Result, list};

#[derive(Debug, clap::Args)]
pub struct WeightArgs {
    /// Column of what a row counts for in training, numbers from 0 on; it is no feature
    #[arg(long, value_name = "COLUMN")]
    weight_column: Option<String>,
    /// What a row counts for by its class: none, balanced (all classes the same), or weights of some, others 1
    #[arg(long, default_value = "none", value_name = "none|balanced|LABEL=W,…")]
    class_weight: ClassWeight,
}

/// `--class-weight`.
#[derive(Clone, Debug)]
enum ClassWeight {
    None,
    Balanced,
    Given(Vec<(String, f64)>),
}

impl FromStr for ClassWeight {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let pair = |pair: &str| {
            let (label, weight) = pair.rsplit_once('=')?;
            let weight: f64 = weight.trim().parse().ok().filter(|weight: &f64| *weight >= 0.0 && weight.is_finite())?;
            Some((label.trim().to_string(), weight))
        };
        match text {
            "none" => Ok(Self::None),
            "balanced" => Ok(Self::Balanced),
            _ => text.split(',').map(pair).collect::<Option<_>>().map(Self::Given).ok_or_else(|| Error::Setting {
                what: "--class-weight",
                found: format!("`{text}`"),
                expected: "none, balanced, or LABEL=WEIGHT with commas between them and weights from 0 on".into(),
            }),
        }
    }
}

/// The weights of a table's rows, which the table itself no longer holds.
#[derive(Debug)]
pub struct Weights<'a> {
    /// The column's name, and a weight for each row.
    column: Option<(String, Vec<f32>)>,
    class_weight: &'a ClassWeight,
}

impl WeightArgs {
    /// The column of weights: the flag's, else the one that the model to start from knows.
    pub fn column<'a>(&'a self, target: Option<&str>, known: Option<&'a Encoder>) -> Result<Option<&'a str>> {
        let name = self.weight_column.as_deref().or(known.and_then(Encoder::weight_column));
        if let Some(name) = name.filter(|_| name == target) {
            let expected = "another column than the target".into();
            return Err(Error::Setting { what: "--weight-column", found: format!("`{name}`"), expected });
        }
        Ok(name)
    }

    /// Takes that column out of the table.
    pub fn take(&self, table: &mut Table, column: Option<&str>) -> Result<Weights<'_>> {
        let column = column.map(|name| Ok((name.to_string(), table.take_weights(name)?))).transpose()?;
        Ok(Weights { column, class_weight: &self.class_weight })
    }
}

impl Weights<'_> {
    /// Tells the encoder which column is that of weights.
    pub fn name_in(&self, encoder: Encoder) -> Result<Encoder> {
        match &self.column {
            Some((name, _)) => encoder.with_weight_column(name),
            None => Ok(encoder),
        }
    }

    /// Gives each of the training rows its weight: its own times that of its class. `rows` are their places in the table.
    pub fn give(&self, train: Dataset, rows: &[usize], encoder: &Encoder) -> Result<Dataset> {
        let own = self.column.as_ref().map(|(_, all)| rows.iter().map(|&row| all[row]).collect::<Vec<_>>());
        let weights = match (self.class_weights(&train, encoder)?, own) {
            (None, None) => return Ok(train),
            (None, Some(own)) => own,
            (Some(classes), own) => row_weights(train.targets(), &classes, own.as_deref()),
        };
        train.with_weights(&weights)
    }

    /// A weight for each class.
    fn class_weights(&self, train: &Dataset, encoder: &Encoder) -> Result<Option<Vec<f64>>> {
        let unfit = |found: &str, expected| Error::Setting { what: "--class-weight", found: found.into(), expected };
        let given = match self.class_weight {
            ClassWeight::None => return Ok(None),
            ClassWeight::Balanced => None,
            ClassWeight::Given(given) => Some(given),
        };
        let Some(classes) = encoder.classes() else {
            let expected = format!("none, for `{}` is a number and has no classes", encoder.target().name);
            return Err(unfit("given", expected));
        };
        let Some(given) = given else { return Ok(Some(balanced_class_weights(train.targets(), classes.len()))) };
        let mut weights = vec![1.0; classes.len()];
        let mut seen = HashSet::new();
        for (label, weight) in given {
            match encoder.class_number(label) {
                Some(class) if seen.insert(class) => weights[class] = *weight,
                Some(_) => return Err(unfit(&format!("`{label}`, twice"), "each class once".into())),
                None => return Err(unfit(&format!("`{label}`"), format!("labels from {}", list(classes)))),
            }
        }
        Ok(Some(weights))
    }
}
