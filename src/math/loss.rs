//! Pointwise losses: l(z, y) of a network's output z and the target y. Adding one: a variant, its place
//! in `ALL`, a name, its WGSL part, and an arm in each function.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::activation::sigmoid;
use super::{Real, named};
use crate::error::{Error, Result};

/// A loss; the loss of a batch is its mean over rows and outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Loss {
    /// -log p(y) for y in {0, 1} and p = sigmoid(z), in nats, computed on the logit z:
    /// max(z, 0) - z y + log(1 + e^-|z|).
    BinaryCrossEntropy,
    /// (z - y)².
    MeanSquaredError,
}

impl Loss {
    /// Every loss.
    pub const ALL: &[Self] = &[Self::BinaryCrossEntropy, Self::MeanSquaredError];

    /// The name on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::BinaryCrossEntropy => "binary_cross_entropy",
            Self::MeanSquaredError => "mean_squared_error",
        }
    }

    /// The WGSL functions `loss_value`, `loss_gradient` and `loss_hit`.
    pub fn wgsl(self) -> &'static str {
        match self {
            Self::BinaryCrossEntropy => include_str!("../../shaders/loss/binary_cross_entropy.wgsl"),
            Self::MeanSquaredError => include_str!("../../shaders/loss/mean_squared_error.wgsl"),
        }
    }

    /// l(z, y).
    pub fn value<T: Real>(self, z: T, y: T) -> T {
        match self {
            Self::BinaryCrossEntropy => {
                let positive = if z < T::default() { T::default() } else { z };
                positive - z * y + (-z.abs()).exp().ln_1p()
            }
            Self::MeanSquaredError => (z - y) * (z - y),
        }
    }

    /// dl/dz.
    pub fn gradient<T: Real>(self, z: T, y: T) -> T {
        match self {
            Self::BinaryCrossEntropy => sigmoid(z) - y,
            Self::MeanSquaredError => T::from_f64(2.0) * (z - y),
        }
    }

    /// Whether z predicts y's class; false for losses that know no classes.
    pub fn hit<T: Real>(self, z: T, y: T) -> bool {
        match self {
            Self::BinaryCrossEntropy => (z > T::default()) == (y > T::from_f64(0.5)),
            Self::MeanSquaredError => false,
        }
    }

    /// Whether hits count, that is whether an accuracy exists.
    pub fn classifies(self) -> bool {
        match self {
            Self::BinaryCrossEntropy => true,
            Self::MeanSquaredError => false,
        }
    }

    /// The prediction that a network's output stands for: the probability of class 1, or the value itself.
    pub fn prediction(self, z: f64) -> f64 {
        match self {
            Self::BinaryCrossEntropy => sigmoid(z),
            Self::MeanSquaredError => z,
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Loss {
    type Err = Error;
    fn from_str(name: &str) -> Result<Self> {
        named("loss", Self::ALL, Self::name, name)
    }
}
