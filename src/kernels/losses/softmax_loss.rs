//! Softmax cross entropy, a loss of whole rows: the gradient of its mean, and its sum and hits for the ring.

use crate::kernels::optimizer::settings;
use crate::kernels::{
    Call, HYPER, Io, Kernel, LOSSES_WGSL, MOST_GROUPS, PLAIN, PartKind, WorkgroupSize, all, cpu, dims, input, output,
};
use crate::math::{Loss, Real};
use crate::parallel::prelude::*;
use crate::wgsl::wgsl;

/// Rows that a workgroup takes at a time.
pub(super) const BLOCK: usize = 16;
/// Most workgroups of a dispatch.
pub(super) const MOST: usize = 256;

dims!(rows, outputs, columns, groups);

/// `d = w (softmax(z) - target) / rows`, and for each group the sums of w times the cross entropy and of correct predictions, at the step's slot of the ring. y is `[rows, 1]`, the number of the class, the row's weight w behind it or not.
pub static SOFTMAX_LOSS: Kernel = Kernel {
    name: "softmax_loss",
    formula: "d = w (softmax(z) - target) / rows; sums of w cross entropy and of correct predictions",
    wgsl: &[LOSSES_WGSL, wgsl!("losses/softmax_loss.wgsl")],
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
    if call.step.rows == 0 {
        d.fill(T::default());
        return;
    }
    let counted = (call.step.rows as usize).min(rows);
    let (count, c) = (T::from_f64(counted as f64), settings(hyper).loss_parameter);
    let weighting = (call.step.weighting as usize).min(columns.saturating_sub(2));
    let run = rows.div_ceil(BLOCK).div_ceil(groups) * BLOCK;
    sums.fill(T::default());
    let (d, behind) = d.split_at_mut(counted * outputs);
    behind.fill(T::default());
    // Threads share the groups, never a sum.
    let work = d.par_chunks_mut(run * outputs).zip(z.par_chunks(run * outputs)).zip(y.par_chunks(run * columns));
    work.zip(sums.par_chunks_mut(2)).for_each(|(((d, z), y), sums)| {
        let rows = d.chunks_exact_mut(outputs).zip(z.chunks_exact(outputs)).zip(y.chunks_exact(columns));
        for ((d, z), y) in rows {
            let (mut value, correct) = Loss::SoftmaxCrossEntropy.row(z, &y[..1], c, Some(d));
            if let Some(&weight) = y[1..].get(weighting) {
                value = weight * value;
                d.iter_mut().for_each(|d| *d = weight * *d);
            }
            d.iter_mut().for_each(|d| *d = (*d / count).normal());
            sums[0] += value;
            sums[1] += T::from_f64(correct as f64);
        }
    });
}
