//! Picks a mini-batch's rows in the epoch's sample order, a keyed permutation that is computed, not stored.

use rayon::prelude::*;

use super::{CHUNK, Call, Io, Kernel, PartKind, Variant, cpu, input, mix, output, per_element};
use crate::math::Real;

/// Takes rows in the epoch's sample order.
pub const SHUFFLED: usize = 0;
/// Takes rows in their own order.
pub const IN_ORDER: usize = 1;

/// WGSL of the sample order, in front of the kernels that follow it.
pub const ORDER_WGSL: &str = include_str!("../../shaders/order.wgsl");

/// The row of the table.
pub static GATHER: Kernel = Kernel {
    name: "gather",
    formula: "x = rows of data, in the epoch's sample order or in their own",
    wgsl: concat!(include_str!("../../shaders/order.wgsl"), include_str!("../../shaders/gather.wgsl")),
    part: PartKind::None,
    reads_step: true,
    dims: &["rows", "columns", "samples"],
    bindings: &[input("data", &["samples", "columns"]), output("x", &["rows", "columns"])],
    variants: &[
        Variant { name: "shuffled", constants: &[("IN_ORDER", 0.0)] },
        Variant { name: "in order", constants: &[("IN_ORDER", 1.0)] },
    ],
    workgroup_size: 256,
    workgroups: |dims| per_element(u64::from(dims[0]) * u64::from(dims[1]), 256),
    cpu: cpu!(gather),
};

fn gather<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([data, ..], [x, ..]) = (io.inputs, io.outputs);
    let (columns, samples) = (call.dims[1] as usize, call.dims[2]);
    let key = call.step.key ^ mix(call.replica);
    let rows = (CHUNK / columns).max(1);
    x.par_chunks_mut(rows * columns).enumerate().for_each(|(chunk, x)| {
        for (i, row) in x.chunks_exact_mut(columns).enumerate() {
            let position = call.step.first_row.wrapping_add((chunk * rows + i) as u32);
            let sample = match call.variant {
                IN_ORDER => position % samples,
                _ => permute(position % samples, samples, key),
            };
            row.copy_from_slice(&data[sample as usize * columns..][..columns]);
        }
    });
}

/// The place of `position` in a permutation of `0..samples`: a Feistel network on the smallest even number
/// of bits that holds them, walked until it lands inside (Luby and Rackoff 1988; Black and Rogaway 2002).
/// `position < samples`, else it may not return.
pub fn permute(position: u32, samples: u32, key: u32) -> u32 {
    let half = (33 - (samples - 1).leading_zeros()) / 2;
    let mask = (1 << half) - 1;
    let mut value = position;
    loop {
        let (mut left, mut right) = (value >> half, value & mask);
        for round in 0..6 {
            (left, right) = (right, left ^ (mix(right ^ mix(key.wrapping_add(round))) & mask));
        }
        value = (left << half) | right;
        if value < samples {
            return value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::permute;

    #[test]
    fn permutes_any_number_of_samples() {
        for samples in [1, 2, 3, 4, 5, 16, 17, 900, 4097] {
            let mut seen: Vec<u32> = (0..samples).map(|position| permute(position, samples, 7)).collect();
            seen.sort_unstable();
            assert!(seen.iter().copied().eq(0..samples), "{samples} samples");
        }
    }

    /// Every position receives every sample about equally often over the keys.
    #[test]
    fn keys_spread_samples_evenly() {
        const SAMPLES: u32 = 10;
        const KEYS: u32 = 20_000;
        let mut counts = [[0u32; SAMPLES as usize]; SAMPLES as usize];
        for key in 0..KEYS {
            for position in 0..SAMPLES {
                counts[position as usize][permute(position, SAMPLES, key) as usize] += 1;
            }
        }
        let expected = f64::from(KEYS / SAMPLES);
        let chi2: f64 = counts.as_flattened().iter().map(|&n| (f64::from(n) - expected).powi(2) / expected).sum();
        // 81 degrees of freedom: mean 81, deviation 12.7; five deviations either way.
        assert!((17.0..145.0).contains(&chi2), "chi2 {chi2}");
    }
}
