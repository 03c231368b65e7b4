//! Optimisers: how a gradient changes a parameter. Adding one: a variant of [`Rule`], its place in `ALL`, a
//! name, its WGSL part, and an arm in each function.
//!
//! Every rule is PyTorch's of the same name (Lion is optax's), step for step.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::hyper::{HYPER_LEN, Hyper};
use super::{Real, named};
use crate::error::{Error, Result};
use crate::wgsl::wgsl;

/// An optimiser's update rule. m and v are its state, 0 at first; c1 = 1 / (1 - beta1^t) and
/// c2 = 1 / (1 - beta2^t) correct the bias of that start at step t.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Rule {
    /// Gradient descent, stochastic with mini-batches: p - rate g.
    Sgd,
    /// m = beta1 m + g; p - rate m.
    Momentum,
    /// m = beta1 m + g; p - rate (g + beta1 m). Nesterov's momentum as in PyTorch.
    Nesterov,
    /// m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g²; p - rate c1 m / (sqrt(c2 v) + epsilon)
    /// (Kingma and Ba 2015).
    Adam,
    /// v = beta2 v + (1 - beta2) g²; p - rate g / (sqrt(v) + epsilon) (Hinton 2012).
    RmsProp,
    /// v += g²; p - rate g / (sqrt(v) + epsilon) (Duchi, Hazan and Singer 2011).
    AdaGrad,
    /// p - rate sign(beta1 m + (1 - beta1) g); m = beta2 m + (1 - beta2) g (Chen et al. 2023).
    Lion,
}

/// Adam with decoupled weight decay: a name for a setting of [`Rule::Adam`].
const ADAMW: &str = "adamw";

/// An update rule with its settings.
///
/// ```
/// use wgpu_mlp::math::{Clip, Optimizer, Rule};
///
/// let optimizer = Optimizer::new(Rule::Adam, 1e-3).weight_decay(0.01).clip(Clip::Norm(1.0));
/// # assert_eq!((optimizer.weight_decay, optimizer.clip), (0.01, Clip::Norm(1.0)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Optimizer {
    /// The rule.
    pub rule: Rule,
    /// Learning rate, positive.
    pub learning_rate: f64,
    /// Momentum, or decay of the mean of gradients; in [0, 1).
    pub beta_1: f64,
    /// Decay of the mean of squared gradients, or Lion's second one; in [0, 1).
    pub beta_2: f64,
    /// Added to a divisor; positive.
    pub epsilon: f64,
    /// Decoupled weight decay, at least 0: p -= rate weight_decay p.
    pub weight_decay: f64,
    /// L2 penalty, at least 0: g += l2 p. It is not divided by the number of rows.
    pub l2: f64,
    /// L1 penalty, at least 0: g += l1 sign(p). It is not divided by the number of rows.
    #[serde(default)]
    pub l1: f64,
    /// Clipping of the gradients, before the penalties are added.
    #[serde(default)]
    pub clip: Clip,
}

/// Clipping of the gradients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Clip {
    /// Nothing.
    #[default]
    None,
    /// Each value is clamped to ±limit.
    Value(f64),
    /// All gradients are scaled down to this common Euclidean norm if theirs is larger (Pascanu, Mikolov and Bengio
    /// 2013).
    Norm(f64),
}

/// Settings of a step on one replica, in the number type of the work.
#[derive(Clone, Copy, Debug)]
pub struct RuleStep<T> {
    /// The replica's row of the `hyper` buffer, as [`Optimizer::hyper`] gives it.
    pub hyper: Hyper<T>,
    /// Factor of the learning rate.
    pub lr_factor: T,
    /// c1 and c2.
    pub bias_corrections: [T; 2],
    /// Factor of all gradients, if their norm is clipped.
    pub scale: Option<T>,
}

impl Optimizer {
    /// Number of values that [`Optimizer::hyper`] gives for a replica.
    pub const HYPER: usize = HYPER_LEN;

    /// A rule with PyTorch's defaults (for Lion optax's), momentum 0.9 and no decay.
    pub fn new(rule: Rule, learning_rate: f64) -> Self {
        let (beta_2, epsilon) = match rule {
            Rule::RmsProp => (0.99, 1e-8),
            Rule::AdaGrad => (0.0, 1e-10),
            Rule::Lion => (0.99, 1e-8),
            _ => (0.999, 1e-8),
        };
        Self {
            rule,
            learning_rate,
            beta_1: 0.9,
            beta_2,
            epsilon,
            weight_decay: 0.0,
            l2: 0.0,
            l1: 0.0,
            clip: Clip::None,
        }
    }

    /// The optimiser of a name: a rule's, or `adamw`, which is Adam with a weight decay of 0.01 (Loshchilov and
    /// Hutter 2019).
    pub fn named(name: &str, learning_rate: f64) -> Result<Self> {
        match name {
            ADAMW => Ok(Self { weight_decay: 0.01, ..Self::new(Rule::Adam, learning_rate) }),
            _ => match Rule::ALL.iter().find(|rule| rule.name() == name) {
                Some(&rule) => Ok(Self::new(rule, learning_rate)),
                None => Err(Error::Setting {
                    what: "optimizer",
                    found: format!("`{name}`"),
                    expected: Self::names().collect::<Vec<_>>().join(", "),
                }),
            },
        }
    }

    /// The names that [`Optimizer::named`] takes.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Rule::ALL.iter().map(|rule| rule.name()).chain([ADAMW])
    }

    /// Gradient descent.
    pub fn sgd(learning_rate: f64) -> Self {
        Self::new(Rule::Sgd, learning_rate)
    }

    /// With other decays of the means: see [`beta_1`](Self::beta_1) and [`beta_2`](Self::beta_2).
    #[must_use]
    pub fn betas(self, beta_1: f64, beta_2: f64) -> Self {
        Self { beta_1, beta_2, ..self }
    }

    /// With another [`epsilon`](Self::epsilon).
    #[must_use]
    pub fn epsilon(self, epsilon: f64) -> Self {
        Self { epsilon, ..self }
    }

    /// With a decoupled [`weight_decay`](Self::weight_decay).
    #[must_use]
    pub fn weight_decay(self, weight_decay: f64) -> Self {
        Self { weight_decay, ..self }
    }

    /// With an [`l2`](Self::l2) penalty.
    #[must_use]
    pub fn l2(self, l2: f64) -> Self {
        Self { l2, ..self }
    }

    /// With an [`l1`](Self::l1) penalty.
    #[must_use]
    pub fn l1(self, l1: f64) -> Self {
        Self { l1, ..self }
    }

    /// With large gradients [clipped](Clip).
    #[must_use]
    pub fn clip(self, clip: Clip) -> Self {
        Self { clip, ..self }
    }

    /// A replica's row of the `hyper` buffer, in the order of [`Hyper`].
    pub fn hyper(&self, loss_parameter: f64) -> [f64; Self::HYPER] {
        let Self { learning_rate, beta_1, beta_2, epsilon, weight_decay, l2, l1, clip, .. } = *self;
        let (clip_value, clip_norm) = match clip {
            Clip::None => (0.0, 0.0),
            Clip::Value(limit) => (limit, 0.0),
            Clip::Norm(limit) => (0.0, limit),
        };
        let (one_minus_beta_1, one_minus_beta_2) = (1.0 - beta_1, 1.0 - beta_2);
        let hyper = Hyper {
            learning_rate,
            beta_1,
            one_minus_beta_1,
            beta_2,
            one_minus_beta_2,
            epsilon,
            weight_decay,
            l2,
            l1,
            clip_value,
            clip_norm,
            loss_parameter,
        };
        hyper.row()
    }

    /// c1 and c2 at step `t`, counted from 1.
    pub fn bias_corrections(&self, t: u64) -> [f64; 2] {
        [self.beta_1, self.beta_2].map(|beta| 1.0 / (1.0 - beta.powf(t as f64)))
    }

    /// Refuses settings that cannot train.
    pub fn check(&self) -> Result<()> {
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let share = |value: f64| (0.0..1.0).contains(&value);
        let decay = |value: f64| value.is_finite() && value >= 0.0;
        let checks = [
            ("learning_rate", self.learning_rate, positive(self.learning_rate), "a positive number"),
            ("beta_1", self.beta_1, share(self.beta_1), "a number in [0, 1)"),
            ("beta_2", self.beta_2, share(self.beta_2), "a number in [0, 1)"),
            ("epsilon", self.epsilon, positive(self.epsilon), "a positive number"),
            ("weight_decay", self.weight_decay, decay(self.weight_decay), "a number of at least 0"),
            ("l2", self.l2, decay(self.l2), "a number of at least 0"),
            ("l1", self.l1, decay(self.l1), "a number of at least 0"),
        ];
        let clip = match self.clip {
            Clip::None => None,
            Clip::Value(limit) => Some(("clip_value", limit, positive(limit), "a positive number")),
            Clip::Norm(limit) => Some(("clip_norm", limit, positive(limit), "a positive number")),
        };
        match checks.into_iter().chain(clip).find(|(_, _, fine, _)| !fine) {
            Some((what, found, _, expected)) => {
                Err(Error::Setting { what, found: found.to_string(), expected: expected.into() })
            }
            None => Ok(()),
        }
    }
}

impl Rule {
    /// The default learning rate: 0.001 for Adam, AdamW and RMSprop, as in PyTorch and Keras, 0.0001 for Lion, as its
    /// authors advise, and 0.01 for the others.
    #[must_use]
    pub fn default_learning_rate(self) -> f64 {
        match self {
            Self::Adam | Self::RmsProp => 1e-3,
            Self::Lion => 1e-4,
            Self::Sgd | Self::Momentum | Self::Nesterov | Self::AdaGrad => 1e-2,
        }
    }

    /// Every rule.
    pub const ALL: &[Self] =
        &[Self::Sgd, Self::Momentum, Self::Nesterov, Self::Adam, Self::RmsProp, Self::AdaGrad, Self::Lion];

    /// The name on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sgd => "sgd",
            Self::Momentum => "momentum",
            Self::Nesterov => "nesterov",
            Self::Adam => "adam",
            Self::RmsProp => "rmsprop",
            Self::AdaGrad => "adagrad",
            Self::Lion => "lion",
        }
    }

    /// The WGSL function `rule` and constant `STATE`.
    pub fn wgsl(self) -> &'static str {
        match self {
            Self::Sgd => wgsl!("functions/optimizer/sgd.wgsl"),
            Self::Momentum => wgsl!("functions/optimizer/momentum.wgsl"),
            Self::Nesterov => wgsl!("functions/optimizer/nesterov.wgsl"),
            Self::Adam => wgsl!("functions/optimizer/adam.wgsl"),
            Self::RmsProp => wgsl!("functions/optimizer/rmsprop.wgsl"),
            Self::AdaGrad => wgsl!("functions/optimizer/adagrad.wgsl"),
            Self::Lion => wgsl!("functions/optimizer/lion.wgsl"),
        }
    }

    /// Values that it keeps for a parameter.
    pub fn state(self) -> usize {
        match self {
            Self::Sgd => 0,
            Self::Momentum | Self::Nesterov | Self::RmsProp | Self::AdaGrad | Self::Lion => 1,
            Self::Adam => 2,
        }
    }

    /// `p[i], s[i] = rule(p[i], g[i], s[i])`; s has `slots` values for each of p, at least [`Rule::state`].
    #[inline(always)]
    pub fn apply<T: Real>(self, p: &mut [T], g: &[T], s: &mut [T], slots: usize, step: &RuleStep<T>) {
        let Hyper { beta_1, one_minus_beta_1, beta_2, one_minus_beta_2, epsilon, l2, l1, .. } = step.hyper;
        let (decay, limit) = (step.hyper.weight_decay, step.hyper.clip_value);
        let rate = step.hyper.learning_rate * step.lr_factor;
        let [c1, c2] = step.bias_corrections;
        let each = Each { p, g, s, slots, decay: rate * decay, l2, l1, limit, scale: step.scale };
        match self {
            Self::Sgd => each.run(|p, g, _| p - rate * g),
            Self::Momentum => each.run(|p, g, s| {
                s[0] = beta_1 * s[0] + g;
                p - rate * s[0]
            }),
            Self::Nesterov => each.run(|p, g, s| {
                s[0] = beta_1 * s[0] + g;
                p - rate * (g + beta_1 * s[0])
            }),
            Self::Adam => each.run(|p, g, s| {
                s[0] = beta_1 * s[0] + one_minus_beta_1 * g;
                s[1] = beta_2 * s[1] + one_minus_beta_2 * g * g;
                p - rate * (s[0] * c1 / ((s[1] * c2).sqrt() + epsilon))
            }),
            Self::RmsProp => each.run(|p, g, s| {
                s[0] = beta_2 * s[0] + one_minus_beta_2 * g * g;
                p - rate * g / (s[0].sqrt() + epsilon)
            }),
            Self::AdaGrad => each.run(|p, g, s| {
                s[0] += g * g;
                p - rate * g / (s[0].sqrt() + epsilon)
            }),
            Self::Lion => each.run(|p, g, s| {
                let direction = (beta_1 * s[0] + one_minus_beta_1 * g).sign();
                s[0] = beta_2 * s[0] + one_minus_beta_2 * g;
                p - rate * direction
            }),
        }
    }
}

/// All parameters with their gradients, state, decay, penalties and clipping.
struct Each<'a, T> {
    p: &'a mut [T],
    g: &'a [T],
    s: &'a mut [T],
    slots: usize,
    decay: T,
    l2: T,
    l1: T,
    limit: T,
    scale: Option<T>,
}

impl<T: Real> Each<'_, T> {
    #[inline(always)]
    fn run(self, rule: impl Fn(T, T, &mut [T]) -> T) {
        let Self { l1, l2, limit, scale, .. } = self;
        let zero = T::default();
        if l1 == zero && limit == zero && scale.is_none() {
            return self.run_with(|p, g| g + l2 * p, rule);
        }
        let gradient = |p: T, g: T| {
            let scaled = scale.map_or(g, |scale| scale * g);
            let clipped = if limit > zero && scaled.abs() > limit { limit * scaled.sign() } else { scaled };
            clipped + l2 * p + l1 * p.sign()
        };
        self.run_with(gradient, rule);
    }

    /// `gradient` of a parameter and its own, and the rule.
    #[inline(always)]
    fn run_with(self, gradient: impl Fn(T, T) -> T, rule: impl Fn(T, T, &mut [T]) -> T) {
        // A compiler makes SIMD of a number of values that it knows.
        match self.slots {
            1 => self.run_slots::<1>(gradient, rule),
            2 => self.run_slots::<2>(gradient, rule),
            _ => {
                for ((p, &g), s) in self.p.iter_mut().zip(self.g).zip(self.s.chunks_exact_mut(self.slots)) {
                    *p = rule(*p - self.decay * *p, gradient(*p, g), s);
                }
            }
        }
    }

    #[inline(always)]
    fn run_slots<const SLOTS: usize>(self, gradient: impl Fn(T, T) -> T, rule: impl Fn(T, T, &mut [T]) -> T) {
        for ((p, &g), s) in self.p.iter_mut().zip(self.g).zip(self.s.as_chunks_mut::<SLOTS>().0) {
            *p = rule(*p - self.decay * *p, gradient(*p, g), s);
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Rule {
    type Err = Error;
    fn from_str(name: &str) -> Result<Self> {
        named("optimizer", Self::ALL, Self::name, name)
    }
}
