//! Which activation a stretch of a graph computes. Exporters write the same function in many ways (gelu alone with Erf,
//! with Tanh or as a node), so a function is followed by its values at a few places and known by them, not by its form.

use crate::math::Activation;

/// Where functions are looked at: on both sides of every kink, in the tails, and where gelu and gelu_tanh differ.
const PLACES: [f64; 19] =
    [-20.0, -8.0, -5.0, -3.0, -2.1, -1.3, -0.7, -0.3, -0.01, 0.0, 0.01, 0.2, 0.6, 1.1, 2.3, 3.4, 5.0, 9.0, 21.0];
/// Most by which a value may differ, as a part of 1 + |value|. Constants in files are f32; gelu and gelu_tanh are 1e-4
/// apart.
const TOLERANCE: f64 = 3e-6;

/// A function of one number, as its values at [`PLACES`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Function([f64; PLACES.len()]);

/// What a function is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Known {
    /// An activation, the identity among them.
    Activation(Activation),
    /// z · factor + shift, but not the identity.
    Affine { factor: f64, shift: f64 },
    /// e^z.
    Exp,
}

impl Function {
    /// f(z) = z.
    pub const IDENTITY: Self = Self(PLACES);

    /// A constant.
    pub fn constant(value: f64) -> Self {
        Self([value; PLACES.len()])
    }

    pub fn activation(activation: Activation) -> Self {
        let mut values = PLACES;
        activation.forward(&PLACES, &mut values);
        Self(values)
    }

    pub fn map(self, f: impl Fn(f64) -> f64) -> Self {
        Self(self.0.map(f))
    }

    pub fn zip(mut self, other: Self, f: impl Fn(f64, f64) -> f64) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(a, b)| *a = f(*a, b));
        self
    }

    /// The activation of this function.
    pub fn then(mut self, activation: Activation) -> Self {
        activation.forward(&self.0.clone(), &mut self.0);
        self
    }

    /// Whether both have the same values, but for rounding.
    pub fn is(&self, other: Self) -> bool {
        // Not `>`: a NaN differs.
        self.0.iter().zip(other.0).all(|(&a, b)| a == b || (a - b).abs() <= TOLERANCE * (1.0 + b.abs()))
    }

    pub fn is_identity(&self) -> bool {
        *self == Self::IDENTITY
    }

    pub fn known(&self) -> Option<Known> {
        if let Some((factor, shift)) = self.affine() {
            let identity = (factor, shift) == (1.0, 0.0);
            let known = Known::Affine { factor, shift };
            return Some(if identity { Known::Activation(Activation::Identity) } else { known });
        }
        let activation = Activation::ALL.iter().find(|&&activation| self.is(Self::activation(activation)));
        let exp = || self.is(Self::IDENTITY.map(f64::exp)).then_some(Known::Exp);
        activation.map(|&activation| Known::Activation(activation)).or_else(exp)
    }

    /// Factor and shift of z · factor + shift, which may be as small as they like.
    fn affine(&self) -> Option<(f64, f64)> {
        let zero = PLACES.iter().position(|&z| z == 0.0)?;
        let (last, shift) = (PLACES.len() - 1, self.0[zero]);
        let factor = (self.0[last] - shift) / PLACES[last];
        let size = factor.abs() + shift.abs();
        let is_near = |(z, value): (f64, f64)| (factor * z + shift - value).abs() <= 1e-12 * size * (1.0 + z.abs());
        let is_affine = factor != 0.0 && size.is_finite() && PLACES.into_iter().zip(self.0).all(is_near);
        is_affine.then_some((factor, shift))
    }
}
