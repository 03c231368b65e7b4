//! The rows as the network sees them. In: encoded f32 values. Out: row-major matrices whose shapes and
//! finiteness are certain. Knows nothing of columns, names or files.

use crate::error::{Error, Result};

/// Features `[rows, inputs]` and targets `[rows, outputs]`, f32, row-major, all finite.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    features: Vec<f32>,
    targets: Vec<f32>,
    inputs: usize,
    outputs: usize,
}

impl Dataset {
    /// Takes `features` as `[rows, inputs]` and `targets` as `[rows, outputs]`, both row-major. No rows at
    /// all is fine: a held-out part may be empty.
    ///
    /// # Errors
    /// [`Error::Shape`] where `inputs` or `outputs` is 0, the features don't fill whole rows, or the targets
    /// have another number of rows; [`Error::Setting`] for a value that is NaN or infinite.
    pub fn new(features: Vec<f32>, targets: Vec<f32>, inputs: usize, outputs: usize) -> Result<Self> {
        let shape = |what: &str, found, expected| Error::Shape { what: what.into(), found, expected };
        if inputs == 0 || outputs == 0 {
            let what = if inputs == 0 { "a row of features" } else { "a row of targets" };
            return Err(shape(what, 0, "at least 1".into()));
        }
        if !features.len().is_multiple_of(inputs) {
            return Err(shape("the feature matrix", features.len(), format!("a multiple of {inputs}, its columns")));
        }
        let rows = features.len() / inputs;
        if rows.checked_mul(outputs) != Some(targets.len()) {
            return Err(shape("the target matrix", targets.len(), format!("{rows} rows of {outputs}")));
        }
        all_finite("a feature", &features, inputs)?;
        all_finite("a target", &targets, outputs)?;
        Ok(Self { features, targets, inputs, outputs })
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.features.len() / self.inputs
    }

    /// Number of feature columns, at least 1.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Number of target columns, at least 1.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The features, `[rows, inputs]` row-major.
    #[must_use]
    pub fn features(&self) -> &[f32] {
        &self.features
    }

    /// The targets, `[rows, outputs]` row-major.
    #[must_use]
    pub fn targets(&self) -> &[f32] {
        &self.targets
    }

    /// The rows with these numbers (from 0), in this order; a number may come more than once.
    ///
    /// # Panics
    /// Where a number is not below [`rows`](Self::rows).
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        let take = |values: &[f32], width: usize| {
            let mut taken = Vec::with_capacity(indices.len() * width);
            for &row in indices {
                taken.extend_from_slice(&values[row * width..(row + 1) * width]);
            }
            taken
        };
        Self { features: take(&self.features, self.inputs), targets: take(&self.targets, self.outputs), ..*self }
    }
}

fn all_finite(what: &'static str, values: &[f32], width: usize) -> Result<()> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(at) => Err(Error::Setting {
            what,
            found: format!("{} in row {}, column {} (from 0)", values[at], at / width, at % width),
            expected: "a finite number".into(),
        }),
    }
}
