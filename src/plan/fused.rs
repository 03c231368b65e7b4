//! The fused plan: two dispatches a step for networks that fit a workgroup's memory. The first takes slices of the rows
//! through forward pass, loss and backward pass, each to its own share of the gradient; the second adds the shares up in
//! a fixed order and makes the optimiser's step. Validation and a batch's remaining rows are as in the layered plan.

use std::sync::Arc;

use super::builder::{Builder, batches, check, dispatch, sizes};
use super::{Pass, PassKind, Plan, PlanKind, Recipe, Role, TrainShape, plain, train};
use crate::error::{Error, Result};
use crate::kernels::{FUSED_GRADIENT, IN_ORDER, Network, Part, SHUFFLED};
use crate::math::Optimizer;
use crate::spec::MlpSpec;

/// What a plan has to know of the device that will execute it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A processor with caches.
    Cpu,
    /// A GPU.
    Gpu {
        /// Memory of a workgroup.
        workgroup_bytes: usize,
    },
}

impl Target {
    /// How much memory a workgroup has, in words.
    fn workgroup(self) -> String {
        match self {
            Self::Cpu => "which has no limit".into(),
            Self::Gpu { workgroup_bytes } => format!("{workgroup_bytes} bytes on this device"),
        }
    }
}

/// Plans training with `wanted`, or with what serves the network best on the target.
pub fn choose(
    wanted: Option<PlanKind>,
    spec: &MlpSpec,
    recipe: &Recipe,
    shape: TrainShape,
    target: Target,
) -> Result<Plan> {
    check(&shape)?;
    let kind = wanted.unwrap_or(match (slices(spec, recipe, &shape, target), target) {
        (None, _) => PlanKind::Layered,
        // Small blocks make as many shares of a gradient that, in a network this wide, is large.
        (Some((network, _)), Target::Gpu { .. }) if network.block < LEAST_BLOCK => PlanKind::Layered,
        // The shares of a large gradient cost more than few rows save.
        (Some((network, _)), Target::Cpu) if network.parameters() > batches(&shape).0.saturating_mul(ROW_WORTH) => {
            PlanKind::Layered
        }
        _ => PlanKind::Fused,
    });
    match kind {
        PlanKind::Plain => plain(spec, recipe, shape),
        PlanKind::Layered => train(spec, recipe, shape),
        PlanKind::Fused => fused(spec, recipe, shape, target),
    }
}

/// Plans training steps of `spec` in two dispatches. Refuses a network that does not fit a workgroup's memory.
pub fn fused(spec: &MlpSpec, recipe: &Recipe, shape: TrainShape, target: Target) -> Result<Plan> {
    let TrainShape { samples, validation, replicas, slots, .. } = shape;
    let (batch, judged) = batches(&shape);
    let mut builder = Builder::training(spec, recipe, &shape, judged)?;
    let Some((network, groups)) = slices(spec, recipe, &shape, target) else {
        return Err(Error::Setting {
            what: "--plan",
            found: "fused".into(),
            expected: format!("layered: {spec} does not fit the memory of a workgroup, {}", target.workgroup()),
        });
    };
    if groups > 1 {
        builder.add(Role::Shares, &[replicas, groups, network.parameters()]);
    }
    builder.add(Role::Scratch, &[replicas, groups, network.units(), network.block]);
    builder.add(Role::LossRing, &[slots, replicas, groups, 2]);
    let mut passes = Vec::new();
    for rows in sizes(samples, batch) {
        passes.push(step(&builder, recipe, &network, (samples, rows, groups))?);
    }
    if validation > 0 {
        builder.add_batch(judged < validation);
        builder.add_activations(PassKind::Validate);
        builder.add_deltas();
    }
    for rows in sizes(validation, judged) {
        passes.push(builder.validation(validation, rows, groups)?);
    }
    builder.finish(PlanKind::Fused, passes, None)
}

fn step(
    builder: &Builder<'_>,
    recipe: &Recipe,
    network: &Arc<Network>,
    (samples, rows, groups): (usize, usize, usize),
) -> Result<Pass> {
    let (parameters, units, columns) = (network.parameters(), network.units(), builder.target_columns);
    let views = [
        builder.shared(Role::Features),
        builder.shared(Role::Targets),
        builder.each(Role::Hyper, Optimizer::HYPER),
        builder.each(Role::Parameters, parameters),
        builder.each(Role::Scratch, groups * units * network.block),
        builder.shared_out(groups),
        builder.ring(groups),
    ];
    let dims = [rows, samples, network.inputs(), columns, units, parameters, network.block, groups];
    let order = if rows < samples { SHUFFLED } else { IN_ORDER };
    let part = Part::Network(Arc::clone(network));
    let mut dispatches = vec![dispatch(&FUSED_GRADIENT, part, order, &dims, &views)?];
    builder.update(&mut dispatches, recipe, groups)?;
    Ok(Pass { kind: PassKind::Train, rows, dispatches })
}

/// The network with its blocks, and the number of groups; `None` for one that does not fit.
fn slices(spec: &MlpSpec, recipe: &Recipe, shape: &TrainShape, target: Target) -> Option<(Arc<Network>, usize)> {
    let (rows, _) = batches(shape);
    let builder = {
        let mut builder = Builder::new(spec, rows, 1, 1);
        builder.dropout.clone_from(&recipe.dropout);
        builder
    };
    let thresholds = (0..spec.layers().len()).map(|layer| builder.dropped(layer).unwrap_or(0) as u32).collect();
    let mut network = Network { layers: spec.layers().to_vec(), thresholds, loss: spec.loss(), block: 0 };
    let groups = match target {
        Target::Gpu { workgroup_bytes } => {
            network.block = GPU_BLOCKS.into_iter().find(|&block| network.workgroup_bytes(block) <= workgroup_bytes)?;
            rows.div_ceil(network.block).min(MOST_GROUPS)
        }
        Target::Cpu => {
            let cost = rows.saturating_mul(network.parameters());
            let most = (CPU_SHARES / network.parameters()).clamp(2, CPU_GROUPS).min((rows / CPU_ROWS).max(2));
            // A power of two, so that threads have equal shares.
            let groups = 1 << cost.div_ceil(CPU_TASK).clamp(1, CPU_GROUPS).min(most).ilog2();
            network.block = rows.div_ceil(groups).min(CPU_BLOCK);
            groups
        }
    };
    // Equal runs of blocks, and no group without one.
    let blocks = rows.div_ceil(network.block);
    let groups = blocks.div_ceil(blocks.div_ceil(groups));
    Some((Arc::new(network), groups))
}

/// Rows that a workgroup takes through a network at a time, the best first: more rows make fewer shares of the gradient,
/// and 32 rows by 50 units are work for all its invocations. On Mesa's lavapipe the article's step takes 7.2 ms with 32
/// rows, 11 with 16, 14 with 8 (layered: 20).
const GPU_BLOCKS: [usize; 4] = [32, 16, 8, 4];
/// The smallest block that is worth it, unless it is asked for.
const LEAST_BLOCK: usize = 16;
/// Most shares of the gradient: each takes the memory of all parameters.
const MOST_GROUPS: usize = 256;
/// Rows that a thread takes through a network at a time: few enough for its cache, many enough for products.
const CPU_BLOCK: usize = 128;
/// Multiplications of a forward pass that are worth a task.
const CPU_TASK: usize = 1 << 19;
/// Most tasks of a step, whatever the number of threads: the order of the sums must not depend on it.
const CPU_GROUPS: usize = 16;
/// Most elements of all shares, unless two have more.
const CPU_SHARES: usize = 1 << 26;
/// Parameters whose shares a row's work outweighs. Measured on two cores with AVX-512, samples/s layered and fused: 0.24 M
/// parameters 69 k and 65 k in batches of 32, 118 k and 145 k of 256; 0.53 M 43.0 k and 43.6 k of 256, 46 k and 62 k of 2048;
/// 2.1 M 10.6 k and 6.8 k of 256, 8.1 k and 15.1 k of 2048.
const ROW_WORTH: usize = 2048;
/// Rows that are worth another share of the gradient, but for the second one.
const CPU_ROWS: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::{Activation, Loss, Rule};

    const PORTABLE: Target = Target::Gpu { workgroup_bytes: 16 << 10 };
    const LARGE: Target = Target::Gpu { workgroup_bytes: 32 << 10 };

    fn spec(widths: &[usize]) -> MlpSpec {
        MlpSpec::new(widths, Activation::Relu, Loss::BinaryCrossEntropy).unwrap()
    }

    fn groups(plan: &Plan) -> (u32, u32) {
        let dims = &plan.passes[0].dispatches[0].dims;
        (dims[6], dims[7])
    }

    /// Two dispatches a step, and no more memory than the layered plan takes.
    #[test]
    fn the_articles_network_takes_two_dispatches_and_no_more_memory() {
        let (spec, recipe) = (spec(&[2, 25, 50, 50, 25, 1]), Recipe::new(Rule::Sgd));
        let layered = train(&spec, &recipe, TrainShape::full(900)).unwrap();
        for target in [LARGE, Target::Cpu] {
            let plan = choose(None, &spec, &recipe, TrainShape::full(900), target).unwrap();
            assert_eq!((plan.kind, plan.passes[0].dispatches.len()), (PlanKind::Fused, 2));
            assert!(plan.bytes(4) <= layered.bytes(4), "{} and {} bytes", plan.bytes(4), layered.bytes(4));
        }
        let clipped = Recipe { clip_norm: true, ..recipe };
        assert_eq!(fused(&spec, &clipped, TrainShape::full(900), LARGE).unwrap().passes[0].dispatches.len(), 4);
    }

    /// Groups share the rows evenly and none is idle; a smaller workgroup memory takes smaller blocks.
    #[test]
    fn blocks_and_groups_follow_rows_and_memory() {
        let recipe = Recipe::new(Rule::Sgd);
        let plan =
            |rows, target| fused(&spec(&[2, 25, 50, 50, 25, 1]), &recipe, TrainShape::full(rows), target).unwrap();
        assert_eq!(groups(&plan(900, LARGE)), (32, 29));
        assert_eq!(groups(&plan(900, PORTABLE)), (16, 57));
        assert_eq!(groups(&plan(1, LARGE)), (32, 1));
        assert_eq!(groups(&plan(1 << 20, LARGE)), (32, 256));
        assert_eq!(groups(&plan(900, Target::Cpu)), (113, 8));
        assert_eq!(groups(&plan(20, Target::Cpu)), (20, 1));
    }

    /// What does not fit a workgroup's memory is layered, and refused where it is asked for.
    #[test]
    fn a_wide_network_is_layered_on_a_gpu() {
        let (spec, recipe) = (spec(&[784, 256, 128, 10]), Recipe::new(Rule::Sgd));
        let shape = TrainShape::full(256);
        assert_eq!(choose(None, &spec, &recipe, shape, LARGE).unwrap().kind, PlanKind::Layered);
        assert_eq!(choose(None, &spec, &recipe, shape, Target::Cpu).unwrap().kind, PlanKind::Fused);
        let few = TrainShape::full(32);
        assert_eq!(choose(None, &spec, &recipe, few, Target::Cpu).unwrap().kind, PlanKind::Layered);
        let error = choose(Some(PlanKind::Fused), &spec, &recipe, shape, PORTABLE).unwrap_err().to_string();
        assert!(error.contains("--plan") && error.contains("memory of a workgroup"), "{error}");
    }
}
