//! Sums of gradients, and the optimiser's step.

mod reduce;
mod reduce_update;
mod square_sum;
mod update;

pub use reduce::REDUCE;
pub use reduce_update::REDUCE_UPDATE;
pub use square_sum::{SQUARE_SUM, groups as square_groups};
pub use update::{CLIPPED, UNSCALED, UPDATE};
pub(super) use update::{apply, clipping, rates, rates_fit, rule_step, settings};
