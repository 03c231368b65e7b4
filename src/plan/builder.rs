//! What all ways of planning share: buffers, views of them, and the passes' sizes.

use super::{Buffer, BufferId, Dispatch, Pass, PassKind, Plan, PlanKind, Recipe, Role, TrainShape, View};
use crate::error::{Error, Result};
use crate::kernels::{
    CLIPPED, Kernel, Part, REDUCE, REDUCE_UPDATE, SQUARE_SUM, UNSCALED, UPDATE, dropout_threshold, square_groups,
};
use crate::math::{Optimizer, Rule};
use crate::params::{Layout, Tensor};
use crate::spec::MlpSpec;

/// Parameter copies that a trainer may keep: one for each submission in flight and one before them.
pub(crate) const SNAPSHOTS: usize = 3;

/// Rows of a validation pass, where the batch has no more.
const VALIDATION_ROWS: usize = 1024;

/// The shares that a step's gradient is made in, and their distance where there are more than one.
#[derive(Clone, Copy)]
pub(super) struct Shares {
    pub count: usize,
    pub stride: usize,
}

/// A plan in the making.
pub(super) struct Builder<'a> {
    pub spec: &'a MlpSpec,
    pub layout: Layout,
    /// Rows that a layer's buffers have.
    pub rows: usize,
    pub replicas: usize,
    pub slots: usize,
    pub dropout: Vec<f64>,
    /// Of the training data, a weight's included.
    pub target_columns: usize,
    buffers: Vec<Buffer>,
}

impl<'a> Builder<'a> {
    pub fn new(spec: &'a MlpSpec, rows: usize, replicas: usize, slots: usize) -> Self {
        let layout = Layout::new(spec);
        let parameters = Buffer { role: Role::Parameters, len: replicas * layout.len() };
        let (dropout, target_columns) = (Vec::new(), spec.target_columns());
        Self { spec, layout, rows, replicas, slots, dropout, target_columns, buffers: vec![parameters] }
    }

    /// Begins a training plan with all that does not depend on how a step is planned. `rows` are what a layer's buffers
    /// have room for.
    pub fn training(spec: &'a MlpSpec, recipe: &Recipe, shape: &TrainShape, rows: usize) -> Result<Self> {
        check(shape)?;
        let TrainShape { samples, validation, replicas, slots, .. } = *shape;
        let mut builder = Self::new(spec, rows, replicas, slots);
        builder.dropout.clone_from(&recipe.dropout);
        builder.target_columns += usize::from(shape.weighted);
        builder.add(Role::Features, &[samples, spec.inputs()]);
        builder.add(Role::Targets, &[samples, builder.target_columns]);
        if validation > 0 {
            builder.add(Role::ValidationFeatures, &[validation, spec.inputs()]);
            builder.add(Role::ValidationTargets, &[validation, spec.target_columns()]);
        }
        let parameters = [replicas, builder.layout.len()];
        builder.add(Role::Gradients, &parameters);
        builder.add(Role::SquareSums, &[replicas, builder.squares(recipe)]);
        builder.add(Role::Hyper, &[replicas, Optimizer::HYPER]);
        builder.add(Role::OptimizerState, &[replicas, builder.layout.len(), state_slots(recipe.rule)]);
        for index in 0..SNAPSHOTS {
            builder.add(Role::Snapshot(index), &parameters);
        }
        if recipe.keep_best {
            builder.add(Role::Best, &parameters);
        }
        Ok(builder)
    }

    /// Partial sums of the gradients' squares.
    pub fn squares(&self, recipe: &Recipe) -> usize {
        if recipe.clip_norm { square_groups(self.layout.len() as u64) } else { 1 }
    }

    /// Adds a buffer of so many elements, the product of `extents`: too many for any device where it overflows.
    pub fn add(&mut self, role: Role, extents: &[usize]) {
        let len = extents.iter().fold(1, |len: usize, &extent| len.saturating_mul(extent));
        self.buffers.push(Buffer { role, len });
    }

    /// The threshold of a layer's dropout, if it has one. The last layer's outputs are never dropped.
    pub fn dropped(&self, layer: usize) -> Option<usize> {
        let rate = self.dropout.get(layer).filter(|_| layer + 1 < self.spec.layers().len());
        rate.map(|&rate| dropout_threshold(rate) as usize).filter(|&threshold| threshold > 0)
    }

    pub fn id(&self, role: Role) -> BufferId {
        // Every role that is asked for has been added; `Plan::check` would name one that has not.
        self.buffers.iter().position(|buffer| buffer.role == role).unwrap_or(usize::MAX)
    }

    /// A buffer that all replicas read.
    pub fn shared(&self, role: Role) -> View {
        View { buffer: self.id(role), offset: 0, replica_stride: 0, slot_stride: 0 }
    }

    /// A buffer with `stride` elements for each replica. A single one has no next, whose distance could be odd.
    pub fn each(&self, role: Role, stride: usize) -> View {
        View { replica_stride: if self.replicas > 1 { stride } else { 0 }, ..self.shared(role) }
    }

    /// A parameter tensor, or its place among the gradients.
    pub fn tensor(&self, role: Role, tensor: &Tensor) -> View {
        View { offset: tensor.range.start, ..self.each(role, self.layout.len()) }
    }

    /// The loss's slots, of `groups` partial sums.
    pub fn ring(&self, groups: usize) -> View {
        View { slot_stride: self.replicas * groups * 2, ..self.each(Role::LossRing, groups * 2) }
    }

    /// The views of an update that come behind the gradients: settings, parameters, state.
    pub fn updated(&self, recipe: &Recipe) -> [View; 3] {
        let parameters = self.layout.len();
        [
            self.each(Role::Hyper, Optimizer::HYPER),
            self.each(Role::Parameters, parameters),
            self.each(Role::OptimizerState, parameters * state_slots(recipe.rule)),
        ]
    }

    /// Where the gradient goes that is made in these shares.
    pub fn shared_out(&self, shares: Shares) -> View {
        let role = if shares.count > 1 { Role::Shares } else { Role::Gradients };
        self.each(role, self.buffers[self.id(role)].len / self.replicas)
    }

    /// The optimiser's step from a gradient in these shares, which are added up on the way.
    pub fn update(&self, dispatches: &mut Vec<Dispatch>, recipe: &Recipe, shares: Shares) -> Result<()> {
        let (parameters, slots, squares) = (self.layout.len(), state_slots(recipe.rule), self.squares(recipe));
        let (given, sum) = (self.shared_out(shares), self.each(Role::Gradients, parameters));
        let sums = self.each(Role::SquareSums, squares);
        let [hyper, p, state] = self.updated(recipe);
        let rule = Part::Rule(recipe.rule);
        if shares.count > 1 && !recipe.clip_norm {
            let dims = [parameters, slots, shares.count, shares.stride];
            let views = [given, hyper, sum, p, state];
            dispatches.push(dispatch(&REDUCE_UPDATE, rule, 0, &dims, &views)?);
            return Ok(());
        }
        if shares.count > 1 {
            let dims = [parameters, shares.count, shares.stride];
            dispatches.push(dispatch(&REDUCE, Part::None, 0, &dims, &[given, sum])?);
        }
        if recipe.clip_norm {
            dispatches.push(dispatch(&SQUARE_SUM, Part::None, 0, &[parameters, squares], &[sum, sums])?);
        }
        let variant = if recipe.clip_norm { CLIPPED } else { UNSCALED };
        let views = [sum, sums, hyper, p, state];
        dispatches.push(dispatch(&UPDATE, rule, variant, &[parameters, slots, squares], &views)?);
        Ok(())
    }

    /// Adds validation by the layered dispatches, its losses in `groups` partial sums, and the buffers for it to a plan that has none
    /// of them.
    pub fn add_validation(&mut self, passes: &mut Vec<Pass>, validation: usize, groups: usize) -> Result<()> {
        if validation > 0 {
            self.add_batch(self.rows < validation);
            self.add_activations(PassKind::Validate);
            self.add_deltas();
        }
        for rows in sizes(validation, self.rows) {
            passes.push(self.validation(validation, rows, groups)?);
        }
        Ok(())
    }

    pub fn finish(self, kind: PlanKind, passes: Vec<Pass>, output: Option<BufferId>) -> Result<Plan> {
        let Self { replicas, slots, buffers, .. } = self;
        let plan = Plan { kind, replicas, slots, buffers, passes, output };
        plan.check()?;
        Ok(plan)
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
    ] {
        if value == 0 || u32::try_from(value).is_err() {
            let expected = format!("1 to {}", u32::MAX);
            return Err(Error::Setting { what, found: value.to_string(), expected });
        }
    }
    Ok(())
}

/// Values kept for a parameter; a binding needs one even for a rule that keeps none.
pub(super) fn state_slots(rule: Rule) -> usize {
    rule.state().max(1)
}

/// Rows of a whole batch and of a whole validation pass.
pub(super) fn batches(shape: &TrainShape) -> (usize, usize) {
    let batch = shape.batch.min(shape.samples);
    (batch, batch.max(VALIDATION_ROWS).min(shape.validation))
}

/// Rows of a whole batch, and what remains of all rows if that is not nothing.
pub(super) fn sizes(rows: usize, batch: usize) -> impl Iterator<Item = usize> {
    [batch, rows.checked_rem(batch).unwrap_or(0)].into_iter().filter(|&rows| rows > 0)
}

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
