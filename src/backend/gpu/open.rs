//! Opening an adapter.

use super::adapters::enumerate;
use super::device::GpuDevice;
use crate::error::{Error, Result};

impl GpuDevice {
    /// Opens the adapter that stands at `index` in [`adapters`](super::adapters), with all its limits, and checks that it
    /// computes: a small product of matrices has to be right. It blocks the thread; [`open_async`](Self::open_async) does not.
    ///
    /// # Errors
    /// [`Error::UnknownDevice`], [`Error::Gpu`], and [`Error::CheckFailed`] for a wrong product.
    #[cfg(not(target_family = "wasm"))]
    pub fn open(index: usize) -> Result<Self> {
        pollster::block_on(Self::open_async(index))
    }

    /// [`open`](Self::open) for async programs.
    pub async fn open_async(index: usize) -> Result<Self> {
        Self::open_with(index, wgpu::ShaderRuntimeChecks::unchecked(), wgpu::Features::empty()).await
    }

    /// Like [`GpuDevice::open`], with wgpu's bounds checks and loop bounds in every shader. Slower; results are
    /// the same, as tests show, since the shaders mask their own edges.
    #[cfg(not(target_family = "wasm"))]
    pub fn open_checked(index: usize) -> Result<Self> {
        pollster::block_on(Self::open_checked_async(index))
    }

    /// [`open_checked`](Self::open_checked) for async programs.
    pub async fn open_checked_async(index: usize) -> Result<Self> {
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
        opened.listen();
        opened.verify().await?;
        Ok(opened)
    }
}
