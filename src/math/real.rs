//! The number types that the CPU functions of all kernels are written for: f32 (the fast path), f64 (the
//! oracle) and [`Bounded`](super::Bounded) (f64 that carries a bound of an f32 device's rounding error).

use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use super::product::Product;

/// A real number type.
pub trait Real:
    Copy
    + Default
    + Debug
    + PartialOrd
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
{
    /// The nearest value.
    fn from_f64(value: f64) -> Self;
    /// The value, exact for f32 and f64.
    fn to_f64(self) -> f64;
    /// e to the power of self.
    fn exp(self) -> Self;
    /// log(1 + self) for self >= 0, accurate near 0.
    fn ln_1p(self) -> Self;
    /// The absolute value.
    fn abs(self) -> Self;
    /// The smaller one.
    fn min(self, other: Self) -> Self;
    /// The square root.
    fn sqrt(self) -> Self;
    /// -1, 0 or 1.
    fn sign(self) -> Self;
    /// e to the power of self, less 1, accurate near 0. For self <= 0 alone: shaders have it for no other.
    fn exp_m1(self) -> Self;
    /// The normal distribution function, erfc(-self / √2) / 2, whose left tail keeps its relative accuracy.
    fn normal_cdf(self) -> Self;

    /// f32 has 0 in place of a number that is too small to be a normal one, as GPUs have. A processor takes some 100 cycles for a product with
    /// such a number, and gradients of rows that are learned become so small.
    #[must_use]
    fn normal(self) -> Self {
        self
    }

    /// The value with an error that may be larger by `relative` of the sum of its terms' absolute values, and by `absolute`: for numbers
    /// that have a bound of it.
    fn widened(self, _relative: f64, _absolute: f64) -> Self {
        self
    }

    /// `c = a b` for the shapes and strides of `product`; each element of `c` sums over k in
    /// an order that depends on the product's shape alone.
    fn product(product: &Product, a: &[Self], b: &[Self], c: &mut [Self]);

    /// `c = a b + bias`, one row added to all; for a `product` that is not added to c.
    fn affine(product: &Product, a: &[Self], b: &[Self], bias: &[Self], c: &mut [Self]) {
        repeat(bias, c);
        Self::product(&product.added(), a, b, c);
    }

    /// Calls `work` compiled for the widest SIMD that the processor has, as far as it is inlined.
    fn vectorized<R>(work: impl FnOnce() -> R) -> R;

    /// Calls `work` with `len` values of memory, whatever they hold, which a thread keeps from one call to the next.
    fn with_scratch<R>(len: usize, work: impl FnOnce(&mut [Self]) -> R) -> R;
}

/// Fills `rows` with copies of `row`, in copies that double, since short ones cost as much as a product.
pub(super) fn repeat<T: Real>(row: &[T], rows: &mut [T]) {
    rows[..row.len()].copy_from_slice(row);
    let mut done = row.len();
    while done < rows.len() {
        let next = done.min(rows.len() - done);
        rows.copy_within(..next, done);
        done += next;
    }
}

impl Product {
    /// The rows of c from `first` on, as many as fit `c`.
    pub fn rows<T: Real>(&self, first: usize, a: &[T], b: &[T], c: &mut [T]) {
        let block = Self { m: c.len() / self.n, ..*self };
        T::product(&block, &a[first * self.a_strides.0..], b, c);
    }
}
