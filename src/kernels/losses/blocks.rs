//! Losses by blocks of rows, a run of blocks for each partial sum.

use crate::kernels::optimizer::settings;
use crate::kernels::{Binding, Call, HYPER, Io, input, output};
use crate::math::{Loss, Product, Real};
use crate::parallel::prelude::*;

/// Rows that a workgroup takes at a time.
pub(super) const BLOCK: usize = 16;
/// Most workgroups of a dispatch.
pub(super) const MOST: usize = 256;
/// Most outputs of a layer that is made by its loss's kernel: an invocation has an element of a block.
pub(super) const NARROW: usize = 16;

/// What a layer made with its loss reads and writes.
pub(super) const LAYER_AND_LOSS: &[Binding] = &[
    input("x", &["rows", "inputs"]),
    input("w", &["inputs", "outputs"]),
    input("bias", &["outputs"]),
    input("y", &["rows", "columns"]),
    HYPER,
    output("a", &["rows", "outputs"]),
    output("d", &["rows", "outputs"]),
    output("sums", &["groups", "2"]),
];

/// Lengths of what a loss reads and writes.
pub(super) struct Sizes {
    pub rows: usize,
    pub outputs: usize,
    pub columns: usize,
    pub groups: usize,
}

/// The gradient d of the mean loss by the outputs z, both `[rows, outputs]`, 0 behind the step's rows, and each group's sums of w times the loss and
/// of correct predictions. y, `[rows, columns]`, has the row's weights behind its targets or not, of which w is the step's.
#[inline(never)]
pub(super) fn loss_of_blocks<T: Real>(
    call: &Call<'_>,
    loss: Loss,
    sizes: Sizes,
    [z, y, hyper]: [&[T]; 3],
    [d, sums]: [&mut [T]; 2],
) {
    let Sizes { rows, outputs, columns, groups } = sizes;
    if call.step.rows == 0 {
        d.fill(T::default());
        return;
    }
    let (counted, terms) = ((call.step.rows as usize).min(rows), loss.terms(outputs));
    let (count, c) = (T::from_f64((counted * terms) as f64), settings(hyper).loss_parameter);
    let weighting = (call.step.weighting as usize).min((columns - terms).saturating_sub(1));
    let run = rows.div_ceil(BLOCK).div_ceil(groups) * BLOCK;
    sums.fill(T::default());
    let (d, behind) = d.split_at_mut(counted * outputs);
    behind.fill(T::default());
    // Threads share the groups, never a sum.
    let work = d.par_chunks_mut(run * outputs).zip(z.par_chunks(run * outputs)).zip(y.par_chunks(run * columns));
    work.zip(sums.par_chunks_mut(2)).for_each(|(((d, z), y), sums)| {
        let rows = d.chunks_exact_mut(outputs).zip(z.chunks_exact(outputs)).zip(y.chunks_exact(columns));
        for ((d, z), y) in rows {
            let (mut value, correct) = row(loss, z, &y[..terms], c, d);
            if let Some(&weight) = y[terms..].get(weighting) {
                value = weight * value;
                d.iter_mut().for_each(|d| *d = weight * *d);
            }
            d.iter_mut().for_each(|d| *d = (*d / count).normal());
            sums[0] += value;
            sums[1] += T::from_f64(correct as f64);
        }
    });
}

/// A layer `a = x w + bias` of so many `inputs`, and its loss; `io` as [`LAYER_AND_LOSS`] has it.
#[inline(never)]
pub(super) fn layer_and_loss<T: Real>(call: &Call<'_>, loss: Loss, inputs: usize, sizes: Sizes, io: Io<'_, T>) {
    let ([x, w, bias, y, hyper, ..], [a, d, sums, ..]) = (io.inputs, io.outputs);
    T::affine(&Product::new(sizes.rows, sizes.outputs, inputs), x, w, bias, a);
    loss_of_blocks(call, loss, sizes, [a, y, hyper], [d, sums]);
}

/// [`Loss::row`] of all kernels of losses: its code is long, and a page that has it loads it.
#[inline(never)]
pub(super) fn row<T: Real>(loss: Loss, z: &[T], y: &[T], c: T, d: &mut [T]) -> (T, usize) {
    loss.row(z, y, c, Some(d))
}
