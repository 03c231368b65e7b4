//! Opening an adapter.

use super::adapters::{UNITS, enumerate, matrix_units};
use super::device::GpuDevice;
use crate::backend::{Opening, no_units};
use crate::error::{Error, Result};
use crate::kernels::MatrixUnits;
use crate::math::Precision;

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
        Self::open_with_async(index, Opening::default()).await
    }

    /// Like [`GpuDevice::open`], with wgpu's bounds checks and loop bounds in every shader. Slower; results are
    /// the same, as tests show, since the shaders mask their own edges.
    #[cfg(not(target_family = "wasm"))]
    pub fn open_checked(index: usize) -> Result<Self> {
        pollster::block_on(Self::open_checked_async(index))
    }

    /// [`open_checked`](Self::open_checked) for async programs.
    pub async fn open_checked_async(index: usize) -> Result<Self> {
        Self::opened(index, wgpu::ShaderRuntimeChecks::checked(), Opening::default()).await
    }

    /// [`open`](Self::open) in another way.
    ///
    /// # Errors
    /// Those of [`open`](Self::open), and [`Error::Setting`] for a precision that the adapter has no matrix units for.
    #[cfg(not(target_family = "wasm"))]
    pub fn open_with(index: usize, opening: Opening) -> Result<Self> {
        pollster::block_on(Self::open_with_async(index, opening))
    }

    /// [`open_with`](Self::open_with) for async programs.
    pub async fn open_with_async(index: usize, opening: Opening) -> Result<Self> {
        Self::opened(index, wgpu::ShaderRuntimeChecks::unchecked(), opening).await
    }

    async fn opened(index: usize, checks: wgpu::ShaderRuntimeChecks, opening: Opening) -> Result<Self> {
        let mut adapters = enumerate().await;
        if index >= adapters.len() {
            let available = adapters.iter().map(|adapter| adapter.get_info().name).collect();
            return Err(Error::UnknownDevice { name: index.to_string(), available });
        }
        let adapter = adapters.swap_remove(index);
        let units = units_for(&adapter, opening.precision)?;
        let timed = if opening.timed { wgpu::Features::TIMESTAMP_QUERY } else { wgpu::Features::empty() };
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("mlp"),
            required_features: (adapter.features() & timed)
                | if units.is_some() { UNITS } else { wgpu::Features::empty() },
            required_limits: adapter.limits(),
            experimental_features: experimental(units.is_some()),
            ..Default::default()
        };
        let (device, queue) = adapter.request_device(&descriptor).await.map_err(|error| Error::Gpu {
            device: adapter.get_info().name,
            problem: format!("the device could not be opened: {error}"),
        })?;
        let opened = Self::new(device, queue, checks, units);
        opened.listen();
        opened.verify().await?;
        Ok(opened)
    }
}

#[allow(unsafe_code)]
fn experimental(units: bool) -> wgpu::ExperimentalFeatures {
    if units {
        // SAFETY: wgpu asks its user to put up with undefined behaviour that an experimental feature may have. Of cooperative matrices only
        // the crate's own shaders make use, inside workgroup memory that their sizes fit, and the device's product is checked before its first use.
        unsafe { wgpu::ExperimentalFeatures::enabled() }
    } else {
        wgpu::ExperimentalFeatures::disabled()
    }
}

/// The adapter's matrix units for a precision that takes them.
fn units_for(adapter: &wgpu::Adapter, precision: Precision) -> Result<Option<MatrixUnits>> {
    if precision == Precision::F32 {
        return Ok(None);
    }
    let Some(size) = matrix_units(adapter) else {
        let name = adapter.get_info().name;
        return Err(no_units(precision, &name));
    };
    Ok(Some(MatrixUnits { precision, size, subgroup: adapter.get_info().subgroup_max_size as usize }))
}
