//! Sums of the gradients' squares, for clipping by their norm.

use crate::kernels::{Call, Io, Kernel, PLAIN, PartKind, cpu, input, output};
use crate::math::Real;

/// Elements of a run.
const RUN: usize = 256;
/// Most partial sums: what a workgroup of `update` adds up at once.
const MOST: u64 = 256;

/// The row of the table.
pub static SQUARE_SUM: Kernel = Kernel {
    name: "square_sum",
    formula: "sums of g²",
    wgsl: &[include_str!("../../../shaders/optimizer/square_sum.wgsl")],
    part: PartKind::None,
    reads_step: false,
    dims: &["count", "groups"],
    bindings: &[input("g", &["count"]), output("sums", &["groups"])],
    variants: PLAIN,
    workgroup_size: RUN as u32,
    workgroups: |dims| dims[1].into(),
    cpu: cpu!(square_sum),
};

/// The number of workgroups, and so of partial sums, for so many gradients.
pub fn groups(count: u64) -> usize {
    count.div_ceil(4 * RUN as u64).clamp(1, MOST) as usize
}

fn square_sum<T: Real>(_: &Call<'_>, io: Io<'_, T>) {
    let ([g, ..], [sums, ..]) = (io.inputs, io.outputs);
    sums.fill(T::default());
    let groups = sums.len();
    for (run, g) in g.chunks(RUN).enumerate() {
        let mut sum = T::default();
        g.iter().for_each(|&g| sum += g * g);
        sums[run % groups] += sum;
    }
}
