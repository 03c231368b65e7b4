//! What is done to each element of an activation or a gradient by itself, and the sum for a bias.

mod activation_backward;
mod activation_forward;
mod bias_add;
mod bias_grad;
mod dropout_backward;
mod dropout_forward;

pub use activation_backward::ACTIVATION_BACKWARD;
pub use activation_forward::ACTIVATION_FORWARD;
pub use bias_add::BIAS_ADD;
pub use bias_grad::BIAS_GRAD;
pub use dropout_backward::DROPOUT_BACKWARD;
pub(super) use dropout_forward::{DROP_ALL, Mask};
pub use dropout_forward::{DROPOUT_FORWARD, threshold as dropout_threshold};
