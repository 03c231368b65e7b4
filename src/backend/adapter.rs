//! What is known of an adapter.

use serde::Serialize;

/// One adapter, as `mlp devices` shows it.
#[derive(Clone, Debug, Serialize)]
pub struct AdapterSummary {
    /// Its name, as the driver gives it.
    pub name: String,
    /// The graphics interface: `vulkan`, `metal`, `dx12`.
    pub backend: &'static str,
    /// `discrete GPU`, `integrated GPU`, `virtual GPU`, `software` or `other`.
    pub kind: &'static str,
    /// Driver and its version.
    pub driver: String,
    /// Largest storage buffer, in bytes.
    pub max_buffer_bytes: u64,
    /// Memory of a workgroup, in bytes.
    pub workgroup_bytes: u32,
}

impl AdapterSummary {
    /// Whether it is a piece of hardware.
    pub fn is_hardware(&self) -> bool {
        matches!(self.kind, "discrete GPU" | "integrated GPU" | "virtual GPU")
    }
}
