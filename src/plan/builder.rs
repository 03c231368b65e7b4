//! What all ways of planning share: buffers, views of them, the forward pass by layers, the loss, the update, validation.

use std::sync::Arc;

use super::blocks::Slices;
use super::buffers::{Buffer, BufferId, Role, View, elements};
use super::passes::{Dispatch, Pass, PassKind, Plan, dispatch};
use super::product::in_tiles;
use super::rates::{check_factors, settings};
use super::request::{PlanKind, Recipe, Target, TrainShape, batches, check, sizes};
use crate::error::Result;
use crate::kernels::{
    CLIPPED, DENSE, DENSE_KEEP, DROPOUT_FORWARD, FUSED_FORWARD, GATHER, IN_ORDER, Kernel, Part, REDUCE, REDUCE_UPDATE,
    SQUARE_SUM, UNSCALED, UPDATE, dropout_threshold, loss_kernel, square_groups,
};
use crate::math::{Activation, Rule};
use crate::params::{Layout, ParameterTensor};
use crate::spec::MlpSpec;

/// Parameter copies that a trainer may keep: one for each submission in flight and one before them.
pub(crate) const SNAPSHOTS: usize = 3;

/// The shares that a step's gradient is made in, and their distance where there are more than one.
#[derive(Clone, Copy)]
pub(super) struct PartialGradients {
    pub count: usize,
    pub stride: usize,
}

/// The rows that a pass works on.
#[derive(Clone, Copy)]
pub(super) struct Batch {
    pub rows: usize,
    pub features: View,
    pub targets: View,
    /// Of the targets, a weight's included.
    pub columns: usize,
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
    /// The network, where passes that only go forward take it whole.
    pub whole: Option<Slices>,
    /// Rows of the data set, where the validation rows are folds of it.
    folded: Option<usize>,
    /// Whether z of every layer has a place of its own, or only z that the way back needs.
    pub every_z: bool,
    /// Networks that share weights; 1 where none do.
    pub sharing: usize,
    buffers: Vec<Buffer>,
}

impl<'a> Builder<'a> {
    pub fn new(spec: &'a MlpSpec, rows: usize, replicas: usize, slots: usize) -> Self {
        let layout = Layout::new(spec);
        let parameters = Buffer { role: Role::Parameters, len: replicas * layout.len() };
        let (dropout, target_columns) = (Vec::new(), spec.target_columns());
        Self {
            spec,
            layout,
            rows,
            replicas,
            slots,
            dropout,
            target_columns,
            whole: None,
            folded: None,
            every_z: false,
            sharing: 1,
            buffers: vec![parameters],
        }
    }

    /// Begins a training plan with all that does not depend on how a step is planned. `rows` are what a layer's buffers
    /// have room for.
    pub fn training(spec: &'a MlpSpec, recipe: &Recipe, shape: &TrainShape, rows: usize) -> Result<Self> {
        check(shape)?;
        let TrainShape { samples, validation, replicas, slots, .. } = *shape;
        let mut builder = Self::new(spec, rows, replicas, slots);
        check_factors(&builder.layout, &recipe.factors)?;
        builder.dropout.clone_from(&recipe.dropout);
        builder.target_columns += shape.weightings;
        builder.share(recipe);
        builder.add(Role::Features, &[samples, spec.inputs()]);
        builder.add(Role::Targets, &[samples, builder.target_columns]);
        builder.folded = shape.folds.map(|_| samples);
        match shape.folds {
            // Their loss is not weighted.
            Some(_) if shape.weightings > 0 => builder.add(Role::ValidationTargets, &[samples, spec.target_columns()]),
            Some(_) => {}
            None if validation > 0 => {
                builder.add(Role::ValidationFeatures, &[validation, spec.inputs()]);
                builder.add(Role::ValidationTargets, &[validation, spec.target_columns()]);
            }
            None => {}
        }
        let parameters = [replicas, builder.trained()];
        builder.add(Role::Gradients, &[replicas, builder.layout.len()]);
        builder.add(Role::SquareSums, &[replicas, builder.squares(recipe)]);
        builder.add(Role::Hyper, &[replicas, settings(spec, recipe)]);
        builder.add(Role::OptimizerState, &[replicas, builder.trained(), state_slots(recipe.rule)]);
        for index in 0..SNAPSHOTS {
            builder.add(Role::Snapshot(index), &parameters);
        }
        if recipe.keep_best {
            builder.add(Role::Best, &parameters);
        }
        Ok(builder)
    }

    /// Begins a training plan whose step goes layer by layer, with room for what the layers make, z of every layer with it or only z that
    /// the way back needs.
    pub fn by_layers(spec: &'a MlpSpec, recipe: &Recipe, shape: &TrainShape, every_z: bool) -> Result<Self> {
        let (batch, validated) = batches(shape);
        let mut builder = Self::training(spec, recipe, shape, batch.max(validated))?;
        builder.every_z = every_z;
        builder.add_batch(shape.gathers() || validated < shape.validation);
        builder.add_activations(PassKind::Train);
        builder.add_deltas();
        let groups = builder.loss_groups();
        builder.add(Role::LossRing, &[shape.slots, shape.replicas, groups, 2]);
        Ok(builder)
    }

    /// Partial sums of the gradients' squares.
    pub fn squares(&self, recipe: &Recipe) -> usize {
        if recipe.clip_norm { square_groups(self.trained() as u64) } else { 1 }
    }

    /// Adds a buffer of so many elements, the product of `extents`: too many for any device where it overflows.
    pub fn add(&mut self, role: Role, extents: &[usize]) {
        self.buffers.push(Buffer { role, len: elements(extents) });
    }

    /// Gives a buffer that was added another size.
    pub fn widen(&mut self, role: Role, extents: &[usize]) {
        let id = self.id(role);
        self.buffers[id].len = elements(extents);
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
    pub fn tensor(&self, role: Role, tensor: &ParameterTensor) -> View {
        View { offset: tensor.range.start, ..self.each(role, self.layout.len()) }
    }

    /// The loss's slots, of `groups` partial sums.
    pub fn ring(&self, groups: usize) -> View {
        View { slot_stride: self.replicas * groups * 2, ..self.each(Role::LossRing, groups * 2) }
    }

    /// The views of an update that come behind the gradients: settings, parameters, state.
    pub fn updated(&self, recipe: &Recipe) -> [View; 3] {
        let parameters = self.trained();
        [
            self.hyper(),
            self.each(Role::Parameters, parameters),
            self.each(Role::OptimizerState, parameters * state_slots(recipe.rule)),
        ]
    }

    /// The optimiser's settings.
    pub fn hyper(&self) -> View {
        self.each(Role::Hyper, self.buffers[self.id(Role::Hyper)].len / self.replicas)
    }

    /// Where the gradient goes that is made in these shares.
    pub fn shared_out(&self, partials: PartialGradients) -> View {
        let role = if partials.count > 1 { Role::PartialGradients } else { Role::Gradients };
        self.each(role, self.buffers[self.id(role)].len / self.replicas)
    }

    /// The optimiser's step from a gradient in these shares, which are added up on the way.
    pub fn update(&self, dispatches: &mut Vec<Dispatch>, recipe: &Recipe, partials: PartialGradients) -> Result<()> {
        let (parameters, slots, squares) = (self.layout.len(), state_slots(recipe.rule), self.squares(recipe));
        let settings = settings(self.spec, recipe);
        let (given, sum) = (self.shared_out(partials), self.each(Role::Gradients, parameters));
        let sums = self.each(Role::SquareSums, squares);
        let [hyper, p, state] = self.updated(recipe);
        let rule = Part::Rule(recipe.rule);
        if partials.count > 1 && !recipe.clip_norm && self.sharing == 1 {
            let dims = [parameters, slots, partials.count, partials.stride, settings];
            let views = [given, hyper, sum, p, state];
            dispatches.push(dispatch(&REDUCE_UPDATE, rule, 0, &dims, &views)?);
            return Ok(());
        }
        if partials.count > 1 {
            let dims = [parameters, partials.count, partials.stride];
            dispatches.push(dispatch(&REDUCE, Part::None, 0, &dims, &[given, sum])?);
        }
        let (trained, sum) = (self.trained(), self.tie(dispatches)?);
        if recipe.clip_norm {
            dispatches.push(dispatch(&SQUARE_SUM, Part::None, 0, &[trained, squares], &[sum, sums])?);
        }
        let variant = if recipe.clip_norm { CLIPPED } else { UNSCALED };
        let (dims, views) = ([trained, slots, squares, settings], [sum, sums, hyper, p, state]);
        dispatches.push(dispatch(&UPDATE, rule, variant, &dims, &views)?);
        Ok(())
    }

    /// Adds room for a batch's rows, if they are gathered.
    fn add_batch(&mut self, gathered: bool) {
        if gathered {
            self.add(Role::BatchFeatures, &[self.replicas, self.rows, self.spec.inputs()]);
            self.add(Role::BatchTargets, &[self.replicas, self.rows, self.target_columns]);
        }
    }

    /// Adds room for the gradients by the layers' outputs.
    fn add_deltas(&mut self) {
        let widest = self.spec.layers().iter().map(|layer| layer.outputs).max().unwrap_or(0);
        for turn in 0..self.spec.layers().len().min(2) {
            self.add(Role::Delta(turn), &[self.replicas, self.rows, widest]);
        }
    }

    /// Adds room for what the layers make; z that the way back needs beside a, and what dropout leaves, for training alone.
    pub fn add_activations(&mut self, kind: PassKind) {
        let (layers, train) = (self.spec.layers(), kind == PassKind::Train);
        let first = if self.whole.is_some() && !train { layers.len() - 1 } else { 0 };
        for (i, layer) in layers.iter().enumerate().skip(first) {
            let extents = [self.replicas, self.rows, layer.outputs];
            let linear = layer.activation == Activation::Identity;
            if linear || (train && self.keeps_z(i)) {
                self.add(Role::PreActivation(i), &extents);
            }
            if !linear {
                self.add(Role::Activation(i), &extents);
            }
            if train && self.dropped(i).is_some() {
                self.add(Role::Dropped(i), &extents);
            }
        }
    }

    /// z of a layer, or a where the way back needs no z.
    pub fn pre_activation(&self, layer: usize) -> View {
        let linear = self.spec.layers()[layer].activation == Activation::Identity;
        let role = if linear || self.keeps_z(layer) { Role::PreActivation(layer) } else { Role::Activation(layer) };
        self.each(role, self.rows * self.spec.layers()[layer].outputs)
    }

    /// Whether training keeps z of a layer that has an activation.
    fn keeps_z(&self, layer: usize) -> bool {
        self.every_z || self.spec.layers()[layer].activation.needs_z()
    }

    /// What a layer hands on in a pass: its activation, in training behind its dropout.
    pub fn handed_on(&self, layer: usize, kind: PassKind) -> View {
        match self.dropped(layer) {
            Some(_) if kind == PassKind::Train => {
                self.each(Role::Dropped(layer), self.rows * self.spec.layers()[layer].outputs)
            }
            _ => self.activation(layer),
        }
    }

    /// A layer's activation, or z where that is the identity.
    pub fn activation(&self, layer: usize) -> View {
        match self.spec.layers()[layer].activation {
            Activation::Identity => self.pre_activation(layer),
            _ => self.each(Role::Activation(layer), self.rows * self.spec.layers()[layer].outputs),
        }
    }

    /// The gradient by a layer's output.
    pub fn delta(&self, layer: usize) -> View {
        let role = Role::Delta(layer % 2 * (self.spec.layers().len() - 1).min(1));
        let widest = self.spec.layers().iter().map(|layer| layer.outputs).max().unwrap_or(0);
        self.each(role, self.rows * widest)
    }

    /// The rows of a training step.
    pub fn training_batch(&self, dispatches: &mut Vec<Dispatch>, rows: usize, shape: &TrainShape) -> Result<Batch> {
        let batch = Batch {
            rows,
            features: self.shared(Role::Features),
            targets: self.shared(Role::Targets),
            columns: self.target_columns,
        };
        self.gathered(dispatches, batch, shape.samples, shape.order())
    }

    /// A batch of `samples` rows brought together, unless it is the whole data set.
    fn gathered(&self, dispatches: &mut Vec<Dispatch>, batch: Batch, samples: usize, order: usize) -> Result<Batch> {
        let Batch { rows, columns, .. } = batch;
        if rows == samples {
            return Ok(batch);
        }
        let inputs = self.spec.inputs();
        let features = self.each(Role::BatchFeatures, self.rows * inputs);
        let targets = self.each(Role::BatchTargets, self.rows * columns);
        let views = [batch.features, batch.targets, features, targets];
        dispatches.push(dispatch(&GATHER, Part::None, order, &[rows, samples, inputs, columns], &views)?);
        Ok(Batch { features, targets, ..batch })
    }

    /// A layer's product, bias and activation in one; in training z is kept where the way back needs it, and dropout stands
    /// behind it. Where the network is taken whole, all layers in one.
    pub fn forward(&self, dispatches: &mut Vec<Dispatch>, features: View, rows: usize, kind: PassKind) -> Result<()> {
        if let (Some(Slices { network, groups }), true) = (&self.whole, kind != PassKind::Train) {
            let (parameters, last) = (network.parameters(), self.spec.layers().len() - 1);
            let groups = rows.div_ceil(network.block()).min(*groups);
            let dims = [rows, self.spec.inputs(), self.spec.outputs(), parameters, network.block(), groups];
            let views = [features, self.weights(), self.activation(last)];
            dispatches.push(dispatch(&FUSED_FORWARD, Part::Network(Arc::clone(network)), 0, &dims, &views)?);
            return Ok(());
        }
        let mut x = features;
        for (i, layer) in self.spec.layers().iter().enumerate() {
            let (weight, bias) = (self.weight(self.layout.weight(i)), self.weight(self.layout.bias(i)));
            let (dims, a) = ([rows, layer.outputs, layer.inputs], self.activation(i));
            dispatches.push(
                if kind == PassKind::Train && self.keeps_z(i) && layer.activation != Activation::Identity {
                    self.product(
                        &DENSE_KEEP,
                        0,
                        layer.activation,
                        &dims,
                        &[x, weight, bias, self.pre_activation(i), a],
                    )?
                } else {
                    self.product(&DENSE, 0, layer.activation, &dims, &[x, weight, bias, a])?
                },
            );
            x = a;
            if let (Some(threshold), PassKind::Train) = (self.dropped(i), kind) {
                let (dims, y) = ([rows * layer.outputs, i + 1, threshold], self.handed_on(i, kind));
                dispatches.push(dispatch(&DROPOUT_FORWARD, Part::None, 0, &dims, &[x, y])?);
                x = y;
            }
        }
        Ok(())
    }

    /// Partial sums of a pass's loss.
    pub fn loss_groups(&self) -> usize {
        loss_kernel(self.spec.loss(), self.rows, self.spec.outputs()).2
    }

    /// The loss of the last layer's output and the gradient by it, in `groups` partial sums.
    pub fn loss(&self, dispatches: &mut Vec<Dispatch>, batch: &Batch, groups: usize) -> Result<()> {
        let (last, Batch { rows, targets, columns, .. }) = (self.spec.layers().len() - 1, *batch);
        let hyper = self.hyper();
        let views = [self.activation(last), targets, hyper, self.delta(last), self.ring(groups)];
        let dims = [rows, self.spec.outputs(), columns, groups];
        let (kernel, part, _) = loss_kernel(self.spec.loss(), rows, self.spec.outputs());
        dispatches.push(dispatch(kernel, part, 0, &dims, &views)?);
        Ok(())
    }

    /// A dispatch of a kernel whose part is a tile, to be chosen anew where the target is known; `dims` are its dimensions without the
    /// tile's, the product's rows and columns first.
    pub fn product(
        &self,
        kernel: &'static Kernel,
        variant: usize,
        activation: Activation,
        dims: &[usize],
        views: &[View],
    ) -> Result<Dispatch> {
        let mut dispatch = dispatch(kernel, Part::None, variant, dims, views)?;
        in_tiles(&mut dispatch, activation, self.replicas, Target::Cpu);
        Ok(dispatch)
    }

    /// Adds passes of at most `most` rows for a validation set, its losses in `groups` partial sums.
    fn validation_passes(&self, passes: &mut Vec<Pass>, validation: usize, most: usize, groups: usize) -> Result<()> {
        for rows in sizes(validation, most) {
            let mut dispatches = self.begin()?;
            let own_targets = self.buffers.iter().any(|buffer| buffer.role == Role::ValidationTargets);
            let batch = Batch {
                rows,
                features: self.shared(if self.folded.is_some() { Role::Features } else { Role::ValidationFeatures }),
                targets: self.shared(if own_targets { Role::ValidationTargets } else { Role::Targets }),
                columns: self.spec.target_columns(),
            };
            let batch = self.gathered(&mut dispatches, batch, self.folded.unwrap_or(validation), IN_ORDER)?;
            self.forward(&mut dispatches, batch.features, rows, PassKind::Validate)?;
            self.loss(&mut dispatches, &batch, groups)?;
            passes.push(Pass { kind: PassKind::Validate, rows, dispatches });
        }
        Ok(())
    }

    /// Adds validation by the layered dispatches, its losses in `groups` partial sums, and the buffers for it to a plan that has none
    /// of them.
    pub fn add_validation(&mut self, passes: &mut Vec<Pass>, validation: usize, groups: usize) -> Result<()> {
        if validation > 0 {
            self.add_batch(self.folded.is_some() || self.rows < validation);
            self.add_activations(PassKind::Validate);
            self.add_deltas();
        }
        self.validation_passes(passes, validation, self.rows, groups)
    }

    /// Ends a training plan that was begun by [`by_layers`](Self::by_layers).
    pub fn finish_training(self, kind: PlanKind, mut passes: Vec<Pass>, shape: &TrainShape) -> Result<Plan> {
        self.validation_passes(&mut passes, shape.validation, batches(shape).1, self.loss_groups())?;
        self.finish_layers(kind, passes)
    }

    /// Ends a plan whose passes leave the network's output.
    pub fn finish_layers(self, kind: PlanKind, passes: Vec<Pass>) -> Result<Plan> {
        let output = self.activation(self.spec.layers().len() - 1).buffer;
        self.finish(kind, passes, Some(output))
    }

    pub fn finish(self, kind: PlanKind, passes: Vec<Pass>, output: Option<BufferId>) -> Result<Plan> {
        let Self { replicas, slots, buffers, .. } = self;
        let plan = Plan { kind, replicas, slots, buffers, passes, output };
        plan.check()?;
        Ok(plan)
    }
}

/// Values kept for a parameter; a binding needs one even for a rule that keeps none.
pub(super) fn state_slots(rule: Rule) -> usize {
    rule.state().max(1)
}
