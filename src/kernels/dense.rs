//! A layer in one: the product with its weight, its bias and its activation. In training z is kept.

use rayon::prelude::*;

use super::fused_gradient::repeat;
use super::matmul::rows_of_a_task;
use super::{Call, Io, Kernel, OF_TILE, PLAIN, Part, PartKind, cpu, input, output, tiles};
use crate::math::{Product, Real};

/// The row of the table.
pub static DENSE: Kernel = Kernel {
    name: "dense",
    formula: "a = f(x w + bias)",
    wgsl: concat!(include_str!("../../shaders/product.wgsl"), include_str!("../../shaders/dense.wgsl")),
    part: PartKind::Dense,
    reads_step: false,
    dims: &["rows", "outputs", "inputs", "tile_rows", "tile_columns"],
    bindings: &[
        input("x", &["rows", "inputs"]),
        input("w", &["inputs", "outputs"]),
        input("bias", &["outputs"]),
        output("a", &["rows", "outputs"]),
    ],
    variants: PLAIN,
    workgroup_size: OF_TILE,
    workgroups: |dims| tiles([dims[0], dims[1]], [dims[3], dims[4]]),
    cpu: cpu!(dense),
};

/// The row of the table.
pub static DENSE_KEEP: Kernel = Kernel {
    name: "dense_keep",
    formula: "z = x w + bias, a = f(z)",
    wgsl: concat!(include_str!("../../shaders/product.wgsl"), include_str!("../../shaders/dense_keep.wgsl")),
    bindings: &[
        input("x", &["rows", "inputs"]),
        input("w", &["inputs", "outputs"]),
        input("bias", &["outputs"]),
        output("z", &["rows", "outputs"]),
        output("a", &["rows", "outputs"]),
    ],
    cpu: cpu!(dense_keep),
    ..DENSE
};

fn dense<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let (product, [a, ..]) = (product(call), io.outputs);
    let rows = rows_of_a_task(&product);
    a.par_chunks_mut(rows * product.n).enumerate().for_each(|(task, a)| {
        T::with_scratch(a.len(), |z| layer(call, &product, task * rows, &io.inputs, z, a));
    });
}

fn dense_keep<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let (product, [z, a, ..]) = (product(call), io.outputs);
    let rows = rows_of_a_task(&product);
    let tasks = z.par_chunks_mut(rows * product.n).zip(a.par_chunks_mut(rows * product.n));
    tasks.enumerate().for_each(|(task, (z, a))| layer(call, &product, task * rows, &io.inputs, z, a));
}

fn product(call: &Call<'_>) -> Product {
    let [rows, outputs, inputs] = [0, 1, 2].map(|dim| call.dims[dim] as usize);
    Product::new(rows, outputs, inputs).added()
}

/// The rows from `first` on, as many as fit `z` and `a`.
fn layer<T: Real>(call: &Call<'_>, product: &Product, first: usize, inputs: &[&[T]], z: &mut [T], a: &mut [T]) {
    let ([x, w, bias, ..], Part::Tiling(tiling)) = (inputs, call.part) else { return };
    T::vectorized(
        #[inline(always)]
        || {
            repeat(bias, z);
            product.rows(first, x, w, z);
            tiling.activation.forward(z, a);
        },
    );
}
