//! A wgpu device with what belongs to it: its pipelines and the errors it reported.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::adapters::summary;
use super::pipelines::Pipelines;
use crate::backend::AdapterSummary;
use crate::error::{Error, Result};
use crate::kernels::MatrixUnits;
use crate::math::Precision;
use crate::plan::Plan;

/// A GPU ready for work. Clones share it.
#[derive(Clone, Debug)]
pub struct GpuDevice(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub limits: wgpu::Limits,
    pub summary: AdapterSummary,
    /// The matrix units that its products are made by, if they are.
    pub units: Option<MatrixUnits>,
    pub pipelines: Mutex<Pipelines>,
    /// Whether its check has passed.
    pub verified: AtomicBool,
    /// How long a submission is waited for.
    longest_wait: Mutex<Option<Duration>>,
    /// The first error that wgpu reported outside an error scope, until someone is told.
    reported: Arc<Mutex<Option<String>>>,
    /// How the device was lost, once that is known.
    lost: Arc<OnceLock<String>>,
}

const DESTROYED: &str = "it was destroyed";

/// How long a piece of hardware is waited for, unless the program says otherwise: far longer than any submission takes.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

impl GpuDevice {
    /// Takes a device that the program has already. Its handlers for uncaptured errors and for a lost device
    /// stay the program's own; the queue must be the device's. The first plan that is loaded on it checks it as
    /// [`GpuDevice::open`] does: its limits, and that it computes. `wgpu::Limits::default()` is enough; a limit below one of these is
    /// [`Error::Gpu`] that names it: 8 storage and 2 uniform buffers a shader stage, of which 1 has a dynamic offset, uniform bindings
    /// of 64 KiB, workgroups of 256 invocations (all of them in x) and of 16 KiB of memory.
    pub fn from_wgpu(device: wgpu::Device, queue: wgpu::Queue) -> Self {
        Self::new(device, queue, wgpu::ShaderRuntimeChecks::unchecked(), None)
    }

    /// Has wgpu tell of errors that nobody caught and of the device's loss.
    pub(super) fn listen(&self) {
        let reported = Arc::clone(&self.0.reported);
        self.0.device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| report(&reported, error.to_string())));
        let lost = Arc::clone(&self.0.lost);
        self.0.device.set_device_lost_callback(move |reason, message| {
            let destroyed = reason == wgpu::DeviceLostReason::Destroyed;
            lost.get_or_init(|| if destroyed { DESTROYED.into() } else { message });
        });
    }

    pub(super) fn new(
        device: wgpu::Device,
        queue: wgpu::Queue,
        checks: wgpu::ShaderRuntimeChecks,
        units: Option<MatrixUnits>,
    ) -> Self {
        let limits = device.limits();
        let summary = summary(&device.adapter_info(), &limits);
        let (reported, lost) = (Arc::default(), Arc::default());
        let (pipelines, verified) = (Mutex::new(Pipelines::new(device.clone(), checks)), AtomicBool::new(false));
        let longest_wait = Mutex::new(summary.is_hardware().then_some(LONGEST_WAIT));
        Self(Arc::new(Inner {
            device,
            queue,
            limits,
            summary,
            units,
            pipelines,
            verified,
            longest_wait,
            reported,
            lost,
        }))
    }

    /// The matrix units that its products are made by, if it was opened for them.
    pub fn matrix_units(&self) -> Option<MatrixUnits> {
        self.0.units
    }

    /// The precision of its products' operands.
    pub fn precision(&self) -> Precision {
        self.0.units.map_or(Precision::F32, |units| units.precision)
    }

    /// A plan as it is loaded: with products by matrix units, where the device was opened for them, and small ones in few dispatches.
    pub fn as_loaded(&self, plan: Plan) -> Plan {
        match self.0.units {
            Some(units) => plan.with_units(units, self.0.summary.workgroup_bytes as usize),
            None => plan,
        }
        .joined(self.0.summary.target())
    }

    /// Gives the device up at once, with all that is on it. Every later call on it is [`Error::DeviceLost`], as after a
    /// driver that gave up; one of [`from_wgpu`](Self::from_wgpu) is destroyed for the program, too.
    pub fn destroy(&self) {
        self.0.device.destroy();
        self.lose(DESTROYED);
    }

    /// How long one submission is waited for: 10 minutes on hardware, whose driver may hang; without limit, `None`, on a software
    /// adapter, which is as slow as the machine is busy.
    pub fn longest_wait(&self) -> Option<Duration> {
        *self.0.longest_wait.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets [`longest_wait`](Self::longest_wait) for all clones of the device; a wait beyond it is [`Error::Gpu`].
    pub fn set_longest_wait(&self, limit: Option<Duration>) {
        *self.0.longest_wait.lock().unwrap_or_else(PoisonError::into_inner) = limit;
    }

    /// wgpu's device, for what a program does on it itself.
    pub fn device(&self) -> &wgpu::Device {
        &self.0.device
    }

    /// wgpu's queue of the device.
    pub fn queue(&self) -> &wgpu::Queue {
        &self.0.queue
    }

    /// How many pipelines are kept for the next plan that needs them; a bound, whatever has been loaded.
    pub fn pipelines_kept(&self) -> usize {
        self.0.pipelines.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Its name, as the driver gives it.
    pub fn name(&self) -> &str {
        &self.0.summary.name
    }

    /// The graphics interface: `vulkan`, `metal`, `dx12`.
    pub fn backend(&self) -> &'static str {
        self.0.summary.backend
    }

    /// What is known of the adapter.
    pub fn summary(&self) -> &AdapterSummary {
        &self.0.summary
    }

    pub(super) fn error(&self, problem: impl Into<String>) -> Error {
        Error::Gpu { device: self.name().to_string(), problem: problem.into() }
    }

    /// What a call on the device came to: whether it is lost, or what is wrong.
    pub(super) fn failure(&self, problem: impl Into<String>) -> Error {
        self.probe();
        if self.0.lost.get().is_some() { self.lost() } else { self.error(problem) }
    }

    /// Takes note that the device is lost.
    fn lose(&self, problem: &str) {
        self.0.lost.get_or_init(|| problem.into());
    }

    /// Finds out whether the device is lost. wgpu tells a callback, which is the program's own on a device of the program's; but a
    /// lost device takes no submission, not even an empty one, so that there is nothing to wait for.
    fn probe(&self) {
        if self.0.lost.get().is_some() {
            return;
        }
        let scopes = self.push();
        let submission = self.0.queue.submit([]);
        let polled = self.poll(submission, Some(Duration::ZERO));
        let _ = pop_now(scopes);
        if matches!(polled, Ok(Err(wgpu::PollError::WrongSubmissionIndex(..)))) {
            self.lose("its driver gave up, or the program destroyed it");
        }
    }

    /// Polls the device; an error where it turns out to be lost.
    pub(super) fn poll(
        &self,
        submission: wgpu::SubmissionIndex,
        timeout: Option<Duration>,
    ) -> Result<Result<wgpu::PollStatus, wgpu::PollError>> {
        self.poll_as(wgpu::PollType::Wait { submission_index: Some(submission), timeout })
    }

    /// The same in any way of polling.
    pub(super) fn poll_as(&self, way: wgpu::PollType) -> Result<Result<wgpu::PollStatus, wgpu::PollError>> {
        // wgpu panics where a driver says in a poll that the device is lost. A poll calls others back, too, whose panics are theirs.
        catch_unwind(AssertUnwindSafe(|| self.0.device.poll(way))).map_err(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
            if !text.is_some_and(|text| text.starts_with("Error in Device::poll")) {
                resume_unwind(panic);
            }
            self.lose("its driver gave up while it was waited for");
            self.lost()
        })
    }

    fn lost(&self) -> Error {
        let problem = self.0.lost.get().cloned().unwrap_or_default();
        Error::DeviceLost { device: self.name().to_string(), problem }
    }

    /// What is wrong with the device: that it is lost, for ever, or an error of no one's call, for whoever asks first.
    pub(super) fn check(&self) -> Result<()> {
        if self.0.lost.get().is_some() {
            return Err(self.lost());
        }
        match self.0.reported.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(problem) => Err(self.failure(problem)),
            None => Ok(()),
        }
    }

    /// Runs calls to wgpu with its errors caught: they are of this caller and of no one else on the device. A browser answers later
    /// than that: there an error goes to the handler for those that nobody caught, and the next call tells of it.
    pub(super) fn guarded<T>(&self, calls: impl FnOnce() -> T) -> Result<T> {
        self.check()?;
        if cfg!(target_family = "wasm") {
            return Ok(calls());
        }
        let scopes = self.push();
        let made = calls();
        match pop_now(scopes) {
            None => Ok(made),
            Some(error) => Err(self.failure(error.to_string())),
        }
    }

    fn push(&self) -> [wgpu::ErrorScopeGuard; 3] {
        use wgpu::ErrorFilter::{Internal, OutOfMemory, Validation};
        [Internal, OutOfMemory, Validation].map(|filter| self.0.device.push_error_scope(filter))
    }

    /// The same for what needs so many bytes, also where wgpu does not answer at once.
    pub(super) async fn scoped<T>(&self, needed: u64, create: impl FnOnce() -> T) -> Result<T> {
        self.check()?;
        // Scopes belong to their thread. They are popped before anything is awaited, so that the future may move to another.
        let (created, answers) = {
            let scopes = self.push();
            (create(), pop(scopes))
        };
        for answer in answers {
            match answer.await {
                None => {}
                Some(wgpu::Error::OutOfMemory { .. }) => {
                    return Err(
                        self.failure(format!("{needed} bytes do not fit its memory: use a smaller batch or network"))
                    );
                }
                Some(error) => return Err(self.failure(error.to_string())),
            }
        }
        self.check()?;
        Ok(created)
    }
}

/// The first error of scopes, the innermost of which stands last. wgpu answers at once but in a browser, where the scopes are
/// forgotten with their errors.
fn pop_now(scopes: [wgpu::ErrorScopeGuard; 3]) -> Option<wgpu::Error> {
    let mut first = None;
    for answer in pop(scopes) {
        if let Poll::Ready(error) = pin!(answer).poll(&mut Context::from_waker(Waker::noop())) {
            first = first.or(error);
        }
    }
    first
}

/// What scopes have to say, of which the innermost stands last and is popped first.
fn pop([internal, memory, validation]: [wgpu::ErrorScopeGuard; 3]) -> [impl Future<Output = Option<wgpu::Error>>; 3] {
    [validation, memory, internal].map(wgpu::ErrorScopeGuard::pop)
}

fn report(reported: &Mutex<Option<String>>, problem: String) {
    reported.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(problem);
}
