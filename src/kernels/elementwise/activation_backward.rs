//! Multiplies a gradient by an activation's derivative, in place.

use rayon::prelude::*;

use crate::kernels::{CHUNK, Call, Io, Kernel, PLAIN, Part, PartKind, cpu, in_place, input, per_element};
use crate::math::Real;

/// The row of the table.
pub static ACTIVATION_BACKWARD: Kernel = Kernel {
    name: "activation_backward",
    formula: "d *= f'(z), a = f(z)",
    wgsl: &[include_str!("../../../shaders/elementwise/activation_backward.wgsl")],
    part: PartKind::Activation,
    reads_step: false,
    dims: &["count"],
    bindings: &[input("z", &["count"]), input("a", &["count"]), in_place("d", &["count"])],
    variants: PLAIN,
    workgroup_size: 256,
    workgroups: |dims| per_element(dims[0].into(), 256),
    cpu: cpu!(activation_backward),
};

fn activation_backward<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([z, a, ..], [d, ..], Part::Activation(activation)) = (io.inputs, io.outputs, call.part) else { return };
    let chunks = z.par_chunks(CHUNK).zip(a.par_chunks(CHUNK)).zip(d.par_chunks_mut(CHUNK));
    chunks.for_each(|((z, a), d)| activation.backward(z, a, d));
}
