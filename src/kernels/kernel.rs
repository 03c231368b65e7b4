//! A row of the table of kernels.

use super::binding::Binding;
use super::call::Cpu;
use super::part::{Part, PartKind};
use super::shared::STEP_WGSL;

/// Most steps of a dispatch of a kernel that takes a run of them.
pub const MAX_RUN: usize = 256;
/// Its binding, in kernels that take one step.
const STEP_BINDING: &str = "@group(0) @binding(1) var<uniform> step: Step;\n";

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Kernel {
    /// File, entry point, module, label and bench id.
    pub name: &'static str,
    /// What it computes, in one line.
    pub formula: &'static str,
    /// The shader, without its part: the texts that it shares with others, then its own.
    pub wgsl: &'static [&'static str],
    /// The kind of part that goes in front of the shader.
    pub part: PartKind,
    /// Whether it reads the step's record.
    pub reads_step: bool,
    /// Names of the dimensions, in the order of the uniform.
    pub dims: &'static [&'static str],
    /// Storage bindings in order.
    pub bindings: &'static [Binding],
    /// Compile-time choices; the first is the plain one.
    pub variants: &'static [Variant],
    /// Invocations of a workgroup, or [`OF_TILE`].
    pub workgroup_size: u32,
    /// Number of workgroups for a replica, from the dimensions.
    pub workgroups: fn(&[u32]) -> u64,
    /// The same work on the CPU.
    pub cpu: Cpu,
}

/// A named set of WGSL override constants.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// Name in labels and reports; empty for a kernel without variants.
    pub name: &'static str,
    /// Values of the override constants.
    pub constants: &'static [(&'static str, f64)],
}

/// The workgroup size of kernels whose tile has one; see [`Kernel::threads`].
pub const OF_TILE: u32 = 0;

/// The only variant of a kernel without compile-time choices.
pub const PLAIN: &[Variant] = &[Variant { name: "", constants: &[] }];

impl Kernel {
    /// The whole shader with `part` in front.
    pub fn source(&self, part: &Part) -> String {
        let (step, binding) = match self.most_steps() {
            0 => ("", ""),
            1 => (STEP_WGSL, STEP_BINDING),
            _ => (STEP_WGSL, ""),
        };
        let bindings = if let Part::Tiling(tiling) = part { tiling.bindings(self.bindings) } else { String::new() };
        [step, binding, &part.wgsl(), &bindings, &self.wgsl.concat()].concat()
    }

    /// Invocations of a workgroup.
    pub fn threads(&self, part: &Part) -> u32 {
        if let Part::Tiling(tiling) = part { tiling.tile.threads() as u32 } else { self.workgroup_size }
    }

    /// Most steps whose records a dispatch reads. One that has both the network and the rule goes on by itself.
    pub fn most_steps(&self) -> usize {
        match self.part {
            PartKind::Training => MAX_RUN,
            _ => usize::from(self.reads_step),
        }
    }

    /// Elements of a binding for one replica; `dims` as in [`Kernel::dims`].
    pub fn elements(&self, binding: usize, dims: &[u32]) -> u64 {
        let extent = |name: &&str| match self.dims.iter().position(|dim| dim == name) {
            Some(dim) => u64::from(dims[dim]),
            None => name.parse().unwrap_or(u64::MAX),
        };
        self.bindings[binding].shape.iter().map(extent).fold(1, u64::saturating_mul)
    }

    /// A name for labels: kernel, part and variant.
    pub fn label(&self, part: &Part, variant: usize) -> String {
        [self.name, &part.name(), self.variants[variant].name]
            .into_iter()
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// Elements that a CPU function takes at a time; fewer are not worth a second thread.
pub(crate) const CHUNK: usize = 1 << 14;

/// Tiles of a matrix.
pub(crate) fn tiles(shape: [u32; 2], tile: [u32; 2]) -> u64 {
    u64::from(shape[0].div_ceil(tile[0])) * u64::from(shape[1].div_ceil(tile[1]))
}

/// Workgroups of `size` invocations for one invocation an element.
pub(crate) fn per_element(count: u64, size: u64) -> u64 {
    count.div_ceil(size)
}
