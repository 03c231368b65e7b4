//! f32, which does the work, and f64, the oracle, as numbers of the kernels.

use std::cell::RefCell;

use gemm_common::Parallelism;

use super::exp;
use super::product::Product;
use super::real::{Real, repeat};
use super::small::{self, Start};
use crate::parallel::gemm_threads;

/// A float type, its functions, and what it has for small products.
macro_rules! real {
    ($float:ty, $exp:path, $ln_1p:path, $exp_m1:path, $small:expr, $gemm:path) => {
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
            #[inline(always)]
            fn normal(self) -> Self {
                if self.abs() < <$float>::MIN_POSITIVE { 0.0 } else { self }
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
                    true => gemm_threads(),
                    false => Parallelism::None,
                };
                // SAFETY: `check` has shown that every element which the shapes and strides reach lies in
                // its slice, and `c` is borrowed mutably, so it overlaps neither `a` nor `b`.
                unsafe {
                    let (a, b, c, n) = (a.as_ptr(), b.as_ptr(), c.as_mut_ptr(), p.n as isize);
                    // Strides are told as those of columns and of rows. gemm wants c's columns whole; c has its rows so, and is
                    // therefore told as (a b)ᵀ = bᵀ aᵀ, but for a single column, which is both.
                    match p.n {
                        0 | 1 => $gemm()(
                            p.m, p.n, p.k, c, 1, n, p.add, a, a_column, a_row, b, b_column, b_row, 1.0, 1.0, false,
                            false, false, threads,
                        ),
                        _ => $gemm()(
                            p.n, p.m, p.k, c, n, 1, p.add, b, b_row, b_column, a, a_row, a_column, 1.0, 1.0, false,
                            false, false, threads,
                        ),
                    }
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
                // A module of wasm has one set of instructions, chosen when it is compiled.
                if cfg!(target_family = "wasm") { work() } else { pulp::Arch::new().dispatch(work) }
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
real!(f32, exp::exp, exp::ln_1p, exp::exp_m1, small::product, gemm_f32::gemm::f32::get_gemm_fn);
real!(f64, f64::exp, f64::ln_1p, f64::exp_m1, never_small, gemm_f64::gemm::f64::get_gemm_fn);

/// The oracle has no products of its own.
fn never_small(_: &Product, _: &[f64], _: &[f64], _: Start<'_, f64>, _: &mut [f64]) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::Activation;

    #[test]
    fn numbers_below_the_normal_ones_are_0() {
        let least = f32::MIN_POSITIVE;
        assert_eq!([least / 2.0, -least / 2.0, least, -least, 0.0].map(Real::normal), [0.0, 0.0, least, -least, 0.0]);
        assert!(Real::normal(f32::NAN).is_nan());
        // What a layer hands back is what other products take.
        let mut d = [1e-32_f32, 1e-32, f32::NAN];
        Activation::Elu.backward(&[-16.0, 1.0, 1.0], &[1e-7 - 1.0, 1.0, 1.0], &mut d);
        assert!(d[..2] == [0.0, 1e-32] && d[2].is_nan(), "{d:?}");
    }
}
