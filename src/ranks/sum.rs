//! The sum over all ranks, the same bytes on each of them and on any number of them.

use super::order::{OrderedSum, PartialSum, shape, shards_of};
use super::transport::Transport;
use crate::error::Result;

/// Bytes of one rank's sums from which on they are added by ranges of their elements. Below, the second message costs more than it saves.
const BY_RANGES: usize = 64 << 10;

/// Adds up what the ranks have of `shards` shards, `len` numbers each. `mine` are this rank's sums, of its
/// [shards](super::shards_of). Collective.
///
/// Few numbers: every rank sends its sums to all, and each adds them up. Many: a rank is sent what all have of its range of the elements,
/// adds that up, and sends the result to all (reduce-scatter and all-gather). So it sends and receives about 2 `len` numbers, however many
/// ranks there are, where the number of shards is that of ranks times a power of two. Each element's additions are the same either way.
///
/// # Errors
/// Those of the transport.
pub fn sum_over_ranks(transport: &dyn Transport, shards: usize, mine: Vec<PartialSum>, len: usize) -> Result<Vec<f32>> {
    let (ranks, rank) = (transport.size(), transport.rank());
    if ranks == 1 {
        let mut sum = OrderedSum::default();
        mine.into_iter().for_each(|part| sum.push(part));
        return Ok(sum.total());
    }
    let shapes: Vec<_> = (0..ranks).map(|rank| shape(shards_of(rank, ranks, shards))).collect();
    if ranks == 2 || len * size_of::<f32>() < BY_RANGES {
        let sent: Vec<f32> = mine.into_iter().flat_map(|part| part.values).collect();
        let counts: Vec<_> = shapes.iter().map(|shape| shape.len() * len).collect();
        let all = transport.gather_floats(&sent, &counts)?;
        return Ok(add_up(&shapes, &all, len));
    }
    let ranges: Vec<_> = (0..ranks).map(|rank| rank * len / ranks..(rank + 1) * len / ranks).collect();
    let own = ranges[rank].len();
    let pieces = ranges.iter().flat_map(|range| mine.iter().map(|part| &part.values[range.clone()]));
    let sent: Vec<f32> = pieces.flatten().copied().collect();
    let to: Vec<_> = ranges.iter().map(|range| range.len() * mine.len()).collect();
    let from: Vec<_> = shapes.iter().map(|shape| shape.len() * own).collect();
    let received = transport.exchange_floats(&sent, &to, &from)?;
    let summed = add_up(&shapes, &received, own);
    let counts: Vec<_> = ranges.iter().map(ExactSizeIterator::len).collect();
    transport.gather_floats(&summed, &counts)
}

/// The sum of all ranks' sums of `len` numbers, which stand one behind the other.
fn add_up(shapes: &[Vec<(usize, usize)>], values: &[f32], len: usize) -> Vec<f32> {
    let mut sum = OrderedSum::default();
    for (place, &(first, shards)) in shapes.iter().flatten().enumerate() {
        sum.push(PartialSum { first, shards, values: values[place * len..][..len].to_vec() });
    }
    sum.total()
}
