//! The plans of a network whose gradient comes from shards. The rows are dealt into shards, row r into shard r mod S, and each step takes
//! a part of its batch from every shard. A shard has a plan of its own, which ends with the gradient. The update and the validation are
//! a plan besides, which has no training rows.

use std::ops::Range;

use super::buffers::Role;
use super::builder::{Builder, PartialGradients};
use super::choice::choose;
use super::forward::whole;
use super::fused::fused;
use super::passes::{Dispatch, Pass, PassKind, Plan, dispatch};
use super::request::{PlanKind, Recipe, Target, TrainShape, batches, check, sizes};
use crate::error::{Error, Result};
use crate::kernels::{Kernel, Part, REDUCE, REDUCE_UPDATE, SQUARE_SUM, UPDATE};
use crate::spec::MlpSpec;

/// How rows and positions are dealt: number p is of shard p mod S, at place p / S there. What holds for the rows of the data set holds for
/// the positions of an epoch's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shards(pub usize);

impl Shards {
    /// How many of the numbers below `end` a shard has.
    pub fn before(self, end: usize, shard: usize) -> usize {
        (end + self.0 - 1 - shard) / self.0
    }

    /// The places in a shard of the numbers in a range.
    pub fn places(self, range: Range<usize>, shard: usize) -> Range<usize> {
        self.before(range.start, shard)..self.before(range.end, shard)
    }
}

/// The plans of some shards, and of what they serve.
#[derive(Debug)]
pub(crate) struct ShardedPlan {
    /// Update and validation. The buffers of the training rows are as long as all shards' together.
    pub whole: Plan,
    /// Training rows, of all shards.
    pub samples: usize,
    /// From a part of a batch to its gradient, for each of the shards.
    pub parts: Vec<Plan>,
}

impl ShardedPlan {
    /// Plans training of `spec` by these of the shards.
    pub fn new(
        wanted: Option<PlanKind>,
        spec: &MlpSpec,
        recipe: &Recipe,
        shape: TrainShape,
        target: Target,
        (shards, own): (Shards, Range<usize>),
    ) -> Result<Self> {
        let shape = TrainShape { slots: 1, ..shape };
        check(&shape)?;
        check_shards(&shape, shards.0)?;
        if wanted == Some(PlanKind::Resident) {
            let expected = "another one with data-parallel training: its step cannot be divided".into();
            return Err(Error::Setting { what: "plan", found: "resident".into(), expected });
        }
        let of_part = Recipe { keep_best: false, clip_norm: false, ..recipe.clone() };
        let part = |shard| {
            let samples = shards.before(shape.samples, shard);
            let batch = if shape.gathers() { shape.batch.div_ceil(shards.0) } else { samples };
            let shape = TrainShape { samples, validation: 0, batch, ..shape };
            let plan = choose(wanted, spec, &of_part, shape, target)?;
            let plan = if plan.kind == PlanKind::Resident { fused(spec, &of_part, shape, target)? } else { plan };
            plan.without_update()
        };
        let parts = own.map(part).collect::<Result<Vec<_>>>()?;
        let kind = parts.first().map_or(PlanKind::Layered, |plan| plan.kind);
        Ok(Self { whole: update(spec, recipe, &shape, target, kind)?, samples: shape.samples, parts })
    }
}

/// Refuses shards without rows, and batches that would take all of some shard's rows but not all rows.
fn check_shards(shape: &TrainShape, shards: usize) -> Result<()> {
    let TrainShape { samples, batch, .. } = *shape;
    if !(1..=samples.min(MOST_SHARDS)).contains(&shards) {
        let expected = format!("1 to {}, for {samples} training rows", samples.min(MOST_SHARDS));
        return Err(Error::Setting { what: "shards", found: shards.to_string(), expected });
    }
    let most = (samples / shards).saturating_sub(1) * shards;
    if shape.gathers() && batch > most {
        let found = format!("{batch} of {samples} rows");
        let expected = match most {
            0 => format!("all of them, or fewer shards than {shards}"),
            _ => format!("all of them, or at most {most} where they are dealt into {shards} shards"),
        };
        return Err(Error::Setting { what: "batch", found, expected });
    }
    Ok(())
}

/// Plans the update from a gradient that is there, and the validation.
fn update(spec: &MlpSpec, recipe: &Recipe, shape: &TrainShape, target: Target, kind: PlanKind) -> Result<Plan> {
    let (batch, validated) = batches(shape);
    let mut builder = Builder::training(spec, recipe, shape, validated)?;
    let groups = builder.loss_groups().max(1);
    builder.add(Role::LossRing, &[shape.slots, 1, groups, 2]);
    let mut passes = Vec::new();
    for rows in sizes(shape.samples, batch) {
        let mut dispatches = Vec::new();
        builder.update(&mut dispatches, recipe, PartialGradients { count: 1, stride: builder.layout.len() })?;
        passes.push(Pass { kind: PassKind::Train, rows, dispatches });
    }
    builder.whole = whole(spec, validated, 1, target)?;
    builder.add_validation(&mut passes, shape.validation, groups)?;
    Ok(builder.finish(kind, passes, None)?.in_tiles_for(target))
}

fn is(dispatch: &Dispatch, kernel: &'static Kernel) -> bool {
    std::ptr::eq(dispatch.kernel, kernel)
}

impl Plan {
    /// The same training steps up to the gradient; buffers that nothing uses then have one element.
    fn without_update(mut self) -> Result<Self> {
        for pass in &mut self.passes {
            let mut kept = Vec::with_capacity(pass.dispatches.len());
            for work in pass.dispatches.drain(..) {
                if is(&work, &REDUCE_UPDATE) {
                    let [count, _, groups, stride] = [0, 1, 2, 3].map(|dim| work.dims[dim] as usize);
                    let views = [work.views[0], work.views[2]];
                    kept.push(dispatch(&REDUCE, Part::None, 0, &[count, groups, stride], &views)?);
                } else if !is(&work, &UPDATE) && !is(&work, &SQUARE_SUM) {
                    kept.push(work);
                }
            }
            pass.dispatches = kept;
        }
        let works = || self.passes.iter().flat_map(|pass| &pass.dispatches);
        let is_used = |id| works().any(|work| work.views.iter().any(|view| view.buffer == id));
        let used: Vec<_> = (0..self.buffers.len()).map(is_used).collect();
        for (buffer, used) in self.buffers.iter_mut().zip(used) {
            if !used && buffer.role != Role::Parameters {
                buffer.len = 1;
            }
        }
        self.check()?;
        Ok(self)
    }

    /// The same plan with no room for training rows, where no pass reads them.
    pub(crate) fn without_rows(mut self) -> Self {
        for buffer in self.buffers.iter_mut().filter(|buffer| matches!(buffer.role, Role::Features | Role::Targets)) {
            buffer.len = 1;
        }
        self
    }
}

/// Most shards: what each rank tells of them at a step is as long.
const MOST_SHARDS: usize = 1 << 14;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_deal_all_rows_and_positions() {
        for (rows, shards) in [(1, 1), (10, 3), (16, 8), (17, 8), (23, 8)] {
            let shards = Shards(shards);
            let mut seen = vec![0; rows];
            for shard in 0..shards.0 {
                let all = shards.places(0..rows, shard);
                assert_eq!(all, 0..(0..rows).filter(|row| row % shards.0 == shard).count());
                all.for_each(|place| seen[place * shards.0 + shard] += 1);
                // Steps of any length take each place once, in order.
                let mut end = 0;
                for first in (0..rows).step_by(5) {
                    let places = shards.places(first..rows.min(first + 5), shard);
                    assert_eq!(places.start, end);
                    end = places.end;
                }
                assert_eq!(end, shards.before(rows, shard));
            }
            assert!(seen.iter().all(|&times| times == 1));
        }
    }
}
