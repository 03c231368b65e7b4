//! How many bits of the operands a device's products of matrices use.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::named;
use crate::error::{Error, Result};

/// The operands of the products that a layered plan makes; sums, parameters, activations and updates are f32 in each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// f32, on every device.
    #[default]
    F32,
    /// Each operand as the sum of two f16, hi + lo, and of their products the three large ones: hi hi + hi lo + lo hi. It takes a GPU with
    /// matrix units. Ootomo and Yokota, Recovering single precision accuracy from Tensor Cores while surpassing the FP32 theoretical
    /// peak performance (2022).
    F16x3,
    /// f16, on a GPU with matrix units.
    F16,
}

impl Precision {
    /// Every precision.
    pub const ALL: &[Self] = &[Self::F32, Self::F16x3, Self::F16];

    /// The name, as in `--precision`.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16x3 => "f16x3",
            Self::F16 => "f16",
        }
    }

    /// What it is and costs, in a few words.
    pub fn summary(self) -> &'static str {
        match self {
            Self::F32 => "everywhere",
            Self::F16x3 => "two f16 each, near f32's error; a GPU with matrix units",
            Self::F16 => "three digits; a GPU with matrix units",
        }
    }

    /// Largest relative error of a product of two operands: for f16, whose unit roundoff is 2^-11, that of both of them; for f16x3 what
    /// is left of each behind hi + lo, and lo lo.
    pub fn operand_error(self) -> f64 {
        match self {
            Self::F32 => 0.0,
            Self::F16x3 => 3.0 / f64::from(1 << 22),
            Self::F16 => 2.0 / f64::from(1 << 11) + 1.0 / f64::from(1 << 22),
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Precision {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        named("precision", Self::ALL, Self::name, text)
    }
}
