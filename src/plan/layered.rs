//! The layered plan: one dispatch for each operation of the forward and the backward pass, as
//! backpropagation is written on paper. Works for any size.
//!
//! Forward, for each layer: z = a W + b, a' = f(z). Loss: d = l'(a, y) / count. Backward, last layer to
//! first: d *= f'(z); dW = aᵀ d; db = column sums of d; d' = d Wᵀ. Then the optimiser's update.

use super::{Buffer, BufferId, Dispatch, Pass, Plan, PlanKind, Role, TrainShape, View};
use crate::error::{Error, Result};
use crate::kernels::{
    AB, ABT, ACTIVATION_BACKWARD, ACTIVATION_FORWARD, ATB, BIAS_ADD, BIAS_GRAD, GATHER, Kernel, LOSS, MATMUL, Part,
    UPDATE, loss_groups,
};
use crate::math::{Activation, Optimizer, Rule};
use crate::params::{Layout, Tensor};
use crate::spec::MlpSpec;

/// Parameter copies that a trainer may keep: one for each submission in flight and one before them.
pub(crate) const SNAPSHOTS: usize = 3;

/// Plans training steps of `spec` with `rule`. Pass 0 is a step on a whole batch; pass 1, present when the
/// data set is not a multiple of the batch, a step on what remains.
pub fn train(spec: &MlpSpec, rule: Rule, shape: TrainShape) -> Result<Plan> {
    let TrainShape { samples, replicas, slots, .. } = shape;
    for (what, value) in
        [("number of rows", samples), ("--batch", shape.batch), ("replicas", replicas), ("slots", slots)]
    {
        if value == 0 || u32::try_from(value).is_err() {
            let expected = format!("1 to {}", u32::MAX);
            return Err(Error::Setting { what, found: value.to_string(), expected });
        }
    }
    let batch = shape.batch.min(samples);
    let mut builder = Builder::new(spec, batch, replicas, slots);
    builder.add(Role::Features, &[samples, spec.inputs()]);
    builder.add(Role::Targets, &[samples, spec.outputs()]);
    if batch < samples {
        builder.add(Role::BatchFeatures, &[replicas, batch, spec.inputs()]);
        builder.add(Role::BatchTargets, &[replicas, batch, spec.outputs()]);
    }
    builder.add_activations();
    let widest = spec.layers().iter().map(|layer| layer.outputs).max().unwrap_or(0);
    for turn in 0..spec.layers().len().min(2) {
        builder.add(Role::Delta(turn), &[replicas, batch, widest]);
    }
    let parameters = [replicas, builder.layout.len()];
    builder.add(Role::Gradients, &parameters);
    builder.add(Role::Hyper, &[replicas, Optimizer::HYPER]);
    builder.add(Role::OptimizerState, &[replicas, builder.layout.len(), state_slots(rule)]);
    for index in 0..SNAPSHOTS {
        builder.add(Role::Snapshot(index), &parameters);
    }
    let groups = loss_groups((batch * spec.outputs()) as u64) as usize;
    builder.add(Role::LossRing, &[slots, replicas, groups, 2]);

    let mut passes = vec![builder.step(rule, samples, batch, groups)?];
    if !samples.is_multiple_of(batch) {
        passes.push(builder.step(rule, samples, samples % batch, groups)?);
    }
    builder.finish(passes)
}

/// Plans the forward pass of `spec` on up to `rows` rows.
pub fn forward(spec: &MlpSpec, rows: usize, replicas: usize) -> Result<Plan> {
    let mut builder = Builder::new(spec, rows, replicas, 1);
    builder.add(Role::Features, &[rows, spec.inputs()]);
    builder.add_activations();
    let mut dispatches = Vec::new();
    let input = builder.shared(Role::Features);
    builder.forward(&mut dispatches, input, rows)?;
    builder.finish(vec![Pass { rows, dispatches }])
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
    buffers: Vec<Buffer>,
}

impl<'a> Builder<'a> {
    fn new(spec: &'a MlpSpec, rows: usize, replicas: usize, slots: usize) -> Self {
        let layout = Layout::new(spec);
        let parameters = Buffer { role: Role::Parameters, len: replicas * layout.len() };
        Self { spec, layout, rows, replicas, slots, buffers: vec![parameters] }
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
        }
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

    /// What a layer hands on: its activation, or z where that is the identity.
    fn activation(&self, layer: usize) -> View {
        match self.spec.layers()[layer].activation {
            Activation::Identity => self.pre_activation(layer),
            _ => self.each(Role::Activation(layer), self.rows * self.spec.layers()[layer].outputs),
        }
    }

    fn step(&self, rule: Rule, samples: usize, rows: usize, groups: usize) -> Result<Pass> {
        let mut dispatches = Vec::new();
        let (mut features, mut targets) = (self.shared(Role::Features), self.shared(Role::Targets));
        if self.rows < samples {
            for (data, batch, columns) in [
                (&mut features, Role::BatchFeatures, self.spec.inputs()),
                (&mut targets, Role::BatchTargets, self.spec.outputs()),
            ] {
                let x = self.each(batch, self.rows * columns);
                dispatches.push(dispatch(&GATHER, Part::None, 0, &[rows, columns, samples], &[*data, x])?);
                *data = x;
            }
        }
        self.forward(&mut dispatches, features, rows)?;
        self.loss(&mut dispatches, targets, rows, groups)?;
        self.backward(&mut dispatches, features, rows)?;
        let parameters = self.layout.len();
        let views = [
            self.each(Role::Gradients, parameters),
            self.each(Role::Hyper, Optimizer::HYPER),
            self.each(Role::Parameters, parameters),
            self.each(Role::OptimizerState, parameters * state_slots(rule)),
        ];
        dispatches.push(dispatch(&UPDATE, Part::Rule(rule), 0, &[parameters, state_slots(rule)], &views)?);
        Ok(Pass { rows, dispatches })
    }

    fn forward(&self, dispatches: &mut Vec<Dispatch>, features: View, rows: usize) -> Result<()> {
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
        }
        Ok(())
    }

    fn loss(&self, dispatches: &mut Vec<Dispatch>, targets: View, rows: usize, groups: usize) -> Result<()> {
        let last = self.spec.layers().len() - 1;
        let ring = View { slot_stride: self.replicas * groups * 2, ..self.each(Role::LossRing, groups * 2) };
        let views = [self.activation(last), targets, self.delta(last), ring];
        let dims = [rows, self.spec.outputs(), groups];
        dispatches.push(dispatch(&LOSS, Part::Loss(self.spec.loss()), 0, &dims, &views)?);
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
            if layer.activation != Activation::Identity {
                let part = Part::Activation(layer.activation);
                let views = [self.pre_activation(i), self.activation(i), d];
                dispatches.push(dispatch(&ACTIVATION_BACKWARD, part, 0, &[rows * layer.outputs], &views)?);
            }
            let x = if i == 0 { features } else { self.activation(i - 1) };
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
