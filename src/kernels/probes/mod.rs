//! What a device can do at most: nothing else uses these.

mod copy;
mod fma_peak;

pub use copy::COPY;
pub use fma_peak::{FMA_PEAK, FMA_PEAK_OPERATIONS};
