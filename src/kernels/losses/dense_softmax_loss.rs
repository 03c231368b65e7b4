//! A narrow last layer and softmax cross entropy in one: where they are small, a dispatch costs more than the work.

use super::blocks::{LAYER_AND_LOSS, NARROW, Sizes, layer_and_loss};
use crate::kernels::{
    Call, Io, Kernel, LOSS_SUMS_WGSL, LOSSES_WGSL, MOST_GROUPS, NARROW_LAYER_WGSL, PLAIN, PartKind,
    SOFTMAX_BLOCKS_WGSL, WorkgroupSize, all, cpu, dims,
};
use crate::math::{Loss, Real};
use crate::wgsl::wgsl;

dims!(rows, outputs, inputs, columns, groups);

/// `a = x w + bias`, a layer of at most 16 outputs, and `d` and the sums as [`SOFTMAX_LOSS`](super::SOFTMAX_LOSS) has them for it.
pub static DENSE_SOFTMAX_LOSS: Kernel = Kernel {
    name: "dense_softmax_loss",
    formula: "a = x w + bias; d = w (softmax(a) - target) / rows; sums of w cross entropy and of correct predictions",
    wgsl: &[
        LOSSES_WGSL,
        LOSS_SUMS_WGSL,
        SOFTMAX_BLOCKS_WGSL,
        NARROW_LAYER_WGSL,
        wgsl!("losses/dense_softmax_loss.wgsl"),
    ],
    part: PartKind::None,
    most_steps: 1,
    dims: Dims::NAMES,
    bindings: LAYER_AND_LOSS,
    variants: PLAIN,
    workgroup_size: WorkgroupSize::Fixed(256),
    workgroups: |dims| Dims::of(dims).groups as u64,
    fits: |dims, _| {
        let d = Dims::of(dims);
        all([(d.outputs <= NARROW, "more than 16 outputs"), (d.groups <= MOST_GROUPS, "too many groups")])
    },
    cpu: cpu!(dense_softmax_loss),
};

fn dense_softmax_loss<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let Dims { rows, outputs, inputs, columns, groups } = Dims::of(call.dims);
    layer_and_loss(call, Loss::SoftmaxCrossEntropy, inputs, Sizes { rows, outputs, columns, groups }, io);
}
