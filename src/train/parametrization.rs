//! Which tensors move faster than others. In: a network and the rule. Out: a factor on the learning rate for each weight and bias.
//!
//! In the neural tangent parametrisation (Jacot, Gabriel and Hongler 2018) a layer is z = x V / √n + b for n inputs, and V is trained.
//! The layer here is z = x W + b, so W = V / √n, and the gradient by V is that by W over √n. A rule that divides the gradient by its own
//! size moves V by as much as it would W; W then moves by 1 / √n of that. A rule that does not moves V by 1 / √n as much, and W by 1 / n.
//! So W may be trained itself, with a factor on its rate. Weights of variance 1 / n ([`Init::Ntp`](crate::params::Init::Ntp)) are
//! those of V of variance 1.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, named};
use crate::math::Rule;
use crate::spec::MlpSpec;

/// The factor on the rate of biases: RealMLP's (Holzmüller, Grinsztajn and Steinwart 2024).
const BIAS: f64 = 0.1;

/// How the learning rates of weights and biases depend on the sizes of layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Parametrization {
    /// All have the same rate.
    #[default]
    Standard,
    /// Those of the neural tangent parametrisation: a weight's rate is divided by the root of its layer's inputs, or by their number
    /// where the rule does not divide gradients by their size (sgd, momentum, nesterov); a bias has a tenth of the rate. Decoupled weight
    /// decay is by the same rates.
    Ntp,
}

impl Parametrization {
    /// Every one.
    pub const ALL: &[Self] = &[Self::Standard, Self::Ntp];

    /// The name on the command line and in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Ntp => "ntp",
        }
    }

    /// The factors on the learning rate under a rule, for the weight and the bias of each layer in turn; none where all are 1.
    #[must_use]
    pub fn factors(self, spec: &MlpSpec, rule: Rule) -> Vec<f64> {
        let weight = |inputs: usize| match rule {
            Rule::Sgd | Rule::Momentum | Rule::Nesterov => 1.0 / inputs as f64,
            Rule::Adam | Rule::RmsProp | Rule::AdaGrad | Rule::Lion => 1.0 / (inputs as f64).sqrt(),
        };
        match self {
            Self::Standard => Vec::new(),
            Self::Ntp => spec.layers().iter().flat_map(|layer| [weight(layer.inputs), BIAS]).collect(),
        }
    }

    /// Whether it is the one that is not written.
    pub(super) fn is_standard(&self) -> bool {
        *self == Self::Standard
    }
}

impl FromStr for Parametrization {
    type Err = Error;
    fn from_str(name: &str) -> Result<Self> {
        named("parametrization", name, Self::ALL, Self::name)
    }
}

impl fmt::Display for Parametrization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
