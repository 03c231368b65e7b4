//! The layered plan: one dispatch for each operation of the forward and the backward pass, as
//! backpropagation is written on paper. Works for any size.
//!
//! Forward, for each layer: z = a W + b, a' = f(z). Loss: d = l'(a, y) / count. Backward, last layer to
//! first: d *= f'(z); dW = aᵀ d; db = column sums of d; d' = d Wᵀ. Then the optimiser's update. Dropout stands between
//! a layer's activation and the next layer. Validation is the forward pass and the loss.

use super::{Buffer, BufferId, Dispatch, Pass, PassKind, Plan, PlanKind, Recipe, Role, TrainShape, View};
use crate::error::{Error, Result};
use crate::kernels::{
    AB, ABT, ACTIVATION_BACKWARD, ACTIVATION_FORWARD, ATB, BIAS_ADD, BIAS_GRAD, CLIPPED, DROPOUT_BACKWARD,
    DROPOUT_FORWARD, GATHER, IN_ORDER, Kernel, MATMUL, Part, SHUFFLED, SQUARE_SUM, UNSCALED, UPDATE, dropout_threshold,
    loss_kernel, square_groups,
};
use crate::math::{Activation, Optimizer, Rule};
use crate::params::{Layout, Tensor};
use crate::spec::MlpSpec;

/// Parameter copies that a trainer may keep: one for each submission in flight and one before them.
pub(crate) const SNAPSHOTS: usize = 3;

/// Rows of a validation pass, where the batch has no more.
const VALIDATION_ROWS: usize = 1024;

/// Plans training steps of `spec`, and the validation of what they learn.
pub fn train(spec: &MlpSpec, recipe: &Recipe, shape: TrainShape) -> Result<Plan> {
    let TrainShape { samples, validation, replicas, slots, .. } = shape;
    for (what, value) in [
        ("number of rows", samples),
        ("number of validation rows", validation.max(1)),
        ("--batch", shape.batch),
        ("replicas", replicas),
        ("slots", slots),
    ] {
        if value == 0 || u32::try_from(value).is_err() {
            let expected = format!("1 to {}", u32::MAX);
            return Err(Error::Setting { what, found: value.to_string(), expected });
        }
    }
    let batch = shape.batch.min(samples);
    let judged = batch.max(VALIDATION_ROWS).min(validation);
    let mut builder = Builder::new(spec, batch.max(judged), replicas, slots);
    builder.dropout.clone_from(&recipe.dropout);
    builder.add(Role::Features, &[samples, spec.inputs()]);
    builder.target_columns += usize::from(shape.weighted);
    builder.add(Role::Targets, &[samples, builder.target_columns]);
    if validation > 0 {
        builder.add(Role::ValidationFeatures, &[validation, spec.inputs()]);
        builder.add(Role::ValidationTargets, &[validation, spec.target_columns()]);
    }
    if batch < samples || judged < validation {
        builder.add(Role::BatchFeatures, &[replicas, builder.rows, spec.inputs()]);
        builder.add(Role::BatchTargets, &[replicas, builder.rows, builder.target_columns]);
    }
    builder.add_activations();
    let widest = spec.layers().iter().map(|layer| layer.outputs).max().unwrap_or(0);
    for turn in 0..spec.layers().len().min(2) {
        builder.add(Role::Delta(turn), &[replicas, builder.rows, widest]);
    }
    let parameters = [replicas, builder.layout.len()];
    builder.add(Role::Gradients, &parameters);
    let squares = if recipe.clip_norm { square_groups(builder.layout.len() as u64) } else { 1 };
    builder.add(Role::SquareSums, &[replicas, squares]);
    builder.add(Role::Hyper, &[replicas, Optimizer::HYPER]);
    builder.add(Role::OptimizerState, &[replicas, builder.layout.len(), state_slots(recipe.rule)]);
    for index in 0..SNAPSHOTS {
        builder.add(Role::Snapshot(index), &parameters);
    }
    if recipe.keep_best {
        builder.add(Role::Best, &parameters);
    }
    let (_, _, groups) = loss_kernel(spec.loss(), builder.rows, spec.outputs());
    builder.add(Role::LossRing, &[slots, replicas, groups, 2]);

    let mut passes = Vec::new();
    for rows in sizes(samples, batch) {
        passes.push(builder.step(recipe, samples, rows, (squares, groups))?);
    }
    for rows in sizes(validation, judged) {
        passes.push(builder.validation(validation, rows, groups)?);
    }
    builder.finish(passes)
}

/// Rows of a whole batch, and what remains of all rows if that is not nothing.
fn sizes(rows: usize, batch: usize) -> impl Iterator<Item = usize> {
    [batch, rows.checked_rem(batch).unwrap_or(0)].into_iter().filter(|&rows| rows > 0)
}

/// Plans the forward pass of `spec` on up to `rows` rows.
pub fn forward(spec: &MlpSpec, rows: usize, replicas: usize) -> Result<Plan> {
    let mut builder = Builder::new(spec, rows, replicas, 1);
    builder.add(Role::Features, &[rows, spec.inputs()]);
    builder.add_activations();
    let mut dispatches = Vec::new();
    let input = builder.shared(Role::Features);
    builder.forward(&mut dispatches, input, rows, PassKind::Forward)?;
    builder.finish(vec![Pass { kind: PassKind::Forward, rows, dispatches }])
}

/// Values kept for a parameter; a binding needs one even for a rule that keeps none.
fn state_slots(rule: Rule) -> usize {
    rule.state().max(1)
}

struct Builder<'a> {
    spec: &'a MlpSpec,
    layout: Layout,
    rows: usize,
    replicas: usize,
    slots: usize,
    dropout: Vec<f64>,
    /// Of the training data, a weight's included.
    target_columns: usize,
    buffers: Vec<Buffer>,
}

impl<'a> Builder<'a> {
    fn new(spec: &'a MlpSpec, rows: usize, replicas: usize, slots: usize) -> Self {
        let layout = Layout::new(spec);
        let parameters = Buffer { role: Role::Parameters, len: replicas * layout.len() };
        let (dropout, target_columns) = (Vec::new(), spec.target_columns());
        Self { spec, layout, rows, replicas, slots, dropout, target_columns, buffers: vec![parameters] }
    }

    /// Adds a buffer of so many elements, the product of `extents`: too many for any device where it overflows.
    fn add(&mut self, role: Role, extents: &[usize]) {
        let len = extents.iter().fold(1, |len: usize, &extent| len.saturating_mul(extent));
        self.buffers.push(Buffer { role, len });
    }

    fn add_activations(&mut self) {
        for (i, layer) in self.spec.layers().iter().enumerate() {
            let extents = [self.replicas, self.rows, layer.outputs];
            self.add(Role::PreActivation(i), &extents);
            if layer.activation != Activation::Identity {
                self.add(Role::Activation(i), &extents);
            }
            if self.dropped(i).is_some() {
                self.add(Role::Dropped(i), &extents);
            }
        }
    }

    /// The threshold of a layer's dropout, if it has one. The last layer's outputs are never dropped.
    fn dropped(&self, layer: usize) -> Option<usize> {
        let rate = self.dropout.get(layer).filter(|_| layer + 1 < self.spec.layers().len());
        rate.map(|&rate| dropout_threshold(rate) as usize).filter(|&threshold| threshold > 0)
    }

    fn id(&self, role: Role) -> BufferId {
        // Every role that is asked for has been added; `Plan::check` would name one that has not.
        self.buffers.iter().position(|buffer| buffer.role == role).unwrap_or(usize::MAX)
    }

    /// A buffer that all replicas read.
    fn shared(&self, role: Role) -> View {
        View { buffer: self.id(role), offset: 0, replica_stride: 0, slot_stride: 0 }
    }

    /// A buffer with `stride` elements for each replica.
    fn each(&self, role: Role, stride: usize) -> View {
        View { replica_stride: stride, ..self.shared(role) }
    }

    /// A parameter tensor, or its place among the gradients.
    fn tensor(&self, role: Role, tensor: &Tensor) -> View {
        View { offset: tensor.range.start, ..self.each(role, self.layout.len()) }
    }

    fn pre_activation(&self, layer: usize) -> View {
        self.each(Role::PreActivation(layer), self.rows * self.spec.layers()[layer].outputs)
    }

    /// What a layer hands on in a pass: its activation, in training behind its dropout.
    fn handed_on(&self, layer: usize, kind: PassKind) -> View {
        match self.dropped(layer) {
            Some(_) if kind == PassKind::Train => {
                self.each(Role::Dropped(layer), self.rows * self.spec.layers()[layer].outputs)
            }
            _ => self.activation(layer),
        }
    }

    /// A layer's activation, or z where that is the identity.
    fn activation(&self, layer: usize) -> View {
        match self.spec.layers()[layer].activation {
            Activation::Identity => self.pre_activation(layer),
            _ => self.each(Role::Activation(layer), self.rows * self.spec.layers()[layer].outputs),
        }
    }

    fn step(&self, recipe: &Recipe, samples: usize, rows: usize, sums: (usize, usize)) -> Result<Pass> {
        let ((squares, groups), kind) = (sums, PassKind::Train);
        let mut dispatches = Vec::new();
        let columns = self.target_columns;
        let data = [(Role::Features, self.spec.inputs()), (Role::Targets, columns)];
        let [features, targets] = self.batch(&mut dispatches, data, rows, samples, SHUFFLED)?;
        self.forward(&mut dispatches, features, rows, kind)?;
        self.loss(&mut dispatches, (targets, columns), rows, groups)?;
        self.backward(&mut dispatches, features, rows)?;
        let (parameters, state) = (self.layout.len(), state_slots(recipe.rule));
        let gradients = self.each(Role::Gradients, parameters);
        let sums = self.each(Role::SquareSums, squares);
        if recipe.clip_norm {
            dispatches.push(dispatch(&SQUARE_SUM, Part::None, 0, &[parameters, squares], &[gradients, sums])?);
        }
        let views = [
            gradients,
            sums,
            self.each(Role::Hyper, Optimizer::HYPER),
            self.each(Role::Parameters, parameters),
            self.each(Role::OptimizerState, parameters * state),
        ];
        let variant = if recipe.clip_norm { CLIPPED } else { UNSCALED };
        let dims = [parameters, state, squares];
        dispatches.push(dispatch(&UPDATE, Part::Rule(recipe.rule), variant, &dims, &views)?);
        Ok(Pass { kind, rows, dispatches })
    }

    fn validation(&self, samples: usize, rows: usize, groups: usize) -> Result<Pass> {
        let kind = PassKind::Validate;
        let mut dispatches = Vec::new();
        let columns = self.spec.target_columns();
        let data = [(Role::ValidationFeatures, self.spec.inputs()), (Role::ValidationTargets, columns)];
        let [features, targets] = self.batch(&mut dispatches, data, rows, samples, IN_ORDER)?;
        self.forward(&mut dispatches, features, rows, kind)?;
        self.loss(&mut dispatches, (targets, columns), rows, groups)?;
        Ok(Pass { kind, rows, dispatches })
    }

    /// Features and targets of a pass, each with its columns: gathered, unless the whole data set is one batch.
    fn batch(
        &self,
        dispatches: &mut Vec<Dispatch>,
        data: [(Role, usize); 2],
        rows: usize,
        samples: usize,
        order: usize,
    ) -> Result<[View; 2]> {
        let [mut features, mut targets] = data.map(|(role, _)| self.shared(role));
        if rows < samples {
            for (data, batch, columns) in
                [(&mut features, Role::BatchFeatures, data[0].1), (&mut targets, Role::BatchTargets, data[1].1)]
            {
                let x = self.each(batch, self.rows * columns);
                dispatches.push(dispatch(&GATHER, Part::None, order, &[rows, columns, samples], &[*data, x])?);
                *data = x;
            }
        }
        Ok([features, targets])
    }

    fn forward(&self, dispatches: &mut Vec<Dispatch>, features: View, rows: usize, kind: PassKind) -> Result<()> {
        let mut x = features;
        for (i, layer) in self.spec.layers().iter().enumerate() {
            let z = self.pre_activation(i);
            let weight = self.tensor(Role::Parameters, self.layout.weight(i));
            let bias = self.tensor(Role::Parameters, self.layout.bias(i));
            dispatches.push(dispatch(&MATMUL, Part::None, AB, &[rows, layer.outputs, layer.inputs], &[x, weight, z])?);
            dispatches.push(dispatch(&BIAS_ADD, Part::None, 0, &[rows, layer.outputs], &[bias, z])?);
            x = self.activation(i);
            if layer.activation != Activation::Identity {
                let part = Part::Activation(layer.activation);
                dispatches.push(dispatch(&ACTIVATION_FORWARD, part, 0, &[rows * layer.outputs], &[z, x])?);
            }
            if let (Some(threshold), PassKind::Train) = (self.dropped(i), kind) {
                let (dims, y) = ([rows * layer.outputs, i + 1, threshold], self.handed_on(i, kind));
                dispatches.push(dispatch(&DROPOUT_FORWARD, Part::None, 0, &dims, &[x, y])?);
                x = y;
            }
        }
        Ok(())
    }

    fn loss(&self, dispatches: &mut Vec<Dispatch>, targets: (View, usize), rows: usize, groups: usize) -> Result<()> {
        let last = self.spec.layers().len() - 1;
        let ring = View { slot_stride: self.replicas * groups * 2, ..self.each(Role::LossRing, groups * 2) };
        let ((targets, columns), hyper) = (targets, self.each(Role::Hyper, Optimizer::HYPER));
        let views = [self.activation(last), targets, hyper, self.delta(last), ring];
        let dims = [rows, self.spec.outputs(), columns, groups];
        let (kernel, part, _) = loss_kernel(self.spec.loss(), rows, self.spec.outputs());
        dispatches.push(dispatch(kernel, part, 0, &dims, &views)?);
        Ok(())
    }

    /// The gradient by a layer's output.
    fn delta(&self, layer: usize) -> View {
        let role = Role::Delta(layer % 2 * (self.spec.layers().len() - 1).min(1));
        let widest = self.spec.layers().iter().map(|layer| layer.outputs).max().unwrap_or(0);
        self.each(role, self.rows * widest)
    }

    fn backward(&self, dispatches: &mut Vec<Dispatch>, features: View, rows: usize) -> Result<()> {
        for (i, layer) in self.spec.layers().iter().enumerate().rev() {
            let d = self.delta(i);
            if let Some(threshold) = self.dropped(i) {
                dispatches.push(dispatch(
                    &DROPOUT_BACKWARD,
                    Part::None,
                    0,
                    &[rows * layer.outputs, i + 1, threshold],
                    &[d],
                )?);
            }
            if layer.activation != Activation::Identity {
                let part = Part::Activation(layer.activation);
                let views = [self.pre_activation(i), self.activation(i), d];
                dispatches.push(dispatch(&ACTIVATION_BACKWARD, part, 0, &[rows * layer.outputs], &views)?);
            }
            let x = if i == 0 { features } else { self.handed_on(i - 1, PassKind::Train) };
            let weight_gradient = self.tensor(Role::Gradients, self.layout.weight(i));
            let bias_gradient = self.tensor(Role::Gradients, self.layout.bias(i));
            let dims = [layer.inputs, layer.outputs, rows];
            dispatches.push(dispatch(&MATMUL, Part::None, ATB, &dims, &[x, d, weight_gradient])?);
            dispatches.push(dispatch(&BIAS_GRAD, Part::None, 0, &[rows, layer.outputs], &[d, bias_gradient])?);
            if i > 0 {
                let weight = self.tensor(Role::Parameters, self.layout.weight(i));
                let dims = [rows, layer.inputs, layer.outputs];
                dispatches.push(dispatch(&MATMUL, Part::None, ABT, &dims, &[d, weight, self.delta(i - 1)])?);
            }
        }
        Ok(())
    }

    fn finish(self, passes: Vec<Pass>) -> Result<Plan> {
        let output = self.activation(self.spec.layers().len() - 1).buffer;
        let Self { replicas, slots, buffers, .. } = self;
        let plan = Plan { kind: PlanKind::Layered, replicas, slots, buffers, passes, output };
        plan.check()?;
        Ok(plan)
    }
}

fn dispatch(kernel: &'static Kernel, part: Part, variant: usize, dims: &[usize], views: &[View]) -> Result<Dispatch> {
    let dims = dims.iter().map(|&dim| u32::try_from(dim).map_err(|_| dim)).collect::<Result<_, _>>();
    let dims = dims.map_err(|dim| Error::TooLarge {
        what: format!("the network's {}", kernel.name),
        needed: dim as u64 * 4,
        available: u64::from(u32::MAX) * 4,
        device: "a buffer on any device".into(),
    })?;
    Ok(Dispatch { kernel, part, variant, dims, views: views.to_vec() })
}
