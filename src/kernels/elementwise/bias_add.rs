//! Adds a layer's bias to every row, in place.

use rayon::prelude::*;

use crate::kernels::{CHUNK, Call, Io, Kernel, PLAIN, PartKind, cpu, in_place, input, per_element};
use crate::math::Real;

/// The row of the table.
pub static BIAS_ADD: Kernel = Kernel {
    name: "bias_add",
    formula: "z += b, for every row",
    wgsl: &[include_str!("../../../shaders/elementwise/bias_add.wgsl")],
    part: PartKind::None,
    reads_step: false,
    dims: &["rows", "columns"],
    bindings: &[input("b", &["columns"]), in_place("z", &["rows", "columns"])],
    variants: PLAIN,
    workgroup_size: 256,
    workgroups: |dims| per_element(u64::from(dims[0]) * u64::from(dims[1]), 256),
    cpu: cpu!(bias_add),
};

fn bias_add<T: Real>(_: &Call<'_>, io: Io<'_, T>) {
    let ([b, ..], [z, ..]) = (io.inputs, io.outputs);
    let rows = (CHUNK / b.len()).max(1);
    z.par_chunks_mut(rows * b.len()).for_each(|z| {
        z.chunks_exact_mut(b.len()).for_each(|row| row.iter_mut().zip(b).for_each(|(z, &b)| *z += b));
    });
}
