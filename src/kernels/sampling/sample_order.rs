//! The sample order of an epoch: a keyed permutation that is computed, not stored.

use super::random::mix;
use crate::kernels::{Call, Variant};

/// Takes rows in the epoch's sample order.
pub const SHUFFLED: usize = 0;
/// Takes rows in their own order.
pub const IN_ORDER: usize = 1;

/// The variants of a kernel that follows the order.
pub(in crate::kernels) const ORDERS: &[Variant] = &[
    Variant { name: "shuffled", constants: &[("IN_ORDER", 0.0)] },
    Variant { name: "in order", constants: &[("IN_ORDER", 1.0)] },
];

/// Rows that are found at a time: enough for SIMD.
const RUN: usize = 64;

/// Where a step's rows stand in the data. A permuted position has two digits, `high` of `tall` values and `low` of a power
/// of two; each in turn has a hash of the other added (Luby and Rackoff 1988). The digits hold few more numbers than there are
/// samples, and one that lands beyond them goes through once more (Black and Rogaway 2002).
pub(in crate::kernels) struct SampleOrder {
    in_order: bool,
    samples: u32,
    first: u32,
    low_bits: u32,
    tall: u32,
    keys: [u32; 8],
    /// The first of the rows that are passed over, and their number.
    fold: [u32; 2],
}

impl SampleOrder {
    /// The order of a step among so many samples, those of its fold included.
    pub fn of(call: &Call<'_>, samples: u32) -> Self {
        let fold = call.step.fold;
        let samples = samples - fold[1].min(samples - 1);
        let order = Self::new(samples, call.step.key);
        Self { in_order: call.variant == IN_ORDER, first: call.step.first_row % samples, fold, ..order }
    }

    fn new(samples: u32, key: u32) -> Self {
        let low_bits = (33 - (samples - 1).leading_zeros()) / 2;
        let keys = std::array::from_fn(|round| mix(key.wrapping_add(round as u32)));
        Self { in_order: false, samples, first: 0, low_bits, tall: ((samples - 1) >> low_bits) + 1, keys, fold: [0; 2] }
    }

    /// The sample of `row` of the step, if the next ones stand behind it, as many as `rows` in all.
    pub fn run(&self, row: usize, rows: usize) -> Option<usize> {
        let position = self.position(row);
        let [first, skipped] = self.fold;
        let end = if skipped > 0 && position < first { first.min(self.samples) } else { self.samples };
        (self.in_order && (end - position) as usize >= rows).then_some(self.beyond_fold(position) as usize)
    }

    /// The sample at a place among those outside the fold.
    #[inline(always)]
    fn beyond_fold(&self, place: u32) -> u32 {
        let [first, skipped] = self.fold;
        place + if place >= first { skipped } else { 0 }
    }

    /// Calls `found` with each of the step's rows from `row` on, counted from 0, and its sample.
    #[inline(always)]
    pub fn for_each(&self, row: usize, rows: usize, mut found: impl FnMut(usize, usize)) {
        let mut samples = [0; RUN];
        for start in (0..rows).step_by(RUN) {
            let samples = &mut samples[..RUN.min(rows - start)];
            samples.iter_mut().enumerate().for_each(|(i, sample)| *sample = self.position(row + start + i));
            if !self.in_order {
                samples.iter_mut().for_each(|sample| *sample = self.through(*sample));
                for sample in &mut *samples {
                    while *sample >= self.samples {
                        *sample = self.through(*sample);
                    }
                }
            }
            samples.iter().enumerate().for_each(|(i, &sample)| found(start + i, self.beyond_fold(sample) as usize));
        }
    }

    /// The position of one of the step's rows in the epoch, which begins again where the samples end.
    #[inline(always)]
    fn position(&self, row: usize) -> u32 {
        let left = self.samples - self.first;
        let row = row as u32;
        if row < left { self.first + row } else { row - left }
    }

    #[inline(always)]
    fn through(&self, value: u32) -> u32 {
        let mask = (1 << self.low_bits) - 1;
        let (mut high, mut low) = (value >> self.low_bits, value & mask);
        for [one, two] in self.keys.as_chunks().0 {
            high += ((mix(low ^ one) >> 16) * self.tall) >> 16;
            high -= if high < self.tall { 0 } else { self.tall };
            low ^= mix(high ^ two) & mask;
        }
        (high << self.low_bits) | low
    }
}

#[cfg(test)]
mod tests {
    use super::SampleOrder;

    fn order(samples: u32, key: u32) -> Vec<usize> {
        let mut found = Vec::new();
        SampleOrder::new(samples, key).for_each(0, samples as usize, |row, sample| {
            assert_eq!(row, found.len());
            found.push(sample);
        });
        found
    }

    #[test]
    fn permutes_any_number_of_samples() {
        for samples in [1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 63, 64, 65, 900, 4096, 4097, 65_537] {
            let mut seen = order(samples, 7);
            seen.sort_unstable();
            assert!(seen.into_iter().eq(0..samples as usize), "{samples} samples");
        }
    }

    /// The digits of 32 bits do not overflow.
    #[test]
    fn stays_among_the_most_samples() {
        let order = SampleOrder::new(u32::MAX, 7);
        for position in [0, 1, 1 << 16, 1 << 31, u32::MAX - 1] {
            let found = order.through(position);
            assert!((found >> 16) < order.tall, "{position} leads to {found}");
        }
    }

    /// Every position receives every sample about equally often over the keys, and so does every pair of neighbours.
    #[test]
    fn keys_spread_samples_evenly() {
        const SAMPLES: u32 = 10;
        const KEYS: u32 = 20_000;
        let mut places = vec![0_u32; 100];
        let mut pairs = vec![0_u32; 100];
        for key in 0..KEYS {
            let order = order(SAMPLES, key);
            order.iter().enumerate().for_each(|(position, sample)| places[position * 10 + sample] += 1);
            order.windows(2).for_each(|pair| pairs[pair[0] * 10 + pair[1]] += 1);
        }
        let chi2 = |counts: &[u32], expected: f64| -> f64 {
            counts.iter().map(|&n| (f64::from(n) - expected).powi(2) / expected).sum()
        };
        // 81 degrees of freedom: mean 81, deviation 12.7; five deviations either way.
        let found = chi2(&places, f64::from(KEYS / SAMPLES));
        assert!((17.0..145.0).contains(&found), "places: chi2 {found}");
        // 90 pairs of different samples; neighbours in several places of one order are nearly independent.
        let others: Vec<u32> = pairs.iter().enumerate().filter(|(at, _)| at / 10 != at % 10).map(|(_, &n)| n).collect();
        let found = chi2(&others, f64::from(KEYS) * 9.0 / 90.0);
        assert!((20.0..180.0).contains(&found), "pairs: chi2 {found}");
    }
}
