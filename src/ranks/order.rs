//! Sums in an order that the number of ranks does not change. What is summed comes from shards, which stand at the leaves of a binary
//! tree: sums of 1, 2, 4, … neighbours, aligned as in a buddy allocator, are added pair by pair. A rank has neighbouring shards, so it
//! can add up whole subtrees alone and hands on their sums.

use std::ops::Range;

/// The sum over some neighbouring shards.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PartialSum {
    /// The first shard.
    pub first: usize,
    /// How many shards: a power of two that divides `first`.
    pub shards: usize,
    /// Their sum, element by element.
    pub values: Vec<f32>,
}

impl PartialSum {
    /// What one shard gives.
    pub fn of_shard(shard: usize, values: Vec<f32>) -> Self {
        Self { first: shard, shards: 1, values }
    }

    /// Whether two sums are the children of one node of the tree.
    fn joins(&self, next: &Self) -> bool {
        self.shards == next.shards
            && self.first + self.shards == next.first
            && self.first.is_multiple_of(2 * self.shards)
    }

    fn add(&mut self, next: &Self) {
        self.shards += next.shards;
        self.values.iter_mut().zip(&next.values).for_each(|(sum, value)| *sum += value);
    }
}

/// Sums of shards that come in their order. It holds a sum for each whole subtree.
#[derive(Clone, Debug, Default)]
pub struct OrderedSum(Vec<PartialSum>);

impl OrderedSum {
    /// Adds what stands behind all that came before.
    pub fn push(&mut self, part: PartialSum) {
        self.0.push(part);
        while let [.., before, last] = &self.0[..]
            && before.joins(last)
            && let Some(last) = self.0.pop()
            && let Some(before) = self.0.last_mut()
        {
            before.add(&last);
        }
    }

    /// The sums of the whole subtrees so far.
    pub fn into_parts(self) -> Vec<PartialSum> {
        self.0
    }

    /// The sum of all; empty of nothing. Where the number of shards is no power of two, the last subtrees are added first.
    pub fn total(mut self) -> Vec<f32> {
        let Some(mut sum) = self.0.pop() else { return Vec::new() };
        while let Some(mut before) = self.0.pop() {
            before.add(&sum);
            sum = before;
        }
        sum.values
    }
}

/// The shards of a rank: neighbours, as many for each rank as can be.
pub fn shards_of(rank: usize, ranks: usize, shards: usize) -> Range<usize> {
    rank * shards / ranks..(rank + 1) * shards / ranks
}

/// Where the sums stand that a rank with these shards hands on: each one's first shard and number of shards.
pub(super) fn shape(shards: Range<usize>) -> Vec<(usize, usize)> {
    let mut sum = OrderedSum::default();
    shards.for_each(|shard| sum.push(PartialSum::of_shard(shard, Vec::new())));
    sum.into_parts().iter().map(|part| (part.first, part.shards)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values whose sum depends on the order.
    fn values(shard: usize) -> Vec<f32> {
        (0..5).map(|i| ((shard * 7 + i) as f32).sin() * 10_f32.powi((shard * i) as i32 % 9 - 4)).collect()
    }

    fn of(shards: Range<usize>) -> OrderedSum {
        let mut sum = OrderedSum::default();
        shards.for_each(|shard| sum.push(PartialSum::of_shard(shard, values(shard))));
        sum
    }

    #[test]
    fn the_number_of_ranks_does_not_change_the_bits() {
        for shards in [1, 2, 3, 5, 6, 7, 8, 12, 16, 31] {
            let alone = of(0..shards).total();
            for ranks in 1..=shards {
                let mut sum = OrderedSum::default();
                for rank in 0..ranks {
                    let range = shards_of(rank, ranks, shards);
                    let parts = of(range.clone()).into_parts();
                    let found: Vec<_> = parts.iter().map(|part| (part.first, part.shards)).collect();
                    assert!(found == shape(range.clone()) && !range.is_empty());
                    parts.into_iter().for_each(|part| sum.push(part));
                }
                assert_eq!(sum.total(), alone, "{shards} shards on {ranks} ranks");
            }
        }
    }

    #[test]
    fn a_power_of_two_is_a_balanced_tree() {
        // A large number takes a small one in, so that orders differ.
        let all = [1.0, 1e8, -1e8, 1.0];
        let [a, b, c, d] = all;
        let sum = |shards: usize| {
            let mut sum = OrderedSum::default();
            (0..shards).for_each(|shard| sum.push(PartialSum::of_shard(shard, vec![all[shard]])));
            sum.total()
        };
        assert_eq!(sum(4), [(a + b) + (c + d)]);
        assert_ne!(sum(4), [((a + b) + c) + d], "the values tell orders apart");
        // Of three the last stands alone.
        assert_eq!(sum(3), [(a + b) + c]);
        assert_eq!(shape(2..7), [(2, 2), (4, 2), (6, 1)]);
        assert!(OrderedSum::default().total().is_empty());
    }
}
