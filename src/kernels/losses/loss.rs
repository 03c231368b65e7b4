//! A pointwise loss: the gradient of its mean, and its sum and hits for the ring.

use super::softmax_loss::{self, SOFTMAX_LOSS};
use crate::kernels::{Call, Io, Kernel, LOSSES_WGSL, PLAIN, Part, PartKind, cpu, input, output};
use crate::math::{Loss, Real};

/// Elements of a run.
const RUN: usize = 256;

/// The row of the table.
pub static LOSS: Kernel = Kernel {
    name: "loss",
    formula: "d = w l'(z, y) / (rows outputs); sums of w l(z, y) and of hits",
    wgsl: &[LOSSES_WGSL, include_str!("../../../shaders/losses/loss.wgsl")],
    part: PartKind::Loss,
    reads_step: true,
    dims: &["rows", "outputs", "columns", "groups"],
    bindings: &[
        input("z", &["rows", "outputs"]),
        input("y", &["rows", "columns"]),
        input("hyper", &["12"]),
        output("d", &["rows", "outputs"]),
        output("sums", &["groups", "2"]),
    ],
    variants: PLAIN,
    workgroup_size: RUN as u32,
    workgroups: |dims| dims[3].into(),
    cpu: cpu!(loss),
};

/// The kernel of a loss, its part, and the number of workgroups, and so of partial sums a step, for a batch.
pub fn loss_kernel(loss: Loss, rows: usize, outputs: usize) -> (&'static Kernel, Part, usize) {
    const MOST: usize = 64;
    match loss.wgsl() {
        Some(_) => (&LOSS, Part::Loss(loss), rows.saturating_mul(outputs).div_ceil(RUN).min(MOST)),
        None => (&SOFTMAX_LOSS, Part::None, rows.div_ceil(softmax_loss::BLOCK).min(softmax_loss::MOST)),
    }
}

fn loss<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([z, y, hyper, ..], [d, sums, ..], Part::Loss(loss)) = (io.inputs, io.outputs, call.part) else { return };
    let [_, outputs, columns, groups] = [0, 1, 2, 3].map(|dim| call.dims[dim] as usize);
    let (count, c) = (T::from_f64(z.len() as f64), hyper[hyper.len() - 1]);
    sums.fill(T::default());
    let weighted = columns > outputs;
    for (run, d) in d.chunks_mut(RUN).enumerate() {
        let at = 2 * (run % groups);
        // A weight belongs to one row, so weighted rows go one output at a time.
        let piece = if weighted { 1 } else { RUN };
        for (index, d) in d.chunks_mut(piece).enumerate() {
            let first = run * RUN + index * piece;
            let z = &z[first..][..d.len()];
            let row = if weighted { first / outputs } else { 0 };
            let (mut sum, hits) = loss.row(z, &y[first + row..][..d.len()], c, Some(d));
            if weighted {
                let weight = y[row * columns + outputs];
                sum = weight * sum;
                d[0] = weight * d[0];
            }
            d.iter_mut().for_each(|d| *d = *d / count);
            sums[at] += sum;
            sums[at + 1] += T::from_f64(hits as f64);
        }
    }
}
