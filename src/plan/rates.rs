//! Which parameters share a learning rate, and which layers a rate of dropout.

use std::ops::Range;

use super::request::Recipe;
use crate::error::{Error, Result};
use crate::math::Optimizer;
use crate::params::Layout;
use crate::spec::MlpSpec;

/// Runs of parameters with one learning rate, and the factor on it. Of factors by layers each counts for the layer's weight and for its
/// bias; factors on inputs that networks have behind their parameters move at the rate itself.
pub(crate) fn rate_groups(spec: &MlpSpec, factors: &[f64], sharing: usize) -> Vec<(Range<usize>, f64)> {
    let layout = Layout::new(spec);
    let tensors = layout.tensors.iter().enumerate().map(|(index, tensor)| {
        let factor = factors.get(index * factors.len() / layout.tensors.len()).copied().unwrap_or(1.0);
        (tensor.range.clone(), factor)
    });
    let behind = layout.len()..layout.len() + input_factors(spec, sharing);
    let mut groups: Vec<(Range<usize>, f64)> = Vec::new();
    for (range, factor) in tensors.chain([(behind, 1.0)]).filter(|(range, _)| !range.is_empty()) {
        match groups.last_mut() {
            Some((run, last)) if *last == factor => run.end = range.end,
            _ => groups.push((range, factor)),
        }
    }
    groups
}

/// Factors on inputs that each network has of its own, where so many share weights.
pub(super) fn input_factors(spec: &MlpSpec, sharing: usize) -> usize {
    if sharing > 1 { spec.inputs() } else { 0 }
}

/// Values of a replica's settings: those of [`Optimizer::HYPER`] and, where learning rates differ, the rate of each parameter.
pub(super) fn settings(spec: &MlpSpec, recipe: &Recipe) -> usize {
    let groups = rate_groups(spec, &recipe.factors, recipe.sharing);
    let rates = if groups.len() > 1 { groups.iter().map(|(range, _)| range.len()).sum() } else { 0 };
    Optimizer::HYPER + rates
}

/// The rate of dropout of each hidden layer of `spec`, of a rate for each, one for all or none.
pub(crate) fn dropout_rates(spec: &MlpSpec, rates: &[f64]) -> Vec<f64> {
    match rates {
        [rate] => vec![*rate; spec.layers().len() - 1],
        _ => rates.to_vec(),
    }
}

/// Refuses rates of dropout that are neither one for all hidden layers nor one for each, or cannot be.
pub(crate) fn check_dropout(spec: &MlpSpec, rates: &[f64]) -> Result<()> {
    let refused = |found, expected| Err(Error::Setting { what: "dropout", found, expected });
    let hidden = spec.layers().len() - 1;
    if rates.len() > 1 && rates.len() != hidden {
        let expected = format!("one for all hidden layers or {hidden}, one for each");
        return refused(format!("a list of {}", rates.len()), expected);
    }
    match rates.iter().find(|rate| !(0.0..1.0).contains(*rate)) {
        Some(rate) => refused(rate.to_string(), "a number in [0, 1)".into()),
        None => Ok(()),
    }
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
