//! Which rows a batch has.

mod gather;
mod random;
mod sample_order;

pub use gather::GATHER;
pub(super) use gather::pick;
pub(super) use random::mix;
pub use random::{mask_key, order_key, shard_key};
pub use sample_order::{IN_ORDER, SHUFFLED};
pub(super) use sample_order::{ORDERS, SampleOrder};
