//! The gradient of a layer's bias: column sums.

use rayon::prelude::*;

use crate::kernels::{CHUNK, Call, Io, Kernel, PLAIN, PartKind, cpu, input, output};
use crate::math::Real;

/// Columns that a workgroup sums.
const COLUMNS: u64 = 16;

/// The row of the table.
pub static BIAS_GRAD: Kernel = Kernel {
    name: "bias_grad",
    formula: "g = sum of d over rows",
    wgsl: &[include_str!("../../../shaders/elementwise/bias_grad.wgsl")],
    part: PartKind::None,
    reads_step: false,
    dims: &["rows", "columns"],
    bindings: &[input("d", &["rows", "columns"]), output("g", &["columns"])],
    variants: PLAIN,
    workgroup_size: 256,
    workgroups: |dims| u64::from(dims[1]).div_ceil(COLUMNS),
    cpu: cpu!(bias_grad),
};

fn bias_grad<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([d, ..], [g, ..]) = (io.inputs, io.outputs);
    let (rows, columns) = (call.dims[0] as usize, call.dims[1] as usize);
    // Threads share the columns, never a sum.
    let share = (CHUNK / rows).clamp(COLUMNS as usize, columns.max(COLUMNS as usize));
    g.par_chunks_mut(share).enumerate().for_each(|(index, g)| {
        g.fill(T::default());
        for row in d.chunks_exact(columns) {
            g.iter_mut().zip(&row[index * share..]).for_each(|(g, &d)| *g += d);
        }
    });
}
