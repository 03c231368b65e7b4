//! What is known of an adapter.

use serde::Serialize;

use crate::plan::Target;

/// Intel's PCI number.
const INTEL: u32 = 0x8086;

/// The kind of a GPU in a browser, which tells of an adapter only whether it is software.
pub(super) const BROWSER: &str = "GPU";

/// One adapter, as `mlp devices` shows it.
#[derive(Clone, Debug, Serialize)]
pub struct AdapterSummary {
    /// Its name, as the driver gives it.
    pub name: String,
    /// The graphics interface: `vulkan`, `metal`, `dx12`, `webgpu`.
    pub backend: &'static str,
    /// `discrete GPU`, `integrated GPU`, `virtual GPU`, `GPU`, which is one of a browser, `software` or `other`.
    pub kind: &'static str,
    /// Driver and its version.
    pub driver: String,
    /// Largest storage buffer, in bytes.
    pub max_buffer_bytes: u64,
    /// Memory of a workgroup, in bytes.
    pub workgroup_bytes: u32,
    /// The PCI number of its maker; 0 where it is not told, as in a browser.
    pub vendor: u32,
    /// Rows, columns and depth of the matrices that its matrix units multiply, with operands of f16 and sums of f32; none where it has no such units,
    /// or subgroups of several sizes. Only [`gpu::adapters`](super::gpu) tells.
    pub matrix_units: Option<usize>,
}

impl AdapterSummary {
    /// Whether it is a piece of hardware.
    pub fn is_hardware(&self) -> bool {
        matches!(self.kind, "discrete GPU" | "integrated GPU" | "virtual GPU" | BROWSER)
    }

    /// What a plan has to know of it.
    pub fn target(&self) -> Target {
        Target::Gpu { workgroup_bytes: self.workgroup_bytes as usize, cores: self.cores(), sums: self.sums() }
    }

    /// Cores that run workgroups, assumed for its kind, since no interface tells them. Discrete GPUs have from 24 (RTX 4060) to
    /// 132 multiprocessors (H100) by their makers' data sheets, integrated ones from 6 Xe cores (Iris Xe) to 40 cores (M3 Max).
    /// Software counts as one: its workgroups wait for each other.
    pub fn cores(&self) -> usize {
        match self.kind {
            "discrete GPU" | "virtual GPU" => 64,
            "software" => 1,
            _ => 16,
        }
    }

    /// Elements of a product that an invocation has registers for. Intel's have 128 registers in all (the Xe architecture's 128 of a thread, of
    /// 4 bytes for each of the invocations that it runs side by side), of which Mesa's compiler spills over a hundred beside 64 sums
    /// (docs/benchmarks.md); others have about 256.
    fn sums(&self) -> usize {
        if self.vendor == INTEL { 32 } else { 64 }
    }
}
