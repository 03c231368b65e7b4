//! The rows of a mini-batch and the first layer of them, as [`GATHER_DENSE`] makes them, where z is kept.

use super::gather_dense::{GATHER_DENSE, of_batch};
use crate::kernels::{
    Call, GATHERED_WGSL, Io, Kernel, LAYER_KEEP_EPILOGUE_WGSL, LAYER_WGSL, ORDER_WGSL, cpu, input, output,
};
use crate::math::Real;
use crate::wgsl::wgsl;

/// [`GATHER`](crate::kernels::GATHER) and [`DENSE_KEEP`](super::DENSE_KEEP), whose dimensions it has.
pub static GATHER_DENSE_KEEP: Kernel = Kernel {
    name: "gather_dense_keep",
    formula: "batch = rows of x and y, in the epoch's sample order or in their own; z = batch_x w + bias, a = f(z)",
    wgsl: &[ORDER_WGSL, GATHERED_WGSL, LAYER_WGSL, LAYER_KEEP_EPILOGUE_WGSL, wgsl!("products/gather_dense_keep.wgsl")],
    bindings: &[
        input("x", &["samples", "inputs"]),
        input("w", &["inputs", "outputs"]),
        input("bias", &["outputs"]),
        input("y", &["samples", "columns"]),
        output("batch_x", &["rows", "inputs"]),
        output("batch_y", &["rows", "columns"]),
        output("z", &["rows", "outputs"]),
        output("a", &["rows", "outputs"]),
    ],
    cpu: cpu!(gather_dense_keep),
    ..GATHER_DENSE
};

fn gather_dense_keep<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let [batch_x, batch_y, z, a, ..] = io.outputs;
    of_batch(call, io.inputs, batch_x, batch_y).make_and_keep(z, a);
}
