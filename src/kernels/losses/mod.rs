//! Losses, with their gradients by the network's outputs.

mod blocks;
mod dense_loss;
mod dense_softmax_loss;
mod loss;
mod softmax_loss;

pub use dense_loss::DENSE_LOSS;
pub use dense_softmax_loss::DENSE_SOFTMAX_LOSS;
pub use loss::{LOSS, loss_kernel};
pub use softmax_loss::SOFTMAX_LOSS;
