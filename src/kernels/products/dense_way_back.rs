//! Both products that the gradient by a layer's z is in: where they are small, one dispatch takes as long as either.

use super::dense_backward::way_back;
use super::dense_gradient::{shares, shares_fit};
use crate::kernels::{
    Call, GRADIENT_SHARE_WGSL, Io, Kernel, PLAIN, PartKind, SLOPED_WGSL, WorkgroupSize, cpu, dims, in_place, input,
    output, tiles,
};
use crate::math::Real;
use crate::wgsl::wgsl;

dims!(inputs, outputs, rows, groups, stride, span, tile_rows, tile_columns);

/// [`DENSE_BACKWARD`](super::DENSE_BACKWARD) and [`DENSE_GRADIENT`](super::DENSE_GRADIENT) of one layer, whose dimensions it has.
pub static DENSE_WAY_BACK: Kernel = Kernel {
    name: "dense_way_back",
    formula: "c = (d wᵀ) f'(z), a = f(z), and each group's share of xᵀ d, and below it of the sum of d over rows",
    wgsl: &[SLOPED_WGSL, GRADIENT_SHARE_WGSL, wgsl!("products/dense_way_back.wgsl")],
    part: PartKind::DensePair,
    most_steps: 0,
    dims: Dims::NAMES,
    bindings: &[
        input("d", &["rows", "outputs"]),
        input("w", &["inputs", "outputs"]),
        input("x", &["rows", "inputs"]),
        input("z", &["rows", "inputs"]),
        input("a", &["rows", "inputs"]),
        output("c", &["rows", "inputs"]),
        in_place("g", &["span"]),
    ],
    variants: PLAIN,
    workgroup_size: WorkgroupSize::OfTile,
    workgroups: |dims| {
        let d = Dims::of(dims);
        let tile = [d.tile_rows, d.tile_columns];
        let gradient = tiles([d.inputs, d.outputs], tile).saturating_mul(d.groups as u64);
        tiles([d.rows, d.inputs], tile).saturating_add(gradient)
    },
    fits: shares_fit,
    cpu: cpu!(dense_way_back),
};

fn dense_way_back<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([d, w, x, z, a, ..], [c, g, ..]) = (io.inputs, io.outputs);
    let Dims { inputs, outputs, rows, .. } = Dims::of(call.dims);
    way_back(call, [rows, inputs, outputs], [d, w, z, a], c);
    shares(call, x, d, g);
}
