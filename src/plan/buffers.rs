//! What a plan's buffers hold, and where in them a dispatch works.

/// Index of a buffer in [`Plan::buffers`](super::Plan::buffers).
pub type BufferId = usize;

/// What a buffer holds. All are 32-bit floats on a GPU, [`crate::math::Real`]s on the CPU. `R` replicas,
/// `B` rows of a batch, `N` rows of the data set, `V` of the validation set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// [R, parameters], laid out as [`crate::params::Layout`] says. Where networks share weights, [R, trained]: each has a factor for each
    /// input behind them.
    Parameters,
    /// Where networks share weights, [R, parameters] that each computes with.
    Weights,
    /// Where networks share weights, [R, trained], the gradient by what each trains.
    TiedGradients,
    /// [R, parameters], of the last step.
    Gradients,
    /// [R, settings]: [`crate::math::Optimizer::HYPER`] values and, where learning rates differ, the rate of each parameter.
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
    /// [N, targets of a row] of the data set, the row's weights behind them in a plan of weighted rows. Shared by all
    /// replicas.
    Targets,
    /// [V, inputs] of the validation set. Shared by all replicas.
    ValidationFeatures,
    /// [V, targets of a row] of the validation set. Shared by all replicas.
    ValidationTargets,
    /// [R, B, inputs] of the batch, when it is not the whole data set.
    BatchFeatures,
    /// [R, B, targets of a row, and weights] of the batch, when it is not the whole data set.
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
    PartialGradients,
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

/// Elements of a buffer with these extents; the most that there can be where their product overflows.
pub(super) fn elements(extents: &[usize]) -> usize {
    extents.iter().fold(1, |len: usize, &extent| len.saturating_mul(extent))
}

/// Where views begin, and the distances of their replicas.
pub(super) fn places(views: &[View]) -> Vec<[usize; 2]> {
    views.iter().map(|view| [view.offset, view.replica_stride]).collect()
}
