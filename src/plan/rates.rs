//! Which tensors share a learning rate.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::math::Optimizer;
use crate::params::Layout;

/// Runs of tensors with one learning rate: where their parameters stand, and the factor on it. Of factors by layers each counts for
/// the layer's weight and for its bias.
pub(crate) fn rate_groups(layout: &Layout, factors: &[f64]) -> Vec<(Range<usize>, f64)> {
    let mut groups: Vec<(Range<usize>, f64)> = Vec::new();
    for (index, tensor) in layout.tensors.iter().enumerate() {
        let factor = factors.get(index * factors.len() / layout.tensors.len()).copied().unwrap_or(1.0);
        match groups.last_mut() {
            Some((range, last)) if *last == factor => range.end = tensor.range.end,
            _ => groups.push((tensor.range.clone(), factor)),
        }
    }
    groups
}

/// Values of a replica's settings: those of [`Optimizer::HYPER`] and, where learning rates differ, the rate of each parameter.
pub(crate) fn settings(layout: &Layout, factors: &[f64]) -> usize {
    let rates = if rate_groups(layout, factors).len() > 1 { layout.len() } else { 0 };
    Optimizer::HYPER + rates
}

/// Refuses factors that are neither by tensors nor by layers, or cannot train.
pub(crate) fn check_factors(layout: &Layout, factors: &[f64]) -> Result<()> {
    let tensors = layout.tensors.len();
    let counted = factors.iter().all(|factor| factor.is_finite() && *factor >= 0.0);
    let some = factors.iter().any(|factor| *factor > 0.0);
    if factors.is_empty() || (counted && some && [tensors, tensors / 2].contains(&factors.len())) {
        return Ok(());
    }
    let expected = format!(
        "{} numbers of at least 0, one for each layer, or {tensors}, one for each weight and bias, and not all of them 0",
        tensors / 2
    );
    Err(Error::Setting { what: "learning_rate_factors", found: format!("{factors:?}"), expected })
}
