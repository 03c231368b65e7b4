//! Applies an activation.

use rayon::prelude::*;

use crate::kernels::{CHUNK, Call, Io, Kernel, PLAIN, Part, PartKind, cpu, input, output, per_element};
use crate::math::Real;

/// The row of the table.
pub static ACTIVATION_FORWARD: Kernel = Kernel {
    name: "activation_forward",
    formula: "a = f(z)",
    wgsl: &[include_str!("../../../shaders/elementwise/activation_forward.wgsl")],
    part: PartKind::Activation,
    reads_step: false,
    dims: &["count"],
    bindings: &[input("z", &["count"]), output("a", &["count"])],
    variants: PLAIN,
    workgroup_size: 256,
    workgroups: |dims| per_element(dims[0].into(), 256),
    cpu: cpu!(activation_forward),
};

fn activation_forward<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([z, ..], [a, ..], Part::Activation(activation)) = (io.inputs, io.outputs, call.part) else { return };
    z.par_chunks(CHUNK).zip(a.par_chunks_mut(CHUNK)).for_each(|(z, a)| activation.forward(z, a));
}
