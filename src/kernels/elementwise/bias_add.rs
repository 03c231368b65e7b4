//! Adds a layer's bias to every row, in place.

use crate::kernels::{
    CHUNK, Call, Io, Kernel, PLAIN, PartKind, WorkgroupSize, any, cpu, dims, in_place, input, per_element,
};
use crate::math::Real;
use crate::parallel::prelude::*;
use crate::wgsl::wgsl;

dims!(rows, columns);

/// `z[row, column] += b[column]` in place.
pub static BIAS_ADD: Kernel = Kernel {
    name: "bias_add",
    formula: "z += b, for every row",
    wgsl: &[wgsl!("elementwise/bias_add.wgsl")],
    part: PartKind::None,
    most_steps: 0,
    dims: Dims::NAMES,
    bindings: &[input("b", &["columns"]), in_place("z", &["rows", "columns"])],
    variants: PLAIN,
    workgroup_size: WorkgroupSize::Fixed(256),
    workgroups: |dims| {
        let Dims { rows, columns } = Dims::of(dims);
        per_element(rows.saturating_mul(columns), 256)
    },
    fits: any,
    cpu: cpu!(bias_add),
};

fn bias_add<T: Real>(_: &Call<'_>, io: Io<'_, T>) {
    let ([b, ..], [z, ..]) = (io.inputs, io.outputs);
    let rows = (CHUNK / b.len()).max(1);
    z.par_chunks_mut(rows * b.len()).for_each(|z| {
        z.chunks_exact_mut(b.len()).for_each(|row| row.iter_mut().zip(b).for_each(|(z, &b)| *z += b));
    });
}
