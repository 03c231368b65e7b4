//! How fast a network trains and runs on a device, and how near that is to what the device can do. Every number is one of
//! work whose result has been checked: the gradient, the outputs and the measuring kernels' own results.
//!
//! `docs/benchmarks.md` says what is counted and how to read it. Knows nothing of terminals.

mod check;
mod clock;
mod peak;
mod profile;
mod report;
mod work;

use std::fmt;

use serde::Serialize;

pub use check::Case;
pub use clock::Rate;
#[cfg(not(target_family = "wasm"))]
pub use peak::peaks;
pub use peak::{Peak, Peaks, peaks_async};
pub use profile::KernelTime;
pub use report::{BenchReport, Crossing, DeviceReport};
pub use work::{crossings, pass_bytes, step_flops};

use crate::backend::{Backend, Device, Executor};
use crate::error::Result;
use crate::math::Optimizer;
use crate::plan::{self, Plan, PlanKind, Role};
use crate::train::{Batch, TrainConfig, plan_for};

/// Steps of a submission of forward passes at most; training has a limit of its own.
const FORWARD_SLOTS: usize = 1024;

/// What is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Work {
    /// A training step on a mini-batch: forward, loss, backward, update.
    Train,
    /// A forward pass, its rows on the device already and its outputs left there.
    Infer,
}

impl Work {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Train, Self::Infer];
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Train => "train",
            Self::Infer => "infer",
        })
    }
}

/// The speed of one kind of work at one batch size on one device.
#[derive(Clone, Debug, Serialize)]
pub struct Measurement {
    /// What was timed.
    pub work: Work,
    /// Rows of a step.
    pub batch: usize,
    /// The plan that the device ran.
    pub plan: PlanKind,
    /// Error of what was checked before: of a gradient, relative to its tensor as `mlp gradcheck` has it; of outputs, as
    /// a part of the largest error that rounding explains.
    pub error: f64,
    /// Steps a second.
    pub steps_per_second: Rate,
    /// The median of the steps times the batch.
    pub samples_per_second: f64,
    /// Kernels run in a step.
    pub dispatches: usize,
    /// Arithmetic of a step; see [`step_flops`].
    pub flops: u64,
    /// Bytes that a step's kernels read and write; see [`pass_bytes`].
    pub bytes: u64,
    /// Bytes of all buffers.
    pub memory: u64,
    /// Arithmetic in 1e9 operations a second.
    pub gflops: f64,
    /// Traffic in 1e9 bytes a second, caches included.
    pub gbps: f64,
    /// Arithmetic as a part of the device's peak.
    pub peak_share: f64,
    /// Traffic as a part of the device's copy bandwidth; above 1 where caches serve it.
    pub copy_share: f64,
    /// Time of each kernel, where it was asked for and the device can tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernels: Option<Vec<KernelTime>>,
}

/// How to measure.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// About what a measurement takes.
    pub seconds: f64,
    /// Whether each kernel is timed too, where the device can tell.
    pub profile: bool,
    /// How training is planned, or as suits the network and the device.
    pub plan: Option<PlanKind>,
    /// What a training step updates with; at a rate of 0, so that every step works on the same numbers.
    pub optimizer: Optimizer,
}

/// Times `case` on a device, after a check of the result.
///
/// # Errors
/// [`Error::TooLarge`](crate::Error::TooLarge) for a batch that does not fit the device,
/// [`Error::CheckFailed`](crate::Error::CheckFailed) for a result that is wrong.
#[cfg(not(target_family = "wasm"))]
pub fn measure(device: &Device, peaks: &Peaks, case: &Case, work: Work, options: Options) -> Result<Measurement> {
    pollster::block_on(measure_async(device, peaks, case, work, options))
}

/// [`measure`] for async programs.
pub async fn measure_async(
    device: &Device,
    peaks: &Peaks,
    case: &Case,
    work: Work,
    options: Options,
) -> Result<Measurement> {
    let (spec, batch, Options { seconds, profile, .. }) = (case.spec(), case.batch(), options);
    let mut backend = device.load(plan_of(device, case, work, options)?).await?;
    let error = match work {
        Work::Train => case.check_gradient(device, &mut backend).await?,
        Work::Infer => case.check_outputs(device, &mut backend).await?,
    };
    let steps_per_second = clock::time(&mut backend, seconds).await?;
    let kernels = match &mut backend {
        Executor::Gpu(gpu) if profile && device.has_timestamps() => Some(profile::profile(gpu, seconds).await?),
        _ => None,
    };
    let (pass, memory) = (&backend.plan().passes[0], backend.plan().bytes(4));
    let (flops, bytes) = (step_flops(spec, batch, work), pass_bytes(pass));
    let [gflops, gbps] = [flops, bytes].map(|count| count as f64 * steps_per_second.median / 1e9);
    Ok(Measurement {
        work,
        batch,
        plan: backend.plan().kind,
        error,
        steps_per_second,
        samples_per_second: batch as f64 * steps_per_second.median,
        dispatches: pass.dispatches.len(),
        flops,
        bytes,
        memory,
        gflops,
        gbps,
        peak_share: gflops / peaks.arithmetic.rate.most,
        copy_share: gbps / peaks.copy.rate.most,
        kernels,
    })
}

/// The plan that training or inference would take.
fn plan_of(device: &Device, case: &Case, work: Work, options: Options) -> Result<Plan> {
    let (spec, batch) = (case.spec(), case.batch());
    Ok(match work {
        Work::Train => {
            let Options { plan, optimizer, .. } = options;
            let config = TrainConfig { plan, ..TrainConfig::new(1, Batch::Rows(batch), optimizer) };
            plan_for(device, spec, &config, case.data(), 0)?
        }
        // A forward plan has no ring, so its slots are only the steps that a submission may have.
        Work::Infer => Plan { slots: FORWARD_SLOTS, ..plan::forward(spec, batch, 1, device.target())? },
    })
}

/// Writes the whole of a buffer, or its beginning.
fn write<B: Backend>(backend: &mut B, role: Role, values: &[B::Real]) -> Result<()> {
    let buffer = backend.plan().buffer(role)?;
    backend.write(buffer, values)
}
