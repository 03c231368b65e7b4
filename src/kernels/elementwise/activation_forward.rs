//! Applies an activation.

use crate::kernels::{
    CHUNK, Call, Io, Kernel, PLAIN, PartKind, WorkgroupSize, any, cpu, dims, input, output, per_element,
};
use crate::math::Real;
use crate::parallel::prelude::*;
use crate::wgsl::wgsl;

dims!(count);

/// `a = f(z)`, both `[count]`.
pub static ACTIVATION_FORWARD: Kernel = Kernel {
    name: "activation_forward",
    formula: "a = f(z)",
    wgsl: &[wgsl!("elementwise/activation_forward.wgsl")],
    part: PartKind::Activation,
    most_steps: 0,
    dims: Dims::NAMES,
    bindings: &[input("z", &["count"]), output("a", &["count"])],
    variants: PLAIN,
    workgroup_size: WorkgroupSize::Fixed(256),
    workgroups: |dims| per_element(Dims::of(dims).count, 256),
    fits: any,
    cpu: cpu!(activation_forward),
};

fn activation_forward<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([z, ..], [a, ..], activation) = (io.inputs, io.outputs, call.activation());
    z.par_chunks(CHUNK).zip(a.par_chunks_mut(CHUNK)).for_each(|(z, a)| activation.forward(z, a));
}
