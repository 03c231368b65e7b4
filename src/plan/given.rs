//! Steps whose gradient by the outputs a program gives: the layered training step without its loss, in two passes between which the
//! program looks at the outputs.

use super::buffers::{BufferId, Role};

use super::layered::{builder, learn, steps};
use super::passes::{Pass, PassKind, Plan};
use super::request::{PlanKind, Recipe, TrainShape, check};
use crate::error::Result;
use crate::spec::MlpSpec;

/// Where the parts of such a step stand in a plan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given {
    /// The pass from the features to the outputs, which keeps what the way back needs.
    pub forward: usize,
    /// The pass from the gradient by the outputs to the update.
    pub backward: usize,
    /// The same with the gradient by the features.
    pub backward_to_inputs: usize,
    /// Takes the gradient by the outputs, [B, outputs].
    pub gradient: BufferId,
}

/// Plans steps of one network on all rows of `shape`, with the loss of `spec` and with a gradient that is given.
pub(crate) fn given(spec: &MlpSpec, recipe: &Recipe, shape: TrainShape) -> Result<(Plan, Given)> {
    check(&shape)?;
    let mut builder = builder(spec, recipe, &shape)?;
    builder.add(Role::InputGradients, &[shape.batch, spec.inputs()]);
    let mut passes = steps(&builder, recipe, &shape)?;
    let first = passes.len();
    let (mut forward, rows) = (Vec::new(), shape.batch);
    let batch = builder.training_batch(&mut forward, rows, &shape)?;
    builder.forward(&mut forward, batch.features, rows, PassKind::Train)?;
    passes.push(Pass { kind: PassKind::Forward, rows, dispatches: forward });
    for to_inputs in [None, Some(builder.shared(Role::InputGradients))] {
        let mut dispatches = Vec::new();
        learn(&builder, recipe, &mut dispatches, &batch, to_inputs)?;
        passes.push(Pass { kind: PassKind::Backward, rows, dispatches });
    }
    let gradient = builder.delta(spec.layers().len() - 1).buffer;
    let plan = builder.finish_layers(PlanKind::Layered, passes)?;
    Ok((plan, Given { forward: first, backward: first + 1, backward_to_inputs: first + 2, gradient }))
}
