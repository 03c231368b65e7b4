//! Runs plans on a GPU through wgpu; the only files that know it. All buffers are made when a plan is
//! loaded, all pipelines when they are first needed, and nothing crosses the bus for a step but its record
//! and its slot of the loss ring.

mod adapters;
mod bound;
mod device;
mod exec;
mod frame;
mod frame_trainer;
mod open;
mod pipelines;
mod prepare;
mod profile;
mod transfer;
mod verify;

pub use super::AdapterSummary;
#[cfg(not(target_family = "wasm"))]
pub use adapters::adapters;
pub use adapters::adapters_async;
pub(crate) use adapters::no_adapter;
pub use device::GpuDevice;
pub use exec::GpuBackend;
pub use frame::{FrameIo, FrameNetwork};
pub use frame_trainer::{FrameTrainer, FrameTraining};
/// wgpu as this crate has it: a program that shares a device needs the same version.
pub use wgpu;
