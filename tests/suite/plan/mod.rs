//! What a plan allocates, moves and launches.

pub mod allocations;
pub mod residency;
pub mod soak;
