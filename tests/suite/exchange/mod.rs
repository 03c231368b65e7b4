//! Models of other programs' files, out and in.

pub mod files;
pub mod graphs;
pub mod refused;
pub mod round_trip;
