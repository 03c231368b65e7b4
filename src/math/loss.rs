//! Losses of a network's outputs z and the row's targets y. Adding a pointwise one, a sum of l(z, y) over the outputs:
//! a variant, its place in `ALL`, a name, its WGSL part, and an arm where the functions below ask for one. No finite
//! output gives a NaN. It gives an infinity only if the loss itself overflows.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::activation::sigmoid;
use super::{Real, named};
use crate::data::Task;
use crate::error::{Error, Result};
use crate::wgsl::wgsl;

/// A loss. The loss of a batch is its mean over rows and [terms](Self::terms), with each row multiplied by its sample
/// weight. Some losses have a [parameter](Self::parameter) c.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Loss {
    /// -t log p - (1 - t) log(1 - p) for p = sigmoid(z), in nats, computed on the logit z: max(z, 0) - z t + log(1 +
    /// e^-|z|). t is y from 0 to 1, smoothed by c: y (1 - c) + c / 2, as in Keras. Several outputs are several
    /// yes-or-no questions.
    BinaryCrossEntropy,
    /// -Σ t log p for p = softmax(z) over a row's outputs, in nats, computed on the logits. y is the index of the
    /// class; t is 1 - c there and c / outputs more everywhere, as in PyTorch.
    SoftmaxCrossEntropy,
    /// (z - y)².
    MeanSquaredError,
    /// |z - y|, with slope 0 at 0 as in PyTorch.
    MeanAbsoluteError,
    /// (z - y)² / 2 up to a distance of c, c (|z - y| - c / 2) beyond (Huber 1964).
    Huber,
    /// e^z - y z: the part that depends on z of -log of the probability of y under a Poisson distribution with mean
    /// e^z.
    Poisson,
}

/// The parameter of a loss.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Its default.
    pub default: f64,
    /// Its range, in words.
    pub expected: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    fits: fn(f64) -> bool,
}

/// The targets that a loss takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetDomain {
    /// Any number.
    Real,
    /// A number in [0, 1].
    Probability,
    /// The index of a class, 0, 1, …, in one column for all outputs.
    Class,
    /// A number of at least 0.
    NonNegative,
}

const SMOOTHING: Parameter = Parameter {
    name: "label_smoothing",
    default: 0.0,
    expected: "a number in [0, 1)",
    about: "Label smoothing of cross entropy, in [0, 1): the fraction of a target that is spread evenly over all classes",
    fits: |value| (0.0..1.0).contains(&value),
};
const DELTA: Parameter = Parameter {
    name: "huber_delta",
    default: 1.0,
    expected: "a positive number",
    about: "Huber threshold: the loss is linear beyond it (in standard deviations if the target is standardised)",
    fits: |value| value.is_finite() && value > 0.0,
};

/// The class of a row's `predictions`. A single probability above one half means class 1. Otherwise it is the class
/// with the largest probability, the first of them if several are equal.
#[must_use]
pub fn predicted_class(predictions: &[f64]) -> usize {
    match predictions {
        [yes] => usize::from(*yes > 0.5),
        all => (1..all.len()).fold(0, |best, class| if all[class] > all[best] { class } else { best }),
    }
}

impl Loss {
    /// Every loss.
    pub const ALL: &[Self] = &[
        Self::BinaryCrossEntropy,
        Self::SoftmaxCrossEntropy,
        Self::MeanSquaredError,
        Self::MeanAbsoluteError,
        Self::Huber,
        Self::Poisson,
    ];

    /// The losses of a task, its default first.
    #[must_use]
    pub fn of_task(task: Task) -> &'static [Self] {
        match task {
            Task::Binary => &[Self::BinaryCrossEntropy],
            Task::Multiclass => &[Self::SoftmaxCrossEntropy],
            Task::Regression => &[Self::MeanSquaredError, Self::MeanAbsoluteError, Self::Huber, Self::Poisson],
        }
    }

    /// The predictions of a row of outputs, in f64, by [`predictions`](Self::predictions).
    pub(crate) fn predictions_of(self, z: &[f32]) -> Vec<f64> {
        let mut row: Vec<f64> = z.iter().map(|&z| z.into()).collect();
        self.predictions(&mut row);
        row
    }

    /// The loss of a task: `wanted`, if the task takes it, or the first of [`of_task`](Self::of_task).
    pub(crate) fn for_task(task: Task, wanted: Option<Self>) -> Result<Self> {
        let fitting = Self::of_task(task);
        match wanted {
            Some(loss) if !fitting.contains(&loss) => {
                let names: Vec<_> = fitting.iter().map(ToString::to_string).collect();
                let expected = format!("{}, as the task is {task}", names.join(", "));
                Err(Error::Setting { what: "loss", found: loss.to_string(), expected })
            }
            loss => Ok(loss.unwrap_or(fitting[0])),
        }
    }

    /// The name on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::BinaryCrossEntropy => "binary_cross_entropy",
            Self::SoftmaxCrossEntropy => "softmax_cross_entropy",
            Self::MeanSquaredError => "mean_squared_error",
            Self::MeanAbsoluteError => "mean_absolute_error",
            Self::Huber => "huber",
            Self::Poisson => "poisson",
        }
    }

    /// The WGSL functions `loss_value`, `loss_gradient` and `is_correct` of a pointwise loss; softmax cross entropy has a
    /// kernel of its own.
    pub fn wgsl(self) -> Option<&'static str> {
        match self {
            Self::BinaryCrossEntropy => Some(wgsl!("functions/loss/binary_cross_entropy.wgsl")),
            Self::SoftmaxCrossEntropy => None,
            Self::MeanSquaredError => Some(wgsl!("functions/loss/mean_squared_error.wgsl")),
            Self::MeanAbsoluteError => Some(wgsl!("functions/loss/mean_absolute_error.wgsl")),
            Self::Huber => Some(wgsl!("functions/loss/huber.wgsl")),
            Self::Poisson => Some(wgsl!("functions/loss/poisson.wgsl")),
        }
    }

    /// A term of the loss and its gradient by the output, as they are written on paper: Z is the output, Y the target,
    /// without the [parameter](Self::parameter) of cross entropies.
    pub fn formulas(self) -> [&'static str; 2] {
        match self {
            Self::BinaryCrossEntropy => ["-Y ln P - (1 - Y) ln(1 - P), P = sigmoid(Z)", "sigmoid(Z) - Y"],
            Self::SoftmaxCrossEntropy => ["-ln P[Y], P = softmax(Z)", "softmax(Z) - one_hot(Y)"],
            Self::MeanSquaredError => ["(Z - Y)²", "2 (Z - Y)"],
            Self::MeanAbsoluteError => ["|Z - Y|", "sign(Z - Y)"],
            Self::Huber => ["c (|Z - Y| - c / 2), within c of Y (Z - Y)² / 2", "Z - Y, at most ±c"],
            Self::Poisson => ["e^Z - Y Z", "e^Z - Y"],
        }
    }

    /// The parameter c, if the loss has one.
    pub fn parameter(self) -> Option<Parameter> {
        match self {
            Self::BinaryCrossEntropy | Self::SoftmaxCrossEntropy => Some(SMOOTHING),
            Self::Huber => Some(DELTA),
            Self::MeanSquaredError | Self::MeanAbsoluteError | Self::Poisson => None,
        }
    }

    /// The parameters that losses have, each once.
    pub fn parameters() -> Vec<Parameter> {
        let mut all: Vec<Parameter> = Vec::new();
        for parameter in Self::ALL.iter().filter_map(|loss| loss.parameter()) {
            if all.iter().all(|known| known.name != parameter.name) {
                all.push(parameter);
            }
        }
        all
    }

    /// The default of c; 0 for a loss without one.
    pub fn default_parameter(self) -> f64 {
        self.parameter().map_or(0.0, |parameter| parameter.default)
    }

    /// Refuses a c outside its range. A loss without a parameter takes 0.
    pub fn check_parameter(self, value: f64) -> Result<()> {
        let (what, fits, expected) = match self.parameter() {
            Some(parameter) => (parameter.name, (parameter.fits)(value), parameter.expected.to_string()),
            None => ("the loss's parameter", value == 0.0, format!("none: {self} has no parameter")),
        };
        if fits { Ok(()) } else { Err(Error::Setting { what, found: value.to_string(), expected }) }
    }

    /// The targets that it takes.
    pub fn domain(self) -> TargetDomain {
        match self {
            Self::BinaryCrossEntropy => TargetDomain::Probability,
            Self::SoftmaxCrossEntropy => TargetDomain::Class,
            Self::MeanSquaredError | Self::MeanAbsoluteError | Self::Huber => TargetDomain::Real,
            Self::Poisson => TargetDomain::NonNegative,
        }
    }

    /// Number of terms of a row, each with its own target: one for each output, or one if classes exclude each other.
    pub fn terms(self, outputs: usize) -> usize {
        if self.domain() == TargetDomain::Class { 1 } else { outputs }
    }

    /// Refuses targets, [rows, [`terms`](Self::terms)], that the loss does not take.
    pub fn check_targets(self, targets: &[f32], outputs: usize) -> Result<()> {
        let last = outputs.saturating_sub(1);
        let (most, expected) = match self.domain() {
            TargetDomain::Real => return Ok(()),
            TargetDomain::Probability => (1.0, "0 to 1".to_string()),
            TargetDomain::Class => (last as f32, format!("the index of a class, 0 to {last}")),
            TargetDomain::NonNegative => (f32::MAX, "0 or more".to_string()),
        };
        let whole = self.domain() == TargetDomain::Class;
        match targets.iter().position(|y| !(0.0..=most).contains(y) || (whole && y.fract() != 0.0)) {
            None => Ok(()),
            Some(at) => Err(Error::Setting {
                what: "a target",
                found: format!("{} in row {} (from 0)", targets[at], at / self.terms(outputs)),
                expected: format!("{expected}, for {self}"),
            }),
        }
    }

    /// The sum of a row's terms, and how many of them predict their class correctly, for outputs `z` and the row's
    /// targets `y`. `d` takes the gradient by z. A pointwise loss takes any slice of outputs with their targets.
    #[inline(always)]
    pub fn row<T: Real>(self, z: &[T], y: &[T], c: T, d: Option<&mut [T]>) -> (T, usize) {
        let (zero, one, half) = (T::default(), T::from_f64(1.0), T::from_f64(0.5));
        let run = LossTerms { z, y, d };
        match self {
            Self::BinaryCrossEntropy => run.sum(|z, y| {
                let t = y * (one - c) + half * c;
                let positive = if z < zero { zero } else { z };
                let value = positive - z * t + (-z.abs()).exp().ln_1p();
                (value, sigmoid(z) - t, (z > zero) == (y > half))
            }),
            Self::SoftmaxCrossEntropy => softmax_cross_entropy(run, c),
            Self::MeanSquaredError => run.sum(|z, y| ((z - y) * (z - y), T::from_f64(2.0) * (z - y), false)),
            Self::MeanAbsoluteError => run.sum(|z, y| ((z - y).abs(), (z - y).sign(), false)),
            Self::Huber => run.sum(|z, y| {
                let size = (z - y).abs();
                let inner = size.min(c);
                (inner * (size - half * inner), if z < y { -inner } else { inner }, false)
            }),
            Self::Poisson => run.sum(|z, y| (z.exp() - y * z, z.exp() - y, false)),
        }
    }

    /// Where the loss's slope or its derivative jumps: the side of that on which z lies, so that a difference across it
    /// is known; always 0 for a smooth loss.
    pub fn side(self, z: f64, y: f64, c: f64) -> i8 {
        match self {
            Self::MeanAbsoluteError => i8::from(z > y) - i8::from(z < y),
            Self::Huber => i8::from(z - y > c) - i8::from(z - y < -c),
            Self::BinaryCrossEntropy | Self::SoftmaxCrossEntropy | Self::MeanSquaredError | Self::Poisson => 0,
        }
    }

    /// Whether an accuracy exists.
    pub fn classifies(self) -> bool {
        matches!(self.domain(), TargetDomain::Probability | TargetDomain::Class)
    }

    /// Turns a row of outputs into predictions: probabilities of yes or of the classes, a mean e^z, or the values
    /// themselves.
    pub fn predictions(self, row: &mut [f64]) {
        match self {
            Self::BinaryCrossEntropy => row.iter_mut().for_each(|z| *z = sigmoid(*z)),
            Self::SoftmaxCrossEntropy => {
                let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                row.iter_mut().for_each(|z| *z = (*z - largest).exp());
                let sum: f64 = row.iter().sum();
                row.iter_mut().for_each(|p| *p /= sum);
            }
            Self::MeanSquaredError | Self::MeanAbsoluteError | Self::Huber => {}
            Self::Poisson => row.iter_mut().for_each(|z| *z = z.exp()),
        }
    }

    /// [`predictions`](Self::predictions) of a network with one output.
    pub fn prediction(self, z: f64) -> f64 {
        let mut row = [z];
        self.predictions(&mut row);
        row[0]
    }
}

/// Outputs with their targets, and where the gradient goes.
struct LossTerms<'a, T> {
    z: &'a [T],
    y: &'a [T],
    d: Option<&'a mut [T]>,
}

impl<T: Real> LossTerms<'_, T> {
    /// The sum of a pointwise loss. `point` gives the value, the gradient and whether z predicts y's class.
    #[inline(always)]
    fn sum(self, point: impl Fn(T, T) -> (T, T, bool)) -> (T, usize) {
        const RUN: usize = 16;
        let (mut sum, mut correct) = (T::default(), 0);
        let Self { z, y, mut d } = self;
        for (first, (z, y)) in (0..).step_by(RUN).zip(z.chunks(RUN).zip(y.chunks(RUN))) {
            // A sum has an order, which SIMD cannot keep: first all values, then their sum.
            let (mut values, mut gradients) = ([T::default(); RUN], [T::default(); RUN]);
            for (((&z, &y), value), gradient) in z.iter().zip(y).zip(&mut values).zip(&mut gradients) {
                let is_correct;
                (*value, *gradient, is_correct) = point(z, y);
                correct += usize::from(is_correct);
            }
            values[..z.len()].iter().for_each(|&value| sum += value);
            if let Some(d) = &mut d {
                d[first..first + z.len()].copy_from_slice(&gradients[..z.len()]);
            }
        }
        (sum, correct)
    }
}

/// log Σ e^z - Σ t z as log(1 + others) + (1 - c) (z_max - z_class) + c / outputs Σ (z_max - z), where `others` is the
/// sum of e^(z - z_max) without the first largest: no term is negative, so none cancels. A row with a NaN or an infinity
/// gives a NaN, in the last term if not before.
#[inline(always)]
fn softmax_cross_entropy<T: Real>(LossTerms { z, y, d }: LossTerms<'_, T>, c: T) -> (T, usize) {
    let one = T::from_f64(1.0);
    let (mut top, mut largest) = (0, z[0]);
    for (j, &z) in z.iter().enumerate() {
        if z > largest {
            (top, largest) = (j, z);
        }
    }
    let class = (y[0].to_f64() as usize).min(z.len() - 1);
    let (mut others, mut gaps) = (T::default(), T::default());
    z.iter().enumerate().filter(|(j, _)| *j != top).for_each(|(_, &z)| gaps += largest - z);
    let share = c / T::from_f64(z.len() as f64);
    match d {
        None => z.iter().enumerate().filter(|(j, _)| *j != top).for_each(|(_, &z)| others += (z - largest).exp()),
        Some(d) => {
            z.iter().zip(&mut *d).for_each(|(&z, d)| *d = (z - largest).exp());
            d.iter().enumerate().filter(|(j, _)| *j != top).for_each(|(_, &power)| others += power);
            d[top] = one;
            let whole = one + others;
            let at_class = match class == top {
                // 1 - p without cancellation, where p is near 1.
                true => (c - share) - others / whole,
                false => (c - share) + (d[class] / whole - one),
            };
            d.iter_mut().for_each(|d| *d = *d / whole - share);
            d[class] = at_class;
        }
    }
    let gap = if class == top { T::default() } else { largest - z[class] };
    (others.ln_1p() + (one - c) * gap + share * gaps, usize::from(class == top))
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Loss {
    type Err = Error;
    fn from_str(name: &str) -> Result<Self> {
        named("loss", Self::ALL, Self::name, name)
    }
}
