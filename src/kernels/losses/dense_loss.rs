//! A narrow last layer and its pointwise loss in one: where they are small, a dispatch costs more than the work.

use super::blocks::{LAYER_AND_LOSS, NARROW, Sizes, layer_and_loss};
use crate::kernels::{
    Call, Io, Kernel, LOSS_ELEMENTS_WGSL, LOSS_SUMS_WGSL, LOSSES_WGSL, MOST_GROUPS, NARROW_LAYER_WGSL, PLAIN, PartKind,
    WorkgroupSize, all, cpu, dims,
};
use crate::math::Real;
use crate::wgsl::wgsl;

dims!(rows, outputs, inputs, columns, groups);

/// `a = x w + bias`, a layer of at most 16 outputs, and `d` and the sums as [`LOSS`](super::LOSS) has them for it, but that a group has a run of blocks of 16 rows.
pub static DENSE_LOSS: Kernel = Kernel {
    name: "dense_loss",
    formula: "a = x w + bias; d = w l'(a, y) / (rows outputs); sums of w l(a, y) and of correct predictions",
    wgsl: &[LOSSES_WGSL, LOSS_SUMS_WGSL, LOSS_ELEMENTS_WGSL, NARROW_LAYER_WGSL, wgsl!("losses/dense_loss.wgsl")],
    part: PartKind::Loss,
    most_steps: 1,
    dims: Dims::NAMES,
    bindings: LAYER_AND_LOSS,
    variants: PLAIN,
    workgroup_size: WorkgroupSize::Fixed(256),
    workgroups: |dims| Dims::of(dims).groups as u64,
    fits: |dims, _| {
        let d = Dims::of(dims);
        all([
            (d.columns >= d.outputs, "fewer columns than outputs"),
            (d.outputs <= NARROW, "more than 16 outputs"),
            (d.groups <= MOST_GROUPS, "too many groups"),
        ])
    },
    cpu: cpu!(dense_loss),
};

fn dense_loss<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let Dims { rows, outputs, inputs, columns, groups } = Dims::of(call.dims);
    layer_and_loss(call, call.loss(), inputs, Sizes { rows, outputs, columns, groups }, io);
}
