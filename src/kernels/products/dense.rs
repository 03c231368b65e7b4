//! A layer in one: the product with its weight, its bias and its activation. In training z is kept.

use super::MatrixUnits;
use super::matmul::{multiply, rows_of_a_task, slices};
use super::matrix_units::widen;
use crate::kernels::{
    Call, Io, Kernel, LAYER_EPILOGUE_WGSL, LAYER_WGSL, MAX_BINDINGS, PLAIN, PartKind, WorkgroupSize, any, cpu, dims,
    input, output, tiles,
};
use crate::math::{Activation, Product, Real};
use crate::parallel::prelude::*;
use crate::wgsl::wgsl;

dims!(rows, outputs, inputs, tile_rows, tile_columns);

/// `a = f(x w + bias)`: a layer.
pub static DENSE: Kernel = Kernel {
    name: "dense",
    formula: "a = f(x w + bias)",
    wgsl: &[LAYER_WGSL, LAYER_EPILOGUE_WGSL, wgsl!("products/dense.wgsl")],
    part: PartKind::Dense,
    most_steps: 0,
    dims: Dims::NAMES,
    bindings: &[
        input("x", &["rows", "inputs"]),
        input("w", &["inputs", "outputs"]),
        input("bias", &["outputs"]),
        output("a", &["rows", "outputs"]),
    ],
    variants: PLAIN,
    workgroup_size: WorkgroupSize::OfTile,
    workgroups: |dims| {
        let d = Dims::of(dims);
        tiles([d.rows, d.outputs], [d.tile_rows, d.tile_columns])
    },
    fits: any,
    cpu: cpu!(dense),
};

fn dense<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let [a, ..] = io.outputs;
    Dense::of(call, &io.inputs).make(a);
}

pub(super) struct Dense<'a, T> {
    product: Product,
    x: &'a [T],
    w: &'a [T],
    bias: &'a [T],
    activation: Activation,
    units: Option<&'a MatrixUnits>,
}

impl<'a, T: Real> Dense<'a, T> {
    /// Of a kernel whose first dimensions and bindings are those of [`DENSE`].
    pub(super) fn of(call: &Call<'a>, &[x, w, bias, ..]: &[&'a [T]; MAX_BINDINGS]) -> Self {
        let Dims { rows, outputs, inputs, .. } = Dims::of(call.dims);
        Self {
            product: Product::new(rows, outputs, inputs),
            x,
            w,
            bias,
            activation: call.activation(),
            units: call.units(),
        }
    }

    /// All rows.
    pub(super) fn make(&self, a: &mut [T]) {
        if slices(&self.product).is_some() {
            return T::with_scratch(a.len(), |z| self.whole(z, a));
        }
        let rows = rows_of_a_task(&self.product);
        a.par_chunks_mut(rows * self.product.n).enumerate().for_each(|(task, a)| {
            T::with_scratch(a.len(), |z| self.rows(task * rows, z, a));
        });
    }

    /// The same, with z.
    pub(super) fn make_and_keep(&self, z: &mut [T], a: &mut [T]) {
        if slices(&self.product).is_some() {
            return self.whole(z, a);
        }
        let rows = rows_of_a_task(&self.product);
        let tasks = z.par_chunks_mut(rows * self.product.n).zip(a.par_chunks_mut(rows * self.product.n));
        tasks.enumerate().for_each(|(task, (z, a))| self.rows(task * rows, z, a));
    }

    /// The rows from `first` on, as many as fit `z` and `a`.
    fn rows(&self, first: usize, z: &mut [T], a: &mut [T]) {
        T::vectorized(
            #[inline(always)]
            || {
                let block = Product { m: z.len() / self.product.n, ..self.product };
                T::affine(&block, &self.x[first * self.product.k..], self.w, self.bias, z);
                widen(self.units, self.product.k, self.x, self.w, z);
                self.activation.forward(z, a);
            },
        );
    }

    /// Few rows of a long product.
    fn whole(&self, z: &mut [T], a: &mut [T]) {
        multiply(&self.product, self.x, self.w, z);
        widen(self.units, self.product.k, self.x, self.w, z);
        z.par_chunks_mut(self.product.n).zip(a.par_chunks_mut(self.product.n)).for_each(|(z, a)| {
            T::vectorized(
                #[inline(always)]
                || {
                    z.iter_mut().zip(self.bias).for_each(|(z, &bias)| *z += bias);
                    self.activation.forward(z, a);
                },
            );
        });
    }
}
