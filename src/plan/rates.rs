//! Which layers share a learning rate.

use std::ops::Range;

use crate::params::Layout;

/// Runs of layers with one learning rate: where their parameters stand, and the factor on it.
pub(crate) fn rate_groups(layout: &Layout, factors: &[f64]) -> Vec<(Range<usize>, f64)> {
    let mut groups: Vec<(Range<usize>, f64)> = Vec::new();
    for layer in 0..layout.tensors.len() / 2 {
        let factor = factors.get(layer).copied().unwrap_or(1.0);
        let (start, end) = (layout.weight(layer).range.start, layout.bias(layer).range.end);
        match groups.last_mut() {
            Some((range, last)) if *last == factor => range.end = end,
            _ => groups.push((start..end, factor)),
        }
    }
    groups
}
