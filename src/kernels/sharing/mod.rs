//! Networks that share weights: what each computes with, from what is shared and what is its own, and the way back.
//!
//! A run of networks has all parameters in common but for a factor on each input, which multiplies a row of the first layer's weight, and
//! the last layer: TabM-mini (Gorishniy, Kotelnikov and Babenko 2025). Each trains a copy of what is shared. All copies get the same gradient,
//! so they stay alike to the bit, and every other kernel sees networks of their own.

mod scaled_weights;
mod tied_gradients;

pub use scaled_weights::SCALED_WEIGHTS;
pub use tied_gradients::TIED_GRADIENTS;
