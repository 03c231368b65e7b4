//! Copies: a measure of the memory's bandwidth, part of no plan.

use crate::kernels::{
    CHUNK, Call, Io, Kernel, PLAIN, PartKind, WorkgroupSize, any, cpu, dims, input, output, per_element,
};
use crate::math::Real;
use crate::parallel::prelude::*;
use crate::wgsl::wgsl;

dims!(count);

/// `y = x`, both `[count]`.
pub static COPY: Kernel = Kernel {
    name: "copy",
    formula: "y = x, to measure bandwidth",
    wgsl: &[wgsl!("probes/copy.wgsl")],
    part: PartKind::None,
    most_steps: 0,
    dims: Dims::NAMES,
    bindings: &[input("x", &["count"]), output("y", &["count"])],
    variants: PLAIN,
    workgroup_size: WorkgroupSize::Fixed(64),
    workgroups: |dims| per_element(Dims::of(dims).count, 256),
    fits: any,
    cpu: cpu!(copy),
};

fn copy<T: Real>(_: &Call<'_>, io: Io<'_, T>) {
    let ([x, ..], [y, ..]) = (io.inputs, io.outputs);
    x.par_chunks(CHUNK).zip(y.par_chunks_mut(CHUNK)).for_each(|(x, y)| y.copy_from_slice(x));
}
