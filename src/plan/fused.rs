//! The fused plan: two dispatches a step for networks that fit a workgroup's memory. The first takes slices of the rows
//! through forward pass, loss and backward pass, each to its own share of the gradient; the second adds the shares up in
//! a fixed order and makes the optimiser's step. Validation is as in the layered plan.

use std::sync::Arc;

use super::blocks::{Slices, fitted, gpu_blocks};
use super::buffers::Role;
use super::builder::{Builder, PartialGradients};
use super::forward::whole;
use super::passes::{Pass, PassKind, Plan, dispatch};
use super::request::{PlanKind, Recipe, Target, TrainShape, batches, sizes};
use crate::error::Result;
use crate::kernels::{FUSED_GRADIENT, Network, Part};
use crate::spec::MlpSpec;

/// Plans training steps of `spec` in two dispatches. Refuses a network that does not fit a workgroup's memory.
pub fn fused(spec: &MlpSpec, recipe: &Recipe, shape: TrainShape, target: Target) -> Result<Plan> {
    let slices = slices(spec, recipe, &shape, target)?;
    let slices = slices.ok_or_else(|| target.too_small(PlanKind::Fused, spec))?;
    in_slices(spec, recipe, shape, slices, target)
}

/// The same with slices that have been found already.
pub(super) fn in_slices(
    spec: &MlpSpec,
    recipe: &Recipe,
    shape: TrainShape,
    slices: Slices,
    target: Target,
) -> Result<Plan> {
    let TrainShape { validation, replicas, slots, .. } = shape;
    let (batch, validated) = batches(&shape);
    let mut builder = Builder::training(spec, recipe, &shape, validated)?;
    let Slices { network, groups } = slices;
    if groups > 1 {
        builder.add(Role::PartialGradients, &[replicas, groups, network.parameters()]);
    }
    builder.add(Role::Scratch, &[replicas, groups, network.units(), network.block()]);
    builder.add(Role::LossRing, &[slots, replicas, groups, 2]);
    let mut passes = Vec::new();
    for rows in sizes(shape.training(), batch) {
        passes.push(step(&builder, recipe, &network, &shape, (rows, groups))?);
    }
    builder.whole = whole(spec, validated, replicas, target)?;
    builder.add_validation(&mut passes, validation, groups)?;
    builder.finish(PlanKind::Fused, passes, None)
}

fn step(
    builder: &Builder<'_>,
    recipe: &Recipe,
    network: &Arc<Network>,
    shape: &TrainShape,
    (rows, groups): (usize, usize),
) -> Result<Pass> {
    let partials = PartialGradients { count: groups, stride: network.parameters() };
    let (parameters, units, columns) = (network.parameters(), network.units(), builder.target_columns);
    let views = [
        builder.shared(Role::Features),
        builder.shared(Role::Targets),
        builder.hyper(),
        builder.weights(),
        builder.each(Role::Scratch, groups * units * network.block()),
        builder.shared_out(partials),
        builder.ring(groups),
    ];
    let dims = [rows, shape.samples, network.spec().inputs(), columns, units, parameters, network.block(), groups];
    let part = Part::Network(Arc::clone(network));
    let mut dispatches = builder.begin()?;
    dispatches.push(dispatch(&FUSED_GRADIENT, part, shape.order(), &dims, &views)?);
    builder.update(&mut dispatches, recipe, partials)?;
    Ok(Pass { kind: PassKind::Train, rows, dispatches })
}

/// The network and how its rows are shared out; `None` for one that does not fit.
pub(super) fn slices(spec: &MlpSpec, recipe: &Recipe, shape: &TrainShape, target: Target) -> Result<Option<Slices>> {
    let (rows, _) = batches(shape);
    let network = network(spec, recipe)?;
    let (network, groups) = match target {
        Target::Gpu { workgroup_bytes, cores, .. } => {
            let cores_of_each = cores.div_ceil(shape.replicas);
            let Some(network) = fitted(network, gpu_blocks(rows, cores_of_each), workgroup_bytes)? else {
                return Ok(None);
            };
            // Replicas that fill the device need few groups each.
            let most = if shape.replicas > 1 { (PLACES * cores).div_ceil(shape.replicas) } else { MOST_GROUPS };
            let groups = rows.div_ceil(network.block()).min(MOST_GROUPS).min(most);
            (network, groups)
        }
        Target::Cpu => {
            let cost = rows.saturating_mul(network.parameters());
            let most = (CPU_SHARES / network.parameters()).clamp(2, CPU_GROUPS).min((rows / CPU_ROWS).max(2));
            // A power of two, so that threads have equal shares.
            let groups = 1 << cost.div_ceil(CPU_TASK).clamp(1, CPU_GROUPS).min(most).ilog2();
            (network.in_blocks(rows.div_ceil(groups).min(CPU_BLOCK), false)?, groups)
        }
    };
    // Equal runs of blocks, and no group without one.
    let blocks = rows.div_ceil(network.block());
    let groups = blocks.div_ceil(blocks.div_ceil(groups));
    Ok(Some(Slices { network: Arc::new(network), groups }))
}

/// The network as a part, of blocks that are still to be chosen.
pub(super) fn network(spec: &MlpSpec, recipe: &Recipe) -> Result<Network> {
    let mut builder = Builder::new(spec, 1, 1, 1);
    builder.dropout.clone_from(&recipe.dropout);
    let thresholds = (0..spec.layers().len()).map(|layer| builder.dropped(layer).unwrap_or(0) as u32).collect();
    Network::new(spec.clone(), thresholds)
}

/// Most shares of the gradient: each takes the memory of all parameters.
const MOST_GROUPS: usize = 256;
/// Groups for each assumed core where several replicas share a GPU: so many that the last wave of workgroups is a small part. On an
/// H200, whose 132 cores are taken for 64, 256 networks of the article's took 2.0 ms a step in 29 groups each and 2.6 ms in one
/// (benches/runs/2026-11-26-h200).
const PLACES: usize = 40;
/// Rows that a thread takes through a network at a time: few enough for its cache, many enough for products.
const CPU_BLOCK: usize = 128;
/// Multiplications of a forward pass that are worth a task.
const CPU_TASK: usize = 1 << 19;
/// Most tasks of a step, whatever the number of threads: the order of the sums must not depend on it.
const CPU_GROUPS: usize = 16;
/// Most elements of all shares, unless two have more.
const CPU_SHARES: usize = 1 << 26;
/// Rows that are worth another share of the gradient, but for the second one.
const CPU_ROWS: usize = 32;
