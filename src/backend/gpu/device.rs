//! A wgpu device with what belongs to it: its pipelines and the errors it reported.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use super::adapters::{AdapterSummary, enumerate, summary};
use super::pipelines::Pipelines;
use crate::error::{Error, Result};

/// A GPU ready for work. Clones share it.
#[derive(Clone, Debug)]
pub struct GpuDevice(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub limits: wgpu::Limits,
    pub summary: AdapterSummary,
    pub pipelines: Mutex<Pipelines>,
    /// Whether shaders are compiled with wgpu's bounds checks and loop bounds.
    pub checks: wgpu::ShaderRuntimeChecks,
    /// Whether its check has passed.
    pub verified: AtomicBool,
    /// The first error that wgpu reported outside an error scope.
    reported: Arc<Mutex<Option<String>>>,
}

impl GpuDevice {
    /// Opens the adapter that stands at `index` in [`adapters`](super::adapters), with all its limits, and checks that it
    /// computes: a small product of matrices has to be right.
    ///
    /// # Errors
    /// [`Error::UnknownDevice`], [`Error::Gpu`], and [`Error::CheckFailed`] for a wrong product.
    pub async fn open(index: usize) -> Result<Self> {
        Self::open_with(index, wgpu::ShaderRuntimeChecks::unchecked(), wgpu::Features::empty()).await
    }

    /// Like [`GpuDevice::open`], with wgpu's bounds checks and loop bounds in every shader. Slower; results are
    /// the same, as tests show, since the shaders mask their own edges.
    pub async fn open_checked(index: usize) -> Result<Self> {
        Self::open_with(index, wgpu::ShaderRuntimeChecks::checked(), wgpu::Features::empty()).await
    }

    /// Opens an adapter with those of the features `wanted` that it has.
    pub(super) async fn open_with(
        index: usize,
        checks: wgpu::ShaderRuntimeChecks,
        wanted: wgpu::Features,
    ) -> Result<Self> {
        let mut adapters = enumerate().await;
        if index >= adapters.len() {
            let available = adapters.iter().map(|adapter| adapter.get_info().name).collect();
            return Err(Error::UnknownDevice { name: index.to_string(), available });
        }
        let adapter = adapters.swap_remove(index);
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("mlp"),
            required_features: adapter.features() & wanted,
            required_limits: adapter.limits(),
            ..Default::default()
        };
        let (device, queue) = adapter.request_device(&descriptor).await.map_err(|error| Error::Gpu {
            device: adapter.get_info().name,
            problem: format!("the device could not be opened: {error}"),
        })?;
        let opened = Self::new(device, queue, checks);
        let reported = Arc::clone(&opened.0.reported);
        opened.0.device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| report(&reported, error.to_string())));
        let reported = Arc::clone(&opened.0.reported);
        opened.0.device.set_device_lost_callback(move |reason, message| {
            if reason != wgpu::DeviceLostReason::Destroyed {
                report(
                    &reported,
                    format!("the device was lost: {message}; train in smaller batches, or update the driver"),
                );
            }
        });
        opened.verify().await?;
        Ok(opened)
    }

    /// Takes a device that the program has already. Its handlers for uncaptured errors and for a lost device
    /// stay the program's own; the queue must be the device's. The first plan that is loaded on it checks it as
    /// [`GpuDevice::open`] does.
    pub fn from_wgpu(device: wgpu::Device, queue: wgpu::Queue) -> Self {
        Self::new(device, queue, wgpu::ShaderRuntimeChecks::unchecked())
    }

    fn new(device: wgpu::Device, queue: wgpu::Queue, checks: wgpu::ShaderRuntimeChecks) -> Self {
        let limits = device.limits();
        let summary = summary(&device.adapter_info(), &limits);
        let reported = Arc::default();
        let (pipelines, verified) = (Mutex::default(), AtomicBool::new(false));
        Self(Arc::new(Inner { device, queue, limits, summary, pipelines, checks, verified, reported }))
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

    /// The first error that has been reported since the device was opened.
    pub(super) fn check(&self) -> Result<()> {
        match &*self.0.reported.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(problem) => Err(self.error(problem)),
            None => Ok(()),
        }
    }

    /// Runs `create`, which needs so many bytes, with wgpu's errors caught.
    pub(super) async fn scoped<T>(&self, needed: u64, create: impl FnOnce() -> T) -> Result<T> {
        let device = &self.0.device;
        let internal = device.push_error_scope(wgpu::ErrorFilter::Internal);
        let memory = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let validation = device.push_error_scope(wgpu::ErrorFilter::Validation);
        let created = create();
        // Innermost first; all are popped before the first error is returned.
        let (validation, memory, internal) = (validation.pop(), memory.pop(), internal.pop());
        for scope in [validation.await, memory.await, internal.await] {
            match scope {
                None => {}
                Some(wgpu::Error::OutOfMemory { .. }) => {
                    return Err(
                        self.error(format!("{needed} bytes do not fit its memory: use a smaller batch or network"))
                    );
                }
                Some(error) => return Err(self.error(error.to_string())),
            }
        }
        self.check()?;
        Ok(created)
    }
}

fn report(reported: &Mutex<Option<String>>, problem: String) {
    reported.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(problem);
}
