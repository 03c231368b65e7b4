//! Softmax cross entropy, a loss of whole rows: the gradient of its mean, and its sum and hits for the ring.

use super::blocks::{Sizes, loss_of_blocks};
use crate::kernels::{
    Call, HYPER, Io, Kernel, LOSS_SUMS_WGSL, LOSSES_WGSL, MOST_GROUPS, PLAIN, PartKind, SOFTMAX_BLOCKS_WGSL,
    WorkgroupSize, all, cpu, dims, input, output,
};
use crate::math::{Loss, Real};
use crate::wgsl::wgsl;

dims!(rows, outputs, columns, groups);

/// `d = w (softmax(z) - target) / rows`, and for each group the sums of w times the cross entropy and of correct predictions, at the step's slot of the ring. y is `[rows, 1]`, the number of the class, the row's weight w behind it or not.
pub static SOFTMAX_LOSS: Kernel = Kernel {
    name: "softmax_loss",
    formula: "d = w (softmax(z) - target) / rows; sums of w cross entropy and of correct predictions",
    wgsl: &[LOSSES_WGSL, LOSS_SUMS_WGSL, SOFTMAX_BLOCKS_WGSL, wgsl!("losses/softmax_loss.wgsl")],
    part: PartKind::None,
    most_steps: 1,
    dims: Dims::NAMES,
    bindings: &[
        input("z", &["rows", "outputs"]),
        input("y", &["rows", "columns"]),
        HYPER,
        output("d", &["rows", "outputs"]),
        output("sums", &["groups", "2"]),
    ],
    variants: PLAIN,
    workgroup_size: WorkgroupSize::Fixed(256),
    workgroups: |dims| Dims::of(dims).groups as u64,
    fits: |dims, _| all([(Dims::of(dims).groups <= MOST_GROUPS, "too many groups")]),
    cpu: cpu!(softmax_loss),
};

fn softmax_loss<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([z, y, hyper, ..], [d, sums, ..]) = (io.inputs, io.outputs);
    let Dims { rows, outputs, columns, groups } = Dims::of(call.dims);
    let sizes = Sizes { rows, outputs, columns, groups };
    loss_of_blocks(call, Loss::SoftmaxCrossEntropy, sizes, [z, y, hyper], [d, sums]);
}
