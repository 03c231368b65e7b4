//! Names for settings that go together; `by_preset.rs` has the settings.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result, named};

/// Settings that go together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Preset {
    /// Layers of 64 and 32 units, ReLU, Adam at a constant rate, batches of 32 rows, features standardised, and as many epochs as the
    /// validation rows ask for.
    #[default]
    Plain,
    /// RealMLP's variant TD-S without its scaling layer (Holzmüller, Grinsztajn and Steinwart 2024): three layers of 128 units with Mish,
    /// all inputs scaled by quartiles and clipped smoothly, up to 16 bins of each number beside it
    /// ([`NumericEncoding::Piecewise`](crate::data::NumericEncoding::Piecewise)), the neural tangent parametrisation under Adam with β₂ 0.95, a rate of 0.04
    /// for two classes, 0.08 for more and 0.07 for numbers that goes through the four cycles of [`Schedule::CosLog`](crate::train::Schedule::CosLog), batches of 256 rows, and as
    /// many folds, of which each has three networks that [share weights](super::Estimator::share_weights) or one, and epochs as some 10¹² operations allow. The best epoch is kept, by the accuracy or of numbers by the
    /// loss, probabilities are calibrated ([`Estimator::calibrate`](super::Estimator::calibrate)), and numbers are kept within those of the
    /// training rows ([`Estimator::clip_outputs`](super::Estimator::clip_outputs)). It is what `mlp train` does with a file.
    Tabular,
}

impl Preset {
    /// Every preset.
    pub const ALL: &[Self] = &[Self::Plain, Self::Tabular];

    /// The name on the command line and in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Tabular => "tabular",
        }
    }
}

impl FromStr for Preset {
    type Err = Error;
    fn from_str(name: &str) -> Result<Self> {
        named("preset", name, Self::ALL, Self::name)
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
