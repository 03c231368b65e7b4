//! The gradient of a layer's bias: column sums.

use crate::kernels::{CHUNK, Call, Io, Kernel, PLAIN, PartKind, WorkgroupSize, any, cpu, dims, input, output};
use crate::math::Real;
use crate::parallel::prelude::*;
use crate::wgsl::wgsl;

/// Columns that a workgroup sums.
const COLUMNS: usize = 16;

dims!(rows, columns);

/// `g[column] = Σ d[row, column]` over the rows.
pub static BIAS_GRAD: Kernel = Kernel {
    name: "bias_grad",
    formula: "g = sum of d over rows",
    wgsl: &[wgsl!("elementwise/bias_grad.wgsl")],
    part: PartKind::None,
    most_steps: 0,
    dims: Dims::NAMES,
    bindings: &[input("d", &["rows", "columns"]), output("g", &["columns"])],
    variants: PLAIN,
    workgroup_size: WorkgroupSize::Fixed(256),
    workgroups: |dims| Dims::of(dims).columns.div_ceil(COLUMNS) as u64,
    fits: any,
    cpu: cpu!(bias_grad),
};

fn bias_grad<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([d, ..], [g, ..]) = (io.inputs, io.outputs);
    let Dims { rows, columns } = Dims::of(call.dims);
    // Threads share the columns, never a sum.
    let share = (CHUNK / rows).clamp(COLUMNS, columns.max(COLUMNS));
    g.par_chunks_mut(share).enumerate().for_each(|(index, g)| {
        g.fill(T::default());
        for row in d.chunks_exact(columns) {
            g.iter_mut().zip(&row[index * share..]).for_each(|(g, &d)| *g += d);
        }
    });
}
