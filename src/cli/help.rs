//! Sentences of `--help` that list what a table of the library has, so that a new row needs no change here.

use std::fmt::Display;

use crate::data::{BuiltIn, Task};
use crate::math::{Activation, Loss, Optimizer, Precision, TargetDomain};
use crate::params::Init;
use crate::plan::PlanKind;
use crate::sweep::Metric;
use crate::train::{Parametrization, Schedule};

/// Names with commas between them.
fn list<T: Display>(names: impl IntoIterator<Item = T>) -> String {
    names.into_iter().map(|name| name.to_string()).collect::<Vec<_>>().join(", ")
}

/// `moons, circles, …`.
pub fn built_in() -> String {
    list(BuiltIn::ALL.iter().map(|set| set.name))
}

/// What DATA may be.
pub fn data() -> String {
    let sets = list(BuiltIn::ALL.iter().map(|set| format!("{} ({})", set.name, set.about)));
    format!(
        "A table, `-` for stdin, or built-in data: {sets}. A table is CSV or TSV with a header, npy, npz, IDX or Parquet; it may \
         be compressed, or the only file of a zip archive"
    )
}

/// `what [default: 0.2 for moons, …]`.
pub fn noise(what: &str) -> String {
    format!("{what} [default: {}]", list(BuiltIn::ALL.iter().map(|set| format!("{} for {}", set.noise, set.name))))
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

/// `what [default: 0.99 for rmsprop, lion; 0.999 for the others]`: what a setting is for each optimiser unless it is said.
pub fn by_optimizer(what: &str, default: fn(&Optimizer) -> f64) -> String {
    let mut groups: Vec<(f64, Vec<&str>)> = Vec::new();
    for name in Optimizer::names() {
        let value = Optimizer::named(name, 0.0).map_or(f64::NAN, |optimizer| default(&optimizer));
        match groups.iter_mut().find(|(known, _)| *known == value) {
            Some((_, names)) => names.push(name),
            None => groups.push((value, vec![name])),
        }
    }
    groups.sort_by_key(|(_, names)| names.len());
    let (others, some) = (groups.pop(), groups);
    let value = |value: f64| format!("{value:?}").trim_end_matches(".0").to_string();
    let mut defaults: Vec<_> = some.iter().map(|(of, names)| format!("{} for {}", value(*of), list(names))).collect();
    let all = if some.is_empty() { "" } else { " for the others" };
    defaults.extend(others.map(|(of, _)| value(of) + all));
    format!("{what} [default: {}]", defaults.join("; "))
}

/// `what: loss, …`, by the task that has them.
pub fn metrics(what: &str) -> String {
    let of = |task| list(Metric::ALL.iter().filter(|metric| metric.fits(task)));
    let [classes, numbers] = [Task::Binary, Task::Regression];
    let (of_classes, of_numbers) = (Metric::of_task(classes), Metric::of_task(numbers));
    format!(
        "{what}; for classes: {}; for numbers: {} [default: {of_classes} for classes, {of_numbers} for numbers]",
        of(classes),
        of(numbers)
    )
}

/// `what: article, …`.
pub fn inits(what: &str) -> String {
    format!("{what}: {}", list(Init::ALL))
}

/// How learning rates depend on layers.
pub fn parametrizations() -> String {
    format!(
        "Learning rates of layers, under adam: {} (one for all), {} (a weight's over the root of its layer's inputs, a bias's a \
         tenth, as in RealMLP)",
        Parametrization::Standard,
        Parametrization::Ntp
    )
}

/// The schedules with the defaults of their settings.
pub fn schedules() -> String {
    let all = list(Schedule::ALL);
    format!("How the learning rate changes: {all}; the values listed here are the defaults")
}

/// The precisions of products, each with what it takes.
pub fn precisions() -> String {
    let each = Precision::ALL.iter().map(|precision| format!("{precision} ({})", precision.summary()));
    format!("Operands of the products of large networks; all else is f32: {}", list(each))
}

/// The ways of planning a step, each with what it is.
pub fn plans() -> String {
    let kinds = PlanKind::ALL.iter().map(|kind| format!("{kind} ({})", kind.summary()));
    format!("How a training step is planned: auto (by network and device), {}", list(kinds))
}
