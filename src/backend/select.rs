//! Choosing a device by what the user wants.

use std::fmt;

use super::gpu::{adapters_async, no_adapter};
use super::{AdapterSummary, CpuDevice, Device, GpuDevice};
use crate::error::{Error, Result, set};
use crate::math::Precision;

/// How a device is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// With timestamp queries, for [`GpuBackend::profile`](super::GpuBackend::profile), on a GPU that has them.
    pub timed: bool,
    /// What the products of layered plans are made of.
    pub precision: Precision,
}

/// A device with the reason for which it was chosen.
#[derive(Clone, Debug)]
pub struct OpenedDevice {
    /// The device, opened.
    pub device: Device,
    /// Why it and not another, in one line without a full stop.
    pub reason: String,
}

/// Opens the device that `wanted` names:
/// `auto`, a hardware GPU if there is one, else the CPU; `gpu`, the first adapter, software too; `cpu`; a
/// number of the list that [`gpu::adapters`](super::gpu) gives; or a part of an adapter's name. Only `auto` falls back, and not from a GPU
/// whose results are wrong: that is an error, as [`GpuDevice::open`] gives it.
///
/// It blocks the thread until the device is there; [`open_async`] does not.
///
/// # Errors
/// [`Error::UnknownDevice`] and [`Error::NoAdapter`] where there is no such device; [`Error::MissingFeature`] for a GPU without the
/// feature `gpu`; what the driver says where it cannot be opened.
#[cfg(not(target_family = "wasm"))]
pub fn open(wanted: &str) -> Result<OpenedDevice> {
    pollster::block_on(open_async(wanted))
}

/// [`open`] for async programs.
pub async fn open_async(wanted: &str) -> Result<OpenedDevice> {
    open_with_async(wanted, Opening::default()).await
}

/// The devices that `all` or a list names.
async fn names_of_several(wanted: &str) -> Result<Vec<String>> {
    if wanted != "all" {
        return Ok(wanted.split(',').map(|name| name.trim().to_string()).collect());
    }
    let adapters = adapters_async().await?;
    let found = hardware(&adapters);
    if found.is_empty() {
        let available = names(&adapters);
        return Err(Error::UnknownDevice { name: "all, which takes hardware GPUs alone".into(), available });
    }
    Ok(found)
}

/// The numbers of the hardware adapters.
fn hardware(adapters: &[AdapterSummary]) -> Vec<String> {
    let found = adapters.iter().enumerate().filter(|(_, adapter)| adapter.is_hardware());
    found.map(|(index, _)| index.to_string()).collect()
}

/// Opens one of several devices, for one of the processes that share them: the n-th of those that [`open_all_async`] would open, and
/// with `auto` the n-th hardware adapter, counted from 0 and again from the first behind the last.
///
/// # Errors
/// Those of [`open_all_async`].
pub async fn open_nth_async(wanted: &str, n: usize, opening: Opening) -> Result<OpenedDevice> {
    let all = match wanted {
        "auto" => hardware(&adapters_async().await.unwrap_or_default()),
        _ => names_of_several(wanted).await?,
    };
    let name = match &all[..] {
        // It is opened as it was named, which says why it was chosen.
        [] | [_] if wanted == "auto" => wanted,
        _ => &all[n % all.len()],
    };
    open_with_async(name, opening).await
}

/// Opens several devices: `all`, every hardware adapter; or what [`open`] takes, with commas between them.
///
/// # Errors
/// Those of [`open`]; [`Error::UnknownDevice`] for `all` where there is no hardware adapter.
pub async fn open_all_async(wanted: &str, opening: Opening) -> Result<Vec<OpenedDevice>> {
    let names = names_of_several(wanted).await?;
    let mut opened = Vec::with_capacity(names.len());
    for name in names {
        opened.push(open_with_async(&name, opening).await?);
    }
    Ok(opened)
}

/// [`open`] in another way.
///
/// # Errors
/// Those of [`open`], and [`Error::Setting`] for a precision that the device has no matrix units for. A processor has none.
#[cfg(not(target_family = "wasm"))]
pub fn open_with(wanted: &str, opening: Opening) -> Result<OpenedDevice> {
    pollster::block_on(open_with_async(wanted, opening))
}

/// What a precision takes, where `device` has no such units.
pub(super) fn no_units(precision: Precision, device: &str) -> Error {
    let expected = format!(
        "{}, since {device} has no matrix units for it: it takes a GPU that multiplies matrices of f16 with sums of f32, \
         as NVIDIA's do since Volta and AMD's since RDNA 3 by Vulkan (`mlp devices` says which do)",
        Precision::F32
    );
    Error::Setting { what: "precision", found: precision.to_string(), expected }
}

/// [`open_with`] for async programs.
pub async fn open_with_async(wanted: &str, opening: Opening) -> Result<OpenedDevice> {
    let wanted = wanted.to_lowercase();
    let wanted = wanted.as_str();
    let chosen = |device, reason: &str| OpenedDevice { device, reason: reason.into() };
    let says = |device: &str| format!("as {} says", set("device", device));
    let cpu = || match opening.precision {
        Precision::F32 => Ok(Device::Cpu(CpuDevice::new(0)?)),
        precision => Err(no_units(precision, "the processor")),
    };
    if wanted == "cpu" {
        return Ok(chosen(cpu()?, &says("cpu")));
    }
    let adapters = adapters_async().await?;
    let gpu = async |index| GpuDevice::open_with_async(index, opening).await.map(Device::Gpu);
    match wanted {
        "auto" => {
            let Some(index) = adapters.iter().position(AdapterSummary::is_hardware) else {
                let reason = match adapters.is_empty() {
                    true if is_hidden() => no_adapter().to_string(),
                    true => "no GPU was found; for one, install its driver".into(),
                    false => format!("no hardware GPU was found; {} takes software Vulkan", set("device", "gpu")),
                };
                return Ok(chosen(cpu()?, &reason));
            };
            match gpu(index).await {
                Ok(device) => {
                    Ok(chosen(device, &format!("a hardware GPU; {} takes the processor", set("device", "cpu"))))
                }
                // A machine with such a driver needs its user: it would be slow from now on, and nobody would know why.
                Err(error @ (Error::CheckFailed(_) | Error::Setting { .. })) => Err(error),
                Err(error) => Ok(chosen(cpu()?, &format!("the GPU could not be used: {error}"))),
            }
        }
        "gpu" if adapters.is_empty() => Err(no_adapter()),
        "gpu" => Ok(chosen(gpu(0).await?, &format!("the first GPU adapter, {}", says("gpu")))),
        _ => {
            // A number is never a part of a name: names are full of them.
            let index = match wanted.parse::<usize>() {
                Ok(index) => Some(index).filter(|&index| index < adapters.len()),
                Err(_) => adapters.iter().position(|adapter| is_part(wanted, &adapter.name)),
            };
            match index {
                Some(index) => Ok(chosen(gpu(index).await?, &says(wanted))),
                None if adapters.is_empty() && is_hidden() => Err(no_adapter()),
                None => Err(Error::UnknownDevice { name: wanted.into(), available: names(&adapters) }),
            }
        }
    }
}

/// Whether there is none for another reason than the machine: a variable of the environment, a browser, or a build that knows none.
fn is_hidden() -> bool {
    cfg!(target_family = "wasm") || !matches!(no_adapter(), Error::NoAdapter)
}

fn is_part(wanted: &str, name: &str) -> bool {
    !wanted.is_empty() && name.to_lowercase().contains(wanted)
}

fn names(adapters: &[AdapterSummary]) -> Vec<String> {
    adapters
        .iter()
        .enumerate()
        .map(|(index, adapter)| format!("{index}: {}", adapter.name))
        .chain(["cpu".into()])
        .collect()
}

impl fmt::Display for OpenedDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.device {
            Device::Cpu(_) => write!(f, "{} ({})", self.device.name(), self.reason),
            Device::Gpu(gpu) => {
                let precision = match gpu.precision() {
                    Precision::F32 => String::new(),
                    other => format!(", products in {other}"),
                };
                write!(f, "{}, {}{precision} ({})", gpu.name(), gpu.backend(), self.reason)
            }
        }
    }
}
