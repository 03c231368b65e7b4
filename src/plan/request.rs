//! What is asked of a plan: the way of planning, what training adds to a network, its sizes, and the device.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::kernels::{IN_ORDER, MOST_LAYERS, SHUFFLED};
use crate::math::Rule;
use crate::spec::MlpSpec;

/// A way of planning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum PlanKind {
    /// One dispatch for each operation, as backpropagation is written on paper. Any size; never chosen by itself.
    Plain,
    /// A dispatch or two for each layer and direction, any size.
    Layered,
    /// Forward and backward pass in one dispatch, for networks that fit a workgroup's memory.
    Fused,
    /// Many steps in one dispatch of one workgroup, for few rows of such networks.
    Resident,
}

impl PlanKind {
    /// Every way of planning.
    pub const ALL: &[Self] = &[Self::Plain, Self::Layered, Self::Fused, Self::Resident];

    /// What a name asks for; nothing in particular with `auto`.
    pub fn choice(name: &str) -> Result<Option<Self>> {
        if name == "auto" { Ok(None) } else { name.parse().map(Some) }
    }

    /// The name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Layered => "layered",
            Self::Fused => "fused",
            Self::Resident => "resident",
        }
    }

    /// What it is, in a few words for `--help`.
    pub fn summary(self) -> &'static str {
        match self {
            Self::Plain => "a dispatch for each operation",
            Self::Layered => "a dispatch or two for each layer",
            Self::Fused => "two dispatches, for small networks",
            Self::Resident => "many steps in one dispatch of one workgroup, for small networks and few rows",
        }
    }
}

impl fmt::Display for PlanKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for PlanKind {
    type Err = Error;
    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name).ok_or_else(|| Error::Setting {
            what: "plan",
            found: format!("`{name}`"),
            expected: format!("auto, {}", Self::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ")),
        })
    }
}

/// What training adds to a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// The optimiser's rule.
    pub rule: Rule,
    /// Share of each hidden layer's units that a step drops, in [0, 1); no more than hidden layers, 0 for those that are
    /// not named.
    pub dropout: Vec<f64>,
    /// Whether gradients are scaled down to a norm.
    pub clip_norm: bool,
    /// Whether there is a place to keep the best parameters.
    pub keep_best: bool,
    /// Factors on the learning rates, 0 for what is frozen: one for each tensor of [`Layout`](crate::params::Layout), one for each
    /// layer, or none.
    pub factors: Vec<f64>,
    /// How many networks, one behind the other, share all weights but the last layer's and a factor on each input; 1 where none do.
    pub sharing: usize,
}

impl Recipe {
    /// The rule and nothing else.
    pub fn new(rule: Rule) -> Self {
        Self { rule, dropout: Vec::new(), clip_norm: false, keep_best: false, factors: Vec::new(), sharing: 1 }
    }
}

/// Sizes of a training plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrainShape {
    /// Rows of the data set.
    pub samples: usize,
    /// Rows of the validation set; 0 without one.
    pub validation: usize,
    /// Where each replica holds out rows of the data set, its fold: the most rows that one trains on. The validation set is the folds, the
    /// largest of which has `validation` rows.
    pub folds: Option<usize>,
    /// Rows of a batch; the whole data set when not smaller than it.
    pub batch: usize,
    /// Networks side by side.
    pub replicas: usize,
    /// Most steps of one submission.
    pub slots: usize,
    /// Sample weights of a row, of which each replica takes one; 0 for rows without. They should have a mean of 1 over the data set,
    /// since a batch's loss and gradient are divided by its rows, not by the sum of their weights.
    pub weightings: usize,
}

impl TrainShape {
    /// One network on the whole data set, a step a submission.
    pub fn full(samples: usize) -> Self {
        Self { samples, validation: 0, folds: None, batch: samples, replicas: 1, slots: 1, weightings: 0 }
    }

    /// Rows that a replica trains on, at most.
    pub(super) fn training(&self) -> usize {
        self.folds.unwrap_or(self.samples)
    }

    /// The order in which a training step takes its rows: that of the data where it takes all.
    pub(super) fn order(&self) -> usize {
        if self.batch < self.training() { SHUFFLED } else { IN_ORDER }
    }

    /// Whether a training step takes only some rows of the data set.
    pub(super) fn gathers(&self) -> bool {
        self.batch.min(self.training()) < self.samples
    }
}

/// What a plan has to know of the device that will execute it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A processor with caches.
    Cpu,
    /// A GPU.
    Gpu {
        /// Memory of a workgroup.
        workgroup_bytes: usize,
        /// Cores that run workgroups, as far as is known: a multiprocessor, a work-group processor, an Xe core.
        cores: usize,
        /// Elements of a product that an invocation has registers for, beside what they are made from.
        sums: usize,
    },
}

impl Target {
    /// The refusal of a network that does not fit a workgroup's memory, or is too deep.
    pub(super) fn too_small(self, kind: PlanKind, spec: &MlpSpec) -> Error {
        let layers = spec.layers().len();
        if layers > MOST_LAYERS {
            let expected = format!(
                "layered: a GPU takes networks of at most {MOST_LAYERS} layers whole, and this one has {layers}"
            );
            return Error::Setting { what: "plan", found: kind.to_string(), expected };
        }
        let memory = match self {
            Self::Cpu => "which has no limit".into(),
            Self::Gpu { workgroup_bytes, .. } => format!("{workgroup_bytes} bytes on this device"),
        };
        let expected = format!("layered: {spec} does not fit the memory of a workgroup, {memory}");
        Error::Setting { what: "plan", found: kind.to_string(), expected }
    }
}

/// Refuses sizes that shaders could not count.
pub(super) fn check(shape: &TrainShape) -> Result<()> {
    for (what, value) in [
        ("number of rows", shape.samples),
        ("number of validation rows", shape.validation.max(1)),
        ("batch", shape.batch),
        ("replicas", shape.replicas),
        ("slots", shape.slots),
        ("number of rows outside a fold", shape.training()),
    ] {
        if value == 0 || u32::try_from(value).is_err() {
            let expected = format!("1 to {}", u32::MAX);
            return Err(Error::Setting { what, found: value.to_string(), expected });
        }
    }
    if shape.training() > shape.samples {
        let (found, expected) = (shape.training().to_string(), format!("at most all {}", shape.samples));
        return Err(Error::Setting { what: "number of rows outside a fold", found, expected });
    }
    Ok(())
}

/// Rows of a whole batch and of a whole validation pass.
pub(super) fn batches(shape: &TrainShape) -> (usize, usize) {
    let batch = shape.batch.min(shape.training());
    (batch, batch.max(VALIDATION_ROWS).min(shape.validation))
}

/// Rows of a whole batch, and what remains of all rows if that is not nothing.
pub(super) fn sizes(rows: usize, batch: usize) -> impl Iterator<Item = usize> {
    [batch, rows.checked_rem(batch).unwrap_or(0)].into_iter().filter(|&rows| rows > 0)
}

/// Rows of a validation pass, where the batch has no more.
const VALIDATION_ROWS: usize = 1024;
