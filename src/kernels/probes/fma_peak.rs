//! Multiplications and additions on registers alone: a measure of a GPU's arithmetic, part of no plan. The CPU function is
//! there to compare with; it is no measure of a processor, whose peak is that of a matrix product.

use crate::kernels::{Call, Io, Kernel, PLAIN, PartKind, WorkgroupSize, all, cpu, dims, input, output, per_element};
use crate::math::Real;
use crate::parallel::prelude::*;
use crate::wgsl::wgsl;

/// Operations of an element and a round: a multiplication and an addition for 16 chains, four times.
pub const FMA_PEAK_OPERATIONS: u64 = 2 * 16 * STEPS as u64;
/// Most rounds, so that their steps are counted in u32.
const MOST_ROUNDS: u32 = u32::MAX / STEPS;
/// Steps of a chain in a round.
const STEPS: u32 = 4;
/// Elements of a task.
const ELEMENTS: usize = 64;

dims!(count, rounds);

/// `y = Σ v` over 16 chains `v = 3/4 v + x` of `4 rounds` steps, x and y `[count]`.
pub static FMA_PEAK: Kernel = Kernel {
    name: "fma_peak",
    formula: "y = Σ over 16 chains of v = 3/4 v + x, to measure arithmetic",
    wgsl: &[wgsl!("probes/fma_peak.wgsl")],
    part: PartKind::None,
    most_steps: 0,
    dims: Dims::NAMES,
    bindings: &[input("x", &["count"]), output("y", &["count"])],
    variants: PLAIN,
    workgroup_size: WorkgroupSize::Fixed(256),
    workgroups: |dims| per_element(Dims::of(dims).count, 256),
    fits: |dims, _| all([(Dims::of(dims).rounds <= MOST_ROUNDS as usize, "too many rounds")]),
    cpu: cpu!(fma_peak),
};

fn fma_peak<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([x, ..], [y, ..]) = (io.inputs, io.outputs);
    let (steps, factor) = (STEPS * Dims::of(call.dims).rounds as u32, T::from_f64(0.75));
    x.par_chunks(ELEMENTS).zip(y.par_chunks_mut(ELEMENTS)).for_each(|(x, y)| {
        for (&x, y) in x.iter().zip(y) {
            let mut chains: [T; 16] = std::array::from_fn(|start| T::from_f64(start as f64));
            for _ in 0..steps {
                chains.iter_mut().for_each(|v| *v = *v * factor + x);
            }
            *y = chains.into_iter().fold(T::default(), |sum, v| sum + v);
        }
    });
}
