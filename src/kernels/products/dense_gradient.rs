//! The gradient by a layer's weight and bias, in shares of the rows: a sum over many rows is work for few workgroups
//! otherwise. The shares of all layers lie together, so that one kernel adds them up.

use super::matmul::multiply;
use super::matrix_units::widen;
use crate::kernels::{
    Call, GRADIENT_SHARE_WGSL, Io, Kernel, MOST_GROUPS, PLAIN, Part, PartKind, WorkgroupSize, all, cpu, dims, in_place,
    input, tiles,
};
use crate::math::{Product, Real};
use crate::parallel::prelude::*;
use crate::wgsl::wgsl;

dims!(inputs, outputs, rows, groups, stride, span, tile_rows, tile_columns);

/// Whether the shares lie as they must.
pub(super) fn shares_fit(dims: &[u32], _: &Part) -> Result<(), &'static str> {
    let d = Dims::of(dims);
    let own = (d.inputs + 1).saturating_mul(d.outputs);
    let span = (d.groups - 1).saturating_mul(d.stride).saturating_add(own);
    all([
        (d.groups <= MOST_GROUPS, "too many groups"),
        (d.stride >= own, "shares that overlap"),
        (d.span == span, "a span that is not from the first share's beginning to the last one's end"),
    ])
}

/// Each group's share of `xᵀ d`, the gradient by a layer's weight, and below it of `Σ d` over the rows, that by its bias. A share's place is as long as `stride`, of which a layer's gradient is a part; `span` is the
/// distance from the first share's beginning to the last one's end, and what lies between the shares stays as it is.
pub static DENSE_GRADIENT: Kernel = Kernel {
    name: "dense_gradient",
    formula: "each group's share of xᵀ d, and below it of the sum of d over rows",
    wgsl: &[GRADIENT_SHARE_WGSL, wgsl!("products/dense_gradient.wgsl")],
    part: PartKind::Tile,
    most_steps: 0,
    dims: Dims::NAMES,
    bindings: &[input("x", &["rows", "inputs"]), input("d", &["rows", "outputs"]), in_place("g", &["span"])],
    variants: PLAIN,
    workgroup_size: WorkgroupSize::OfTile,
    workgroups: |dims| {
        let d = Dims::of(dims);
        tiles([d.inputs, d.outputs], [d.tile_rows, d.tile_columns]).saturating_mul(d.groups as u64)
    },
    fits: shares_fit,
    cpu: cpu!(dense_gradient),
};

fn dense_gradient<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([x, d, ..], [g, ..]) = (io.inputs, io.outputs);
    shares(call, x, d, g);
}

/// The same, where a kernel's dimensions are these and others of its bindings come between.
pub(super) fn shares<T: Real>(call: &Call<'_>, x: &[T], d: &[T], g: &mut [T]) {
    let Dims { inputs, outputs, rows, groups, stride, .. } = Dims::of(call.dims);
    let run = rows.div_ceil(groups);
    g.par_chunks_mut(stride).enumerate().for_each(|(group, share)| {
        let (first, end) = ((run * group).min(rows), (run * (group + 1)).min(rows));
        let (x, d) = (&x[first * inputs..end * inputs], &d[first * outputs..end * outputs]);
        let (weight, rest) = share.split_at_mut(inputs * outputs);
        let bias = &mut rest[..outputs];
        multiply(&Product::new(inputs, outputs, end - first).a_transposed(), x, d, weight);
        widen(call.units(), end - first, x, d, weight);
        bias.fill(T::default());
        T::vectorized(
            #[inline(always)]
            || d.chunks_exact(outputs).for_each(|d| bias.iter_mut().zip(d).for_each(|(sum, &d)| *sum += d)),
        );
    });
}
