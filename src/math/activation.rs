//! Activations: a = f(z), elementwise. Adding one: a variant, its place in `ALL`, a name, its WGSL part,
//! and an arm in `kinks`, in `forward`, in `backward` and in `formula`. No finite input overflows or gives NaN in between.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Real, named};
use crate::error::{Error, Result};
use crate::wgsl::wgsl;

/// A layer's activation function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Activation {
    /// a = z.
    Identity,
    /// a = max(z, 0), with a'(0) = 0 as in PyTorch, JAX and TensorFlow. NaN stays NaN.
    Relu,
    /// a = max(z, 0), at most 6, with a'(0) = a'(6) = 0 as in PyTorch. NaN stays NaN.
    Relu6,
    /// a = 1 / (1 + e^-z).
    Sigmoid,
    /// a = z for z > 0, else 0.01 z, with a'(0) = 0.01 as in PyTorch.
    LeakyRelu,
    /// a = z for z > 0, else e^z - 1.
    Elu,
    /// a = λ z for z > 0, else λ α (e^z - 1), with a'(0) = λ α as in PyTorch; λ = 1.0507..., α = 1.6732... are those of
    /// Klambauer et al., Self-Normalizing Neural Networks (2017), eq. 14.
    Selu,
    /// a = z Φ(z), Φ the normal distribution function: z (1 + erf(z / √2)) / 2.
    Gelu,
    /// a = z (1 + tanh(√(2/π) (z + 0.044715 z³))) / 2, [`Gelu`](Self::Gelu) to within 5e-4.
    GeluTanh,
    /// a = z / (1 + e^-z), also known as swish.
    Silu,
    /// a = z tanh(log(1 + e^z)) (Misra 2019).
    Mish,
    /// a = log(1 + e^z).
    Softplus,
    /// a = tanh(z).
    Tanh,
    /// a = z / (1 + |z|).
    Softsign,
}

/// λ of selu.
const SELU_POSITIVE: f64 = 1.0507009873554805;
/// λ α of selu.
const SELU_NEGATIVE: f64 = 1.7580993408473766;
/// The most that relu6 gives.
const RELU6_MOST: f64 = 6.0;
/// The slope of leaky_relu for z < 0.
const LEAK: f64 = 0.01;
/// √(8/π), of gelu_tanh.
const GATE: f64 = 1.5957691216057308;

/// A function of z as nodes of ONNX that take each other's outputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Formula {
    /// z.
    Z,
    /// A constant.
    Number(f64),
    /// The node's kind and its inputs; all attributes have their defaults.
    Call(&'static str, &'static [Formula]),
}

impl Activation {
    /// Every activation.
    pub const ALL: &[Self] = &[
        Self::Identity,
        Self::Relu,
        Self::Sigmoid,
        Self::LeakyRelu,
        Self::Elu,
        Self::Selu,
        Self::Gelu,
        Self::GeluTanh,
        Self::Silu,
        Self::Softplus,
        Self::Tanh,
        Self::Softsign,
        Self::Relu6,
        Self::Mish,
    ];

    /// The name on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Relu => "relu",
            Self::Relu6 => "relu6",
            Self::Sigmoid => "sigmoid",
            Self::LeakyRelu => "leaky_relu",
            Self::Elu => "elu",
            Self::Selu => "selu",
            Self::Gelu => "gelu",
            Self::GeluTanh => "gelu_tanh",
            Self::Silu => "silu",
            Self::Mish => "mish",
            Self::Softplus => "softplus",
            Self::Tanh => "tanh",
            Self::Softsign => "softsign",
        }
    }

    /// The WGSL functions `activation` and `activation_derivative`.
    pub fn wgsl(self) -> &'static str {
        match self {
            Self::Identity => wgsl!("functions/activation/identity.wgsl"),
            Self::Relu => wgsl!("functions/activation/relu.wgsl"),
            Self::Relu6 => wgsl!("functions/activation/relu6.wgsl"),
            Self::Sigmoid => wgsl!("functions/activation/sigmoid.wgsl"),
            Self::LeakyRelu => wgsl!("functions/activation/leaky_relu.wgsl"),
            Self::Elu => wgsl!("functions/activation/elu.wgsl"),
            Self::Selu => wgsl!("functions/activation/selu.wgsl"),
            Self::Gelu => wgsl!("functions/activation/gelu.wgsl"),
            Self::GeluTanh => wgsl!("functions/activation/gelu_tanh.wgsl"),
            Self::Silu => wgsl!("functions/activation/silu.wgsl"),
            Self::Mish => wgsl!("functions/activation/mish.wgsl"),
            Self::Softplus => wgsl!("functions/activation/softplus.wgsl"),
            Self::Tanh => wgsl!("functions/activation/tanh.wgsl"),
            Self::Softsign => wgsl!("functions/activation/softsign.wgsl"),
        }
    }

    /// The function as nodes of ONNX, of its opset 13. Where there is no node of the name that every runtime knows, it is
    /// made of those that they do.
    pub fn formula(self) -> &'static Formula {
        use Formula::{Call, Number, Z};
        match self {
            Self::Identity => &Z,
            Self::Relu => &Call("Relu", &[Z]),
            Self::Relu6 => &Call("Clip", &[Z, Number(0.0), Number(RELU6_MOST)]),
            Self::Sigmoid => &Call("Sigmoid", &[Z]),
            Self::LeakyRelu => &Call("LeakyRelu", &[Z]),
            Self::Elu => &Call("Elu", &[Z]),
            Self::Selu => {
                const UP: Formula = Call("Mul", &[Number(SELU_POSITIVE), Call("Relu", &[Z])]);
                const DOWN: Formula =
                    Call("Mul", &[Number(SELU_NEGATIVE), Call("Elu", &[Call("Min", &[Z, Number(0.0)])])]);
                &Call("Add", &[UP, DOWN])
            }
            Self::Gelu => {
                const ERF: Formula = Call("Erf", &[Call("Mul", &[Z, Number(std::f64::consts::FRAC_1_SQRT_2)])]);
                &Call("Mul", &[Call("Mul", &[Z, Number(0.5)]), Call("Add", &[ERF, Number(1.0)])])
            }
            Self::GeluTanh => {
                const SQUARE: Formula = Call("Mul", &[Z, Z]);
                const SLOPE: Formula = Call("Mul", &[SQUARE, Number(GATE * 0.044715)]);
                const GATED: Formula = Call("Mul", &[Z, Call("Add", &[SLOPE, Number(GATE)])]);
                &Call("Mul", &[Z, Call("Sigmoid", &[GATED])])
            }
            Self::Silu => &Call("Mul", &[Z, Call("Sigmoid", &[Z])]),
            Self::Mish => &Call("Mul", &[Z, Call("Tanh", &[Call("Softplus", &[Z])])]),
            Self::Softplus => &Call("Softplus", &[Z]),
            Self::Tanh => &Call("Tanh", &[Z]),
            Self::Softsign => &Call("Div", &[Z, Call("Add", &[Call("Abs", &[Z]), Number(1.0)])]),
        }
    }

    /// Where f' (relu, relu6, leaky_relu, selu) or f'' (elu, softsign) jumps, so that a difference across it is not
    /// the slope to the order that it has elsewhere.
    pub fn kinks(self) -> &'static [f64] {
        match self {
            Self::Relu6 => &[0.0, RELU6_MOST],
            Self::Relu | Self::LeakyRelu | Self::Elu | Self::Selu | Self::Softsign => &[0.0],
            Self::Identity | Self::Sigmoid | Self::Gelu | Self::GeluTanh => &[],
            Self::Silu | Self::Mish | Self::Softplus | Self::Tanh => &[],
        }
    }

    /// Whether [`backward`](Self::backward) reads z; where it does not, a may take z's place. The identity's z is a.
    pub fn needs_z(self) -> bool {
        !matches!(self, Self::Identity | Self::Relu | Self::Relu6 | Self::Sigmoid | Self::LeakyRelu)
    }

    /// `a[i] = f(a[i])`.
    #[inline(always)]
    pub fn forward_in_place<T: Real>(self, a: &mut [T]) {
        const RUN: usize = 64;
        let mut z = [T::default(); RUN];
        for a in a.chunks_mut(RUN) {
            let z = &mut z[..a.len()];
            z.copy_from_slice(a);
            self.forward(z, a);
        }
    }

    /// `a[i] = f(z[i])`.
    #[inline(always)]
    pub fn forward<T: Real>(self, z: &[T], a: &mut [T]) {
        let (zero, one) = (T::default(), T::from_f64(1.0));
        match self {
            Self::Identity => map(z, a, |z| z),
            Self::Relu => map(z, a, |z| if z < zero { zero } else { z }),
            Self::Relu6 => map(z, a, |z| {
                let most = T::from_f64(RELU6_MOST);
                if z < zero {
                    zero
                } else if z > most {
                    most
                } else {
                    z
                }
            }),
            Self::Sigmoid => map(z, a, sigmoid),
            Self::LeakyRelu => map(z, a, |z| if z < zero { T::from_f64(LEAK) * z } else { z }),
            Self::Elu => map(z, a, |z| if z > zero { z } else { z.exp_m1() }),
            Self::Selu => map(z, a, |z| match z > zero {
                true => T::from_f64(SELU_POSITIVE) * z,
                false => T::from_f64(SELU_NEGATIVE) * z.exp_m1(),
            }),
            Self::Gelu => map(z, a, |z| z * z.normal_cdf()),
            Self::GeluTanh => map(z, a, |z| z * sigmoid(GeluGate::at(z).y)),
            Self::Silu => map(z, a, |z| z * sigmoid(z)),
            Self::Mish => map(z, a, |z| z * MishGate::at(z).gate),
            Self::Softplus => map(z, a, |z| (if z < zero { zero } else { z }) + (-z.abs()).exp().ln_1p()),
            Self::Tanh => map(z, a, tanh),
            Self::Softsign => map(z, a, |z| z / (one + z.abs())),
        }
    }

    /// `d[i] *= f'(z[i])`, where `a = f(z)` has been computed already.
    #[inline(always)]
    pub fn backward<T: Real>(self, z: &[T], a: &[T], d: &mut [T]) {
        let (zero, one) = (T::default(), T::from_f64(1.0));
        match self {
            Self::Identity => {}
            Self::Relu => chain(a, d, |a| if a > zero { one } else { zero }),
            Self::Relu6 => chain(a, d, |a| if a > zero && a < T::from_f64(RELU6_MOST) { one } else { zero }),
            Self::Sigmoid => chain(a, d, |a| a * (one - a)),
            Self::LeakyRelu => chain(a, d, |a| if a > zero { one } else { T::from_f64(LEAK) }),
            Self::Elu => chain(z, d, |z| if z > zero { one } else { z.exp() }),
            Self::Selu => chain(z, d, |z| match z > zero {
                true => T::from_f64(SELU_POSITIVE),
                false => T::from_f64(SELU_NEGATIVE) * z.exp(),
            }),
            Self::Gelu => chain(z, d, |z| z.normal_cdf() + z * normal_density(z)),
            Self::GeluTanh => chain(z, d, |z| {
                let GeluGate { c, y, slope } = GeluGate::at(z);
                sigmoid(y) + c * slope * sigmoid_slope(y)
            }),
            Self::Silu => chain(z, d, |z| sigmoid(z) * (one + z * sigmoid(-z))),
            Self::Mish => chain(z, d, |z| {
                let MishGate { gate, slope } = MishGate::at(z);
                gate + z * slope
            }),
            Self::Softplus => chain(z, d, sigmoid),
            Self::Tanh => chain(z, d, tanh_slope),
            Self::Softsign => chain(z, d, |z| {
                let r = one / (one + z.abs());
                r * r
            }),
        }
    }
}

/// 1 / (1 + e^-z), from e^-|z| so that nothing overflows.
#[inline(always)]
pub(super) fn sigmoid<T: Real>(z: T) -> T {
    let one = T::from_f64(1.0);
    let e = (-z.abs()).exp();
    (if z < T::default() { e } else { one }) / (one + e)
}

/// sigmoid(z) sigmoid(-z), the sigmoid's derivative with its tails.
#[inline(always)]
fn sigmoid_slope<T: Real>(z: T) -> T {
    let e = (-z.abs()).exp();
    let below = T::from_f64(1.0) + e;
    e / (below * below)
}

/// e^(-2|z|) - 1 is m (m + 2) for m = e^-|z| - 1, which does not cancel near 0.
#[inline(always)]
fn tanh<T: Real>(z: T) -> T {
    let two = T::from_f64(2.0);
    let m = (-z.abs()).exp_m1();
    let p = m * (m + two);
    let size = -p / (two + p);
    if z < T::default() { -size } else { size }
}

/// 4 e² / (1 + e²)² for e = e^-|z|: unlike 1 - tanh², it keeps the tails.
#[inline(always)]
fn tanh_slope<T: Real>(z: T) -> T {
    let e = (-z.abs()).exp();
    let square = e * e;
    let below = T::from_f64(1.0) + square;
    T::from_f64(4.0) * square / (below * below)
}

/// e^(-z²/2) / √(2π).
#[inline(always)]
fn normal_density<T: Real>(z: T) -> T {
    T::from_f64(0.3989422804014327) * (T::from_f64(-0.5) * (z * z)).exp()
}

/// What gelu_tanh puts into the sigmoid: (1 + tanh(y / 2)) / 2 is sigmoid(y).
struct GeluGate<T> {
    /// z, but at most 32 from 0: beyond, sigmoid(y) is 0 or 1 in f64 too, and z³ would overflow.
    c: T,
    /// √(8/π) (c + 0.044715 c³).
    y: T,
    /// dy/dc.
    slope: T,
}

impl<T: Real> GeluGate<T> {
    #[inline(always)]
    fn at(z: T) -> Self {
        let (one, end, scale) = (T::from_f64(1.0), T::from_f64(32.0), T::from_f64(GATE));
        let c = match z.abs() > end {
            true if z < T::default() => -end,
            true => end,
            false => z,
        };
        let y = scale * (c * (one + T::from_f64(0.044715) * (c * c)));
        Self { c, y, slope: scale * (one + T::from_f64(0.134145) * (c * c)) }
    }
}

/// tanh(log(1 + n)) for n = e^z, which is n (n + 2) / (n (n + 2) + 2), and its derivative by z, 4 n (n + 1) / (n (n + 2) + 2)². From
/// e = e^-|z|, so that nothing overflows: for z > 0 both fractions are expanded by e² and its square.
struct MishGate<T> {
    gate: T,
    slope: T,
}

impl<T: Real> MishGate<T> {
    #[inline(always)]
    fn at(z: T) -> Self {
        let (one, two, four) = (T::from_f64(1.0), T::from_f64(2.0), T::from_f64(4.0));
        let e = (-z.abs()).exp();
        let (above, rest, product) = match z < T::default() {
            true => (e * (e + two), two, e * (e + one)),
            false => (one + two * e, two * (e * e), e * e * (one + e)),
        };
        let below = above + rest;
        Self { gate: above / below, slope: four * product / (below * below) }
    }
}

#[inline(always)]
fn map<T: Real>(z: &[T], a: &mut [T], f: impl Fn(T) -> T) {
    z.iter().zip(a).for_each(|(&z, a)| *a = f(z));
}

#[inline(always)]
fn chain<T: Real>(x: &[T], d: &mut [T], derivative: impl Fn(T) -> T) {
    x.iter().zip(d).for_each(|(&x, d)| *d = (*d * derivative(x)).normal());
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
