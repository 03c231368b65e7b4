//! Drops units at random in training and scales the others up (Srivastava et al. 2014).

use rayon::prelude::*;

use crate::kernels::sampling::mix;
use crate::kernels::{
    CHUNK, Call, Io, Kernel, MASK_WGSL, PLAIN, PartKind, WorkgroupSize, all, cpu, dims, input, output, per_element,
};
use crate::math::Real;

dims!(count, layer, threshold);

/// `y[i] = x[i] mask(i) / (1 - rate)` (Srivastava et al. 2014); mask(i) is a hash of the step's key, the layer, the replica and i.
pub static DROPOUT_FORWARD: Kernel = Kernel {
    name: "dropout_forward",
    formula: "y = x mask / (1 - rate)",
    wgsl: &[MASK_WGSL, include_str!("../../../shaders/elementwise/dropout_forward.wgsl")],
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

/// The threshold of a rate of 1, which none may have.
pub(in crate::kernels) const DROP_ALL: u32 = 1 << 24;

/// The `threshold` of a rate in [0, 1).
pub fn threshold(rate: f64) -> u32 {
    (rate * f64::from(DROP_ALL)) as u32
}

/// What a dispatch multiplies units by.
pub(in crate::kernels) struct Mask<T> {
    key: u32,
    threshold: u32,
    scale: T,
}

impl<T: Real> Mask<T> {
    /// The mask of a layer, counted from 1, for a step's key.
    pub fn of(key: u32, layer: u32, replica: u32, threshold: u32) -> Self {
        let key = mix(key ^ mix(layer)) ^ mix(replica);
        // Both are below 2^24, so that f32 holds them.
        let scale = T::from_f64(DROP_ALL.into()) / T::from_f64((DROP_ALL - threshold).into());
        Self { key, threshold, scale }
    }

    /// The value of unit `index` behind the mask.
    pub fn apply(&self, value: T, index: usize) -> T {
        let word = mix(mix(index as u32 ^ self.key).wrapping_add(self.key));
        if (word >> 8) < self.threshold { T::default() } else { value * self.scale }
    }
}

fn dropout_forward<T: Real>(call: &Call<'_>, io: Io<'_, T>) {
    let ([x, ..], [y, ..]) = (io.inputs, io.outputs);
    let Dims { layer, threshold, .. } = Dims::of(call.dims);
    let mask = Mask::of(call.step.mask_key, layer as u32, call.replica, threshold as u32);
    x.par_chunks(CHUNK).zip(y.par_chunks_mut(CHUNK)).enumerate().for_each(|(chunk, (x, y))| {
        let units = x.iter().zip(y).zip(chunk * CHUNK..);
        units.for_each(|((&x, y), index)| *y = mask.apply(x, index));
    });
}
