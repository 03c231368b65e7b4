//! Optimisers: how a gradient changes a parameter. Adding one: a variant of [`Rule`], its place in `ALL`,
//! a name, its WGSL part, and an arm in `apply`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Real, named};
use crate::error::{Error, Result};

/// An optimiser's update rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Gradient descent, stochastic with mini-batches: p - rate g.
    Sgd,
}

/// An update rule with its settings.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Optimizer {
    /// The rule.
    pub rule: Rule,
    /// Learning rate, finite and positive.
    pub learning_rate: f64,
}

impl Optimizer {
    /// Number of values that [`Optimizer::hyper`] gives for a replica.
    pub const HYPER: usize = 1;

    /// Gradient descent.
    pub fn sgd(learning_rate: f64) -> Self {
        Self { rule: Rule::Sgd, learning_rate }
    }

    /// A replica's row of the `hyper` buffer.
    pub fn hyper(&self) -> [f64; Self::HYPER] {
        [self.learning_rate]
    }

    /// Refuses a learning rate that cannot train.
    pub fn check(&self) -> Result<()> {
        if self.learning_rate.is_finite() && self.learning_rate > 0.0 {
            return Ok(());
        }
        Err(Error::Setting {
            what: "--lr",
            found: self.learning_rate.to_string(),
            expected: "a positive number".into(),
        })
    }
}

impl Rule {
    /// Every rule.
    pub const ALL: &[Self] = &[Self::Sgd];

    /// The name on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sgd => "sgd",
        }
    }

    /// The WGSL function `rule`.
    pub fn wgsl(self) -> &'static str {
        match self {
            Self::Sgd => include_str!("../../shaders/optimizer/sgd.wgsl"),
        }
    }

    /// `p[i] = rule(p[i], g[i])`.
    pub fn apply<T: Real>(self, p: &mut [T], g: &[T], rate: T) {
        match self {
            Self::Sgd => p.iter_mut().zip(g).for_each(|(p, &g)| *p = *p - rate * g),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Rule {
    type Err = Error;
    fn from_str(name: &str) -> Result<Self> {
        named("optimiser", Self::ALL, Self::name, name)
    }
}
