//! Adds up the groups' shares of a gradient, where something has to be known of all of it before the optimiser's step.

use crate::kernels::{
    Call, Io, Kernel, MOST_GROUPS, PARTIALS_WGSL, PLAIN, PartKind, WorkgroupSize, all, cpu, dims, input, output,
    per_element,
};
use crate::math::Real;
use crate::parallel::prelude::*;
use crate::wgsl::wgsl;

/// Elements that the CPU takes at a time: what has just been added up is still in the cache.
pub(super) const CHUNK: usize = 1 << 12;

dims!(count, groups, stride);

/// `sum[i] = Σ g[group, i]` over the groups, whose shares stand `stride` elements apart. A share's place is as long as `stride`, at least `count`.
pub static REDUCE: Kernel = Kernel {
    name: "reduce",
    formula: "sum = g over groups",
    wgsl: &[PARTIALS_WGSL, wgsl!("optimizer/reduce.wgsl")],
    part: PartKind::None,
    most_steps: 0,
    dims: Dims::NAMES,
    bindings: &[input("g", &["groups", "stride"]), output("sum", &["count"])],
    variants: PLAIN,
    workgroup_size: WorkgroupSize::Fixed(256),
    workgroups: |dims| per_element(Dims::of(dims).count, 32),
    fits: |dims, _| {
        let d = Dims::of(dims);
        all([(d.stride >= d.count, "a stride less than the count"), (d.groups <= MOST_GROUPS, "too many groups")])
    },
    cpu: cpu!(reduce),
};

fn reduce<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([g, ..], [sum, ..]) = (io.inputs, io.outputs);
    let stride = Dims::of(call.dims).stride;
    sum.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, sum)| add_up(g, stride, chunk * CHUNK, sum));
}

/// `sum[i] = Σ g[group, first + i]` for `g [groups, stride]`.
#[inline(always)]
pub(super) fn add_up<T: Real>(g: &[T], stride: usize, first: usize, sum: &mut [T]) {
    for (group, share) in g.chunks_exact(stride).enumerate() {
        let share = &share[first..first + sum.len()];
        match group {
            0 => sum.copy_from_slice(share),
            _ => sum.iter_mut().zip(share).for_each(|(sum, &share)| *sum += share),
        }
    }
}
