//! Runs plans on the CPU, in any [`Element`]: f32 for work, f64 as the oracle of every test. All cores;
//! the results do not depend on how many, since kernels split their work by its shape alone.

use std::collections::VecDeque;

use super::{Backend, Counters, check_copy, check_len, check_memory, check_submission, kept_bytes, placed};
use crate::error::Result;
use crate::kernels::{Access, Call, Element, Io, MAX_BINDINGS, Step};
use crate::limits;
use crate::parallel::Pool;
use crate::plan::{Buffer, BufferId, Dispatch, Plan, Role, View};

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
    plan: Plan,
    pool: Pool,
    buffers: Vec<Vec<T>>,
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
        Ok(Self { plan, pool: device.pool.clone(), buffers, results: VecDeque::new(), counters })
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

    fn copy(&mut self, from: BufferId, to: BufferId) -> Result<()> {
        check_copy(&self.plan, from, to)?;
        if let Ok([from, to]) = self.buffers.get_disjoint_mut([from, to]) {
            to.copy_from_slice(from);
        }
        Ok(())
    }

    fn submit(&mut self, steps: &[(usize, Step)]) -> Result<()> {
        check_submission(&self.plan, steps, self.results.len())?;
        let Self { plan, buffers, counters, .. } = self;
        let work = || {
            for (slot, &(pass, step)) in steps.iter().enumerate() {
                let step = placed(plan, slot, (pass, step));
                for dispatch in &plan.passes[pass].dispatches {
                    run(plan, dispatch, buffers, step);
                    counters.dispatches += 1;
                }
            }
        };
        match steps.len() {
            0 | 1 => self.pool.install(work),
            _ => self.pool.install_awake(work),
        }
        self.counters.submissions += 1;
        let ring = self.plan.find(Role::LossRing).map(|ring| &self.buffers[ring]);
        let used = steps.len() * self.plan.ring_slot();
        self.results.push_back(ring.map_or_else(Vec::new, |ring| ring[..used].to_vec()));
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
        let values = &self.buffers[buffer];
        let mut copy = limits::room("a copy of a buffer", values.len())?;
        copy.extend_from_slice(values);
        Ok(copy)
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}

/// Runs one dispatch for every replica. The buffers that it writes are taken out of their places
/// meanwhile, so that the others can be borrowed beside them.
fn run<T: Element>(plan: &Plan, dispatch: &Dispatch, buffers: &mut [Vec<T>], step: Step) {
    let kernel = dispatch.kernel;
    let used = kernel.bindings.len();
    let (mut inputs, mut outputs) = ([None; MAX_BINDINGS], [None; MAX_BINDINGS]);
    let mut taken: [Vec<T>; MAX_BINDINGS] = Default::default();
    let (mut reads, mut writes) = (0, 0);
    for index in 0..used {
        let (view, len) = (dispatch.views[index], kernel.elements(index, &dispatch.dims) as usize);
        if kernel.bindings[index].access == Access::In {
            inputs[reads] = Some((view, len));
            reads += 1;
        } else {
            outputs[writes] = Some((view, len));
            taken[writes] = std::mem::take(&mut buffers[view.buffer]);
            writes += 1;
        }
    }
    for replica in 0..plan.replicas {
        let range = |view: View, len| {
            let start = view.offset + replica * view.replica_stride + step.slot as usize * view.slot_stride;
            start..start + len
        };
        let io = Io {
            inputs: inputs.map(|used| used.map_or(&[][..], |(view, len)| &buffers[view.buffer][range(view, len)])),
            outputs: {
                let mut outputs = outputs.iter();
                taken.each_mut().map(|buffer| match outputs.next() {
                    Some(&Some((view, len))) => &mut buffer[range(view, len)],
                    _ => &mut [],
                })
            },
        };
        let call = Call {
            dims: &dispatch.dims,
            part: &dispatch.part,
            variant: dispatch.variant,
            step,
            replica: replica as u32,
        };
        T::function(&kernel.cpu)(&call, io);
    }
    for (buffer, used) in taken.into_iter().zip(outputs) {
        if let Some((view, _)) = used {
            buffers[view.buffer] = buffer;
        }
    }
}
