//! The way back from a layer's z to that of the layer before it: the product with the transposed weight, and the
//! activation's derivative.

use super::matmul::{multiply, rows_of_a_task, slices};
use super::matrix_units::widen;
use crate::kernels::{
    Call, Io, Kernel, PLAIN, PartKind, SLOPED_WGSL, WorkgroupSize, any, cpu, dims, input, output, tiles,
};
use crate::math::{Product, Real};
use crate::parallel::prelude::*;
use crate::wgsl::wgsl;

dims!(rows, inputs, outputs, tile_rows, tile_columns);

/// `c = (d wᵀ) f'(z)`, a = f(z): from the gradient by a layer's z to that by the z of the layer before.
pub static DENSE_BACKWARD: Kernel = Kernel {
    name: "dense_backward",
    formula: "c = (d wᵀ) f'(z), a = f(z)",
    wgsl: &[SLOPED_WGSL, wgsl!("products/dense_backward.wgsl")],
    part: PartKind::Dense,
    most_steps: 0,
    dims: Dims::NAMES,
    bindings: &[
        input("d", &["rows", "outputs"]),
        input("w", &["inputs", "outputs"]),
        input("z", &["rows", "inputs"]),
        input("a", &["rows", "inputs"]),
        output("c", &["rows", "inputs"]),
    ],
    variants: PLAIN,
    workgroup_size: WorkgroupSize::OfTile,
    workgroups: |dims| {
        let d = Dims::of(dims);
        tiles([d.rows, d.inputs], [d.tile_rows, d.tile_columns])
    },
    fits: any,
    cpu: cpu!(dense_backward),
};

fn dense_backward<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([d, w, z, a, ..], [c, ..]) = (io.inputs, io.outputs);
    let Dims { rows, inputs, outputs, .. } = Dims::of(call.dims);
    way_back(call, [rows, inputs, outputs], [d, w, z, a], c);
}

/// The same without a row of the table: rows, inputs and outputs, then d, w, z and a.
pub(super) fn way_back<T: Real>(
    call: &Call<'_>,
    [rows, inputs, outputs]: [usize; 3],
    [d, w, z, a]: [&[T]; 4],
    c: &mut [T],
) {
    let activation = call.activation();
    let product = Product::new(rows, inputs, outputs).b_transposed();
    let deep = slices(&product).is_some();
    if deep {
        multiply(&product, d, w, c);
    }
    let rows = rows_of_a_task(&product);
    let size = rows * inputs;
    let tasks = c.par_chunks_mut(size).zip(z.par_chunks(size).zip(a.par_chunks(size)));
    tasks.enumerate().for_each(|(task, (c, (z, a)))| {
        T::vectorized(
            #[inline(always)]
            || {
                if !deep {
                    product.rows(task * rows, d, w, c);
                }
                widen(call.units(), outputs, d, w, c);
                activation.backward(z, a, c);
            },
        );
    });
}
