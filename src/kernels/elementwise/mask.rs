//! Masks of dropout, as shaders/shared/mask.wgsl has them: drawn, not stored.

use crate::kernels::Step;
use crate::kernels::sampling::mix;
use crate::math::Real;

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
    /// The mask of a layer, counted from 1, in a step.
    pub fn of(step: &Step, layer: u32, threshold: u32) -> Self {
        let key = mix(step.mask_key ^ mix(layer));
        // In f32, as shaders do it; of both numbers f32 holds every bit.
        let threshold = (threshold as f32 * step.dropout as f32) as u32;
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
