//! Sums of the gradients' squares, for clipping by their norm.

use crate::kernels::{Call, Io, Kernel, MOST_GROUPS, PLAIN, PartKind, WorkgroupSize, all, cpu, dims, input, output};
use crate::math::Real;
use crate::wgsl::wgsl;

/// Elements of a run.
const RUN: usize = 256;
/// Most partial sums: what a workgroup of `update` adds up at once.
pub(super) const MOST: usize = 256;

dims!(count, groups);

/// `sums[group] = Σ g²` over every groups-th run of 256 elements.
pub static SQUARE_SUM: Kernel = Kernel {
    name: "square_sum",
    formula: "sums of g²",
    wgsl: &[wgsl!("optimizer/square_sum.wgsl")],
    part: PartKind::None,
    most_steps: 0,
    dims: Dims::NAMES,
    bindings: &[input("g", &["count"]), output("sums", &["groups"])],
    variants: PLAIN,
    workgroup_size: WorkgroupSize::Fixed(RUN as u32),
    workgroups: |dims| Dims::of(dims).groups as u64,
    fits: |dims, _| all([(Dims::of(dims).groups <= MOST_GROUPS, "too many groups")]),
    cpu: cpu!(square_sum),
};

/// The number of workgroups, and so of partial sums, for so many gradients.
pub fn groups(count: u64) -> usize {
    count.div_ceil(4 * RUN as u64).clamp(1, MOST as u64) as usize
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
