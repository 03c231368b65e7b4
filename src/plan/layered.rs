//! The layered plan: one dispatch for each operation of the forward and the backward pass, as
//! backpropagation is written on paper. Works for any size.
//!
//! Forward, for each layer: z = a W + b, a' = f(z). Loss: d = l'(a, y) / count. Backward, last layer to
//! first: d *= f'(z); dW = aᵀ d; db = column sums of d; d' = d Wᵀ. Then the optimiser's update. Dropout stands between
//! a layer's activation and the next layer. Validation is the forward pass and the loss.

use super::builder::{Builder, batches, dispatch, sizes, state_slots};
use super::{Dispatch, Pass, PassKind, Plan, PlanKind, Recipe, Role, TrainShape, View};
use crate::error::Result;
use crate::kernels::{
    AB, ABT, ACTIVATION_BACKWARD, ACTIVATION_FORWARD, ATB, BIAS_ADD, BIAS_GRAD, CLIPPED, DROPOUT_BACKWARD,
    DROPOUT_FORWARD, GATHER, IN_ORDER, MATMUL, Part, SHUFFLED, SQUARE_SUM, UNSCALED, UPDATE, loss_kernel,
};
use crate::math::{Activation, Optimizer};
use crate::spec::MlpSpec;

/// Plans training steps of `spec`, and the validation of what they learn.
pub fn train(spec: &MlpSpec, recipe: &Recipe, shape: TrainShape) -> Result<Plan> {
    let TrainShape { samples, validation, replicas, slots, .. } = shape;
    let (batch, judged) = batches(&shape);
    let mut builder = Builder::training(spec, recipe, &shape, batch.max(judged))?;
    builder.add_batch(batch < samples || judged < validation);
    builder.add_activations();
    builder.add_deltas();
    let (_, _, groups) = loss_kernel(spec.loss(), builder.rows, spec.outputs());
    builder.add(Role::LossRing, &[slots, replicas, groups, 2]);

    let mut passes = Vec::new();
    for rows in sizes(samples, batch) {
        passes.push(builder.step(recipe, samples, rows, groups)?);
    }
    for rows in sizes(validation, judged) {
        passes.push(builder.validation(validation, rows, groups)?);
    }
    builder.finish_layered(passes)
}

/// Plans the forward pass of `spec` on up to `rows` rows.
pub fn forward(spec: &MlpSpec, rows: usize, replicas: usize) -> Result<Plan> {
    let mut builder = Builder::new(spec, rows, replicas, 1);
    builder.add(Role::Features, &[rows, spec.inputs()]);
    builder.add_activations();
    let mut dispatches = Vec::new();
    let input = builder.shared(Role::Features);
    builder.forward(&mut dispatches, input, rows, PassKind::Forward)?;
    builder.finish_layered(vec![Pass { kind: PassKind::Forward, rows, dispatches }])
}

impl Builder<'_> {
    /// Adds room for a batch's rows, if they are gathered.
    pub(super) fn add_batch(&mut self, gathered: bool) {
        if gathered {
            self.add(Role::BatchFeatures, &[self.replicas, self.rows, self.spec.inputs()]);
            self.add(Role::BatchTargets, &[self.replicas, self.rows, self.target_columns]);
        }
    }

    /// Adds room for the gradients by the layers' outputs.
    pub(super) fn add_deltas(&mut self) {
        let widest = self.spec.layers().iter().map(|layer| layer.outputs).max().unwrap_or(0);
        for turn in 0..self.spec.layers().len().min(2) {
            self.add(Role::Delta(turn), &[self.replicas, self.rows, widest]);
        }
    }

    pub(super) fn add_activations(&mut self) {
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

    fn step(&self, recipe: &Recipe, samples: usize, rows: usize, groups: usize) -> Result<Pass> {
        let (squares, kind) = (self.squares(recipe), PassKind::Train);
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
        let [hyper, p, state_view] = self.updated(recipe);
        let views = [gradients, sums, hyper, p, state_view];
        let variant = if recipe.clip_norm { CLIPPED } else { UNSCALED };
        let dims = [parameters, state, squares];
        dispatches.push(dispatch(&UPDATE, Part::Rule(recipe.rule), variant, &dims, &views)?);
        Ok(Pass { kind, rows, dispatches })
    }

    pub(super) fn validation(&self, samples: usize, rows: usize, groups: usize) -> Result<Pass> {
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
        let ((targets, columns), hyper) = (targets, self.each(Role::Hyper, Optimizer::HYPER));
        let views = [self.activation(last), targets, hyper, self.delta(last), self.ring(groups)];
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

    fn finish_layered(self, passes: Vec<Pass>) -> Result<Plan> {
        let output = self.activation(self.spec.layers().len() - 1).buffer;
        self.finish(PlanKind::Layered, passes, Some(output))
    }
}
