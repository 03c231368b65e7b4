//! The rows of a mini-batch and the first layer of them in one: where they are small, a dispatch costs more than the work.

use super::dense::Dense;
use crate::kernels::sampling::{ORDERS, SampleOrder, pick};
use crate::kernels::{
    Call, GATHERED_WGSL, Io, Kernel, LAYER_EPILOGUE_WGSL, LAYER_WGSL, MAX_BINDINGS, ORDER_WGSL, PartKind,
    WorkgroupSize, all, cpu, dims, input, output, tiles,
};
use crate::math::Real;
use crate::wgsl::wgsl;

dims!(rows, outputs, inputs, samples, columns, tile_rows, tile_columns);

/// [`GATHER`](crate::kernels::GATHER) and [`DENSE`](super::DENSE), whose dimensions and bindings come first, as `Dense::of` relies on.
pub static GATHER_DENSE: Kernel = Kernel {
    name: "gather_dense",
    formula: "batch = rows of x and y, in the epoch's sample order or in their own; a = f(batch_x w + bias)",
    wgsl: &[ORDER_WGSL, GATHERED_WGSL, LAYER_WGSL, LAYER_EPILOGUE_WGSL, wgsl!("products/gather_dense.wgsl")],
    part: PartKind::GatherDense,
    most_steps: 1,
    dims: Dims::NAMES,
    bindings: &[
        input("x", &["samples", "inputs"]),
        input("w", &["inputs", "outputs"]),
        input("bias", &["outputs"]),
        input("y", &["samples", "columns"]),
        output("batch_x", &["rows", "inputs"]),
        output("batch_y", &["rows", "columns"]),
        output("a", &["rows", "outputs"]),
    ],
    variants: ORDERS,
    workgroup_size: WorkgroupSize::OfTile,
    workgroups: |dims| {
        let d = Dims::of(dims);
        tiles([d.rows, d.outputs], [d.tile_rows, d.tile_columns])
    },
    fits: |dims, _| {
        let d = Dims::of(dims);
        all([(d.rows <= d.samples, "more rows than samples")])
    },
    cpu: cpu!(gather_dense),
};

fn gather_dense<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let [batch_x, batch_y, a, ..] = io.outputs;
    of_batch(call, io.inputs, batch_x, batch_y).make(a);
}

/// Brings a batch together; the layer of it.
pub(super) fn of_batch<'a, T: Real>(
    call: &Call<'a>,
    [x, w, bias, y, ..]: [&'a [T]; MAX_BINDINGS],
    batch_x: &'a mut [T],
    batch_y: &mut [T],
) -> Dense<'a, T> {
    let Dims { inputs, samples, columns, .. } = Dims::of(call.dims);
    pick(&SampleOrder::of(call, samples as u32), [(x, &mut *batch_x, inputs), (y, batch_y, columns)]);
    Dense::of(call, &[batch_x, w, bias, &[], &[], &[], &[], &[]])
}
