//! Copies: a measure of the memory's bandwidth, part of no plan.

use rayon::prelude::*;

use crate::kernels::{CHUNK, Call, Io, Kernel, PLAIN, PartKind, cpu, input, output, per_element};
use crate::math::Real;

/// The row of the table.
pub static COPY: Kernel = Kernel {
    name: "copy",
    formula: "y = x, to measure bandwidth",
    wgsl: &[include_str!("../../../shaders/probes/copy.wgsl")],
    part: PartKind::None,
    reads_step: false,
    dims: &["count"],
    bindings: &[input("x", &["count"]), output("y", &["count"])],
    variants: PLAIN,
    workgroup_size: 64,
    workgroups: |dims| per_element(dims[0].into(), 256),
    cpu: cpu!(copy),
};

fn copy<T: Real>(_: &Call<'_>, io: Io<'_, T>) {
    let ([x, ..], [y, ..]) = (io.inputs, io.outputs);
    x.par_chunks(CHUNK).zip(y.par_chunks_mut(CHUNK)).for_each(|(x, y)| y.copy_from_slice(x));
}
