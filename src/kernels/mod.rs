//! The kernels: one table that pipelines, plans, tests, benches and `mlp kernels` loop over. A row holds
//! the WGSL, the bindings with their shapes as data, and the CPU function, so no kernel can lack one.
//!
//! One convention serves all kernels. Group 0 holds, in order: binding 0, the uniform `Params`: for each
//! storage binding a `vec4<u32>` view (offset, distance of replicas, distance of ring slots, 0, all in
//! elements), then the dimensions; binding 1, the step's record for each replica, or those of a run of steps, for kernels that read them; from
//! binding 2 on the storage buffers. `workgroup_id.z` is the replica; x and y are one folded index.

mod binding;
mod call;
mod elementwise;
mod fused;
mod kernel;
mod losses;
mod optimizer;
mod part;
mod probes;
mod products;
mod sampling;
mod shared;
mod sharing;
mod step;

pub use binding::{Access, Binding, HYPER, HYPER_AND_RATES, MAX_BINDINGS, in_place, input, output, scratch};
use call::cpu;
pub use call::{Call, Cpu, CpuFn, Element, Io};
pub use elementwise::{
    ACTIVATION_BACKWARD, ACTIVATION_FORWARD, BIAS_ADD, BIAS_GRAD, DROPOUT_BACKWARD, DROPOUT_FORWARD, dropout_threshold,
};
pub use fused::{FUSED_FORWARD, FUSED_GRADIENT, MOST_LAYERS, Network, RESIDENT_STEPS};
pub(crate) use kernel::any;
use kernel::{CHUNK, MOST_GROUPS, all, dims, per_element, tiles};
pub use kernel::{Kernel, MAX_RUN, PLAIN, Variant, WorkgroupSize};
pub use losses::{DENSE_LOSS, DENSE_SOFTMAX_LOSS, LOSS, SOFTMAX_LOSS, loss_kernel};
pub use optimizer::{CLIPPED, REDUCE, REDUCE_UPDATE, SQUARE_SUM, UNSCALED, UPDATE, square_groups};
pub use part::{Part, PartKind};
pub use probes::{COPY, FMA_PEAK, FMA_PEAK_OPERATIONS};
pub use products::{
    AB, ABT, ATB, DENSE, DENSE_BACKWARD, DENSE_GRADIENT, DENSE_KEEP, DENSE_WAY_BACK, GATHER_DENSE, GATHER_DENSE_KEEP,
    LARGE, MATMUL, MEDIUM, MatrixUnits, SMALL, TALL, TILES, TINY, Tile, Tiling,
};
pub use sampling::{GATHER, IN_ORDER, SHUFFLED, mask_key, order_key, shard_key};
pub use shared::{
    BLOCK_WGSL, GATHERED_WGSL, GRADIENT_SHARE_WGSL, LAYER_EPILOGUE_WGSL, LAYER_KEEP_EPILOGUE_WGSL, LAYER_WGSL,
    LOSS_ELEMENTS_WGSL, LOSS_SUMS_WGSL, LOSSES_WGSL, MASK_WGSL, MATRIX_UNITS_TILE_WGSL, MATRIX_UNITS_WGSL,
    NARROW_LAYER_WGSL, ORDER_WGSL, PARTIALS_WGSL, POINTWISE_WGSL, PRODUCT_WGSL, RULES_WGSL, SLOPED_WGSL,
    SOFTMAX_BLOCKS_WGSL, SOFTMAX_WGSL, STEP_WGSL, WAY_BACK_WGSL,
};
pub use sharing::{SCALED_WEIGHTS, TIED_GRADIENTS};
pub use step::{MAX_RECORDS, Step, StepRecord};

/// Every kernel.
pub static KERNELS: &[&Kernel] = &[
    &MATMUL,
    &BIAS_ADD,
    &BIAS_GRAD,
    &ACTIVATION_FORWARD,
    &ACTIVATION_BACKWARD,
    &DENSE,
    &DENSE_KEEP,
    &GATHER_DENSE,
    &GATHER_DENSE_KEEP,
    &DENSE_BACKWARD,
    &DENSE_GRADIENT,
    &DENSE_WAY_BACK,
    &DROPOUT_FORWARD,
    &DROPOUT_BACKWARD,
    &LOSS,
    &SOFTMAX_LOSS,
    &DENSE_LOSS,
    &DENSE_SOFTMAX_LOSS,
    &GATHER,
    &SQUARE_SUM,
    &UPDATE,
    &FUSED_FORWARD,
    &FUSED_GRADIENT,
    &REDUCE,
    &REDUCE_UPDATE,
    &RESIDENT_STEPS,
    &SCALED_WEIGHTS,
    &TIED_GRADIENTS,
    &FMA_PEAK,
    &COPY,
];
