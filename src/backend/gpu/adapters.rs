//! The adapters that are present, in a fixed order: real GPUs first, then software.

use crate::backend::{AdapterSummary, BROWSER};
use crate::error::{Error, Result};

/// What wgpu has to be asked for, to use matrix units.
pub(super) const UNITS: wgpu::Features =
    wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX.union(wgpu::Features::SHADER_F16).union(wgpu::Features::SUBGROUP);

/// Devices' numbers of NVIDIA's Turing.
const TURING: std::ops::Range<u32> = 0x1e00..0x2200;

const VARIABLE: &str = "WGPU_BACKEND";

/// Every adapter with what is known of it; empty when there is none. It blocks the thread; [`adapters_async`] does not.
///
/// # Errors
/// None so far.
#[cfg(not(target_family = "wasm"))]
pub fn adapters() -> Result<Vec<AdapterSummary>> {
    pollster::block_on(adapters_async())
}

/// [`adapters`] for async programs.
pub async fn adapters_async() -> Result<Vec<AdapterSummary>> {
    let summary = |adapter: &wgpu::Adapter| AdapterSummary {
        matrix_units: matrix_units(adapter),
        ..summary(&adapter.get_info(), &adapter.limits())
    };
    Ok(enumerate().await.iter().map(summary).collect())
}

pub(super) async fn enumerate() -> Vec<wgpu::Adapter> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    // Labels and validation in debug builds only: they cost time at every call.
    descriptor.flags = wgpu::InstanceFlags::from_build_config();
    // Refuse a buffer that would fill the device's memory instead of losing the device later.
    descriptor.memory_budget_thresholds.for_resource_creation = Some(97);
    // WGPU_BACKEND and its like narrow the choice, as in every program that uses wgpu.
    descriptor.backend_options = wgpu::BackendOptions::from_env_or_default();
    let named = backend_variable().and_then(|_| wgpu::Backends::from_env());
    let backends = named.unwrap_or(wgpu::Backends::PRIMARY);
    let instance = wgpu::Instance::new(descriptor);
    let mut adapters = instance.enumerate_adapters(backends).await;
    adapters
        .retain(|adapter| adapter.get_downlevel_capabilities().flags.contains(wgpu::DownlevelFlags::COMPUTE_SHADERS));
    adapters.sort_by_key(|adapter| match adapter.get_info().device_type {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::VirtualGpu => 2,
        wgpu::DeviceType::Other => 3,
        wgpu::DeviceType::Cpu => 4,
    });
    adapters
}

/// What the variable says that narrows the choice; nothing is as if it were not set.
fn backend_variable() -> Option<String> {
    std::env::var_os(VARIABLE).map(|text| text.to_string_lossy().into_owned()).filter(|text| !text.trim().is_empty())
}

/// Why there is no adapter: [`Error::NoAdapter`], or the variable that hides them.
pub(crate) fn no_adapter() -> Error {
    match backend_variable() {
        Some(value) => Error::HiddenAdapters { variable: VARIABLE, value },
        None => Error::NoAdapter,
    }
}

/// Rows, columns and depth of the matrices that an adapter's matrix units multiply, with operands of f16 and sums of f32. Subgroups of one size
/// alone: how many matrices a workgroup makes is written into its shader.
pub(super) fn matrix_units(adapter: &wgpu::Adapter) -> Option<usize> {
    let info = adapter.get_info();
    // NVK (Mesa 26.1) lists matrices for Turing, and refuses a device that asks for them, which wgpu answers with a panic.
    let refused = info.driver == "NVK" && TURING.contains(&info.device);
    if refused || info.subgroup_min_size != info.subgroup_max_size || !adapter.features().contains(UNITS) {
        return None;
    }
    let types = (wgpu::CooperativeScalarType::F16, wgpu::CooperativeScalarType::F32);
    let sizes = adapter.cooperative_matrix_properties();
    let fits = |size: u32| {
        let is = |p: &wgpu::CooperativeMatrixProperties| {
            (p.m_size, p.n_size, p.k_size) == (size, size, size) && (p.ab_type, p.cr_type) == types
        };
        sizes.iter().any(is)
    };
    [16, 8].into_iter().find(|&size| fits(size)).map(|size| size as usize)
}

pub(super) fn summary(info: &wgpu::AdapterInfo, limits: &wgpu::Limits) -> AdapterSummary {
    let in_browser = info.backend == wgpu::Backend::BrowserWebGpu;
    AdapterSummary {
        // Most browsers name none.
        name: if in_browser && info.name.is_empty() { "the browser's GPU".into() } else { info.name.clone() },
        backend: info.backend.to_str(),
        kind: match info.device_type {
            wgpu::DeviceType::DiscreteGpu => "discrete GPU",
            wgpu::DeviceType::IntegratedGpu => "integrated GPU",
            wgpu::DeviceType::VirtualGpu => "virtual GPU",
            wgpu::DeviceType::Cpu => "software",
            wgpu::DeviceType::Other if in_browser => BROWSER,
            wgpu::DeviceType::Other => "other",
        },
        driver: format!("{} {}", info.driver, info.driver_info).trim().to_string(),
        max_buffer_bytes: limits.max_buffer_size.min(limits.max_storage_buffer_binding_size),
        workgroup_bytes: limits.max_compute_workgroup_storage_size,
        vendor: info.vendor,
        matrix_units: None,
    }
}
