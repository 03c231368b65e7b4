//! The layered plan: a dispatch or two for each layer and direction. A layer's product, its bias and its activation are one;
//! so are the product that leads back to the layer before and that layer's derivative, and the gradients by its weight and bias.
//! Works for any size.

use super::builder::{Builder, Shares, batches, dispatch, sizes};
use super::{Dispatch, Pass, PassKind, Plan, PlanKind, Recipe, Role, TrainShape, View};
use crate::error::Result;
use crate::kernels::{
    ABT, ACTIVATION_BACKWARD, DENSE, DENSE_BACKWARD, DENSE_GRADIENT, DENSE_KEEP, DROPOUT_BACKWARD, DROPOUT_FORWARD,
    GATHER, IN_ORDER, MATMUL, Part, SHUFFLED, loss_kernel,
};
use crate::math::Activation;
use crate::spec::MlpSpec;

/// Plans training steps of `spec`, and the validation of what they learn.
pub fn train(spec: &MlpSpec, recipe: &Recipe, shape: TrainShape) -> Result<Plan> {
    by_layers(PlanKind::Layered, spec, recipe, shape)
}

/// The layered plan or the plain one: they differ in what makes a layer's forward and backward pass.
pub(super) fn by_layers(kind: PlanKind, spec: &MlpSpec, recipe: &Recipe, shape: TrainShape) -> Result<Plan> {
    let TrainShape { samples, validation, replicas, slots, .. } = shape;
    let (batch, judged) = batches(&shape);
    let mut builder = Builder::training(spec, recipe, &shape, batch.max(judged))?;
    builder.add_batch(batch < samples || judged < validation);
    builder.add_activations(PassKind::Train);
    builder.add_deltas();
    let shares = builder.shares(kind, batch);
    if shares.count > 1 {
        builder.add(Role::Shares, &[replicas, shares.count, shares.stride]);
    }
    let (_, _, groups) = loss_kernel(spec.loss(), builder.rows, spec.outputs());
    builder.add(Role::LossRing, &[slots, replicas, groups, 2]);

    let mut passes = Vec::new();
    for rows in sizes(samples, batch) {
        passes.push(builder.step(kind, recipe, samples, rows, groups)?);
    }
    for rows in sizes(validation, judged) {
        passes.push(builder.validation(validation, rows, groups)?);
    }
    builder.finish_layers(kind, passes)
}

/// Plans the forward pass of `spec` on up to `rows` rows.
pub fn forward(spec: &MlpSpec, rows: usize, replicas: usize) -> Result<Plan> {
    let mut builder = Builder::new(spec, rows, replicas, 1);
    builder.add(Role::Features, &[rows, spec.inputs()]);
    builder.add_activations(PassKind::Forward);
    let mut dispatches = Vec::new();
    builder.forward(&mut dispatches, builder.shared(Role::Features), rows, PassKind::Forward)?;
    builder.finish_layers(PlanKind::Layered, vec![Pass { kind: PassKind::Forward, rows, dispatches }])
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

    /// Adds room for what the layers make; z that differs from a, and what dropout leaves, for training alone.
    pub(super) fn add_activations(&mut self, kind: PassKind) {
        for (i, layer) in self.spec.layers().iter().enumerate() {
            let extents = [self.replicas, self.rows, layer.outputs];
            let (linear, train) = (layer.activation == Activation::Identity, kind == PassKind::Train);
            if linear || train {
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

    pub(super) fn pre_activation(&self, layer: usize) -> View {
        self.each(Role::PreActivation(layer), self.rows * self.spec.layers()[layer].outputs)
    }

    /// What a layer hands on in a pass: its activation, in training behind its dropout.
    pub(super) fn handed_on(&self, layer: usize, kind: PassKind) -> View {
        match self.dropped(layer) {
            Some(_) if kind == PassKind::Train => {
                self.each(Role::Dropped(layer), self.rows * self.spec.layers()[layer].outputs)
            }
            _ => self.activation(layer),
        }
    }

    /// A layer's activation, or z where that is the identity.
    pub(super) fn activation(&self, layer: usize) -> View {
        match self.spec.layers()[layer].activation {
            Activation::Identity => self.pre_activation(layer),
            _ => self.each(Role::Activation(layer), self.rows * self.spec.layers()[layer].outputs),
        }
    }

    fn step(&self, kind: PlanKind, recipe: &Recipe, samples: usize, rows: usize, groups: usize) -> Result<Pass> {
        let mut dispatches = Vec::new();
        let columns = self.target_columns;
        let data = [(Role::Features, self.spec.inputs()), (Role::Targets, columns)];
        let [features, targets] = self.batch(&mut dispatches, data, rows, samples, SHUFFLED)?;
        let shares = self.shares(kind, rows);
        match kind {
            PlanKind::Layered => self.forward(&mut dispatches, features, rows, PassKind::Train)?,
            _ => self.plain_forward(&mut dispatches, features, rows)?,
        }
        self.loss(&mut dispatches, (targets, columns), rows, groups)?;
        match kind {
            PlanKind::Layered => self.backward(&mut dispatches, features, rows, shares)?,
            _ => self.plain_backward(&mut dispatches, features, rows)?,
        }
        self.update(&mut dispatches, recipe, shares)?;
        Ok(Pass { kind: PassKind::Train, rows, dispatches })
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
            let weight = self.tensor(Role::Parameters, self.layout.weight(i));
            let bias = self.tensor(Role::Parameters, self.layout.bias(i));
            let (dims, a) = ([rows, layer.outputs, layer.inputs], self.activation(i));
            // Without an activation z is a.
            dispatches.push(if kind == PassKind::Train && layer.activation != Activation::Identity {
                self.product(&DENSE_KEEP, 0, layer.activation, &dims, &[x, weight, bias, self.pre_activation(i), a])?
            } else {
                self.product(&DENSE, 0, layer.activation, &dims, &[x, weight, bias, a])?
            });
            x = a;
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
        let ((targets, columns), hyper) = (targets, self.hyper());
        let views = [self.activation(last), targets, hyper, self.delta(last), self.ring(groups)];
        let dims = [rows, self.spec.outputs(), columns, groups];
        let (kernel, part, _) = loss_kernel(self.spec.loss(), rows, self.spec.outputs());
        dispatches.push(dispatch(kernel, part, 0, &dims, &views)?);
        Ok(())
    }

    /// The gradient by a layer's output.
    pub(super) fn delta(&self, layer: usize) -> View {
        let role = Role::Delta(layer % 2 * (self.spec.layers().len() - 1).min(1));
        let widest = self.spec.layers().iter().map(|layer| layer.outputs).max().unwrap_or(0);
        self.each(role, self.rows * widest)
    }

    /// From the gradient by the last layer's output to those by all parameters, in shares.
    fn backward(&self, dispatches: &mut Vec<Dispatch>, features: View, rows: usize, shares: Shares) -> Result<()> {
        let layers = self.spec.layers();
        let last = layers.len() - 1;
        if layers[last].activation != Activation::Identity {
            let views = [self.pre_activation(last), self.activation(last), self.delta(last)];
            let part = Part::Activation(layers[last].activation);
            dispatches.push(dispatch(&ACTIVATION_BACKWARD, part, 0, &[rows * layers[last].outputs], &views)?);
        }
        for (i, layer) in layers.iter().enumerate().rev() {
            let d = self.delta(i);
            let x = if i == 0 { features } else { self.handed_on(i - 1, PassKind::Train) };
            let place = View { offset: self.layout.weight(i).range.start, ..self.shared_out(shares) };
            let own = (layer.inputs + 1) * layer.outputs;
            let stride = if shares.count > 1 { shares.stride } else { own };
            let span = (shares.count - 1) * stride + own;
            let dims = [layer.inputs, layer.outputs, rows, shares.count, stride, span];
            dispatches.push(self.product(&DENSE_GRADIENT, 0, Activation::Identity, &dims, &[x, d, place])?);
            let Some(before) = i.checked_sub(1) else { break };
            let weight = self.tensor(Role::Parameters, self.layout.weight(i));
            let (activation, next) = (layers[before].activation, self.delta(before));
            let dims = [rows, layer.inputs, layer.outputs];
            dispatches.push(if activation == Activation::Identity {
                self.product(&MATMUL, ABT, activation, &dims, &[d, weight, next])?
            } else {
                let views = [d, weight, self.pre_activation(before), self.activation(before), next];
                self.product(&DENSE_BACKWARD, 0, activation, &dims, &views)?
            });
            // Both factors are by elements, so the mask may come behind the derivative.
            if let Some(threshold) = self.dropped(before) {
                let dims = [rows * layer.inputs, i, threshold];
                dispatches.push(dispatch(&DROPOUT_BACKWARD, Part::None, 0, &dims, &[next])?);
            }
        }
        Ok(())
    }

    /// The shares that the gradient is made in: one for every [`SHARE_ROWS`] rows, as far as their memory is worth it. Each
    /// begins at a multiple of four, so that it can be written four elements at a time.
    fn shares(&self, kind: PlanKind, rows: usize) -> Shares {
        let most = if kind == PlanKind::Layered { SHARES } else { 1 };
        let count = (rows / SHARE_ROWS).min(most).min(SHARE_PARAMETERS / self.layout.len()).max(1);
        Shares { count, stride: self.layout.len().next_multiple_of(4) }
    }

    pub(super) fn finish_layers(self, kind: PlanKind, passes: Vec<Pass>) -> Result<Plan> {
        let output = self.activation(self.spec.layers().len() - 1).buffer;
        self.finish(kind, passes, Some(output))
    }
}

/// Rows of a share of the gradient. Where a share has as many rows, each of its elements takes 512 operations for the 8 bytes
/// that it adds to the traffic, far more than a GPU has for a byte of its memory's.
const SHARE_ROWS: usize = 256;
/// Most shares: a product of 64 x 64 has few tiles, and large GPUs have about a hundred places for several each.
const SHARES: usize = 64;
/// Most elements of all shares; a network with more parameters has tiles enough.
const SHARE_PARAMETERS: usize = 1 << 24;
