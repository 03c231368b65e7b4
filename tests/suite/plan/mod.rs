//! What a plan allocates, moves and launches.

pub mod allocations;
pub mod frame;
pub mod residency;
pub mod soak;
pub mod soundness;
