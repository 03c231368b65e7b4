//! The plain plan: one dispatch for each operation of the forward and the backward pass, as backpropagation is written
//! on paper. To read, and to compare the others with.
//!
//! Forward, for each layer: z = a W + b, a' = f(z). Loss: d = l'(a, y) / count. Backward, last layer to
//! first: d *= f'(z); dW = aᵀ d; db = column sums of d; d' = d Wᵀ. Then the optimiser's update. Dropout stands between
//! a layer's activation and the next layer. Validation is the forward pass and the loss.

use super::buffers::{Role, View};
use super::builder::{Builder, PartialGradients};
use super::passes::{Dispatch, Pass, PassKind, Plan, dispatch};
use super::request::{PlanKind, Recipe, TrainShape, batches, sizes};
use crate::error::Result;
use crate::kernels::{
    AB, ABT, ACTIVATION_BACKWARD, ACTIVATION_FORWARD, ATB, BIAS_ADD, BIAS_GRAD, DROPOUT_BACKWARD, DROPOUT_FORWARD,
    MATMUL, Part,
};
use crate::math::Activation;
use crate::spec::MlpSpec;

/// Plans training steps of `spec`, and the validation of what they learn, operation by operation.
pub fn plain(spec: &MlpSpec, recipe: &Recipe, shape: TrainShape) -> Result<Plan> {
    let builder = Builder::by_layers(spec, recipe, &shape, true)?;
    let mut passes = Vec::new();
    for rows in sizes(shape.training(), batches(&shape).0) {
        let mut dispatches = builder.begin()?;
        let batch = builder.training_batch(&mut dispatches, rows, &shape)?;
        add_forward(&builder, &mut dispatches, batch.features, rows)?;
        builder.loss(&mut dispatches, &batch, builder.loss_groups())?;
        add_backward(&builder, &mut dispatches, batch.features, rows)?;
        // The gradient is whole.
        builder.update(&mut dispatches, recipe, PartialGradients { count: 1, stride: builder.layout.len() })?;
        passes.push(Pass { kind: PassKind::Train, rows, dispatches });
    }
    builder.finish_training(PlanKind::Plain, passes, &shape)
}

/// Plans the forward pass of `spec` on up to `rows` rows, operation by operation; z of every layer stays.
pub fn plain_forward(spec: &MlpSpec, rows: usize, replicas: usize) -> Result<Plan> {
    let mut builder = Builder::new(spec, rows, replicas, 1);
    builder.add(Role::Features, &[rows, spec.inputs()]);
    builder.every_z = true;
    builder.add_activations(PassKind::Train);
    let mut dispatches = Vec::new();
    add_forward(&builder, &mut dispatches, builder.shared(Role::Features), rows)?;
    builder.finish_layers(PlanKind::Plain, vec![Pass { kind: PassKind::Forward, rows, dispatches }])
}

fn add_forward(builder: &Builder<'_>, dispatches: &mut Vec<Dispatch>, features: View, rows: usize) -> Result<()> {
    let mut x = features;
    for (i, layer) in builder.spec.layers().iter().enumerate() {
        let z = builder.pre_activation(i);
        let (weight, bias) = (builder.weight(builder.layout.weight(i)), builder.weight(builder.layout.bias(i)));
        dispatches.push(builder.product(
            &MATMUL,
            AB,
            Activation::Identity,
            &[rows, layer.outputs, layer.inputs],
            &[x, weight, z],
        )?);
        dispatches.push(dispatch(&BIAS_ADD, Part::None, 0, &[rows, layer.outputs], &[bias, z])?);
        x = builder.activation(i);
        if layer.activation != Activation::Identity {
            let part = Part::Activation(layer.activation);
            dispatches.push(dispatch(&ACTIVATION_FORWARD, part, 0, &[rows * layer.outputs], &[z, x])?);
        }
        if let Some(threshold) = builder.dropped(i) {
            let (dims, y) = ([rows * layer.outputs, i + 1, threshold], builder.handed_on(i, PassKind::Train));
            dispatches.push(dispatch(&DROPOUT_FORWARD, Part::None, 0, &dims, &[x, y])?);
            x = y;
        }
    }
    Ok(())
}

fn add_backward(builder: &Builder<'_>, dispatches: &mut Vec<Dispatch>, features: View, rows: usize) -> Result<()> {
    for (i, layer) in builder.spec.layers().iter().enumerate().rev() {
        let d = builder.delta(i);
        if let Some(threshold) = builder.dropped(i) {
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
            let views = [builder.pre_activation(i), builder.activation(i), d];
            dispatches.push(dispatch(&ACTIVATION_BACKWARD, part, 0, &[rows * layer.outputs], &views)?);
        }
        let x = if i == 0 { features } else { builder.handed_on(i - 1, PassKind::Train) };
        let weight_gradient = builder.tensor(Role::Gradients, builder.layout.weight(i));
        let bias_gradient = builder.tensor(Role::Gradients, builder.layout.bias(i));
        let dims = [layer.inputs, layer.outputs, rows];
        dispatches.push(builder.product(&MATMUL, ATB, Activation::Identity, &dims, &[x, d, weight_gradient])?);
        dispatches.push(dispatch(&BIAS_GRAD, Part::None, 0, &[rows, layer.outputs], &[d, bias_gradient])?);
        if i > 0 {
            let weight = builder.weight(builder.layout.weight(i));
            let dims = [rows, layer.inputs, layer.outputs];
            dispatches.push(builder.product(
                &MATMUL,
                ABT,
                Activation::Identity,
                &dims,
                &[d, weight, builder.delta(i - 1)],
            )?);
        }
    }
    Ok(())
}
