//! Multiplications and additions on registers alone: a measure of a GPU's arithmetic, part of no plan. The CPU function is
//! there to compare with; it is no measure of a processor, whose peak is that of a matrix product.

use rayon::prelude::*;

use crate::kernels::{Call, Io, Kernel, PLAIN, PartKind, cpu, input, output, per_element};
use crate::math::Real;

/// Operations of an element and a round: a multiplication and an addition for 16 chains, four times.
pub const FMA_PEAK_OPERATIONS: u64 = 2 * 16 * STEPS as u64;
/// Steps of a chain in a round.
const STEPS: u32 = 4;
/// Elements of a task.
const ELEMENTS: usize = 64;

/// The row of the table.
pub static FMA_PEAK: Kernel = Kernel {
    name: "fma_peak",
    formula: "y = Σ over 16 chains of v = 3/4 v + x, to measure arithmetic",
    wgsl: &[include_str!("../../../shaders/probes/fma_peak.wgsl")],
    part: PartKind::None,
    reads_step: false,
    dims: &["count", "rounds"],
    bindings: &[input("x", &["count"]), output("y", &["count"])],
    variants: PLAIN,
    workgroup_size: 256,
    workgroups: |dims| per_element(dims[0].into(), 256),
    cpu: cpu!(fma_peak),
};

fn fma_peak<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([x, ..], [y, ..]) = (io.inputs, io.outputs);
    let (steps, factor) = (STEPS * call.dims[1], T::from_f64(0.75));
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
