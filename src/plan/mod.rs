//! A plan is plain data: buffers with sizes, and passes of dispatches over them. It is made from a network
//! and a batch size, and says everything that a backend has to do; a backend only executes it.

mod builder;
mod choice;
mod fused;
mod given;
mod layered;
mod plain;
mod product;
mod resident;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub(crate) use builder::{SNAPSHOTS, rate_groups};
pub use choice::{Target, choose};
pub use fused::fused;
pub(crate) use given::{Given, add_given};
pub use layered::{forward, train};
pub use plain::{plain, plain_forward};
pub use resident::resident;

use crate::error::{Error, Result};
use crate::kernels::{AB, Access, Kernel, MATMUL, MAX_BINDINGS, Part, Step, Tiling};
use crate::math::{Activation, Rule};

/// Index of a buffer in [`Plan::buffers`].
pub type BufferId = usize;

/// What a buffer holds. All are 32-bit floats on a GPU, [`crate::math::Real`]s on the CPU. `R` replicas,
/// `B` rows of a batch, `N` rows of the data set, `V` of the validation set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// [R, parameters], laid out as [`crate::params::Layout`] says.
    Parameters,
    /// Like the parameters, of the last step.
    Gradients,
    /// [R, runs of layers with one learning rate, [`crate::math::Optimizer::HYPER`]].
    Hyper,
    /// What the optimiser keeps, [R, parameters, values for a parameter]; 0 at first.
    OptimizerState,
    /// A copy of the parameters, to go back to.
    Snapshot(usize),
    /// A copy of the best parameters so far.
    Best,
    /// Partial sums of the gradients' squares, [R, groups]; a single one where no norm is clipped.
    SquareSums,
    /// [N, inputs] of the data set; in a forward plan [B, inputs]. Shared by all replicas.
    Features,
    /// [N, targets of a row] of the data set, the row's weight behind them in a plan of weighted rows. Shared by all
    /// replicas.
    Targets,
    /// [V, inputs] of the validation set. Shared by all replicas.
    ValidationFeatures,
    /// [V, targets of a row] of the validation set. Shared by all replicas.
    ValidationTargets,
    /// [R, B, inputs] of the batch, when it is not the whole data set.
    BatchFeatures,
    /// [R, B, targets of a row, and weight] of the batch, when it is not the whole data set.
    BatchTargets,
    /// z of a layer, [R, B, outputs].
    PreActivation(usize),
    /// a of a layer, [R, B, outputs], when its activation is not the identity.
    Activation(usize),
    /// a of a layer behind its dropout, [R, B, outputs].
    Dropped(usize),
    /// Gradient of the loss by a layer's z or a, [R, B, widest output]; two take turns.
    Delta(usize),
    /// Loss sums and hits, [slots, R, groups, 2].
    LossRing,
    /// Each group's share of the gradients, [R, groups, parameters].
    Shares,
    /// Gradient of the loss by the features, [R, B, inputs], where a program asks for it.
    InputGradients,
    /// z of the rows that a fused plan's groups work on, [R, groups, units, rows of a block].
    Scratch,
}

/// A buffer of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buffer {
    /// What it holds.
    pub role: Role,
    /// Elements, of all replicas and slots.
    pub len: usize,
}

/// A binding's place in a buffer, in elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// The buffer.
    pub buffer: BufferId,
    /// First element of replica 0.
    pub offset: usize,
    /// Distance from one replica to the next; 0 when they share.
    pub replica_stride: usize,
    /// Distance from one slot of the ring to the next; 0 for everything else.
    pub slot_stride: usize,
}

/// A kernel's run over all replicas.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// The kernel.
    pub kernel: &'static Kernel,
    /// The part in front of it.
    pub part: Part,
    /// Index into [`Kernel::variants`].
    pub variant: usize,
    /// Values of [`Kernel::dims`].
    pub dims: Vec<u32>,
    /// A view for each of [`Kernel::bindings`].
    pub views: Vec<View>,
}

/// What a pass is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassKind {
    /// A training step.
    Train,
    /// Loss and hits of validation rows.
    Validate,
    /// The network's outputs.
    Forward,
    /// From the gradient by the outputs, which a program gives, to the update.
    Backward,
}

/// Dispatches that run one after the other.
#[derive(Clone, Debug)]
pub struct Pass {
    /// What it is for.
    pub kind: PassKind,
    /// Rows of the batch that the pass works on.
    pub rows: usize,
    /// The work, in order.
    pub dispatches: Vec<Dispatch>,
}

/// Everything that a backend needs to know of a network.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Which way of planning made it.
    pub kind: PlanKind,
    /// Networks side by side.
    pub replicas: usize,
    /// Most steps of one submission: slots of the loss ring.
    pub slots: usize,
    /// The buffers.
    pub buffers: Vec<Buffer>,
    /// Of each kind, the first pass takes a whole batch, the second one, if any, what remains of the rows.
    pub passes: Vec<Pass>,
    /// The buffer that holds the network's output, [R, B, outputs], if a pass leaves it in one.
    pub output: Option<BufferId>,
}

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
    /// Factors on the learning rates of the layers, 0 for one that is frozen: one for each layer, or none.
    pub factors: Vec<f64>,
}

impl Recipe {
    /// The rule and nothing else.
    pub fn new(rule: Rule) -> Self {
        Self { rule, dropout: Vec::new(), clip_norm: false, keep_best: false, factors: Vec::new() }
    }
}

/// Sizes of a training plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrainShape {
    /// Rows of the data set.
    pub samples: usize,
    /// Rows of the validation set; 0 without one.
    pub validation: usize,
    /// Rows of a batch; the whole data set when not smaller than it.
    pub batch: usize,
    /// Networks side by side.
    pub replicas: usize,
    /// Most steps of one submission.
    pub slots: usize,
    /// Whether rows have weights. They should have a mean of 1 over the data set, since a batch's loss and gradient are
    /// divided by its rows, not by the sum of their weights.
    pub weighted: bool,
}

impl TrainShape {
    /// One network on the whole data set, a step a submission.
    pub fn full(samples: usize) -> Self {
        Self { samples, validation: 0, batch: samples, replicas: 1, slots: 1, weighted: false }
    }
}

impl Dispatch {
    /// Whether it is the same work.
    fn is_same(&self, other: &Self) -> bool {
        std::ptr::eq(self.kernel, other.kernel)
            && (self.variant, &self.dims, &self.views, &self.part)
                == (other.variant, &other.dims, &other.views, &other.part)
    }
}

impl Plan {
    /// One run of a kernel, each binding in a buffer of its own, with room for so many steps in a submission: to measure it.
    pub fn single(kernel: &'static Kernel, part: Part, variant: usize, dims: Vec<u32>, slots: usize) -> Self {
        let buffer = |index| Buffer { role: Role::Delta(index), len: kernel.elements(index, &dims) as usize };
        let buffers: Vec<_> = (0..kernel.bindings.len()).map(buffer).collect();
        let view = |buffer| View { buffer, offset: 0, replica_stride: 0, slot_stride: 0 };
        let views = (0..buffers.len()).map(view).collect();
        let dispatches = vec![Dispatch { kernel, part, variant, dims, views }];
        let passes = vec![Pass { kind: PassKind::Forward, rows: 1, dispatches }];
        Self { kind: PlanKind::Layered, replicas: 1, slots, buffers, passes, output: None }
    }

    /// One product c = a b of matrices [m, k] and [k, n], which are the buffers 2, 0 and 1.
    pub fn product([m, n, k]: [u32; 3], slots: usize) -> Self {
        let (part, dims) = product::tiled(&MATMUL, Activation::Identity, &[m, n, k], 1, &[]);
        Self::single(&MATMUL, part, AB, dims, slots)
    }

    /// The passes of a kind, with their places.
    pub fn passes_of(&self, kind: PassKind) -> impl Iterator<Item = (usize, &Pass)> {
        self.passes.iter().enumerate().filter(move |(_, pass)| pass.kind == kind)
    }

    /// The buffer with a role.
    pub fn find(&self, role: Role) -> Option<BufferId> {
        self.buffers.iter().position(|buffer| buffer.role == role)
    }

    /// The buffer with a role that every plan of the kind has; an error names the role.
    pub fn buffer(&self, role: Role) -> Result<BufferId> {
        self.find(role).ok_or_else(|| lacking(format!("{role:?}")))
    }

    /// The buffer that a forward plan leaves the network's output in.
    pub fn output(&self) -> Result<BufferId> {
        self.output.ok_or_else(|| lacking("the network's output".into()))
    }

    /// How many of the steps to come one dispatch takes, from the first on; 1 if a step takes a dispatch or more of its own.
    pub(crate) fn run(&self, steps: &[(usize, Step)]) -> usize {
        let alone = |pass: usize| match &self.passes[pass].dispatches[..] {
            [dispatch] => Some(dispatch),
            _ => None,
        };
        let Some((first, dispatch)) = steps.first().and_then(|&(pass, _)| Some((pass, alone(pass)?))) else { return 1 };
        let goes_on = |pass: usize| pass == first || alone(pass).is_some_and(|other| other.is_same(dispatch));
        let run = steps.iter().take(dispatch.kernel.most_steps()).take_while(|(pass, _)| goes_on(*pass)).count();
        run.max(1)
    }

    /// Whether a pass takes more than one step in a dispatch.
    pub(crate) fn has_runs(&self) -> bool {
        self.passes.iter().flat_map(|pass| &pass.dispatches).any(|dispatch| dispatch.kernel.most_steps() > 1)
    }

    /// Bytes of all buffers, for elements of `element` bytes.
    pub fn bytes(&self, element: usize) -> u64 {
        self.buffers
            .iter()
            .fold(0, |sum: u64, buffer| sum.saturating_add((buffer.len as u64).saturating_mul(element as u64)))
    }

    /// Elements of one slot of the loss ring; 0 without a ring.
    pub fn ring_slot(&self) -> usize {
        self.find(Role::LossRing).map_or(0, |ring| self.buffers[ring].len / self.slots)
    }

    /// Refuses a plan that would reach outside a buffer or read what the same dispatch writes. Backends rely
    /// on it: shaders mask their edges by the dimensions and are not checked again.
    pub fn check(&self) -> Result<()> {
        for dispatch in self.passes.iter().flat_map(|pass| &pass.dispatches) {
            self.check_dispatch(dispatch).map_err(|problem| Error::Setting {
                what: "plan",
                found: format!("inconsistent: {}: {problem}", dispatch.kernel.name),
                expected: "views that lie inside their buffers".into(),
            })?;
        }
        Ok(())
    }

    fn check_dispatch(&self, dispatch: &Dispatch) -> Result<(), String> {
        let kernel = dispatch.kernel;
        if dispatch.dims.len() != kernel.dims.len()
            || dispatch.views.len() != kernel.bindings.len()
            || dispatch.views.len() > MAX_BINDINGS
            || dispatch.variant >= kernel.variants.len()
            || dispatch.dims.contains(&0)
        {
            return Err("dimensions, views or variant do not fit the kernel".into());
        }
        if let Part::Tiling(Tiling { wide: true, .. }) = &dispatch.part
            && !Tiling::can_be_wide(kernel.dims, &dispatch.dims, &product::places(&dispatch.views))
        {
            return Err("matrices that cannot be read four elements at a time".into());
        }
        for (index, (view, binding)) in dispatch.views.iter().zip(kernel.bindings).enumerate() {
            let Some(buffer) = self.buffers.get(view.buffer) else {
                return Err(format!("no buffer {}", view.buffer));
            };
            let last = |count: usize, stride: usize| (count as u64 - 1).saturating_mul(stride as u64);
            let end = (view.offset as u64)
                .saturating_add(last(self.replicas, view.replica_stride))
                .saturating_add(last(self.slots, view.slot_stride))
                .saturating_add(kernel.elements(index, &dispatch.dims));
            if end > buffer.len as u64 {
                return Err(format!("{} ends at {end} of {}", binding.name, buffer.len));
            }
            let shared = dispatch.views.iter().filter(|other| other.buffer == view.buffer).count() > 1;
            if binding.access != Access::In && (shared || (self.replicas > 1 && view.replica_stride == 0)) {
                return Err(format!("{} is written and used otherwise too", binding.name));
            }
        }
        Ok(())
    }
}

fn lacking(what: String) -> Error {
    Error::Setting {
        what: "plan",
        found: format!("without a buffer for {what}"),
        expected: "a plan that has one".into(),
    }
}
