//! Matrix products: the forward pass (A B), the gradient of the weights (Aᵀ B) and of the input (A Bᵀ).

use super::matrix_units::widen;
use crate::kernels::{Call, Io, Kernel, PartKind, Variant, WorkgroupSize, any, cpu, dims, input, output, tiles};
use crate::math::{Product, Real};
use crate::parallel::prelude::*;
use crate::wgsl::wgsl;

/// Variant: c = a b.
pub const AB: usize = 0;
/// Variant: c = aᵀ b, a stored as `[k, m]`.
pub const ATB: usize = 1;
/// Variant: c = a bᵀ, b stored as `[n, k]`.
pub const ABT: usize = 2;

dims!(m, n, k, tile_rows, tile_columns);

/// `c = a b`, `aᵀ b` or `a bᵀ`, by the variant.
pub static MATMUL: Kernel = Kernel {
    name: "matmul",
    formula: "c = a b, aᵀ b or a bᵀ",
    wgsl: &[wgsl!("products/matmul.wgsl")],
    part: PartKind::Tile,
    most_steps: 0,
    dims: Dims::NAMES,
    bindings: &[input("a", &["m", "k"]), input("b", &["k", "n"]), output("c", &["m", "n"])],
    variants: &[
        Variant { name: "ab", constants: &[] },
        Variant { name: "atb", constants: &[("TRANSPOSE_A", 1.0)] },
        Variant { name: "abt", constants: &[("TRANSPOSE_B", 1.0)] },
    ],
    workgroup_size: WorkgroupSize::OfTile,
    workgroups: |dims| {
        let d = Dims::of(dims);
        tiles([d.m, d.n], [d.tile_rows, d.tile_columns])
    },
    fits: any,
    cpu: cpu!(matmul),
};

fn matmul<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let Dims { m, n, k, .. } = Dims::of(call.dims);
    let ([a, b, ..], [c, ..]) = (io.inputs, io.outputs);
    let plain = Product::new(m, n, k);
    let product = match call.variant {
        ATB => plain.a_transposed(),
        ABT => plain.b_transposed(),
        _ => plain,
    };
    multiply(&product, a, b, c);
    widen(call.units(), product.k, a, b, c);
}

/// c = a b with all threads.
pub(super) fn multiply<T: Real>(product: &Product, a: &[T], b: &[T], c: &mut [T]) {
    match slices(product) {
        Some(slices) => by_depth(product, slices, a, b, c),
        None if tasks(product) >= MANY_TASKS && product.n * product.k >= LARGE_B => {
            T::product(&product.shared(), a, b, c)
        }
        None => {
            let rows = rows_of_a_task(product);
            c.par_chunks_mut(rows * product.n).enumerate().for_each(|(task, c)| product.rows(task * rows, a, b, c));
        }
    }
}

/// Slices of k, where rows of c would be tasks too small.
pub(super) fn slices(product: &Product) -> Option<usize> {
    let tasks = tasks(product);
    let slices = tasks.min(MAX_SLICES).min(product.k / SHORTEST_SLICE);
    let few = product.m / tasks.max(1) < SMALLEST_BLOCK && product.m < MANY_BLOCKS * LARGE_BLOCK;
    (few && slices > 1).then_some(slices)
}

/// Rows of c that a task makes.
pub(super) fn rows_of_a_task(product: &Product) -> usize {
    let tasks = tasks(product);
    // A multiple of 6 fills the rows of the products' inner kernels.
    let most = if product.m < MANY_BLOCKS * LARGE_BLOCK { tasks } else { tasks.min(product.m / LARGE_BLOCK) };
    if tasks < 2 { product.m } else { product.m.div_ceil(most).next_multiple_of(6) }
}

fn tasks(product: &Product) -> usize {
    product.m.saturating_mul(product.n).saturating_mul(product.k) / TASK_COST
}

/// Multiplications that are worth a task. Tasks are a function of the shape alone: were they one of the number
/// of threads, so would be the rounding.
const TASK_COST: usize = 1 << 19;
/// Rows of c below which a task would spend its time packing b.
const SMALLEST_BLOCK: usize = 64;
/// Rows of c for which packing b does not count, and as many such blocks as are work for several threads.
const LARGE_BLOCK: usize = 128;
const MANY_BLOCKS: usize = 8;
/// Tasks and elements of b from which on threads share one packed b: of 1024 x 1024 x 1024 they take 0.92 of the time of tasks
/// that pack it each, of 65536 x 64 x 64 1.8.
const MANY_TASKS: usize = 1 << 8;
const LARGE_B: usize = 1 << 18;
/// Slices of k, at most: each takes the memory of another c. And what they sum over, at least.
const MAX_SLICES: usize = 16;
const SHORTEST_SLICE: usize = 128;

/// Each task makes all of c from a slice of k; then the slices are added in order. For a small c with a long k,
/// which the gradient of a weight is.
fn by_depth<T: Real>(product: &Product, slices: usize, a: &[T], b: &[T], c: &mut [T]) {
    let depth = product.k.div_ceil(slices);
    let mut parts = vec![T::default(); product.k.div_ceil(depth) * c.len()];
    parts.par_chunks_mut(c.len()).enumerate().for_each(|(index, sum)| {
        let first = index * depth;
        let slice = Product { k: depth.min(product.k - first), ..*product };
        T::product(&slice, &a[first * product.a_strides.1..], &b[first * product.b_strides.0..], sum);
    });
    let (first, others) = parts.split_at(c.len());
    c.copy_from_slice(first);
    for part in others.chunks_exact(c.len()) {
        c.iter_mut().zip(part).for_each(|(c, &part)| *c += part);
    }
}

#[cfg(feature = "threads")]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::parallel::Pool;

    /// Threads that share a product compute what one alone does, to the bit.
    #[test]
    fn threads_change_nothing() {
        let product = Product::new(1030, 515, 517);
        assert!(tasks(&product) >= MANY_TASKS && product.n * product.k >= LARGE_B && slices(&product).is_none());
        let numbers = |len: usize| (0..len).map(|i| (i * 7919 % 10_007) as f32 / 5000.0 - 1.0).collect::<Vec<_>>();
        let (a, b) = (numbers(product.m * product.k), numbers(product.k * product.n));
        let made = |threads, product: Product| {
            let pool = Pool::new(threads).unwrap();
            let mut c = vec![f32::NAN; product.m * product.n];
            pool.install(|| multiply(&product, &a, &b, &mut c));
            c
        };
        for turned in [product, product.a_transposed(), product.b_transposed()] {
            let one = made(1, turned);
            for threads in [2, 3, 5, 8] {
                assert!(made(threads, turned) == one, "{threads} threads, {turned:?}");
            }
        }
    }
}
