//! Picks a mini-batch's rows, in the epoch's sample order or in their own.

use super::sample_order::{ORDERS, SampleOrder};
use crate::kernels::{CHUNK, Call, Io, Kernel, ORDER_WGSL, PartKind, WorkgroupSize, all, cpu, dims, input, output};
use crate::math::Real;
use crate::parallel::prelude::*;

/// Elements of a workgroup, which finds the place of each of their rows once.
const RUN: usize = 1024;

dims!(rows, columns, samples);

/// `x[row] = data[sample]`, the samples being those of the step's rows in the epoch's order or in their own.
pub static GATHER: Kernel = Kernel {
    name: "gather",
    formula: "x = rows of data, in the epoch's sample order or in their own",
    wgsl: &[ORDER_WGSL, include_str!("../../../shaders/sampling/gather.wgsl")],
    part: PartKind::None,
    most_steps: 1,
    dims: Dims::NAMES,
    bindings: &[input("data", &["samples", "columns"]), output("x", &["rows", "columns"])],
    variants: ORDERS,
    workgroup_size: WorkgroupSize::Fixed(256),
    workgroups: |dims| {
        let d = Dims::of(dims);
        (d.rows as u64 * d.columns as u64).div_ceil(RUN as u64)
    },
    fits: |dims, _| {
        let d = Dims::of(dims);
        let elements = d.rows as u64 * d.columns as u64;
        all([
            (d.rows <= d.samples, "more rows than samples"),
            (elements <= u64::from(u32::MAX) - RUN as u64, "too many elements"),
        ])
    },
    cpu: cpu!(gather),
};

fn gather<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([data, ..], [x, ..]) = (io.inputs, io.outputs);
    let Dims { columns, samples, .. } = Dims::of(call.dims);
    let order = SampleOrder::of(call, samples as u32);
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
