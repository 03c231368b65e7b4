//! Multiplies a gradient by an activation's derivative, in place.

use crate::kernels::{
    CHUNK, Call, Io, Kernel, PLAIN, PartKind, WorkgroupSize, any, cpu, dims, in_place, input, per_element,
};
use crate::math::Real;
use crate::parallel::prelude::*;
use crate::wgsl::wgsl;

dims!(count);

/// `d *= f'(z)` in place, a = f(z) and d `[count]`: from the gradient by a to that by z.
pub static ACTIVATION_BACKWARD: Kernel = Kernel {
    name: "activation_backward",
    formula: "d *= f'(z), a = f(z)",
    wgsl: &[wgsl!("elementwise/activation_backward.wgsl")],
    part: PartKind::Activation,
    most_steps: 0,
    dims: Dims::NAMES,
    bindings: &[input("z", &["count"]), input("a", &["count"]), in_place("d", &["count"])],
    variants: PLAIN,
    workgroup_size: WorkgroupSize::Fixed(256),
    workgroups: |dims| per_element(Dims::of(dims).count, 256),
    fits: any,
    cpu: cpu!(activation_backward),
};

fn activation_backward<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([z, a, ..], [d, ..], activation) = (io.inputs, io.outputs, call.activation());
    let chunks = z.par_chunks(CHUNK).zip(a.par_chunks(CHUNK)).zip(d.par_chunks_mut(CHUNK));
    chunks.for_each(|((z, a), d)| activation.backward(z, a, d));
}
