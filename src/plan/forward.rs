//! Forward passes: one dispatch for a network that fits a workgroup's memory, else one a layer.

use std::sync::Arc;

use super::blocks::{Slices, fitted, gpu_blocks};
use super::buffers::Role;
use super::builder::Builder;
use super::passes::{Pass, PassKind, Plan};
use super::request::{PlanKind, Target, TrainShape, check};
use crate::error::Result;
use crate::kernels::Network;
use crate::spec::MlpSpec;

/// Plans the forward pass of `spec` on up to `rows` rows, which all replicas share;
/// [`with_own_data`](Plan::with_own_data) gives each its own.
///
/// # Errors
/// [`Error::Setting`](crate::Error::Setting) for no rows or no replicas, and for more than shaders can count.
pub fn forward(spec: &MlpSpec, rows: usize, replicas: usize, target: Target) -> Result<Plan> {
    check(&TrainShape { replicas, ..TrainShape::full(rows) })?;
    let mut builder = Builder::new(spec, rows, replicas, 1);
    builder.add(Role::Features, &[rows, spec.inputs()]);
    builder.whole = whole(spec, rows, replicas, target)?;
    builder.add_activations(PassKind::Forward);
    let mut dispatches = Vec::new();
    builder.forward(&mut dispatches, builder.shared(Role::Features), rows, PassKind::Forward)?;
    let kind = if builder.whole.is_some() { PlanKind::Fused } else { PlanKind::Layered };
    let plan = builder.finish_layers(kind, vec![Pass { kind: PassKind::Forward, rows, dispatches }])?;
    Ok(plan.in_tiles_for(target))
}

/// The network as workgroups take `rows` rows of each replica forward through it whole; `None` where it goes layer by layer.
pub(super) fn whole(spec: &MlpSpec, rows: usize, replicas: usize, target: Target) -> Result<Option<Slices>> {
    // Nothing is launched on a CPU, whose threads share a product's rows.
    let Target::Gpu { workgroup_bytes, cores, .. } = target else { return Ok(None) };
    if rows == 0 {
        return Ok(None);
    }
    let network = Network::forward(spec.clone());
    let blocks = || gpu_blocks(rows, cores.div_ceil(replicas)).map(|block| block.min(rows.next_multiple_of(4)));
    // Parameters that are held are worth more than many rows in a block.
    let held = blocks().find(|&block| network.workgroup_bytes(block, true) <= workgroup_bytes);
    let reads_little =
        network.parameters() <= MOST_PARAMETERS && rows.saturating_mul(network.parameters()) <= MOST_READ;
    let Some(network) = fitted(network, held.into_iter().chain(blocks()), workgroup_bytes)? else { return Ok(None) };
    let groups = rows.div_ceil(network.block()).min((cores * GROUPS).div_ceil(replicas));
    Ok((network.holds() || reads_little).then(|| Slices { network: Arc::new(network), groups }))
}

/// Most workgroups for each core: as many of 128 invocations as a core of today's GPUs has places for.
const GROUPS: usize = 16;
/// Most parameters that every block reads anew where they are not held: few enough for a core's own cache.
const MOST_PARAMETERS: usize = 1 << 16;
/// Most rows times parameters that are read so: an H200 takes 4096 rows of 64→64→64→64→64→16 forward in 50 µs by layers, and a third of
/// their fused training step is as much.
const MOST_READ: usize = 1 << 26;
