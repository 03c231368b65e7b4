//! How columns are scaled.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::data::encoder::piecewise::NumericEncoding;
use crate::error::{Error, Result, named};

/// How columns are scaled, by the training rows, and whether predictions are scaled back to within these rows' targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scaling {
    /// The features that are numbers or parts of dates.
    pub features: FeatureScaling,
    /// What inputs the features have that are numbers.
    pub numbers: NumericEncoding,
    /// Whether the target of a regression is standardised. A loss for counts needs the target unscaled.
    pub target: bool,
    /// Whether categories are encoded by the target's mean, too ([`TargetMean`](super::TargetMean)), in columns of which a tenth of the training
    /// rows or more have a rare one.
    pub target_means: bool,
    /// Whether the numbers that a model predicts are kept within the least and the largest target of the training rows.
    pub clip: bool,
}

impl Scaling {
    /// Features and target are standardised.
    pub const ALL: Self = Self {
        features: FeatureScaling::Standard,
        numbers: NumericEncoding::Scaled,
        target: true,
        clip: false,
        target_means: false,
    };
    /// Nothing: the network sees the cells as they are.
    pub const NONE: Self = Self {
        features: FeatureScaling::None,
        numbers: NumericEncoding::Scaled,
        target: false,
        clip: false,
        target_means: false,
    };
}

/// How features that are numbers are scaled. Parts of dates are standardised unless it is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FeatureScaling {
    /// They stay as they are.
    None,
    /// The mean is subtracted, and the result is divided by the standard deviation, as in scikit-learn's `StandardScaler`.
    #[default]
    Standard,
    /// The median is subtracted, the result divided by the difference of the quartiles, or by half the range where they are equal, and
    /// z / √(1 + (z / 3)²) taken of that, so that no cell is beyond 3 (RealMLP: Holzmüller, Grinsztajn and Steinwart 2024). Cells far
    /// from the others then move the network little.
    Robust,
    /// The same, and the inputs of categories alike: of a value that three quarters of the rows or more lack 0 stays 0 and 1 becomes 1.66.
    /// So RealMLP has them.
    RobustAll,
}

impl FeatureScaling {
    /// Every one.
    pub const ALL: &[Self] = &[Self::None, Self::Standard, Self::Robust, Self::RobustAll];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Standard => "standard",
            Self::Robust => "robust",
            Self::RobustAll => "robust-all",
        }
    }
}

/// What is done to an input that was 0 or 1: z = `(x − mean) / scale`, then `z / √(1 + (z / clip)²)`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InputScaling {
    /// What is subtracted.
    pub mean: f64,
    /// What the difference is divided by, above 0.
    pub scale: f64,
    /// What z never reaches, above 0.
    pub clip: f64,
}

impl InputScaling {
    /// What an input that was `x` is.
    pub(in crate::data) fn of(&self, x: f64) -> f32 {
        clipped((x - self.mean) / self.scale, Some(self.clip)) as f32
    }
}

/// `z / √(1 + (z / clip)²)`.
pub(in crate::data) fn clipped(z: f64, clip: Option<f64>) -> f64 {
    clip.map_or(z, |clip| z / 1.0_f64.hypot(z / clip))
}

impl FromStr for FeatureScaling {
    type Err = Error;
    fn from_str(name: &str) -> Result<Self> {
        named("scaling", name, Self::ALL, Self::name)
    }
}
