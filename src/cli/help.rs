//! Sentences of `--help` that list what a table of the library has, so that a new row needs no change here.

use std::fmt::Display;

use crate::math::{Activation, Loss, Optimizer, TargetDomain};
use crate::params::Init;
use crate::plan::PlanKind;
use crate::train::Schedule;

/// Names with commas between them.
fn list<T: Display>(names: impl IntoIterator<Item = T>) -> String {
    names.into_iter().map(|name| name.to_string()).collect::<Vec<_>>().join(", ")
}

/// The losses whose targets are of some kinds.
fn losses_of(domains: &[TargetDomain]) -> String {
    list(Loss::ALL.iter().filter(|loss| domains.contains(&loss.domain())))
}

/// `what: identity, relu, …`.
pub fn activations(what: &str) -> String {
    format!("{what}: {}", list(Activation::ALL))
}

/// `what: binary_cross_entropy, …`.
pub fn losses(what: &str) -> String {
    format!("{what}: {}", list(Loss::ALL))
}

/// The losses by the task that takes them.
pub fn losses_by_task(what: &str) -> String {
    let classes = losses_of(&[TargetDomain::Probability, TargetDomain::Class]);
    format!(
        "{what}; for classes: {classes}; for numbers: {}",
        losses_of(&[TargetDomain::Real, TargetDomain::NonNegative])
    )
}

/// The losses by what a network's outputs are under them.
pub fn losses_by_output(what: &str) -> String {
    let logits = losses_of(&[TargetDomain::Probability, TargetDomain::Class]);
    let (numbers, logarithms) = (losses_of(&[TargetDomain::Real]), losses_of(&[TargetDomain::NonNegative]));
    format!("{what}; for logits: {logits}; for numbers: {numbers}; for logarithms: {logarithms}")
}

/// `what: sgd, …`.
pub fn optimizers(what: &str) -> String {
    format!("{what}: {}", list(Optimizer::names()))
}

/// `what: article, …`.
pub fn inits(what: &str) -> String {
    format!("{what}: {}", list(Init::ALL))
}

/// The schedules with the defaults of their settings.
pub fn schedules() -> String {
    let all = list(Schedule::ALL);
    format!("How the learning rate changes: {all}; the values listed here are the defaults")
}

/// The ways of planning a step, each with what it is.
pub fn plans() -> String {
    let kinds = PlanKind::ALL.iter().map(|kind| format!("{kind} ({})", kind.summary()));
    format!("How a training step is planned: auto (by network and device), {}", list(kinds))
}
