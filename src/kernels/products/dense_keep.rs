//! A layer in one, as [`DENSE`] makes it, for training: z is kept.

use super::dense::{DENSE, Dense};
use crate::kernels::{Call, Io, Kernel, LAYER_KEEP_EPILOGUE_WGSL, LAYER_WGSL, cpu, input, output};
use crate::math::Real;
use crate::wgsl::wgsl;

/// `z = x w + bias`, `a = f(z)`: a layer in training.
pub static DENSE_KEEP: Kernel = Kernel {
    name: "dense_keep",
    formula: "z = x w + bias, a = f(z)",
    wgsl: &[LAYER_WGSL, LAYER_KEEP_EPILOGUE_WGSL, wgsl!("products/dense_keep.wgsl")],
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
    Dense::of(call, &io.inputs).make_and_keep(z, a);
}
