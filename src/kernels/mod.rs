//! The kernels: one table that pipelines, plans, tests, benches and `mlp kernels` loop over. A row holds
//! the WGSL, the bindings with their shapes as data, and the CPU function, so no kernel can lack one.
//!
//! One convention serves all kernels. Group 0 holds, in order: binding 0, the uniform `Params`: for each
//! storage binding a `vec4<u32>` view (offset, distance of replicas, distance of ring slots, 0, all in
//! elements), then the dimensions; binding 1, the step's record, or those of a run of steps, for kernels that read it; from
//! binding 2 on the storage buffers. `workgroup_id.z` is the replica; x and y are one folded index.

mod activation_backward;
mod activation_forward;
mod bias_add;
mod bias_grad;
mod copy;
mod dense;
mod dense_backward;
mod dense_gradient;
mod dropout_backward;
mod dropout_forward;
mod fma_peak;
mod fused_gradient;
mod gather;
mod loss;
mod matmul;
mod network;
mod part;
mod random;
mod reduce;
mod reduce_update;
mod resident_steps;
mod sample_order;
mod softmax_loss;
mod square_sum;
mod tile;
mod update;

pub use activation_backward::ACTIVATION_BACKWARD;
pub use activation_forward::ACTIVATION_FORWARD;
pub use bias_add::BIAS_ADD;
pub use bias_grad::BIAS_GRAD;
pub use copy::COPY;
pub use dense::{DENSE, DENSE_KEEP};
pub use dense_backward::DENSE_BACKWARD;
pub use dense_gradient::DENSE_GRADIENT;
pub use dropout_backward::DROPOUT_BACKWARD;
pub use dropout_forward::{DROPOUT_FORWARD, MASK_WGSL, threshold as dropout_threshold};
pub use fma_peak::{FMA_PEAK, FMA_PEAK_OPERATIONS};
pub use fused_gradient::FUSED_GRADIENT;
pub use gather::GATHER;
pub use loss::{LOSS, LOSSES_WGSL, loss_kernel};
pub use matmul::{AB, ABT, ATB, MATMUL};
pub use network::{BLOCK_WGSL, MOST_LAYERS, Network, POINTWISE_WGSL, SOFTMAX_WGSL};
pub use part::{Part, PartKind};
use random::mix;
pub use random::{mask_key, order_key};
pub use reduce::{REDUCE, SHARES_WGSL};
pub use reduce_update::REDUCE_UPDATE;
pub use resident_steps::RESIDENT_STEPS;
pub use sample_order::{IN_ORDER, ORDER_WGSL, SHUFFLED};
pub use softmax_loss::SOFTMAX_LOSS;
pub use square_sum::{SQUARE_SUM, groups as square_groups};
pub use tile::{LARGE, MEDIUM, PRODUCT_WGSL, SMALL, TALL, TILES, TINY, Tile, Tiling};
pub use update::{CLIPPED, RULES_WGSL, UNSCALED, UPDATE};

use crate::math::{Bounded, Real};

/// Every kernel.
pub static KERNELS: &[&Kernel] = &[
    &MATMUL,
    &BIAS_ADD,
    &BIAS_GRAD,
    &ACTIVATION_FORWARD,
    &ACTIVATION_BACKWARD,
    &DENSE,
    &DENSE_KEEP,
    &DENSE_BACKWARD,
    &DENSE_GRADIENT,
    &DROPOUT_FORWARD,
    &DROPOUT_BACKWARD,
    &LOSS,
    &SOFTMAX_LOSS,
    &GATHER,
    &SQUARE_SUM,
    &UPDATE,
    &FUSED_GRADIENT,
    &REDUCE,
    &REDUCE_UPDATE,
    &RESIDENT_STEPS,
    &FMA_PEAK,
    &COPY,
];

/// Most storage bindings of a kernel: WebGPU guarantees 8.
pub const MAX_BINDINGS: usize = 8;
/// Most steps of a dispatch of a kernel that takes a run of them.
pub const MAX_RUN: usize = 256;
/// WGSL of the step's record, put in front of the kernels that read it.
pub const STEP_WGSL: &str = include_str!("../../shaders/step.wgsl");
/// Its binding, in kernels that take one step.
const STEP_BINDING: &str = "@group(0) @binding(1) var<uniform> step: Step;\n";

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Kernel {
    /// File, entry point, module, label and bench id.
    pub name: &'static str,
    /// What it computes, in one line.
    pub formula: &'static str,
    /// The shader, without its part.
    pub wgsl: &'static str,
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

/// A storage binding.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// Name in the shader.
    pub name: &'static str,
    /// How the kernel uses it.
    pub access: Access,
    /// Extents for one replica, each the name of a dimension or a number.
    pub shape: &'static [&'static str],
}

/// How a kernel uses a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read.
    In,
    /// Written whole, never read.
    Out,
    /// Read and written in place.
    InOut,
    /// Memory to work in: what is in it means nothing before or after.
    Scratch,
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
        let bindings = if let Part::Tiling(tiling) = part { tiling.bindings(self) } else { String::new() };
        [step, binding, &part.wgsl(), &bindings, self.wgsl].concat()
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

/// A read binding.
pub const fn input(name: &'static str, shape: &'static [&'static str]) -> Binding {
    Binding { name, access: Access::In, shape }
}

/// A written binding.
pub const fn output(name: &'static str, shape: &'static [&'static str]) -> Binding {
    Binding { name, access: Access::Out, shape }
}

/// A binding changed in place.
pub const fn in_place(name: &'static str, shape: &'static [&'static str]) -> Binding {
    Binding { name, access: Access::InOut, shape }
}

/// A binding to work in.
pub const fn scratch(name: &'static str, shape: &'static [&'static str]) -> Binding {
    Binding { name, access: Access::Scratch, shape }
}

/// What changes from one step to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Step {
    /// Place of the step in its submission, and of its losses in the ring. A backend fills it in.
    pub slot: u32,
    /// Rows of the batch: those of the step's pass. A backend fills it in.
    pub rows: u32,
    /// Position of the batch's first row in the epoch's sample order.
    pub first_row: u32,
    /// Key of the epoch's sample order.
    pub key: u32,
    /// Key of the step's dropout masks.
    pub mask_key: u32,
    /// Factor on every replica's learning rate.
    pub rate: f64,
    /// What [`crate::math::Optimizer::corrections`] gives for the step.
    pub corrections: [f64; 2],
}

/// [`Step`] as shaders see it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, bytemuck::Pod, bytemuck::Zeroable)]
pub struct StepRecord {
    slot: u32,
    first_row: u32,
    key: u32,
    mask_key: u32,
    rate: f32,
    corrections: [f32; 2],
    rows: u32,
}

impl From<Step> for StepRecord {
    fn from(step: Step) -> Self {
        let Step { slot, rows, first_row, key, mask_key, rate, corrections } = step;
        let corrections = corrections.map(|value| value as f32);
        Self { slot, first_row, key, mask_key, rate: rate as f32, corrections, rows }
    }
}

/// One replica's share of a dispatch, as a CPU function sees it.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// Values of [`Kernel::dims`].
    pub dims: &'a [u32],
    /// The part.
    pub part: &'a Part,
    /// Index into [`Kernel::variants`].
    pub variant: usize,
    /// The step's record.
    pub step: Step,
    /// Which replica.
    pub replica: u32,
}

/// The bindings of one replica: `inputs` are those that are read only, `outputs` the others, both in the
/// order of [`Kernel::bindings`], each exactly as long as its shape says.
#[derive(Debug)]
pub struct Io<'a, T> {
    /// Bindings with [`Access::In`].
    pub inputs: [&'a [T]; MAX_BINDINGS],
    /// Bindings with [`Access::Out`] and [`Access::InOut`].
    pub outputs: [&'a mut [T]; MAX_BINDINGS],
}

/// A kernel's CPU function for one number type.
pub type CpuFn<T> = fn(&Call<'_>, Io<'_, T>);

/// A kernel's CPU function for every number type.
#[derive(Clone, Copy, Debug)]
pub struct Cpu {
    /// The fast path.
    pub f32: CpuFn<f32>,
    /// The oracle.
    pub f64: CpuFn<f64>,
    /// The oracle with the limit that a device's result must keep.
    pub bounded: CpuFn<Bounded>,
}

/// A number type that every kernel has a CPU function for.
pub trait Element: Real {
    /// The type's function of a kernel.
    fn function(cpu: &Cpu) -> CpuFn<Self>;
}

macro_rules! element {
    ($type:ty, $field:ident) => {
        impl Element for $type {
            fn function(cpu: &Cpu) -> CpuFn<Self> {
                cpu.$field
            }
        }
    };
}
element!(f32, f32);
element!(f64, f64);
element!(Bounded, bounded);

/// Makes the [`Cpu`] entry of a generic function.
macro_rules! cpu {
    ($function:ident) => {
        $crate::kernels::Cpu {
            f32: $function::<f32>,
            f64: $function::<f64>,
            bounded: $function::<$crate::math::Bounded>,
        }
    };
}
use cpu;

/// Elements that a CPU function takes at a time; fewer are not worth a second thread.
const CHUNK: usize = 1 << 14;

/// Tiles of a matrix.
fn tiles(shape: [u32; 2], tile: [u32; 2]) -> u64 {
    u64::from(shape[0].div_ceil(tile[0])) * u64::from(shape[1].div_ceil(tile[1]))
}

/// Workgroups of `size` invocations for one invocation an element.
fn per_element(count: u64, size: u64) -> u64 {
    count.div_ceil(size)
}
