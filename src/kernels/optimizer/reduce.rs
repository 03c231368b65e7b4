//! Adds up the groups' shares of a gradient, where something has to be known of all of it before the optimiser's step.

use rayon::prelude::*;

use crate::kernels::{Call, Io, Kernel, PLAIN, PartKind, SHARES_WGSL, cpu, input, output, per_element};
use crate::math::Real;

/// Elements that the CPU takes at a time: what has just been added up is still in the cache.
pub(super) const CHUNK: usize = 1 << 12;

/// The row of the table. A share's place is as long as `stride`, at least `count`.
pub static REDUCE: Kernel = Kernel {
    name: "reduce",
    formula: "sum = g over groups",
    wgsl: &[SHARES_WGSL, include_str!("../../../shaders/optimizer/reduce.wgsl")],
    part: PartKind::None,
    reads_step: false,
    dims: &["count", "groups", "stride"],
    bindings: &[input("g", &["groups", "stride"]), output("sum", &["count"])],
    variants: PLAIN,
    workgroup_size: 64,
    workgroups: |dims| per_element(dims[0].into(), 64),
    cpu: cpu!(reduce),
};

fn reduce<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([g, ..], [sum, ..]) = (io.inputs, io.outputs);
    let stride = call.dims[2] as usize;
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
