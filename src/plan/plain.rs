//! The plain plan: one dispatch for each operation of the forward and the backward pass, as backpropagation is written
//! on paper. To read, and to compare the others with.
//!
//! Forward, for each layer: z = a W + b, a' = f(z). Loss: d = l'(a, y) / count. Backward, last layer to
//! first: d *= f'(z); dW = aᵀ d; db = column sums of d; d' = d Wᵀ. Then the optimiser's update. Dropout stands between
//! a layer's activation and the next layer. Validation is the forward pass and the loss.

use super::builder::{Builder, dispatch};
use super::{Dispatch, Pass, PassKind, Plan, PlanKind, Recipe, Role, TrainShape, View};
use crate::error::Result;
use crate::kernels::{
    AB, ABT, ACTIVATION_BACKWARD, ACTIVATION_FORWARD, ATB, BIAS_ADD, BIAS_GRAD, DROPOUT_BACKWARD, DROPOUT_FORWARD,
    MATMUL, Part,
};
use crate::math::Activation;
use crate::spec::MlpSpec;

/// Plans training steps of `spec`, and the validation of what they learn, operation by operation.
pub fn plain(spec: &MlpSpec, recipe: &Recipe, shape: TrainShape) -> Result<Plan> {
    super::layered::by_layers(PlanKind::Plain, spec, recipe, shape)
}

/// Plans the forward pass of `spec` on up to `rows` rows, operation by operation; z of every layer stays.
pub fn plain_forward(spec: &MlpSpec, rows: usize, replicas: usize) -> Result<Plan> {
    let mut builder = Builder::new(spec, rows, replicas, 1);
    builder.add(Role::Features, &[rows, spec.inputs()]);
    builder.add_activations(PassKind::Train);
    let mut dispatches = Vec::new();
    builder.plain_forward(&mut dispatches, builder.shared(Role::Features), rows)?;
    builder.finish_layers(PlanKind::Plain, vec![Pass { kind: PassKind::Forward, rows, dispatches }])
}

impl Builder<'_> {
    pub(super) fn plain_forward(&self, dispatches: &mut Vec<Dispatch>, features: View, rows: usize) -> Result<()> {
        let mut x = features;
        for (i, layer) in self.spec.layers().iter().enumerate() {
            let z = self.pre_activation(i);
            let weight = self.tensor(Role::Parameters, self.layout.weight(i));
            let bias = self.tensor(Role::Parameters, self.layout.bias(i));
            dispatches.push(self.product(
                &MATMUL,
                AB,
                Activation::Identity,
                &[rows, layer.outputs, layer.inputs],
                &[x, weight, z],
            )?);
            dispatches.push(dispatch(&BIAS_ADD, Part::None, 0, &[rows, layer.outputs], &[bias, z])?);
            x = self.activation(i);
            if layer.activation != Activation::Identity {
                let part = Part::Activation(layer.activation);
                dispatches.push(dispatch(&ACTIVATION_FORWARD, part, 0, &[rows * layer.outputs], &[z, x])?);
            }
            if let Some(threshold) = self.dropped(i) {
                let (dims, y) = ([rows * layer.outputs, i + 1, threshold], self.handed_on(i, PassKind::Train));
                dispatches.push(dispatch(&DROPOUT_FORWARD, Part::None, 0, &dims, &[x, y])?);
                x = y;
            }
        }
        Ok(())
    }

    pub(super) fn plain_backward(&self, dispatches: &mut Vec<Dispatch>, features: View, rows: usize) -> Result<()> {
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
            dispatches.push(self.product(&MATMUL, ATB, Activation::Identity, &dims, &[x, d, weight_gradient])?);
            dispatches.push(dispatch(&BIAS_GRAD, Part::None, 0, &[rows, layer.outputs], &[d, bias_gradient])?);
            if i > 0 {
                let weight = self.tensor(Role::Parameters, self.layout.weight(i));
                let dims = [rows, layer.inputs, layer.outputs];
                dispatches.push(self.product(
                    &MATMUL,
                    ABT,
                    Activation::Identity,
                    &dims,
                    &[d, weight, self.delta(i - 1)],
                )?);
            }
        }
        Ok(())
    }
}
