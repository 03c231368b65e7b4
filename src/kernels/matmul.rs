//! Matrix products: the forward pass (A B), the gradient of the weights (Aᵀ B) and of the input (A Bᵀ).

use rayon::prelude::*;

use super::{Call, Io, Kernel, PartKind, Variant, cpu, input, output};
use crate::math::{Product, Real};

/// Variant: c = a b.
pub const AB: usize = 0;
/// Variant: c = aᵀ b, a stored [k,m].
pub const ATB: usize = 1;
/// Variant: c = a bᵀ, b stored [n,k].
pub const ABT: usize = 2;

/// Rows and columns of the tile that a workgroup makes.
const TILE: u64 = 32;

/// The row of the table.
pub static MATMUL: Kernel = Kernel {
    name: "matmul",
    formula: "c = a b, aᵀ b or a bᵀ",
    wgsl: include_str!("../../shaders/matmul.wgsl"),
    part: PartKind::None,
    reads_step: false,
    dims: &["m", "n", "k"],
    bindings: &[input("a", &["m", "k"]), input("b", &["k", "n"]), output("c", &["m", "n"])],
    variants: &[
        Variant { name: "ab", constants: &[] },
        Variant { name: "atb", constants: &[("TRANSPOSE_A", 1.0)] },
        Variant { name: "abt", constants: &[("TRANSPOSE_B", 1.0)] },
    ],
    workgroup_size: 64,
    workgroups: |dims| u64::from(dims[0]).div_ceil(TILE) * u64::from(dims[1]).div_ceil(TILE),
    cpu: cpu!(matmul),
};

fn matmul<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let [m, n, k] = [0, 1, 2].map(|dim| call.dims[dim] as usize);
    let ([a, b, ..], [c, ..]) = (io.inputs, io.outputs);
    let a_strides = if call.variant == ATB { (1, m) } else { (k, 1) };
    let b_strides = if call.variant == ABT { (1, k) } else { (n, 1) };
    let block = block_rows(m, n * k);
    let rows = |(index, c): (usize, &mut [T])| {
        let product = Product { m: c.len() / n, n, k, a_strides, b_strides };
        T::product(&product, &a[index * block * a_strides.0..], b, c);
    };
    if block >= m {
        rows((0, c));
    } else {
        c.par_chunks_mut(block * n).enumerate().for_each(rows);
    }
}

/// Rows of c that are one task, each costing `row_cost` multiplications. A function of the shape alone:
/// were it one of the number of threads, so would be the rounding.
fn block_rows(m: usize, row_cost: usize) -> usize {
    const TASK_COST: usize = 1 << 19;
    const SMALLEST: usize = 16;
    let tasks = (m.saturating_mul(row_cost) / TASK_COST).max(1);
    m.div_ceil(tasks).next_multiple_of(SMALLEST)
}
