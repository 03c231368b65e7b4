//! Losses, with their gradients by the network's outputs.

mod loss;
mod softmax_loss;

pub use loss::{LOSS, loss_kernel};
pub use softmax_loss::SOFTMAX_LOSS;
