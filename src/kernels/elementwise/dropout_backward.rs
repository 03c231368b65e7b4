//! The gradient of [`dropout_forward`](super::DROPOUT_FORWARD), whose mask it draws again.

use super::mask::{DROP_ALL, Mask};
use crate::kernels::{
    CHUNK, Call, Io, Kernel, MASK_WGSL, PLAIN, PartKind, WorkgroupSize, all, cpu, dims, in_place, per_element,
};
use crate::math::Real;
use crate::parallel::prelude::*;
use crate::wgsl::wgsl;

dims!(count, layer, threshold);

/// `d[i] *= mask(i) / (1 - rate)` in place, with the mask of [`DROPOUT_FORWARD`](super::DROPOUT_FORWARD).
pub static DROPOUT_BACKWARD: Kernel = Kernel {
    name: "dropout_backward",
    formula: "d *= mask / (1 - rate)",
    wgsl: &[MASK_WGSL, wgsl!("elementwise/dropout_backward.wgsl")],
    part: PartKind::None,
    most_steps: 1,
    dims: Dims::NAMES,
    bindings: &[in_place("d", &["count"])],
    variants: PLAIN,
    workgroup_size: WorkgroupSize::Fixed(256),
    workgroups: |dims| per_element(Dims::of(dims).count, 256),
    fits: |dims, _| all([(Dims::of(dims).threshold < DROP_ALL as usize, "a threshold that drops every unit")]),
    cpu: cpu!(dropout_backward),
};

fn dropout_backward<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let [d, ..] = io.outputs;
    let Dims { layer, threshold, .. } = Dims::of(call.dims);
    let mask = Mask::of(&call.step, layer as u32, threshold as u32);
    d.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, d)| {
        d.iter_mut().zip(chunk * CHUNK..).for_each(|(d, index)| *d = mask.apply(*d, index));
    });
}
