//! A pointwise loss: the gradient of its mean, and its sum and hits for the ring.

use super::blocks;
use super::softmax_loss::SOFTMAX_LOSS;
use crate::kernels::optimizer::settings;
use crate::kernels::{
    Call, HYPER, Io, Kernel, LOSS_ELEMENTS_WGSL, LOSS_SUMS_WGSL, LOSSES_WGSL, MOST_GROUPS, PLAIN, Part, PartKind,
    WorkgroupSize, all, cpu, dims, input, output,
};
use crate::math::{Loss, Real};
use crate::wgsl::wgsl;

/// Elements of a run.
const RUN: usize = 256;

dims!(rows, outputs, columns, groups);

/// `d = w l'(z, y) / (rows outputs)`, and for each group the sums of `w l(z, y)` and of correct predictions, at the step's slot of the ring. y is `[rows, outputs]`, the row's weights behind it or not, of which w is the step's.
pub static LOSS: Kernel = Kernel {
    name: "loss",
    formula: "d = w l'(z, y) / (rows outputs); sums of w l(z, y) and of correct predictions",
    wgsl: &[LOSSES_WGSL, LOSS_SUMS_WGSL, LOSS_ELEMENTS_WGSL, wgsl!("losses/loss.wgsl")],
    part: PartKind::Loss,
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
    workgroup_size: WorkgroupSize::Fixed(RUN as u32),
    workgroups: |dims| Dims::of(dims).groups as u64,
    fits: |dims, _| {
        let d = Dims::of(dims);
        all([(d.columns >= d.outputs, "fewer columns than outputs"), (d.groups <= MOST_GROUPS, "too many groups")])
    },
    cpu: cpu!(loss),
};

/// The kernel of a loss, its part, and the number of workgroups, and so of partial sums a step, for a batch: a narrow layer may be made with its
/// loss, in blocks of rows.
pub fn loss_kernel(loss: Loss, rows: usize, outputs: usize) -> (&'static Kernel, Part, usize) {
    const MOST: usize = 64;
    let blocks = rows.div_ceil(blocks::BLOCK).min(blocks::MOST);
    match loss.wgsl() {
        Some(_) => {
            let runs = rows.saturating_mul(outputs).div_ceil(RUN).min(MOST);
            (&LOSS, Part::Loss(loss), if outputs > blocks::NARROW { runs } else { runs.max(blocks) })
        }
        None => (&SOFTMAX_LOSS, Part::None, blocks),
    }
}

fn loss<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([z, y, hyper, ..], [d, sums, ..], loss) = (io.inputs, io.outputs, call.loss());
    let Dims { rows, outputs, columns, groups } = Dims::of(call.dims);
    if call.step.rows == 0 {
        d.fill(T::default());
        return;
    }
    let counted = (call.step.rows as usize).min(rows) * outputs;
    let (count, c) = (T::from_f64(counted as f64), settings(hyper).loss_parameter);
    sums.fill(T::default());
    let (d, behind) = d.split_at_mut(counted);
    behind.fill(T::default());
    let weighted = columns > outputs;
    for (run, d) in d.chunks_mut(RUN).enumerate() {
        let at = 2 * (run % groups);
        // A weight belongs to one row, so weighted rows go one output at a time.
        let piece = if weighted { 1 } else { RUN };
        for (index, d) in d.chunks_mut(piece).enumerate() {
            let first = run * RUN + index * piece;
            let z = &z[first..][..d.len()];
            let row = if weighted { first / outputs } else { 0 };
            let y_first = if weighted { row * columns + first % outputs } else { first };
            let (mut sum, correct) = blocks::row(loss, z, &y[y_first..][..d.len()], c, d);
            if weighted {
                let weight = y[row * columns + outputs + (call.step.weighting as usize).min(columns - outputs - 1)];
                sum = weight * sum;
                d[0] = weight * d[0];
            }
            d.iter_mut().for_each(|d| *d = (*d / count).normal());
            sums[at] += sum;
            sums[at + 1] += T::from_f64(correct as f64);
        }
    }
}
