//! Backends execute plans. Two exist, the CPU and any GPU that wgpu reaches; [`Device`] chooses one and
//! [`Executor`] is whichever was chosen. A backend knows nothing of networks, epochs or data.
//!
//! Without the feature `gpu` the types of a GPU are there, so that programs compile, but have no values.

mod adapter;
pub mod cpu;
#[cfg(feature = "gpu")]
pub mod gpu;
#[cfg(not(feature = "gpu"))]
#[path = "no_gpu.rs"]
mod gpu;
mod select;
mod sharded;

use std::future::Future;
use std::ops::Range;

use serde::Serialize;

pub use adapter::AdapterSummary;
#[cfg(feature = "gpu")]
use adapter::BROWSER;
pub use cpu::{CpuBackend, CpuDevice};
pub use gpu::{GpuBackend, GpuDevice};
#[cfg(feature = "gpu")]
use select::no_units;
pub use select::{OpenedDevice, Opening, open_all_async, open_async, open_nth_async, open_with_async};
#[cfg(not(target_family = "wasm"))]
pub use select::{open, open_with};
pub use sharded::Sharded;

use crate::error::{Error, Result};
use crate::kernels::Step;
use crate::limits::free_memory;
use crate::math::{Precision, Real};
use crate::plan::{BufferId, Plan, Role, ShardedPlan, Target};
use crate::ranks::DataParallel;

/// Most submissions whose results have not been collected.
pub const MAX_IN_FLIGHT: usize = 2;

/// Executes a plan whose buffers it has allocated.
pub trait Backend {
    /// Elements of all buffers.
    type Real: Real;

    /// The plan.
    fn plan(&self) -> &Plan;

    /// Writes the first `values.len()` elements of a buffer, before anything submitted later.
    fn write(&mut self, buffer: BufferId, values: &[Self::Real]) -> Result<()>;

    /// Copies what these replicas have of a buffer to another of the same length, after everything submitted so far.
    fn copy(&mut self, from: BufferId, to: BufferId, replicas: &[Range<usize>]) -> Result<()>;

    /// From the next submission on only so many of the plan's replicas run, the first ones.
    fn run_first(&mut self, replicas: usize) -> Result<()>;

    /// Queues steps, each a run of a pass, [steps, replicas that run]; the n-th step writes slot n of the loss ring, whatever its own
    /// slot. At most [`Plan::slots`] steps, and at most [`MAX_IN_FLIGHT`] submissions that are not collected.
    fn submit(&mut self, steps: &[(usize, Step)]) -> Result<()>;

    /// Whether the oldest submission is done, so that [`collect`](Self::collect) does not wait; true where there is none. Never waits.
    fn is_done(&mut self) -> Result<bool>;

    /// Waits for the oldest submission and returns its slots of the loss ring, one after the other; empty
    /// for a plan without a ring. On native platforms the wait blocks the thread.
    fn collect(&mut self) -> impl Future<Output = Result<Vec<Self::Real>>>;

    /// The whole of a buffer, after everything submitted so far. On native platforms the wait blocks.
    fn read(&mut self, buffer: BufferId) -> impl Future<Output = Result<Vec<Self::Real>>>;

    /// What has been done so far.
    fn counters(&self) -> Counters;
}

/// What a backend has done since it was loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Kernels run.
    pub dispatches: u64,
    /// Submissions of steps.
    pub submissions: u64,
    /// Bytes that crossed to the device. 0 on the CPU.
    pub bytes_up: u64,
    /// Bytes that came back. 0 on the CPU.
    pub bytes_down: u64,
    /// Buffers created, those for transfer included.
    pub buffers_created: u64,
}

/// Refuses what [`Backend::submit`] does not take; `running` replicas have a record of each step.
fn check_submission(plan: &Plan, running: usize, steps: &[(usize, Step)], in_flight: usize) -> Result<()> {
    let setting = |what, found: usize, expected: String| Error::Setting { what, found: found.to_string(), expected };
    let each = steps.chunks(running);
    if !(1..=plan.slots).contains(&each.len()) {
        return Err(setting("number of steps of a submission", each.len(), format!("1 to {}", plan.slots)));
    }
    if each.clone().any(|step| step.len() < running || step.iter().any(|(pass, _)| *pass != step[0].0)) {
        let expected = format!("one of the same pass for each of {running} replicas, step by step");
        return Err(setting("number of step records", steps.len(), expected));
    }
    if in_flight >= MAX_IN_FLIGHT {
        return Err(setting("number of submissions not collected", in_flight, format!("less than {MAX_IN_FLIGHT}")));
    }
    match steps.iter().find(|(pass, _)| *pass >= plan.passes.len()) {
        Some((pass, _)) => Err(setting("pass", *pass, format!("less than {}", plan.passes.len()))),
        None => Ok(()),
    }
}

/// A step as kernels see it, at a place of its submission.
fn placed(plan: &Plan, slot: usize, (pass, step): (usize, Step)) -> Step {
    Step { slot: slot as u32, rows: step.rows.min(plan.passes[pass].rows as u32), ..step }
}

/// Refuses to copy between buffers of different lengths, and what no replica has. The elements of a replica.
fn check_copy(plan: &Plan, from: BufferId, to: BufferId, replicas: &[Range<usize>]) -> Result<usize> {
    let len = |buffer: BufferId| plan.buffers.get(buffer).map_or(0, |buffer| buffer.len);
    let found = len(from);
    if found == 0 || found != len(to) || !found.is_multiple_of(plan.replicas) {
        return Err(Error::Shape { what: "the source of a copy".into(), found, expected: len(to).to_string() });
    }
    match replicas.iter().find(|range| range.end > plan.replicas || range.start > range.end) {
        Some(range) => Err(Error::Setting {
            what: "replicas to copy",
            found: format!("{range:?}"),
            expected: format!("a range of at most {}", plan.replicas),
        }),
        None => Ok(found / plan.replicas),
    }
}

/// Refuses to run more replicas than a plan has, or none.
fn check_running(plan: &Plan, replicas: usize) -> Result<()> {
    if (1..=plan.replicas).contains(&replicas) {
        return Ok(());
    }
    let expected = format!("1 to {}", plan.replicas);
    Err(Error::Setting { what: "number of replicas that run", found: replicas.to_string(), expected })
}

/// Refuses to write more elements than a buffer has.
fn check_len(plan: &Plan, buffer: BufferId, len: usize) -> Result<()> {
    match plan.buffers.get(buffer) {
        Some(there) if len <= there.len => Ok(()),
        there => Err(Error::Shape {
            what: format!("a write to {:?}", there.map(|buffer| buffer.role)),
            found: len,
            expected: format!("at most {}", there.map_or(0, |buffer| buffer.len)),
        }),
    }
}

/// Times that the parameters are in the host's memory while a model is written: themselves, their bytes by tensors, the file,
/// and the file with its header in order.
const COPIES: u64 = 4;

/// Bytes that the host needs before a training run is over, besides the plan's buffers: to write the model, and for a state what
/// the optimiser keeps and the best parameters.
fn kept_bytes(plan: &Plan) -> u64 {
    if plan.find(Role::OptimizerState).is_none() {
        return 0;
    }
    let kept = [(Role::Parameters, COPIES), (Role::OptimizerState, 1), (Role::Best, 1)];
    let values = kept.into_iter().filter_map(|(role, times)| Some(times * plan.buffers[plan.find(role)?].len as u64));
    values.sum::<u64>().saturating_mul(size_of::<f32>() as u64)
}

/// Refuses what does not fit the host's memory that is free.
fn check_memory(what: &str, needed: u64, device: &str) -> Result<()> {
    let available = free_memory();
    if needed <= available {
        return Ok(());
    }
    Err(Error::TooLarge { what: what.into(), needed, available, device: device.into() })
}

/// Where work is done.
#[derive(Clone, Debug)]
pub enum Device {
    /// This machine's processor.
    Cpu(CpuDevice),
    /// A GPU, real or software.
    Gpu(GpuDevice),
}

impl Device {
    /// Allocates a plan's buffers and prepares its kernels.
    pub async fn load(&self, plan: Plan) -> Result<Executor> {
        Ok(match self {
            Self::Cpu(device) => Executor::Cpu(CpuBackend::load(device, plan)?),
            Self::Gpu(device) => {
                check_memory("what is kept of the parameters", kept_bytes(&plan), "this machine")?;
                Executor::Gpu(GpuBackend::load(device, plan).await?)
            }
        })
    }

    /// Allocates what a rank has of a network that several train.
    pub(crate) async fn load_sharded(&self, plan: ShardedPlan, parallel: &DataParallel) -> Result<Executor> {
        let own = plan.whole.clone().without_rows();
        Ok(match self {
            Self::Cpu(device) => {
                let parts = plan.parts.into_iter().map(|plan| CpuBackend::load(device, plan));
                let parts = parts.collect::<Result<_>>()?;
                Executor::ShardedCpu(Sharded::new(
                    plan.whole,
                    plan.samples,
                    CpuBackend::load(device, own)?,
                    parts,
                    parallel,
                ))
            }
            Self::Gpu(device) => {
                check_memory("what is kept of the parameters", kept_bytes(&own), "this machine")?;
                let mut parts = Vec::with_capacity(plan.parts.len());
                for plan in plan.parts {
                    parts.push(GpuBackend::load(device, plan).await?);
                }
                let own = GpuBackend::load(device, own).await?;
                Executor::ShardedGpu(Sharded::new(plan.whole, plan.samples, own, parts, parallel))
            }
        })
    }

    /// What a plan has to know of it.
    pub fn target(&self) -> Target {
        match self {
            Self::Cpu(_) => Target::Cpu,
            Self::Gpu(device) => device.summary().target(),
        }
    }

    /// What its products' operands are.
    pub fn precision(&self) -> Precision {
        match self {
            Self::Cpu(_) => Precision::F32,
            Self::Gpu(device) => device.precision(),
        }
    }

    /// A plan as it is loaded: on a GPU that was opened for them with products by matrix units, and with small ones in few dispatches.
    pub fn as_loaded(&self, plan: Plan) -> Plan {
        match self {
            Self::Cpu(_) => plan,
            Self::Gpu(device) => device.as_loaded(plan),
        }
    }

    /// Whether it was opened so that kernels can be timed on it; see [`GpuBackend::profile`].
    pub fn has_timestamps(&self) -> bool {
        match self {
            Self::Cpu(_) => false,
            Self::Gpu(device) => device.has_timestamps(),
        }
    }

    /// The device's name.
    pub fn name(&self) -> String {
        match self {
            Self::Cpu(device) => device.name().to_string(),
            Self::Gpu(device) => device.name().to_string(),
        }
    }

    /// `cpu`, or the graphics interface: `vulkan`, `metal`, `dx12`.
    pub fn backend(&self) -> &'static str {
        match self {
            Self::Cpu(_) => "cpu",
            Self::Gpu(device) => device.backend(),
        }
    }
}

/// A plan loaded on a [`Device`].
#[derive(Debug)]
pub enum Executor {
    /// On the CPU, in f32.
    Cpu(CpuBackend<f32>),
    /// On a GPU.
    Gpu(GpuBackend),
    /// On the CPU of each of several ranks.
    ShardedCpu(Sharded<CpuBackend<f32>>),
    /// On a GPU of each of several ranks.
    ShardedGpu(Sharded<GpuBackend>),
}

macro_rules! either {
    ($self:ident, $backend:ident => $call:expr) => {
        match $self {
            Executor::Cpu($backend) => $call,
            Executor::Gpu($backend) => $call,
            Executor::ShardedCpu($backend) => $call,
            Executor::ShardedGpu($backend) => $call,
        }
    };
}

impl Backend for Executor {
    type Real = f32;
    fn plan(&self) -> &Plan {
        either!(self, backend => backend.plan())
    }
    fn write(&mut self, buffer: BufferId, values: &[f32]) -> Result<()> {
        either!(self, backend => backend.write(buffer, values))
    }
    fn copy(&mut self, from: BufferId, to: BufferId, replicas: &[Range<usize>]) -> Result<()> {
        either!(self, backend => backend.copy(from, to, replicas))
    }
    fn run_first(&mut self, replicas: usize) -> Result<()> {
        either!(self, backend => backend.run_first(replicas))
    }
    fn submit(&mut self, steps: &[(usize, Step)]) -> Result<()> {
        either!(self, backend => backend.submit(steps))
    }
    fn is_done(&mut self) -> Result<bool> {
        either!(self, backend => backend.is_done())
    }
    async fn collect(&mut self) -> Result<Vec<f32>> {
        either!(self, backend => backend.collect().await)
    }
    async fn read(&mut self, buffer: BufferId) -> Result<Vec<f32>> {
        either!(self, backend => backend.read(buffer).await)
    }
    fn counters(&self) -> Counters {
        either!(self, backend => backend.counters())
    }
}
