//! Runs plans on the CPU, in any [`Element`]: f32 for work, f64 as the oracle of every test. All cores;
//! the results do not depend on how many, since kernels split their work by its shape alone. Of several replicas each is a task for
//! itself, with all steps of a submission, so that a thread works in its own cache and waits for no other.

mod own;

use std::collections::VecDeque;
use std::ops::Range;

use super::{
    Backend, Counters, check_copy, check_len, check_memory, check_running, check_submission, kept_bytes, placed,
};
use crate::error::Result;
use crate::kernels::{Element, Step};
use crate::limits;
use crate::parallel::Pool;
use crate::parallel::prelude::*;
use crate::plan::{Buffer, BufferId, Plan, Role};
use own::{Parts, own_parts, reads_others, run};

/// The processor, with its threads.
#[derive(Clone, Debug)]
pub struct CpuDevice {
    pool: Pool,
    name: String,
}

impl CpuDevice {
    /// The processor with `threads` threads; 0 takes one for each core, or as many as `RAYON_NUM_THREADS` says. Without the feature
    /// `threads` there is one.
    ///
    /// # Errors
    /// [`Error::NoThread`](crate::Error::NoThread) where the system does not grant them;
    /// [`Error::MissingFeature`](crate::Error::MissingFeature) for more than one without the feature `threads`.
    pub fn new(threads: usize) -> Result<Self> {
        let pool = Pool::new(threads)?;
        let threads = pool.threads();
        let plural = if threads == 1 { "" } else { "s" };
        Ok(Self { name: format!("CPU, {threads} thread{plural}"), pool })
    }

    /// The threads.
    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// A name that says how many threads work.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// A plan loaded on the CPU.
#[derive(Debug)]
pub struct CpuBackend<T> {
    plan: Box<Plan>,
    pool: Pool,
    buffers: Vec<Vec<T>>,
    /// Replicas that run.
    running: usize,
    /// For each buffer, what a replica has of it to itself, where the plan's buffers fall apart so; 0 for one that all share.
    own: Option<Vec<usize>>,
    /// Rings of the submissions that have not been collected.
    results: VecDeque<Vec<T>>,
    counters: Counters,
}

impl<T: Element> CpuBackend<T> {
    /// Allocates the plan's buffers. Refuses a plan that does not fit the memory that is free, beside the copies of its
    /// parameters that a training run takes.
    pub fn load(device: &CpuDevice, plan: Plan) -> Result<Self> {
        plan.check()?;
        let needed = plan.bytes(size_of::<T>()).saturating_add(kept_bytes(&plan));
        check_memory("the network's plan", needed, &device.name)?;
        let buffer = |buffer: &Buffer| limits::filled("a buffer of the network's plan", T::default(), buffer.len);
        let buffers = plan.buffers.iter().map(buffer).collect::<Result<Vec<_>>>()?;
        let counters = Counters { buffers_created: buffers.len() as u64, ..Counters::default() };
        let (running, own) = (plan.replicas, own_parts(&plan));
        let pool = device.pool.clone();
        let plan = Box::new(plan);
        Ok(Self { plan, pool, buffers, running, own, results: VecDeque::new(), counters })
    }

    /// All steps of each replica, a task each; where replicas read what others have made, as far as there.
    fn run_apart(&mut self, own: &[usize], steps: &[(usize, Step)]) {
        let Self { plan, pool, buffers, running, .. } = self;
        let (plan, running) = (&**plan, *running);
        let of_step = |(slot, each): (usize, &[(usize, Step)])| {
            plan.passes[each[0].0].dispatches.iter().map(move |work| (slot, work))
        };
        let works: Vec<_> = steps.chunks(running).enumerate().flat_map(of_step).collect();
        let step_of = |slot: usize, replica: usize| placed(plan, slot, steps[slot * running + replica]);
        pool.install(|| {
            for stretch in works.chunk_by(|(_, one), (_, next)| reads_others(one) == reads_others(next)) {
                if reads_others(stretch[0].1) {
                    let mut parts = Parts::whole(buffers);
                    for (&(slot, work), replica) in stretch.iter().flat_map(|work| (0..running).map(move |r| (work, r)))
                    {
                        run(work, &mut parts, replica, step_of(slot, replica));
                    }
                    continue;
                }
                Parts::of_each(buffers, own, running).par_iter_mut().enumerate().for_each(|(replica, parts)| {
                    stretch.iter().for_each(|&(slot, work)| run(work, parts, 0, step_of(slot, replica)));
                });
            }
        });
    }

    /// Step by step, each dispatch for one replica after the other.
    fn run_together(&mut self, steps: &[(usize, Step)]) {
        let Self { plan, pool, buffers, running, .. } = self;
        let mut parts = Parts::whole(buffers);
        let work = || {
            for (slot, each) in steps.chunks(*running).enumerate() {
                for dispatch in &plan.passes[each[0].0].dispatches {
                    for (replica, &step) in each.iter().enumerate() {
                        run(dispatch, &mut parts, replica, placed(plan, slot, step));
                    }
                }
            }
        };
        match steps.len() {
            0 | 1 => pool.install(work),
            _ => pool.install_awake(work),
        }
    }

    /// The ring's slots of a submission, [steps, replicas, groups, 2].
    fn losses(&self, steps: usize) -> Vec<T> {
        let Some(ring) = self.plan.find(Role::LossRing).map(|ring| &self.buffers[ring]) else { return Vec::new() };
        let (slot, replicas) = (self.plan.ring_slot(), self.plan.replicas);
        if self.own.is_none() {
            return ring[..steps * slot].to_vec();
        }
        // A replica has its slots one behind the other.
        let (part, each) = (slot / replicas, ring.len() / replicas);
        let places = (0..steps).flat_map(|step| (0..replicas).map(move |replica| replica * each + step * part));
        places.flat_map(|at| &ring[at..at + part]).copied().collect()
    }
}

impl<T: Element> Backend for CpuBackend<T> {
    type Real = T;

    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn write(&mut self, buffer: BufferId, values: &[T]) -> Result<()> {
        check_len(&self.plan, buffer, values.len())?;
        self.buffers[buffer][..values.len()].copy_from_slice(values);
        Ok(())
    }

    fn copy(&mut self, from: BufferId, to: BufferId, replicas: &[Range<usize>]) -> Result<()> {
        let each = check_copy(&self.plan, from, to, replicas)?;
        if let Ok([from, to]) = self.buffers.get_disjoint_mut([from, to]) {
            for range in replicas.iter().map(|range| range.start * each..range.end * each) {
                to[range.clone()].copy_from_slice(&from[range]);
            }
        }
        Ok(())
    }

    fn run_first(&mut self, replicas: usize) -> Result<()> {
        check_running(&self.plan, replicas)?;
        self.running = replicas;
        Ok(())
    }

    fn submit(&mut self, steps: &[(usize, Step)]) -> Result<()> {
        check_submission(&self.plan, self.running, steps, self.results.len())?;
        match self.own.take() {
            Some(own) => {
                self.run_apart(&own, steps);
                self.own = Some(own);
            }
            None => self.run_together(steps),
        }
        let each = steps.chunks(self.running);
        self.counters.submissions += 1;
        self.counters.dispatches +=
            each.clone().map(|step| self.plan.passes[step[0].0].dispatches.len() as u64).sum::<u64>();
        self.results.push_back(self.losses(each.len()));
        Ok(())
    }

    fn is_done(&mut self) -> Result<bool> {
        Ok(true)
    }

    async fn collect(&mut self) -> Result<Vec<T>> {
        Ok(self.results.pop_front().unwrap_or_default())
    }

    async fn read(&mut self, buffer: BufferId) -> Result<Vec<T>> {
        check_len(&self.plan, buffer, 0)?;
        if self.own.is_some() && self.plan.buffers[buffer].role == Role::LossRing {
            return Ok(self.losses(self.plan.slots));
        }
        let values = &self.buffers[buffer];
        let mut copy = limits::room("a copy of a buffer", values.len())?;
        copy.extend_from_slice(values);
        Ok(copy)
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}
