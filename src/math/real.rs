//! The number types that the CPU functions of all kernels are written for: f32 (the fast path), f64 (the
//! oracle) and [`Bounded`](super::Bounded) (f64 that carries a bound of an f32 device's rounding error).

use std::cell::Cell;
use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

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

    /// `c = a b` for the shapes and strides of `product`, one thread; each element of `c` sums over k in
    /// an order that depends on the product's shape alone.
    fn product(product: &Product, a: &[Self], b: &[Self], c: &mut [Self]);

    /// Calls `work` compiled for the widest SIMD that the processor has, as far as it is inlined.
    fn vectorized<R>(work: impl FnOnce() -> R) -> R;

    /// Calls `work` with `len` values of memory, whatever they hold, which a thread keeps from one call to the next.
    fn with_scratch<R>(len: usize, work: impl FnOnce(&mut [Self]) -> R) -> R;
}

/// Shape and strides, in elements, of a matrix product `c[m, n] = a[m, k] b[k, n]`. c is contiguous by rows.
#[derive(Clone, Copy, Debug)]
pub struct Product {
    /// Rows of a and c.
    pub m: usize,
    /// Columns of b and c.
    pub n: usize,
    /// Columns of a, rows of b.
    pub k: usize,
    /// Distance of a's rows and of its columns.
    pub a_strides: (usize, usize),
    /// Distance of b's rows and of its columns.
    pub b_strides: (usize, usize),
    /// Whether the product is added to what c holds.
    pub add: bool,
}

impl Product {
    /// `c[m, n] = a[m, k] b[k, n]`, all by rows.
    pub fn new(m: usize, n: usize, k: usize) -> Self {
        Self { m, n, k, a_strides: (k, 1), b_strides: (n, 1), add: false }
    }

    /// The same with a stored as `[k, m]`.
    pub fn a_transposed(self) -> Self {
        Self { a_strides: (1, self.m), ..self }
    }

    /// The same with b stored as `[n, k]`.
    pub fn b_transposed(self) -> Self {
        Self { b_strides: (1, self.k), ..self }
    }

    /// The same, added to what c holds.
    pub fn added(self) -> Self {
        Self { add: true, ..self }
    }

    /// The rows of c from `first` on, as many as fit `c`.
    pub fn rows<T: Real>(&self, first: usize, a: &[T], b: &[T], c: &mut [T]) {
        let block = Self { m: c.len() / self.n, ..*self };
        T::product(&block, &a[first * self.a_strides.0..], b, c);
    }

    /// Panics unless every element lies inside its slice.
    fn check(&self, a: usize, b: usize, c: usize) {
        let end = |(row, column): (usize, usize), rows: usize, columns: usize| {
            if rows == 0 || columns == 0 { 0 } else { (rows - 1) * row + (columns - 1) * column + 1 }
        };
        assert!(end(self.a_strides, self.m, self.k) <= a, "matrix product: a has {a} elements for {self:?}");
        assert!(end(self.b_strides, self.k, self.n) <= b, "matrix product: b has {b} elements for {self:?}");
        assert!(self.m * self.n <= c, "matrix product: c has {c} elements for {self:?}");
    }
}

macro_rules! real {
    ($float:ty) => {
        impl Real for $float {
            fn from_f64(value: f64) -> Self {
                value as $float
            }
            fn to_f64(self) -> f64 {
                self.into()
            }
            fn exp(self) -> Self {
                self.exp()
            }
            fn ln_1p(self) -> Self {
                self.ln_1p()
            }
            fn abs(self) -> Self {
                self.abs()
            }
            fn min(self, other: Self) -> Self {
                self.min(other)
            }
            fn sqrt(self) -> Self {
                self.sqrt()
            }
            fn sign(self) -> Self {
                if self == 0.0 { 0.0 } else { self.signum() }
            }
            fn exp_m1(self) -> Self {
                self.exp_m1()
            }
            fn normal_cdf(self) -> Self {
                // In f64 for f32 too: the argument's rounding would grow in the tail by its square.
                (0.5 * libm::erfc(-f64::from(self) * std::f64::consts::FRAC_1_SQRT_2)) as $float
            }
            #[allow(unsafe_code)]
            fn product(p: &Product, a: &[Self], b: &[Self], c: &mut [Self]) {
                p.check(a.len(), b.len(), c.len());
                let (a_row, a_column) = (p.a_strides.0 as isize, p.a_strides.1 as isize);
                let (b_row, b_column) = (p.b_strides.0 as isize, p.b_strides.1 as isize);
                // SAFETY: `check` has shown that every element which the shapes and strides reach lies in
                // its slice, and `c` is borrowed mutably, so it overlaps neither `a` nor `b`.
                unsafe {
                    gemm::gemm(
                        p.m,
                        p.n,
                        p.k,
                        c.as_mut_ptr(),
                        1,
                        p.n as isize,
                        p.add,
                        a.as_ptr(),
                        a_column,
                        a_row,
                        b.as_ptr(),
                        b_column,
                        b_row,
                        1.0,
                        1.0,
                        false,
                        false,
                        false,
                        gemm::Parallelism::None,
                    );
                }
            }
            fn vectorized<R>(work: impl FnOnce() -> R) -> R {
                pulp::Arch::new().dispatch(work)
            }
            fn with_scratch<R>(len: usize, work: impl FnOnce(&mut [Self]) -> R) -> R {
                thread_local! {
                    static SCRATCH: Cell<Vec<$float>> = const { Cell::new(Vec::new()) };
                }
                let mut memory = SCRATCH.take();
                if memory.len() < len {
                    memory.resize(len, 0.0);
                }
                let result = work(&mut memory[..len]);
                SCRATCH.set(memory);
                result
            }
        }
    };
}
real!(f32);
real!(f64);
