//! Running error analysis: a number that knows how far an f32 computation of it may be off. A kernel's
//! CPU function run on [`Bounded`] gives the reference result and, for each element, the limit that a
//! device's result must keep, so that no tolerance is chosen by hand.
//!
//! Method: Higham, Accuracy and Stability of Numerical Algorithms (2002), section 3.3. The bound of a sum
//! uses the sum of absolute values instead of the partial sums and so holds for every order of summation;
//! the errors of exp and of a division are those that the WGSL specification allows.

use std::cmp::Ordering;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use super::{Product, Real};

/// Unit roundoff of f32: half a unit in the last place of 1.
const U: f64 = 1.0 / (1u32 << 24) as f64;
/// Smallest normal f32: a device may flush what is smaller to zero.
const TINY: f64 = f32::MIN_POSITIVE as f64;

/// A value in f64, the sum of the absolute values of the terms it was added from, and a bound of the
/// error that an f32 computation of it may have.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bounded {
    /// The value, computed in f64.
    pub value: f64,
    magnitude: f64,
    error: f64,
}

impl Bounded {
    /// A value that f32 holds exactly: an input.
    pub fn exact(value: f64) -> Self {
        Self { value, magnitude: value.abs(), error: 0.0 }
    }

    /// The largest difference from `value` that an f32 result may have: twice the first-order bound, for
    /// its second-order terms and for a first addition that the order of summation moves.
    pub fn limit(&self) -> f64 {
        2.0 * self.error
    }

    /// A value with the error that it inherits and the relative error of the operation that made it.
    fn rounded(value: f64, magnitude: f64, inherited: f64, relative: f64) -> Self {
        Self { value, magnitude, error: inherited + relative * magnitude + TINY }
    }
}

impl Add for Bounded {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let magnitude = self.magnitude + other.magnitude;
        Self::rounded(self.value + other.value, magnitude, self.error + other.error, U)
    }
}

impl AddAssign for Bounded {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Neg for Bounded {
    type Output = Self;
    fn neg(self) -> Self {
        Self { value: -self.value, ..self }
    }
}

impl Sub for Bounded {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Bounded {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let inherited = self.error * other.value.abs() + other.error * self.value.abs() + self.error * other.error;
        let value = self.value * other.value;
        Self::rounded(value, value.abs(), inherited, U)
    }
}

impl Div for Bounded {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        let inherited = (self.error + value.abs() * other.error) / (other.value.abs() - other.error);
        // WGSL: 2.5 ULP, an ULP being at most 2 U of the value.
        Self::rounded(value, value.abs(), inherited, 5.0 * U)
    }
}

impl PartialEq for Bounded {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl PartialOrd for Bounded {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value.partial_cmp(&other.value)
    }
}

impl Real for Bounded {
    fn from_f64(value: f64) -> Self {
        Self::rounded(value, value.abs(), 0.0, U)
    }
    fn to_f64(self) -> f64 {
        self.value
    }
    fn exp(self) -> Self {
        let value = self.value.exp();
        // WGSL: 3 + 2 |x| ULP.
        Self::rounded(value, value, value * self.error.exp_m1(), (6.0 + 4.0 * self.value.abs()) * U)
    }
    fn ln_1p(self) -> Self {
        let value = self.value.ln_1p();
        let inherited = self.error / (1.0 + self.value - self.error);
        // The shaders' series: a division (5 U), s², seven additions of shrinking terms, two products.
        Self::rounded(value, value.abs(), inherited, 12.0 * U)
    }
    fn abs(self) -> Self {
        Self { value: self.value.abs(), ..self }
    }
    fn product(p: &Product, a: &[Self], b: &[Self], c: &mut [Self]) {
        for i in 0..p.m {
            for j in 0..p.n {
                let mut sum = Self::default();
                for l in 0..p.k {
                    sum += a[i * p.a_strides.0 + l * p.a_strides.1] * b[l * p.b_strides.0 + j * p.b_strides.1];
                }
                c[i * p.n + j] = sum;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// f32 results of a cancelling sum stay within the bound in both orders, and the bound is not idle.
    #[test]
    fn bound_holds_for_every_order_and_is_tight() {
        let terms: Vec<f32> = (1..=1000).map(|i| if i % 2 == 0 { 1.0 / i as f32 } else { -1.0 / i as f32 }).collect();
        let mut exact = Bounded::default();
        terms.iter().for_each(|&t| exact += Bounded::exact(t.into()));
        let forward: f32 = terms.iter().sum();
        let backward: f32 = terms.iter().rev().sum();
        for sum in [forward, backward] {
            assert!((f64::from(sum) - exact.value).abs() <= exact.limit());
        }
        assert!(exact.limit() < 1e-3);
    }

    #[test]
    fn functions_of_f32_stay_within_their_bounds() {
        for i in -200..200 {
            let x = i as f32 * 0.37;
            let exact = Bounded::exact(x.into()).exp();
            assert!((f64::from(x.exp()) - exact.value).abs() <= exact.limit(), "exp({x})");
            let x = x.abs() / 80.0;
            let exact = Bounded::exact(x.into()).ln_1p() / Bounded::exact(3.0);
            assert!((f64::from(x.ln_1p() / 3.0) - exact.value).abs() <= exact.limit(), "ln_1p({x})");
        }
    }
}
