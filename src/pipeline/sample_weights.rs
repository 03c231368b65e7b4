//! What the training rows count for. Held-out rows all count the same.

use std::collections::HashSet;

use crate::data::{Dataset, Encoder, Table, balanced_class_weights, row_weights};
use crate::error::{Error, Result, list, shorten};

/// What a row counts for by its class.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ClassWeight {
    /// All rows alike.
    #[default]
    None,
    /// All classes count the same.
    Balanced,
    /// Labels with their weights.
    Given(Vec<(String, f64)>),
}

impl ClassWeight {
    /// A weight for each class of rows with these targets, if classes have some.
    fn of_classes(&self, targets: &[f32], encoder: &Encoder) -> Result<Option<Vec<f64>>> {
        let unfit = |found: &str, expected| Error::Setting { what: "class_weight", found: found.into(), expected };
        let given = match self {
            ClassWeight::None => return Ok(None),
            ClassWeight::Balanced => None,
            ClassWeight::Given(given) => Some(given),
        };
        let Some(classes) = encoder.classes() else {
            let expected = format!("none, for `{}` is a number and has no classes", shorten(&encoder.target().name));
            return Err(unfit("given", expected));
        };
        let Some(given) = given else { return Ok(Some(balanced_class_weights(targets, classes.len()))) };
        let mut weights = vec![1.0; classes.len()];
        let mut seen = HashSet::new();
        for (label, weight) in given {
            match encoder.class_number(label) {
                Some(class) if seen.insert(class) => weights[class] = *weight,
                Some(_) => return Err(unfit(&format!("`{}`, twice", shorten(label)), "each class once".into())),
                None => return Err(unfit(&format!("`{}`", shorten(label)), format!("labels from {}", list(classes)))),
            }
        }
        Ok(Some(weights))
    }

    /// Refuses labels that the target does not have, and weights for a target without classes.
    pub(crate) fn check(&self, encoder: &Encoder) -> Result<()> {
        self.of_classes(&[], encoder).map(|_| ())
    }
}

/// The weights of a table's rows, which the table itself no longer holds.
#[derive(Debug)]
pub(crate) struct SampleWeights<'a> {
    /// The column's name, and a weight for each row.
    column: Option<(String, Vec<f32>)>,
    /// One for each weighting.
    classes: &'a [ClassWeight],
}

impl<'a> SampleWeights<'a> {
    /// Takes the column of weights out of the table.
    pub fn take(table: &mut Table, column: Option<&str>, classes: &'a [ClassWeight]) -> Result<Self> {
        let column = column.map(|name| Ok((name.to_string(), table.take_weights(name)?))).transpose()?;
        Ok(Self { column, classes })
    }

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
        let of_classes = |weight: &ClassWeight| weight.of_classes(train.targets(), encoder);
        let classes = self.classes.iter().map(of_classes).collect::<Result<Vec<_>>>()?;
        if own.is_none() && classes.iter().all(Option::is_none) {
            return Ok(train);
        }
        let weigh = |classes: &Option<Vec<f64>>| match (classes, &own) {
            (None, None) => vec![1.0; rows.len()],
            (None, Some(own)) => own.clone(),
            (Some(classes), own) => weigh(&train, classes, own.as_deref()),
        };
        let weightings: Vec<_> = classes.iter().map(weigh).collect();
        if weightings.iter().any(|weights| weights.iter().all(|&weight| weight == 0.0)) {
            let what = if self.column.is_some() { "weight_column" } else { "class_weight" };
            let expected = "more than 0 for some of them".into();
            return Err(Error::Setting { what, found: "0 for all training rows".into(), expected });
        }
        train.with_weightings(&weightings)
    }
}

/// A weight for each row, up to a factor that all have; the factor is there where f32 could not hold them without.
fn weigh(train: &Dataset, classes: &[f64], own: Option<&[f32]>) -> Vec<f32> {
    let weights = row_weights(train.targets(), classes, own);
    if weights.iter().all(|weight| weight.is_finite()) {
        return weights;
    }
    let most = train.targets().iter().map(|&class| classes[class as usize]).fold(0.0, f64::max);
    row_weights(train.targets(), &classes.iter().map(|weight| weight / most).collect::<Vec<_>>(), own)
}
