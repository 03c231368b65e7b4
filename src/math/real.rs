//! The number types that the CPU functions of all kernels are written for: f32 (the fast path), f64 (the
//! oracle) and [`Bounded`](super::Bounded) (f64 that carries a bound of an f32 device's rounding error).

use std::cell::RefCell;
use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use super::exp;
use super::small::{self, Start};

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
    /// Whether all threads work on it, as far as it is not small; what they compute is the same.
    pub shared: bool,
}

impl Product {
    /// `c[m, n] = a[m, k] b[k, n]`, all by rows.
    pub fn new(m: usize, n: usize, k: usize) -> Self {
        Self { m, n, k, a_strides: (k, 1), b_strides: (n, 1), add: false, shared: false }
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

    /// The same on all threads.
    pub fn shared(self) -> Self {
        Self { shared: true, ..self }
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

/// Fills `rows` with copies of `row`, in copies that double, since short ones cost as much as a product.
fn repeat<T: Real>(row: &[T], rows: &mut [T]) {
    rows[..row.len()].copy_from_slice(row);
    let mut done = row.len();
    while done < rows.len() {
        let next = done.min(rows.len() - done);
        rows.copy_within(..next, done);
        done += next;
    }
}

/// A float type, its functions, and what it has for small products.
macro_rules! real {
    ($float:ty, $exp:path, $ln_1p:path, $exp_m1:path, $small:expr) => {
        impl Real for $float {
            fn from_f64(value: f64) -> Self {
                value as $float
            }
            fn to_f64(self) -> f64 {
                self.into()
            }
            #[inline(always)]
            fn exp(self) -> Self {
                $exp(self)
            }
            #[inline(always)]
            fn ln_1p(self) -> Self {
                $ln_1p(self)
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
            #[inline(always)]
            fn exp_m1(self) -> Self {
                $exp_m1(self)
            }
            fn normal_cdf(self) -> Self {
                // In f64 for f32 too: the argument's rounding would grow in the tail by its square.
                (0.5 * libm::erfc(-f64::from(self) * std::f64::consts::FRAC_1_SQRT_2)) as $float
            }
            #[allow(unsafe_code)]
            fn product(p: &Product, a: &[Self], b: &[Self], c: &mut [Self]) {
                p.check(a.len(), b.len(), c.len());
                if $small(p, a, b, if p.add { Start::C } else { Start::Zero }, &mut *c) {
                    return;
                }
                let (a_row, a_column) = (p.a_strides.0 as isize, p.a_strides.1 as isize);
                let (b_row, b_column) = (p.b_strides.0 as isize, p.b_strides.1 as isize);
                let threads = match p.shared {
                    true => gemm::Parallelism::Rayon(rayon::current_num_threads()),
                    false => gemm::Parallelism::None,
                };
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
                        threads,
                    );
                }
            }
            fn affine(p: &Product, a: &[Self], b: &[Self], bias: &[Self], c: &mut [Self]) {
                p.check(a.len(), b.len(), c.len());
                if !$small(p, a, b, Start::Row(bias), &mut *c) {
                    repeat(bias, c);
                    Self::product(&p.added(), a, b, c);
                }
            }
            fn vectorized<R>(work: impl FnOnce() -> R) -> R {
                pulp::Arch::new().dispatch(work)
            }
            fn with_scratch<R>(len: usize, work: impl FnOnce(&mut [Self]) -> R) -> R {
                thread_local! {
                    /// The memories that no call has, the last one given back last: a call in another one's work finds its own again.
                    static KEPT: RefCell<Vec<Vec<$float>>> = const { RefCell::new(Vec::new()) };
                }
                let mut memory = KEPT.with_borrow_mut(Vec::pop).unwrap_or_default();
                if memory.len() < len {
                    memory.resize(len, 0.0);
                }
                let result = work(&mut memory[..len]);
                KEPT.with_borrow_mut(|kept| kept.push(memory));
                result
            }
        }
    };
}
real!(f32, exp::exp, exp::ln_1p, exp::exp_m1, small::product);
real!(f64, f64::exp, f64::ln_1p, f64::exp_m1, |_: &Product, _: &[f64], _: &[f64], _: Start<'_, f64>, _: &mut [f64]| {
    false
});
