//! Activations: a = f(z), elementwise. Adding one: a variant, its place in `ALL`, a name, its WGSL part,
//! and an arm in `has_kink`, in `forward` and in `backward`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Real, named};
use crate::error::{Error, Result};

/// A layer's activation function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Activation {
    /// a = z.
    Identity,
    /// a = max(z, 0), with a'(0) = 0 as PyTorch, JAX and TensorFlow have it. NaN stays NaN.
    Relu,
    /// a = 1 / (1 + e^-z).
    Sigmoid,
}

impl Activation {
    /// Every activation.
    pub const ALL: &[Self] = &[Self::Identity, Self::Relu, Self::Sigmoid];

    /// The name on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Relu => "relu",
            Self::Sigmoid => "sigmoid",
        }
    }

    /// The WGSL functions `activation` and `activation_derivative`.
    pub fn wgsl(self) -> &'static str {
        match self {
            Self::Identity => include_str!("../../shaders/activation/identity.wgsl"),
            Self::Relu => include_str!("../../shaders/activation/relu.wgsl"),
            Self::Sigmoid => include_str!("../../shaders/activation/sigmoid.wgsl"),
        }
    }

    /// Whether f has no slope at 0.
    pub fn has_kink(self) -> bool {
        match self {
            Self::Relu => true,
            Self::Identity | Self::Sigmoid => false,
        }
    }

    /// `a[i] = f(z[i])`.
    pub fn forward<T: Real>(self, z: &[T], a: &mut [T]) {
        match self {
            Self::Identity => map(z, a, |z| z),
            Self::Relu => map(z, a, |z| if z < T::default() { T::default() } else { z }),
            Self::Sigmoid => map(z, a, sigmoid),
        }
    }

    /// `d[i] *= f'(z[i])`, where `a = f(z)` has been computed already.
    pub fn backward<T: Real>(self, z: &[T], a: &[T], d: &mut [T]) {
        let one = T::from_f64(1.0);
        match self {
            Self::Identity => {}
            Self::Relu => chain(z, d, |z| if z > T::default() { one } else { T::default() }),
            Self::Sigmoid => chain(a, d, |a| a * (one - a)),
        }
    }
}

/// 1 / (1 + e^-z), from e^-|z| so that nothing overflows.
pub(super) fn sigmoid<T: Real>(z: T) -> T {
    let one = T::from_f64(1.0);
    let e = (-z.abs()).exp();
    (if z < T::default() { e } else { one }) / (one + e)
}

fn map<T: Real>(z: &[T], a: &mut [T], f: impl Fn(T) -> T) {
    z.iter().zip(a).for_each(|(&z, a)| *a = f(z));
}

fn chain<T: Real>(x: &[T], d: &mut [T], derivative: impl Fn(T) -> T) {
    x.iter().zip(d).for_each(|(&x, d)| *d = *d * derivative(x));
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Activation {
    type Err = Error;
    fn from_str(name: &str) -> Result<Self> {
        named("activation", Self::ALL, Self::name, name)
    }
}
