//! The resident plan: for few rows of a network that fits a workgroup's memory, one workgroup takes a run of training steps in one
//! dispatch, so that nothing is launched for a step. Validation takes the network forward whole, too.

use std::sync::Arc;

use super::blocks::fitted;
use super::buffers::Role;
use super::builder::{Builder, state_slots};
use super::forward::whole;
use super::fused::network;
use super::passes::{Pass, PassKind, Plan, dispatch};
use super::rates::settings;
use super::request::{PlanKind, Recipe, Target, TrainShape, batches, sizes};
use crate::error::{Error, Result};
use crate::kernels::{Network, Part, RESIDENT_STEPS};
use crate::spec::MlpSpec;

/// Plans training steps of `spec` that follow each other in one dispatch. Refuses a network that does not fit a workgroup's memory,
/// and a batch that would keep a workgroup busy for too long.
pub fn resident(spec: &MlpSpec, recipe: &Recipe, shape: TrainShape, target: Target) -> Result<Plan> {
    if recipe.sharing > 1 {
        let expected = "fused or layered: networks share weights".into();
        return Err(Error::Setting { what: "plan", found: PlanKind::Resident.to_string(), expected });
    }
    let (batch, _) = batches(&shape);
    let network = blocks(spec, recipe, batch, target)?.ok_or_else(|| target.too_small(PlanKind::Resident, spec))?;
    if batch.saturating_mul(network.parameters()) > MOST_WORK {
        return Err(Error::Setting {
            what: "plan",
            found: PlanKind::Resident.to_string(),
            expected: format!("fused or layered: a step of {batch} rows would keep one workgroup busy for too long"),
        });
    }
    in_blocks(spec, recipe, shape, network, target)
}

/// The same with blocks that have been found already.
pub(super) fn in_blocks(
    spec: &MlpSpec,
    recipe: &Recipe,
    shape: TrainShape,
    network: Network,
    target: Target,
) -> Result<Plan> {
    let TrainShape { samples, validation, replicas, slots, .. } = shape;
    let (batch, validated) = batches(&shape);
    let mut builder = Builder::training(spec, recipe, &shape, validated)?;
    let (parameters, units, block) = (network.parameters(), network.units(), network.block());
    builder.add(Role::Scratch, &[replicas, units, block]);
    builder.add(Role::LossRing, &[slots, replicas, 1, 2]);
    let [hyper, p, state] = builder.updated(recipe);
    let views = [
        builder.shared(Role::Features),
        builder.shared(Role::Targets),
        hyper,
        p,
        builder.each(Role::Scratch, units * block),
        builder.each(Role::Gradients, parameters),
        state,
        builder.ring(1),
    ];
    let (columns, kept) = (builder.target_columns, state_slots(recipe.rule));
    let settings = settings(spec, recipe);
    let dims = [samples, spec.inputs(), columns, units, parameters, block, kept, settings];
    let part = Part::Training(Arc::new(network), recipe.rule);
    // A step's record says how many rows it has: one dispatch takes whole batches and what remains of an epoch's rows.
    let step = dispatch(&RESIDENT_STEPS, part, shape.order(), &dims, &views)?;
    let pass = |rows| Pass { kind: PassKind::Train, rows, dispatches: vec![step.clone()] };
    let mut passes = sizes(shape.training(), batch).map(pass).collect();
    builder.whole = whole(spec, validated, replicas, target)?;
    builder.add_validation(&mut passes, validation, 1)?;
    builder.finish(PlanKind::Resident, passes, None)
}

/// The network in the blocks in which a workgroup takes `rows` rows; `None` for one that does not fit.
pub(super) fn blocks(spec: &MlpSpec, recipe: &Recipe, rows: usize, target: Target) -> Result<Option<Network>> {
    let network = network(spec, recipe)?;
    let blocks = BLOCKS.map(|block| block.min(rows.next_multiple_of(4)));
    match target {
        Target::Gpu { workgroup_bytes, .. } => fitted(network, blocks, workgroup_bytes),
        Target::Cpu => network.in_blocks(blocks[0], false).map(Some),
    }
}

/// Rows of a block, the best first: more of them in one block are less to wait for, up to a row an invocation. On Mesa's lavapipe
/// the article's step of 32 rows takes 0.37 ms in a block of 32; in two of 16 with the parameters held 0.42.
const BLOCKS: [usize; 6] = [128, 64, 32, 16, 8, 4];
/// Most rows times parameters of a step: 0.8 GFLOP, half a second for a single thread.
const MOST_WORK: usize = 1 << 27;
