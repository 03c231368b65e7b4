//! Steps whose gradient by the outputs a program gives: the layered training step without its loss, in two passes between which the
//! program looks at the outputs.

use super::buffers::{Buffer, BufferId, Role, View, places};
use super::builder::dispatch;
use super::passes::{Pass, PassKind, Plan};
use super::product::tiled;
use crate::error::{Error, Result};
use crate::kernels::{ABT, DENSE_GRADIENT, LOSS, MATMUL, Part, SOFTMAX_LOSS};
use crate::math::Activation;
use crate::spec::MlpSpec;

/// Where the parts of such a step stand in a plan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given {
    /// The pass from the features to the outputs, which keeps z and a.
    pub forward: usize,
    /// The pass from the gradient by the outputs to the update.
    pub backward: usize,
    /// The same with the gradient by the features.
    pub backward_to_inputs: usize,
    /// Takes the gradient by the outputs, [B, outputs].
    pub gradient: BufferId,
}

/// Adds the passes of such steps to a layered plan of whole batches of one network.
pub(crate) fn add_given(plan: &mut Plan, spec: &MlpSpec) -> Result<Given> {
    let step = plan.passes.first().cloned();
    let lacking = || Error::Setting {
        what: "plan",
        found: format!("{}, without a loss of its own to be left out", plan.kind),
        expected: "a layered plan of whole batches".into(),
    };
    let step = step.ok_or_else(lacking)?;
    let is_loss = |kernel| std::ptr::eq(kernel, &LOSS) || std::ptr::eq(kernel, &SOFTMAX_LOSS);
    let loss = step.dispatches.iter().position(|dispatch| is_loss(dispatch.kernel)).ok_or_else(lacking)?;
    let gradient = step.dispatches[loss].views[3].buffer;
    let first_layer = step.dispatches.iter().rposition(|dispatch| std::ptr::eq(dispatch.kernel, &DENSE_GRADIENT));
    let first_layer = first_layer.ok_or_else(lacking)?;

    let layer = spec.layers()[0];
    let view = |buffer| View { buffer, offset: 0, replica_stride: 0, slot_stride: 0 };
    // dx = dz wᵀ, before the update changes w.
    let inputs = plan.buffers.len();
    let views = [step.dispatches[first_layer].views[1], view(plan.buffer(Role::Parameters)?), view(inputs)];
    let mut to_inputs = dispatch(&MATMUL, Part::None, ABT, &[step.rows, layer.inputs, layer.outputs], &views)?;
    (to_inputs.part, to_inputs.dims) =
        tiled(&MATMUL, Activation::Identity, &to_inputs.dims, plan.replicas, &places(&views));
    plan.buffers.push(Buffer { role: Role::InputGradients, len: step.rows.saturating_mul(layer.inputs) });

    let forward = step.dispatches[..loss].to_vec();
    let backward = step.dispatches[loss + 1..].to_vec();
    let mut both = backward.clone();
    both.insert(first_layer - loss, to_inputs);
    let first = plan.passes.len();
    for (kind, dispatches) in [(PassKind::Forward, forward), (PassKind::Backward, backward), (PassKind::Backward, both)]
    {
        plan.passes.push(Pass { kind, rows: step.rows, dispatches });
    }
    plan.check()?;
    Ok(Given { forward: first, backward: first + 1, backward_to_inputs: first + 2, gradient })
}
