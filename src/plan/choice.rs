//! Which way of planning serves a network best: by its shape, the batch and the device's limits alone, never by a measurement, so
//! that results stay the same from run to run.

use super::fused::{fused, in_slices, slices};
use super::layered::layered;
use super::passes::Plan;
use super::plain::plain;
use super::request::{PlanKind, Recipe, Target, TrainShape, batches, check};
use super::resident::{blocks, in_blocks, resident};
use crate::error::Result;
use crate::kernels::Network;
use crate::spec::MlpSpec;

/// Plans training with `wanted`, or with what serves the network best on the target.
pub fn choose(
    wanted: Option<PlanKind>,
    spec: &MlpSpec,
    recipe: &Recipe,
    shape: TrainShape,
    target: Target,
) -> Result<Plan> {
    check(&shape)?;
    Ok(way(wanted, spec, recipe, shape, target)?.in_tiles_for(target))
}

fn way(wanted: Option<PlanKind>, spec: &MlpSpec, recipe: &Recipe, shape: TrainShape, target: Target) -> Result<Plan> {
    match wanted {
        Some(PlanKind::Plain) => plain(spec, recipe, shape),
        Some(PlanKind::Layered) => layered(spec, recipe, shape),
        Some(PlanKind::Fused) => fused(spec, recipe, shape, target),
        Some(PlanKind::Resident) => resident(spec, recipe, shape, target),
        None => {
            let Some(slices) = slices(spec, recipe, &shape, target)? else { return layered(spec, recipe, shape) };
            let (network, rows) = (&slices.network, batches(&shape).0);
            match target {
                // Small blocks make as many shares of a gradient that, in a network this wide, is large.
                Target::Gpu { workgroup_bytes, .. }
                    if network.workgroup_bytes(LEAST_BLOCK, false) > workgroup_bytes =>
                {
                    return layered(spec, recipe, shape);
                }
                // What is not held is read anew by every block.
                Target::Gpu { .. } if !network.holds() && rows.saturating_mul(network.parameters()) > MOST_READ => {
                    return layered(spec, recipe, shape);
                }
                Target::Gpu { .. } => {
                    let slice = rows.div_ceil(slices.groups).next_multiple_of(network.block());
                    let alone = blocks(spec, recipe, rows, target)?
                        .filter(|alone| recipe.sharing == 1 && beyond_a_slice(alone, rows, slice) <= LAUNCHES);
                    if let Some(alone) = alone {
                        return in_blocks(spec, recipe, shape, alone, target);
                    }
                }
                // The shares of a large gradient cost more than few rows save.
                Target::Cpu if network.parameters() > rows.saturating_mul(ROW_WORTH) => {
                    return layered(spec, recipe, shape);
                }
                // Nothing is launched on a CPU.
                Target::Cpu => {}
            }
            in_slices(spec, recipe, shape, slices, target)
        }
    }
}

/// What a step costs one workgroup alone beyond what its share of a fused step would cost it, in multiplications of a forward
/// pass: the rows beyond a slice, which is what a group of the fused plan takes, the latency of the blocks beyond the first, and the whole update.
fn beyond_a_slice(network: &Network, rows: usize, slice: usize) -> usize {
    let padded = rows.next_multiple_of(network.block());
    let rows = padded.saturating_sub(slice).saturating_add(UPDATE_ROWS).saturating_mul(network.parameters());
    let blocks = (padded / network.block()).saturating_sub(slice.div_ceil(network.block()));
    rows.saturating_add(blocks.saturating_mul(network.spec().layers().len() * LAYER))
}

/// What the two launches of a fused step are worth, in the unit of [`beyond_a_slice`]: 10 µs of a workgroup that does 13 such
/// multiplications a nanosecond forward and, with what they bring with them, backward. It is an estimate that one measurement bears
/// out: on an H200 the article's step of 32 rows takes 24 µs in four slices and 37 µs or more in one dispatch. On Mesa's
/// lavapipe, where a workgroup is a thread, two launches take 62 µs, which are worth a fifth of it.
const LAUNCHES: usize = 1 << 17;
/// Rows whose work equals the update of all parameters by one workgroup.
const UPDATE_ROWS: usize = 8;
/// What a layer costs a block at least, forward and backward: about 1 µs of barriers and latency.
const LAYER: usize = 1 << 14;

/// Most rows times parameters that are read through the cache. On an H200 a network of 64→64→64→64→64→16 takes 62 µs a step of 2,048 rows
/// fused and 117 µs layered, of 16,384 rows 433 µs and 236 µs (benches/runs/2026-11-26-h200).
const MOST_READ: usize = 1 << 27;
/// The smallest block that is worth it, unless it is asked for.
const LEAST_BLOCK: usize = 16;
/// Parameters whose shares a row's work outweighs. Measured on two cores with AVX-512, samples/s layered and fused: 0.24 M
/// parameters 69 k and 65 k in batches of 32, 118 k and 145 k of 256; 0.53 M 43.0 k and 43.6 k of 256, 46 k and 62 k of 2048;
/// 2.1 M 10.6 k and 6.8 k of 256, 8.1 k and 15.1 k of 2048.
const ROW_WORTH: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::{Activation, Loss, Rule};

    const PORTABLE: Target = Target::Gpu { workgroup_bytes: 16 << 10, cores: 64, sums: 64 };
    const SOFTWARE: Target = Target::Gpu { workgroup_bytes: 32 << 10, cores: 1, sums: 64 };
    const LARGE: Target = Target::Gpu { workgroup_bytes: 32 << 10, cores: 64, sums: 64 };

    fn spec(widths: &[usize]) -> MlpSpec {
        MlpSpec::new(widths, Activation::Relu, Loss::BinaryCrossEntropy).unwrap()
    }

    fn groups(plan: &Plan) -> (u32, u32) {
        let dims = &plan.passes[0].dispatches[0].dims;
        (dims[6], dims[7])
    }

    /// Two dispatches a step, and little more memory than the layered plan takes: where many cores take small blocks, three times that.
    #[test]
    fn the_articles_network_takes_two_dispatches_and_little_memory() {
        let (spec, recipe) = (spec(&[2, 25, 50, 50, 25, 1]), Recipe::new(Rule::Sgd));
        let by_layers = layered(&spec, &recipe, TrainShape::full(900)).unwrap();
        for (target, times) in [(LARGE, 3), (SOFTWARE, 2), (Target::Cpu, 1)] {
            let plan = choose(None, &spec, &recipe, TrainShape::full(900), target).unwrap();
            assert_eq!((plan.kind, plan.passes[0].dispatches.len()), (PlanKind::Fused, 2));
            assert!(plan.bytes(4) <= times * by_layers.bytes(4), "{} and {} bytes", plan.bytes(4), by_layers.bytes(4));
        }
        let clipped = Recipe { clip_norm: true, ..recipe };
        assert_eq!(fused(&spec, &clipped, TrainShape::full(900), LARGE).unwrap().passes[0].dispatches.len(), 4);
    }

    /// One workgroup takes few rows by itself, whatever remains of an epoch in the same dispatch; more rows go in slices.
    #[test]
    fn few_rows_take_a_dispatch_for_many_steps() {
        let recipe = Recipe::new(Rule::Adam);
        let plan = |widths: &[usize], batch, target| {
            let shape = TrainShape { batch, slots: 400, ..TrainShape::full(5000) };
            choose(None, &spec(widths), &recipe, shape, target).unwrap()
        };
        let article = [2, 25, 50, 50, 25, 1];
        for (batch, target, kind) in [
            (8, PORTABLE, PlanKind::Resident),
            (32, PORTABLE, PlanKind::Fused),
            (8, LARGE, PlanKind::Resident),
            (32, LARGE, PlanKind::Fused),
            (32, SOFTWARE, PlanKind::Resident),
            (64, SOFTWARE, PlanKind::Fused),
            (64, Target::Gpu { workgroup_bytes: 64 << 10, cores: 64, sums: 64 }, PlanKind::Fused),
            (32, Target::Cpu, PlanKind::Fused),
        ] {
            assert_eq!(plan(&article, batch, target).kind, kind, "batch {batch} on {target:?}");
        }
        let narrow = plan(&[2, 8, 1], 300, PORTABLE);
        assert_eq!(narrow.kind, PlanKind::Resident);
        let step = |pass| (pass, crate::kernels::Step::default());
        assert_eq!(narrow.run(&[step(0), step(1), step(0)], 1), 3);
        assert_eq!(narrow.run(&[step(0); 400], 1), crate::kernels::MAX_RUN);
        let by_layers = layered(&spec(&article), &recipe, TrainShape::full(9)).unwrap();
        assert_eq!(by_layers.run(&[step(0); 3], 1), 1);
        let long = TrainShape::full(1 << 24);
        let error = resident(&spec(&article), &recipe, long, LARGE).unwrap_err().to_string();
        assert!(error.contains("plan") && error.contains("too long"), "{error}");
    }

    /// Groups share the rows evenly and none is idle; a smaller workgroup memory takes smaller blocks, and so do few rows for many cores.
    #[test]
    fn blocks_and_groups_follow_rows_and_memory() {
        let recipe = Recipe::new(Rule::Sgd);
        let plan =
            |rows, target| fused(&spec(&[2, 25, 50, 50, 25, 1]), &recipe, TrainShape::full(rows), target).unwrap();
        assert_eq!(groups(&plan(900, LARGE)), (8, 113));
        assert_eq!(groups(&plan(900, SOFTWARE)), (32, 29));
        assert_eq!(groups(&plan(1 << 20, PORTABLE)), (16, 256));
        assert_eq!(groups(&plan(1, LARGE)), (8, 1));
        assert_eq!(groups(&plan(1 << 20, LARGE)), (32, 256));
        assert_eq!(groups(&plan(900, Target::Cpu)), (113, 8));
        assert_eq!(groups(&plan(20, Target::Cpu)), (20, 1));
    }

    /// Many networks fill a GPU by themselves: each takes fewer groups, larger blocks and less memory, and with few rows one workgroup that
    /// goes from step to step. On the CPU nothing of it changes with their number.
    #[test]
    fn many_networks_share_the_places_of_a_gpu() {
        let (spec, recipe) = (spec(&[2, 25, 50, 50, 25, 1]), Recipe::new(Rule::Sgd));
        let with = |replicas| TrainShape { replicas, ..TrainShape::full(900) };
        let plan = |replicas, target| fused(&spec, &recipe, with(replicas), target).unwrap();
        assert_eq!(groups(&plan(1, LARGE)), (8, 113));
        assert_eq!(groups(&plan(8, LARGE)), (32, 29));
        assert_eq!(groups(&plan(64, LARGE)), (32, 29));
        assert_eq!(groups(&plan(256, LARGE)), (32, 10));
        assert_eq!(groups(&plan(1024, LARGE)), (32, 3));
        let bytes = |replicas| plan(replicas, LARGE).bytes(4) / replicas as u64;
        assert!(bytes(1024) * 8 < bytes(1), "{} and {}", bytes(1024), bytes(1));
        for (replicas, kind) in [(1, PlanKind::Fused), (16, PlanKind::Fused), (1024, PlanKind::Resident)] {
            let few = TrainShape { batch: 32, ..with(replicas) };
            assert_eq!(choose(None, &spec, &recipe, few, LARGE).unwrap().kind, kind, "{replicas}");
            assert_eq!(groups(&plan(replicas, Target::Cpu)), groups(&plan(1, Target::Cpu)));
        }
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
        assert!(error.contains("plan") && error.contains("memory of a workgroup"), "{error}");
    }
}
