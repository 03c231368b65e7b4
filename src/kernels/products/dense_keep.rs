//! A layer in one, as [`DENSE`] makes it, for training: z is kept.

use super::dense::{DENSE, Dense};
use super::matmul::{rows_of_a_task, slices};
use crate::kernels::{Call, Io, Kernel, cpu, input, output};
use crate::math::Real;
use crate::parallel::prelude::*;
use crate::wgsl::wgsl;

/// `z = x w + bias`, `a = f(z)`: a layer in training.
pub static DENSE_KEEP: Kernel = Kernel {
    name: "dense_keep",
    formula: "z = x w + bias, a = f(z)",
    wgsl: &[wgsl!("products/dense_keep.wgsl")],
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

fn dense_keep<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let [z, a, ..] = io.outputs;
    let layer = Dense::of(call, &io.inputs);
    if slices(&layer.product).is_some() {
        return layer.whole(z, a);
    }
    let rows = rows_of_a_task(&layer.product);
    let tasks = z.par_chunks_mut(rows * layer.product.n).zip(a.par_chunks_mut(rows * layer.product.n));
    tasks.enumerate().for_each(|(task, (z, a))| layer.rows(task * rows, z, a));
}
