//! Steps whose gradient comes from the shards of several ranks. Each rank has the rows of its shards. A training step takes a part of the
//! batch through each shard's own plan, adds the gradients of all ranks' shards up in a fixed order, and updates the parameters, which are
//! the same on every rank. Rank 0 validates for all.

use std::collections::VecDeque;
use std::ops::Range;

use pollster::block_on;

use super::{Backend, Counters, check_len, check_submission};
use crate::error::Result;
use crate::kernels::{Step, shard_key};
use crate::limits;
use crate::plan::{Buffer, BufferId, PassKind, Plan, Role, Shards};
use crate::ranks::{DataParallel, Meeting, OrderedSum, PartialSum, Ranks, shards_of, sum_over_ranks};

/// One rank's part of a network that several train. [`submit`](Backend::submit) does the steps and waits for the other ranks.
#[derive(Debug)]
pub struct Sharded<B> {
    /// With buffers for all training rows, as whoever submits steps knows it.
    plan: Plan,
    samples: usize,
    /// Updates and validates.
    own: B,
    /// One for each of this rank's shards.
    parts: Vec<B>,
    range: Range<usize>,
    shards: Shards,
    ranks: Ranks,
    /// Training steps so far.
    steps: u64,
    results: VecDeque<Vec<f32>>,
}

/// Loss and number of correct predictions of a shard's part of a batch.
type Sums = [f64; 2];

impl<B: Backend<Real = f32>> Sharded<B> {
    /// `plan` is the whole of a `ShardedPlan` for so many training rows; `own` runs it, and each of `parts` one of its parts.
    pub(super) fn new(plan: Plan, samples: usize, own: B, parts: Vec<B>, parallel: &DataParallel) -> Self {
        let DataParallel { ranks, shards } = parallel.clone();
        let range = shards_of(ranks.rank(), ranks.size(), shards);
        Self { plan, samples, own, parts, range, shards: Shards(shards), ranks, steps: 0, results: VecDeque::new() }
    }

    /// A training step; its slot of the ring.
    fn train(&mut self, pass: usize, step: Step) -> Result<Vec<f32>> {
        self.steps += 1;
        let meeting = Meeting::Step(self.steps);
        let gradients = self.gradients(pass, step);
        let (sum, losses) = self.ranks.or_tell(meeting, gradients)?;
        let all = self.ranks.meet(meeting, Ok(bytemuck::cast_slice(&losses).to_vec()))?;
        let gradients = self.plan.buffer(Role::Gradients)?;
        let len = self.plan.buffers[gradients].len;
        let gradient = sum_over_ranks(self.ranks.transport(), self.shards.0, sum.into_parts(), len)?;
        self.own.write(gradients, &gradient)?;
        self.own.submit(&[(pass, Step { slot: 0, ..step })])?;
        block_on(self.own.collect())?;
        Ok(self.slot(&all))
    }

    /// The losses of all shards as a slot of the ring, which has fewer places than there may be shards.
    fn slot(&self, all: &[Vec<u8>]) -> Vec<f32> {
        let places = self.plan.ring_slot() / 2;
        let mut sums = vec![Sums::default(); places];
        let numbers = all.iter().flat_map(|bytes| bytes.as_chunks().0).copied().map(f64::from_ne_bytes);
        for (at, number) in numbers.enumerate() {
            sums[at / 2 % places][at % 2] += number;
        }
        sums.as_flattened().iter().map(|&value| value as f32).collect()
    }

    /// The sum of the gradients of this rank's shards, each by its part of the rows, and the shards' losses.
    fn gradients(&mut self, pass: usize, step: Step) -> Result<(OrderedSum, Vec<Sums>)> {
        let rows = (step.rows as usize).min(self.plan.passes[pass].rows);
        let first = step.first_row as usize;
        let parameters = block_on(self.own.read(self.plan.buffer(Role::Parameters)?))?;
        let (mut sum, mut losses) = (OrderedSum::default(), Vec::with_capacity(self.parts.len()));
        for (part, shard) in self.parts.iter_mut().zip(self.range.clone()) {
            let places = self.shards.places(first..first + rows, shard);
            if places.is_empty() {
                let nothing = limits::filled("a shard's gradient", 0.0, parameters.len())?;
                sum.push(PartialSum::of_shard(shard, nothing));
                losses.push(Sums::default());
                continue;
            }
            part.write(part.plan().buffer(Role::Parameters)?, &parameters)?;
            let key = |key| shard_key(key, shard as u32);
            let own = Step {
                slot: 0,
                rows: places.len() as u32,
                first_row: places.start as u32,
                key: key(step.key),
                mask_key: key(step.mask_key),
                ..step
            };
            let passes = part.plan().passes_of(PassKind::Train);
            let passes = passes.filter(|(_, pass)| pass.rows >= places.len());
            let smallest = passes.min_by_key(|(_, pass)| pass.rows).map_or(0, |(index, _)| index);
            part.submit(&[(smallest, own)])?;
            let ring = block_on(part.collect())?;
            losses.push(ring.as_chunks().0.iter().fold(Sums::default(), |[loss, correct], &[one, hits]| {
                [loss + f64::from(one), correct + f64::from(hits)]
            }));
            let mut gradient = block_on(part.read(part.plan().buffer(Role::Gradients)?))?;
            // It is of the mean over its own rows.
            let share = places.len() as f32 / rows as f32;
            gradient.iter_mut().for_each(|value| *value *= share);
            sum.push(PartialSum::of_shard(shard, gradient));
        }
        Ok((sum, losses))
    }

    /// A step on validation rows, by rank 0; its slot of the ring.
    fn validate(&mut self, pass: usize, step: Step) -> Result<Vec<f32>> {
        let meeting = Meeting::Validation(self.steps);
        let mine = if self.ranks.rank() == 0 { self.run_own(pass, step) } else { Ok(Vec::new()) };
        let mine = self.ranks.or_tell(meeting, mine)?;
        let all = self.ranks.meet(meeting, Ok(bytemuck::cast_slice(&mine).to_vec()))?;
        Ok(all[0].as_chunks().0.iter().copied().map(f32::from_ne_bytes).collect())
    }

    fn run_own(&mut self, pass: usize, step: Step) -> Result<Vec<f32>> {
        self.own.submit(&[(pass, Step { slot: 0, ..step })])?;
        block_on(self.own.collect())
    }

    /// Gives each shard its rows.
    fn deal(&mut self, buffer: BufferId, values: &[f32]) -> Result<()> {
        check_len(&self.plan, buffer, values.len())?;
        let Buffer { role, len } = self.plan.buffers[buffer];
        let (width, stride) = (len / self.samples, self.shards.0);
        for (part, shard) in self.parts.iter_mut().zip(self.range.clone()) {
            let own = part.plan().buffer(role)?;
            let mut rows = limits::room("a shard's rows", part.plan().buffers[own].len)?;
            let all = values.chunks_exact(width).skip(shard).step_by(stride);
            rows.extend(all.flatten().copied());
            part.write(own, &rows)?;
        }
        Ok(())
    }
}

impl<B: Backend<Real = f32>> Backend for Sharded<B> {
    type Real = f32;

    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn write(&mut self, buffer: BufferId, values: &[f32]) -> Result<()> {
        match self.plan.buffers.get(buffer).map(|buffer| buffer.role) {
            Some(Role::Features | Role::Targets) => return self.deal(buffer, values),
            // The loss has a parameter there.
            Some(Role::Hyper) => {
                for part in &mut self.parts {
                    let own = part.plan().buffer(Role::Hyper)?;
                    if part.plan().buffers[own].len == values.len() {
                        part.write(own, values)?;
                    }
                }
            }
            _ => {}
        }
        self.own.write(buffer, values)
    }

    fn copy(&mut self, from: BufferId, to: BufferId, replicas: &[Range<usize>]) -> Result<()> {
        self.own.copy(from, to, replicas)
    }

    fn run_first(&mut self, replicas: usize) -> Result<()> {
        self.own.run_first(replicas)
    }

    fn submit(&mut self, steps: &[(usize, Step)]) -> Result<()> {
        check_submission(&self.plan, 1, steps, self.results.len())?;
        let mut ring = Vec::with_capacity(steps.len() * self.plan.ring_slot());
        for &(pass, step) in steps {
            ring.extend(match self.plan.passes[pass].kind {
                PassKind::Train => self.train(pass, step)?,
                _ => self.validate(pass, step)?,
            });
        }
        self.results.push_back(ring);
        Ok(())
    }

    fn is_done(&mut self) -> Result<bool> {
        Ok(true)
    }

    async fn collect(&mut self) -> Result<Vec<f32>> {
        Ok(self.results.pop_front().unwrap_or_default())
    }

    async fn read(&mut self, buffer: BufferId) -> Result<Vec<f32>> {
        self.own.read(buffer).await
    }

    fn counters(&self) -> Counters {
        self.parts.iter().map(B::counters).fold(self.own.counters(), |sum, part| Counters {
            dispatches: sum.dispatches + part.dispatches,
            submissions: sum.submissions + part.submissions,
            bytes_up: sum.bytes_up + part.bytes_up,
            bytes_down: sum.bytes_down + part.bytes_down,
            buffers_created: sum.buffers_created + part.buffers_created,
        })
    }
}
