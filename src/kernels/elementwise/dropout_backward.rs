//! The gradient of [`dropout_forward`](super::DROPOUT_FORWARD), whose mask it draws again.

use rayon::prelude::*;

use super::dropout_forward::Mask;
use crate::kernels::{CHUNK, Call, Io, Kernel, MASK_WGSL, PLAIN, PartKind, cpu, in_place, per_element};
use crate::math::Real;

/// The row of the table.
pub static DROPOUT_BACKWARD: Kernel = Kernel {
    name: "dropout_backward",
    formula: "d *= mask / (1 - rate)",
    wgsl: &[MASK_WGSL, include_str!("../../../shaders/elementwise/dropout_backward.wgsl")],
    part: PartKind::None,
    reads_step: true,
    dims: &["count", "layer", "threshold"],
    bindings: &[in_place("d", &["count"])],
    variants: PLAIN,
    workgroup_size: 256,
    workgroups: |dims| per_element(dims[0].into(), 256),
    cpu: cpu!(dropout_backward),
};

fn dropout_backward<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let [d, ..] = io.outputs;
    let mask = Mask::new(call);
    d.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, d)| {
        d.iter_mut().zip(chunk * CHUNK..).for_each(|(d, index)| *d = mask.apply(*d, index));
    });
}
