//! The rows as inputs of the network. In: encoded f32 values. Out: row-major matrices of checked shape with finite
//! values. It knows nothing of columns, names or files.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::error::{Error, Result};

/// Features `[rows, inputs]` and targets `[rows, target_columns]`, f32, row-major, all finite. Rows may have sample
/// weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    features: Values,
    targets: Vec<f32>,
    /// Lists of a weight for each row.
    weightings: Vec<Vec<f32>>,
    inputs: usize,
    target_columns: usize,
}

impl Dataset {
    /// Takes `features` as `[rows, inputs]` and `targets` as `[rows, target_columns]`, both row-major: a value for each
    /// output of the network, or one column with the index of the class for classes that exclude each other. There may
    /// be no rows: a held-out split may be empty.
    ///
    /// # Errors
    /// [`Error::Shape`] where `inputs` or `target_columns` is 0, the features don't fill whole rows, or the targets
    /// have another number of rows; [`Error::Setting`] for a value that is NaN or infinite.
    pub fn new(features: Vec<f32>, targets: Vec<f32>, inputs: usize, target_columns: usize) -> Result<Self> {
        Self::of(Values::Own(features), targets, inputs, target_columns)
    }

    /// [`new`](Self::new) with features that lie in the program's memory, where they stay: an array of another language, a mapped file.
    ///
    /// # Errors
    /// Those of [`new`](Self::new).
    pub fn lent(
        features: Arc<dyn AsRef<[f32]> + Send + Sync>,
        targets: Vec<f32>,
        inputs: usize,
        target_columns: usize,
    ) -> Result<Self> {
        Self::of(Values::Lent(features), targets, inputs, target_columns)
    }

    fn of(features: Values, targets: Vec<f32>, inputs: usize, target_columns: usize) -> Result<Self> {
        let shape = |what: &str, found, expected| Error::Shape { what: what.into(), found, expected };
        if inputs == 0 || target_columns == 0 {
            let what = if inputs == 0 { "a row of features" } else { "a row of targets" };
            return Err(shape(what, 0, "at least 1".into()));
        }
        if !features.len().is_multiple_of(inputs) {
            return Err(shape("the feature matrix", features.len(), format!("a multiple of its {inputs} columns")));
        }
        let rows = features.len() / inputs;
        if rows.checked_mul(target_columns) != Some(targets.len()) {
            return Err(shape("the target matrix", targets.len(), format!("{rows} rows of {target_columns}")));
        }
        all_finite("a feature", &features, inputs)?;
        all_finite("a target", &targets, target_columns)?;
        Ok(Self { features, targets, weightings: Vec::new(), inputs, target_columns })
    }

    /// Gives every row a sample weight in training. Weights are divided by their mean over the rows, so a learning rate
    /// means the same with and without them.
    ///
    /// # Errors
    /// [`Error::Shape`] unless there is one for each row; [`Error::Setting`] for one that is negative or not finite, or
    /// where all are 0.
    pub fn with_weights(self, weights: &[f32]) -> Result<Self> {
        self.with_weightings(&[weights])
    }

    /// Gives every row several sample weights, of which each network that is trained on them takes one
    /// ([`Replica::weighting`](crate::train::Replica::weighting)). Each list is divided by its own mean.
    ///
    /// # Errors
    /// Those of [`with_weights`](Self::with_weights) for each list.
    pub fn with_weightings<W: AsRef<[f32]>>(self, weightings: &[W]) -> Result<Self> {
        let weightings = weightings.iter().map(|weights| self.normalised(weights.as_ref())).collect::<Result<_>>()?;
        Ok(Self { weightings, ..self })
    }

    /// Weights with a mean of 1.
    fn normalised(&self, weights: &[f32]) -> Result<Vec<f32>> {
        if weights.len() != self.rows() {
            let what = "the list of weights".into();
            return Err(Error::Shape {
                what,
                found: weights.len(),
                expected: format!("{}, one for each row", self.rows()),
            });
        }
        all_finite("a weight", weights, 1)?;
        let sum: f64 = weights.iter().map(|&weight| f64::from(weight)).sum();
        let negative = weights.iter().position(|&weight| weight < 0.0);
        if let Some(row) = negative.or((sum == 0.0 && !weights.is_empty()).then_some(0)) {
            let found = format!("{} in row {row} (from 0)", weights[row]);
            let expected = "0 or more in every row, and more than 0 in at least one".into();
            return Err(Error::Setting { what: "a weight", found, expected });
        }
        let mean = sum / weights.len() as f64;
        Ok(weights.iter().map(|&weight| (f64::from(weight) / mean) as f32).collect())
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
    pub fn target_columns(&self) -> usize {
        self.target_columns
    }

    /// The features, `[rows, inputs]` row-major.
    #[must_use]
    pub fn features(&self) -> &[f32] {
        &self.features
    }

    /// The targets, `[rows, target_columns]` row-major.
    #[must_use]
    pub fn targets(&self) -> &[f32] {
        &self.targets
    }

    /// The same rows, each of which counts the same.
    #[must_use]
    pub fn without_weights(self) -> Self {
        Self { weightings: Vec::new(), ..self }
    }

    /// The sample weights, if the rows have any; of several the first.
    #[must_use]
    pub fn weights(&self) -> Option<&[f32]> {
        self.weightings.first().map(Vec::as_slice)
    }

    /// How many sample weights each row has.
    #[must_use]
    pub fn weightings(&self) -> usize {
        self.weightings.len()
    }

    /// CRC-32 of all values: equal data have equal ones.
    #[must_use]
    pub fn checksum(&self) -> u32 {
        checksum([self])
    }

    /// The targets, followed by each row's sample weights, `[rows, target_columns + weightings]`.
    #[must_use]
    pub fn weighted_targets(&self) -> Cow<'_, [f32]> {
        if self.weightings.is_empty() {
            return Cow::Borrowed(&self.targets);
        }
        let rows = self.targets.chunks_exact(self.target_columns).enumerate();
        let of_row = |(row, targets): (usize, &[f32])| {
            let weights = self.weightings.iter().map(move |weights| weights[row]);
            targets.iter().copied().chain(weights).collect::<Vec<_>>()
        };
        Cow::Owned(rows.flat_map(of_row).collect())
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
        Self {
            features: Values::Own(take(&self.features, self.inputs)),
            targets: take(&self.targets, self.target_columns),
            weightings: self.weightings.iter().map(|weights| take(weights, 1)).collect(),
            ..*self
        }
    }

    /// The inputs with these numbers alone, in this order; they are fewer than there are, and at least one.
    pub(crate) fn of_inputs(&self, inputs: &[usize]) -> Self {
        let rows = self.features.chunks_exact(self.inputs);
        let features = rows.flat_map(|row| inputs.iter().map(|&input| row[input])).collect();
        Self { features: Values::Own(features), inputs: inputs.len(), ..self.clone() }
    }
}

/// Numbers of its own, or in the program's memory.
#[derive(Clone)]
enum Values {
    Own(Vec<f32>),
    Lent(Arc<dyn AsRef<[f32]> + Send + Sync>),
}

impl Deref for Values {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        match self {
            Self::Own(values) => values,
            Self::Lent(values) => (**values).as_ref(),
        }
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// Wherever they lie.
impl PartialEq for Values {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

/// CRC-32 of all values of data sets, one behind the other.
pub(crate) fn checksum<'a>(sets: impl IntoIterator<Item = &'a Dataset>) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for data in sets {
        for values in [data.features(), data.targets()].into_iter().chain(data.weightings.iter().map(Vec::as_slice)) {
            hasher.update(bytemuck::cast_slice(values));
        }
    }
    hasher.finalize()
}

/// Refuses a value that is not finite, in rows of `width`.
pub(crate) fn all_finite(what: &'static str, values: &[f32], width: usize) -> Result<()> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(at) => Err(Error::Setting {
            what,
            found: format!("{} in row {}, column {} (from 0)", values[at], at / width, at % width),
            expected: "a finite number".into(),
        }),
    }
}
