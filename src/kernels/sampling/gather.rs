//! Picks a mini-batch's rows, in the epoch's sample order or in their own.

use rayon::prelude::*;

use super::sample_order::{ORDERS, SampleOrder};
use crate::kernels::{CHUNK, Call, Io, Kernel, ORDER_WGSL, PartKind, cpu, input, output};
use crate::math::Real;

/// Rows of a workgroup, which finds the place of each once.
const ROWS: u32 = 16;

/// The row of the table.
pub static GATHER: Kernel = Kernel {
    name: "gather",
    formula: "x = rows of data, in the epoch's sample order or in their own",
    wgsl: &[ORDER_WGSL, include_str!("../../../shaders/sampling/gather.wgsl")],
    part: PartKind::None,
    reads_step: true,
    dims: &["rows", "columns", "samples"],
    bindings: &[input("data", &["samples", "columns"]), output("x", &["rows", "columns"])],
    variants: ORDERS,
    workgroup_size: 64,
    workgroups: |dims| dims[0].div_ceil(ROWS).into(),
    cpu: cpu!(gather),
};

fn gather<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([data, ..], [x, ..]) = (io.inputs, io.outputs);
    let columns = call.dims[1] as usize;
    let order = SampleOrder::of(call, call.dims[2]);
    let rows = (CHUNK / columns).max(1);
    x.par_chunks_mut(rows * columns).enumerate().for_each(|(chunk, x)| {
        T::vectorized(
            #[inline(always)]
            || {
                order.for_each(chunk * rows, x.len() / columns, |row, sample| {
                    x[row * columns..][..columns].copy_from_slice(&data[sample * columns..][..columns]);
                });
            },
        );
    });
}
