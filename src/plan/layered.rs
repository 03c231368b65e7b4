//! The layered plan: a dispatch or two for each layer and direction. A layer's product, its bias and its activation are one;
//! so are the product that leads back to the layer before and that layer's derivative, and the gradients by its weight and bias.
//! Works for any size.

use super::buffers::{Role, View};
use super::builder::{Batch, Builder, PartialGradients};
use super::passes::{Dispatch, Pass, PassKind, Plan, dispatch};
use super::request::{PlanKind, Recipe, TrainShape, batches, sizes};
use crate::error::Result;
use crate::kernels::{ABT, ACTIVATION_BACKWARD, DENSE_BACKWARD, DENSE_GRADIENT, DROPOUT_BACKWARD, MATMUL, Part};
use crate::math::Activation;
use crate::spec::MlpSpec;

/// Plans training steps of `spec`, and the validation of what they learn.
pub fn layered(spec: &MlpSpec, recipe: &Recipe, shape: TrainShape) -> Result<Plan> {
    let builder = builder(spec, recipe, &shape)?;
    let passes = steps(&builder, recipe, &shape)?;
    builder.finish_training(PlanKind::Layered, passes, &shape)
}

/// The buffers of such a plan.
pub(super) fn builder<'a>(spec: &'a MlpSpec, recipe: &Recipe, shape: &TrainShape) -> Result<Builder<'a>> {
    let mut builder = Builder::by_layers(spec, recipe, shape, false)?;
    let most = partials(&builder, batches(shape).0);
    if most.count > 1 {
        builder.add(Role::PartialGradients, &[shape.replicas, most.count, most.stride]);
    }
    Ok(builder)
}

/// A pass for every number of rows that a step may have.
pub(super) fn steps(builder: &Builder<'_>, recipe: &Recipe, shape: &TrainShape) -> Result<Vec<Pass>> {
    let sizes = sizes(shape.training(), batches(shape).0);
    sizes.into_iter().map(|rows| step(builder, recipe, rows, shape)).collect()
}

fn step(builder: &Builder<'_>, recipe: &Recipe, rows: usize, shape: &TrainShape) -> Result<Pass> {
    let mut dispatches = builder.begin()?;
    let batch = builder.training_batch(&mut dispatches, rows, shape)?;
    builder.forward(&mut dispatches, batch.features, rows, PassKind::Train)?;
    builder.loss(&mut dispatches, &batch, builder.loss_groups())?;
    learn(builder, recipe, &mut dispatches, &batch, None)?;
    Ok(Pass { kind: PassKind::Train, rows, dispatches })
}

/// From the gradient by the last layer's output to the update of all parameters, whose gradients are made in parts. `to_inputs` takes
/// the gradient by the features, if it is wanted.
pub(super) fn learn(
    builder: &Builder<'_>,
    recipe: &Recipe,
    dispatches: &mut Vec<Dispatch>,
    batch: &Batch,
    to_inputs: Option<View>,
) -> Result<()> {
    let partials = partials(builder, batch.rows);
    let Batch { rows, features, .. } = *batch;
    let layers = builder.spec.layers();
    let last = layers.len() - 1;
    if layers[last].activation != Activation::Identity {
        let views = [builder.pre_activation(last), builder.activation(last), builder.delta(last)];
        let part = Part::Activation(layers[last].activation);
        dispatches.push(dispatch(&ACTIVATION_BACKWARD, part, 0, &[rows * layers[last].outputs], &views)?);
    }
    for (i, layer) in layers.iter().enumerate().rev() {
        let d = builder.delta(i);
        let x = if i == 0 { features } else { builder.handed_on(i - 1, PassKind::Train) };
        let place = View { offset: builder.layout.weight(i).range.start, ..builder.shared_out(partials) };
        let own = (layer.inputs + 1) * layer.outputs;
        let stride = if partials.count > 1 { partials.stride } else { own };
        let span = (partials.count - 1) * stride + own;
        let dims = [layer.inputs, layer.outputs, rows, partials.count, stride, span];
        dispatches.push(builder.product(&DENSE_GRADIENT, 0, Activation::Identity, &dims, &[x, d, place])?);
        let weight = builder.weight(builder.layout.weight(i));
        let Some(before) = i.checked_sub(1) else {
            if let Some(to_inputs) = to_inputs {
                let (dims, views) = ([rows, layer.inputs, layer.outputs], [d, weight, to_inputs]);
                dispatches.push(builder.product(&MATMUL, ABT, Activation::Identity, &dims, &views)?);
            }
            break;
        };
        let (activation, next) = (layers[before].activation, builder.delta(before));
        let dims = [rows, layer.inputs, layer.outputs];
        dispatches.push(if activation == Activation::Identity {
            builder.product(&MATMUL, ABT, activation, &dims, &[d, weight, next])?
        } else {
            let views = [d, weight, builder.pre_activation(before), builder.activation(before), next];
            builder.product(&DENSE_BACKWARD, 0, activation, &dims, &views)?
        });
        // Both factors are by elements, so the mask may come behind the derivative.
        if let Some(threshold) = builder.dropped(before) {
            let dims = [rows * layer.inputs, i, threshold];
            dispatches.push(dispatch(&DROPOUT_BACKWARD, Part::None, 0, &dims, &[next])?);
        }
    }
    builder.update(dispatches, recipe, partials)
}

/// The shares that the gradient is made in: one for every [`PARTIAL_ROWS`] rows, as far as their memory is worth it. Each
/// begins at a multiple of four, so that it can be written four elements at a time.
fn partials(builder: &Builder<'_>, rows: usize) -> PartialGradients {
    let parameters = builder.layout.len().saturating_mul(builder.replicas);
    let count = (rows / PARTIAL_ROWS).min(MOST_PARTIALS).min(PARTIAL_PARAMETERS / parameters).max(1);
    PartialGradients { count, stride: builder.layout.len().next_multiple_of(4) }
}

/// Rows of a share of the gradient. Where a share has as many rows, each of its elements takes 512 operations for the 8 bytes
/// that it adds to the traffic, far more than a GPU has for a byte of its memory's.
const PARTIAL_ROWS: usize = 256;
/// Most shares: a product of 64 x 64 has few tiles, and large GPUs have about a hundred places for several each.
const MOST_PARTIALS: usize = 64;
/// Most elements of all shares of all replicas; a network with more parameters has tiles enough.
const PARTIAL_PARAMETERS: usize = 1 << 24;
