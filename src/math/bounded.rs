//! Running error analysis: a number that knows how far an f32 computation of it may be off. A kernel's
//! CPU function run on [`Bounded`] gives the reference result and, for each element, the limit that a
//! device's result must keep, so that no tolerance is chosen by hand.
//!
//! Method: Higham, Accuracy and Stability of Numerical Algorithms (2002), sections 3.3 and 4.2. A sum of n terms
//! may be off by n - 1 roundings of the sum of their absolute values, in whatever order it is taken; the errors of
//! exp and of a division are those that the WGSL specification allows.

use std::cmp::Ordering;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use super::{Product, Real};

/// Unit roundoff of f32: half a unit in the last place of 1.
const U: f64 = 1.0 / (1u32 << 24) as f64;
/// Smallest normal f32: a device may flush what is smaller to zero.
const TINY: f64 = f32::MIN_POSITIVE as f64;

/// A value in f64 as a sum of terms, and what bounds the error that an f32 computation of it may have.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bounded {
    /// The value, computed in f64.
    pub value: f64,
    /// Sum of the absolute values of its terms.
    magnitude: f64,
    /// Sum of the bounds of its terms' errors.
    inherited: f64,
    /// Number of additions that made it.
    additions: f64,
}

impl Bounded {
    /// A value that f32 holds exactly: an input.
    pub fn exact(value: f64) -> Self {
        Self { value, magnitude: value.abs(), inherited: 0.0, additions: 0.0 }
    }

    /// The largest difference from `value` that an f32 result may have: twice the first-order bound, which
    /// holds its second-order terms for up to 2^23 additions.
    pub fn limit(&self) -> f64 {
        2.0 * self.error()
    }

    /// The first-order bound, for every order of the additions.
    fn error(&self) -> f64 {
        self.inherited + self.additions * (U * self.magnitude + TINY)
    }

    /// A single term with the error that it inherits and the relative error of the operation that made it.
    fn rounded(value: f64, inherited: f64, relative: f64) -> Self {
        let magnitude = value.abs();
        Self { value, magnitude, inherited: inherited + relative * magnitude + TINY, additions: 0.0 }
    }
}

impl Add for Bounded {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            value: self.value + other.value,
            magnitude: self.magnitude + other.magnitude,
            inherited: self.inherited + other.inherited,
            additions: self.additions + other.additions + 1.0,
        }
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
        let (left, right) = (self.error(), other.error());
        let inherited = left * other.value.abs() + right * self.value.abs() + left * right;
        Self::rounded(self.value * other.value, inherited, U)
    }
}

impl Div for Bounded {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        // Where the divisor may be 0, the quotient may be anything.
        let least = (other.value.abs() - other.error()).max(0.0);
        let inherited = (self.error() + value.abs() * other.error()) / least;
        // WGSL: 2.5 ULP, an ULP being at most 2 U of the value.
        Self::rounded(value, inherited, 5.0 * U)
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
        Self::rounded(value, 0.0, U)
    }
    fn to_f64(self) -> f64 {
        self.value
    }
    fn widened(self, relative: f64, absolute: f64) -> Self {
        Self { inherited: self.inherited + relative * self.magnitude + absolute, ..self }
    }
    fn exp(self) -> Self {
        let value = self.value.exp();
        // As a difference, so that a value of 0 with a large error in x is no 0 times infinity.
        let inherited = (self.value + self.error()).exp() - value;
        // WGSL: 3 + 2 |x| ULP.
        Self::rounded(value, inherited, (6.0 + 4.0 * self.value.abs()) * U)
    }
    fn ln_1p(self) -> Self {
        let value = self.value.ln_1p();
        let inherited = self.error() / (1.0 + self.value - self.error());
        // The shaders' series: a division (5 U), s², seven additions of shrinking terms, two products. Beyond 1 it is
        // log(1 + x), where 1 + x may be rounded to 2 (1 U, 1.5 U of log 2) and there log be off by 2^-21 (8 U, 11.6 U).
        Self::rounded(value, inherited, if self.value > 1.0 { 13.1 } else { 12.0 } * U)
    }
    fn abs(self) -> Self {
        Self { value: self.value.abs(), ..self }
    }
    fn min(self, other: Self) -> Self {
        let smaller = if other < self { other } else { self };
        // It moves by no more than the one that moves further.
        let inherited = self.error().max(other.error());
        Self { value: smaller.value, magnitude: smaller.value.abs(), inherited, additions: 0.0 }
    }
    fn sqrt(self) -> Self {
        let value = self.value.sqrt();
        let inherited = value - (self.value - self.error()).max(0.0).sqrt();
        // WGSL: 1 / inverseSqrt(x), 2 and 2.5 ULP.
        Self::rounded(value, inherited, 9.0 * U)
    }
    fn sign(self) -> Self {
        let value = Real::sign(self.value);
        // Where the error reaches 0 it may come out as any sign.
        let inherited = if self.value.abs() > self.limit() || self.error() == 0.0 { 0.0 } else { 2.0 };
        Self { value, magnitude: 1.0, inherited, additions: 0.0 }
    }
    fn exp_m1(self) -> Self {
        if self.value > -0.5 {
            let value = self.value.exp_m1();
            // The shaders' series: seven terms that shrink by 1/2 and more, a product; its cut is at 2^-26.
            Self::rounded(value, (value + 1.0) * self.error().exp_m1(), 5.0 * U)
        } else {
            self.exp() - Self::exact(1.0)
        }
    }
    fn normal_cdf(self) -> Self {
        let (value, tail) = (self.value.normal_cdf(), (-self.value.abs()).normal_cdf());
        // gelu.wgsl: e^(-t²/2), whose argument carries one rounding, 6 + (4 + 1) t²/2; polynomials of positive terms and
        // degrees 4 and 5, 8 + 10; the fit, 1; a division, 5; a product, 1. The density is at most 0.4.
        let relative = (31.0 + 2.5 * self.value * self.value) * U;
        // 1 - tail.
        let rounding = if self.value < 0.0 { 0.0 } else { U };
        Self::rounded(value, 0.4 * self.error() + relative * tail, rounding)
    }
    fn product(p: &Product, a: &[Self], b: &[Self], c: &mut [Self]) {
        for i in 0..p.m {
            for j in 0..p.n {
                let mut sum = if p.add { c[i * p.n + j] } else { Self::default() };
                for l in 0..p.k {
                    sum += a[i * p.a_strides.0 + l * p.a_strides.1] * b[l * p.b_strides.0 + j * p.b_strides.1];
                }
                c[i * p.n + j] = sum;
            }
        }
    }
    fn vectorized<R>(work: impl FnOnce() -> R) -> R {
        work()
    }
    fn with_scratch<R>(len: usize, work: impl FnOnce(&mut [Self]) -> R) -> R {
        work(&mut vec![Self::default(); len])
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

    /// Added pairwise, as on a GPU, the large term is rounded at every level; added last only once.
    #[test]
    fn bound_holds_for_a_large_last_term() {
        let lost = 0.0624; // just below half a unit in the last place of the large term
        let mut terms: Vec<f32> = [8, 4, 2, 1].iter().flat_map(|&n| vec![lost / n as f32; n]).collect();
        terms.push(1_048_576.0);
        let mut exact = Bounded::default();
        terms.iter().for_each(|&t| exact += Bounded::exact(t.into()));
        while terms.len() > 1 {
            terms = terms.chunks(2).map(|pair| pair.iter().sum()).collect();
        }
        let difference = (f64::from(terms[0]) - exact.value).abs();
        assert!(difference > 0.2 && difference <= exact.limit(), "{difference} of {}", exact.limit());
    }

    #[test]
    fn functions_of_f32_stay_within_their_bounds() {
        for i in -200..200 {
            let x = i as f32 * 0.37;
            let exact = Bounded::exact(x.into()).exp();
            assert!((f64::from(x.exp()) - exact.value).abs() <= exact.limit(), "exp({x})");
            let exact = Bounded::exact(x.into()).normal_cdf();
            assert!((f64::from(x.normal_cdf()) - exact.value).abs() <= exact.limit(), "normal_cdf({x})");
            let negative = -x.abs() / 8.0;
            let exact = Bounded::exact(negative.into()).exp_m1();
            assert!((f64::from(negative.exp_m1()) - exact.value).abs() <= exact.limit(), "exp_m1({negative})");
            let x = x.abs() / 80.0;
            let exact = Bounded::exact(x.into()).ln_1p() / Bounded::exact(3.0);
            assert!((f64::from(x.ln_1p() / 3.0) - exact.value).abs() <= exact.limit(), "ln_1p({x})");
        }
    }
}
