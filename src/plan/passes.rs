//! The plan itself: passes of dispatches over buffers.

use super::buffers::{Buffer, BufferId, Role, View};
use super::request::PlanKind;
use crate::error::{Error, Result};
use crate::kernels::{Kernel, MAX_RECORDS, Part, Step};

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
        let rows = ["rows", "samples"].iter().find_map(|name| kernel.dim(name, &dims)).unwrap_or(1) as usize;
        let dispatches = vec![Dispatch { kernel, part, variant, dims, views }];
        let passes = vec![Pass { kind: PassKind::Forward, rows, dispatches }];
        Self { kind: PlanKind::Layered, replicas: 1, slots, buffers, passes, output: None }
    }

    /// The same work on data of each replica's own: its features and targets, those of validation too, stand behind those of the
    /// replica before it.
    #[must_use]
    pub fn with_own_data(mut self) -> Self {
        use Role::{Features, Targets, ValidationFeatures, ValidationTargets};
        let is_data = |role| matches!(role, Features | Targets | ValidationFeatures | ValidationTargets);
        let strides: Vec<_> =
            self.buffers.iter().map(|buffer| Some(buffer.len).filter(|_| is_data(buffer.role))).collect();
        for (buffer, stride) in self.buffers.iter_mut().zip(&strides).filter(|(_, stride)| stride.is_some()) {
            buffer.len = stride.unwrap_or(0).saturating_mul(self.replicas);
        }
        for view in self.passes.iter_mut().flat_map(|pass| &mut pass.dispatches).flat_map(|work| &mut work.views) {
            if let Some(Some(stride)) = strides.get(view.buffer).filter(|_| self.replicas > 1) {
                view.replica_stride = *stride;
            }
        }
        self
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

    /// How many of the steps to come, [steps, `replicas`], one dispatch takes, from the first on; 1 if a step takes a dispatch or more of
    /// its own.
    pub fn run(&self, steps: &[(usize, Step)], replicas: usize) -> usize {
        let alone = |pass: usize| match &self.passes[pass].dispatches[..] {
            [dispatch] => Some(dispatch),
            _ => None,
        };
        let Some((first, dispatch)) = steps.first().and_then(|&(pass, _)| Some((pass, alone(pass)?))) else { return 1 };
        let goes_on = |pass: usize| pass == first || alone(pass).is_some_and(|other| other.is_same(dispatch));
        let most = dispatch.kernel.most_steps.min(MAX_RECORDS / replicas);
        let run = steps.iter().step_by(replicas).take(most).take_while(|(pass, _)| goes_on(*pass)).count();
        run.max(1)
    }

    /// Whether a pass takes more than one step in a dispatch.
    pub fn has_runs(&self) -> bool {
        self.passes.iter().flat_map(|pass| &pass.dispatches).any(|dispatch| dispatch.kernel.most_steps > 1)
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
}

fn lacking(what: String) -> Error {
    Error::Setting {
        what: "plan",
        found: format!("without a buffer for {what}"),
        expected: "a plan that has one".into(),
    }
}

/// A dispatch whose dimensions fit the uniform.
pub(super) fn dispatch(
    kernel: &'static Kernel,
    part: Part,
    variant: usize,
    dims: &[usize],
    views: &[View],
) -> Result<Dispatch> {
    let dims = dims.iter().map(|&dim| u32::try_from(dim).map_err(|_| dim)).collect::<Result<_, _>>();
    let dims = dims.map_err(|dim| Error::TooLarge {
        what: format!("the network's {}", kernel.name),
        needed: dim as u64 * 4,
        available: u64::from(u32::MAX) * 4,
        device: "a buffer on any device".into(),
    })?;
    Ok(Dispatch { kernel, part, variant, dims, views: views.to_vec() })
}
