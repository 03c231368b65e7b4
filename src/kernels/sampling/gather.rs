//! Picks a mini-batch's rows, in the epoch's sample order or in their own.

use super::sample_order::{ORDERS, SampleOrder};
use crate::kernels::{CHUNK, Call, Io, Kernel, ORDER_WGSL, PartKind, WorkgroupSize, all, cpu, dims, input, output};
use crate::math::Real;
use crate::parallel::prelude::*;
use crate::wgsl::wgsl;

/// Elements of a workgroup, all of x or all of y, which finds the place of each of their rows once.
const RUN: usize = 1024;

dims!(rows, samples, inputs, columns);

/// `batch_x[row] = x[sample]` and `batch_y[row] = y[sample]`, the samples being those of the step's rows in the epoch's order or in their own.
pub static GATHER: Kernel = Kernel {
    name: "gather",
    formula: "batch = rows of x and y, in the epoch's sample order or in their own",
    wgsl: &[ORDER_WGSL, wgsl!("sampling/gather.wgsl")],
    part: PartKind::None,
    most_steps: 1,
    dims: Dims::NAMES,
    bindings: &[
        input("x", &["samples", "inputs"]),
        input("y", &["samples", "columns"]),
        output("batch_x", &["rows", "inputs"]),
        output("batch_y", &["rows", "columns"]),
    ],
    variants: ORDERS,
    workgroup_size: WorkgroupSize::Fixed(256),
    workgroups: |dims| {
        let d = Dims::of(dims);
        [d.inputs, d.columns].iter().map(|&width| (d.rows as u64 * width as u64).div_ceil(RUN as u64)).sum()
    },
    fits: |dims, _| {
        let d = Dims::of(dims);
        let elements = d.rows as u64 * d.inputs.max(d.columns) as u64;
        all([
            (d.rows <= d.samples, "more rows than samples"),
            (elements <= u64::from(u32::MAX) - RUN as u64, "too many elements"),
        ])
    },
    cpu: cpu!(gather),
};

fn gather<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([x, y, ..], [batch_x, batch_y, ..]) = (io.inputs, io.outputs);
    let Dims { samples, inputs, columns, .. } = Dims::of(call.dims);
    pick(&SampleOrder::of(call, samples as u32), [(x, batch_x, inputs), (y, batch_y, columns)]);
}

/// Takes the rows of a step from each `(data, batch, width)`, as many as the batch holds.
pub(in crate::kernels) fn pick<T: Real>(order: &SampleOrder, of: [(&[T], &mut [T], usize); 2]) {
    for (data, batch, width) in of {
        let rows = (CHUNK / width).max(1);
        batch.par_chunks_mut(rows * width).enumerate().for_each(|(chunk, batch)| {
            T::vectorized(
                #[inline(always)]
                || {
                    order.for_each(chunk * rows, batch.len() / width, |row, sample| {
                        batch[row * width..][..width].copy_from_slice(&data[sample * width..][..width]);
                    });
                },
            );
        });
    }
}
