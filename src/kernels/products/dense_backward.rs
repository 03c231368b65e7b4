//! The way back from a layer's z to that of the layer before it: the product with the transposed weight, and the
//! activation's derivative.

use rayon::prelude::*;

use super::matmul::{multiply, rows_of_a_task, slices};
use crate::kernels::{Call, Io, Kernel, OF_TILE, PLAIN, PRODUCT_WGSL, Part, PartKind, cpu, input, output, tiles};
use crate::math::{Product, Real};

/// The row of the table.
pub static DENSE_BACKWARD: Kernel = Kernel {
    name: "dense_backward",
    formula: "c = (d wᵀ) f'(z), a = f(z)",
    wgsl: &[PRODUCT_WGSL, include_str!("../../../shaders/products/dense_backward.wgsl")],
    part: PartKind::Dense,
    reads_step: false,
    dims: &["rows", "inputs", "outputs", "tile_rows", "tile_columns"],
    bindings: &[
        input("d", &["rows", "outputs"]),
        input("w", &["inputs", "outputs"]),
        input("z", &["rows", "inputs"]),
        input("a", &["rows", "inputs"]),
        output("c", &["rows", "inputs"]),
    ],
    variants: PLAIN,
    workgroup_size: OF_TILE,
    workgroups: |dims| tiles([dims[0], dims[1]], [dims[3], dims[4]]),
    cpu: cpu!(dense_backward),
};

fn dense_backward<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([d, w, z, a, ..], [c, ..], Part::Tiling(tiling)) = (io.inputs, io.outputs, call.part) else { return };
    let [rows, inputs, outputs] = [0, 1, 2].map(|dim| call.dims[dim] as usize);
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
                tiling.activation.backward(z, a, c);
            },
        );
    });
}
