//! Drops units at random in training and scales the others up (Srivastava et al. 2014).

use super::mask::{DROP_ALL, Mask};
use crate::kernels::{
    CHUNK, Call, Io, Kernel, MASK_WGSL, PLAIN, PartKind, WorkgroupSize, all, cpu, dims, input, output, per_element,
};
use crate::math::Real;
use crate::parallel::prelude::*;
use crate::wgsl::wgsl;

dims!(count, layer, threshold);

/// `y[i] = x[i] mask(i) / (1 - rate)` (Srivastava et al. 2014); mask(i) is a hash of the step's key, the layer and i.
pub static DROPOUT_FORWARD: Kernel = Kernel {
    name: "dropout_forward",
    formula: "y = x mask / (1 - rate)",
    wgsl: &[MASK_WGSL, wgsl!("elementwise/dropout_forward.wgsl")],
    part: PartKind::None,
    most_steps: 1,
    dims: Dims::NAMES,
    bindings: &[input("x", &["count"]), output("y", &["count"])],
    variants: PLAIN,
    workgroup_size: WorkgroupSize::Fixed(256),
    workgroups: |dims| per_element(Dims::of(dims).count, 256),
    fits: |dims, _| all([(Dims::of(dims).threshold < DROP_ALL as usize, "a threshold that drops every unit")]),
    cpu: cpu!(dropout_forward),
};

fn dropout_forward<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([x, ..], [y, ..]) = (io.inputs, io.outputs);
    let Dims { layer, threshold, .. } = Dims::of(call.dims);
    let mask = Mask::of(&call.step, layer as u32, threshold as u32);
    x.par_chunks(CHUNK).zip(y.par_chunks_mut(CHUNK)).enumerate().for_each(|(chunk, (x, y))| {
        let units = x.iter().zip(y).zip(chunk * CHUNK..);
        units.for_each(|((&x, y), index)| *y = mask.apply(x, index));
    });
}
