//! Whole small networks: a step in one dispatch, or many.

mod fused_forward;
mod fused_gradient;
mod network;
mod resident_steps;
mod text;

pub use fused_forward::FUSED_FORWARD;
pub use fused_gradient::FUSED_GRADIENT;
pub use network::{MOST_LAYERS, Network};
pub use resident_steps::RESIDENT_STEPS;
