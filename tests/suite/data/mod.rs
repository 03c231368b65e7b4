//! Tables, from bytes to numbers.

pub mod columns;
pub mod csv;
pub mod dataset;
pub mod encoder;
pub mod idx;
pub mod malformed_input;
pub mod numpy_random;
pub mod packed;
pub mod piecewise;
pub mod splits;
pub mod synthetic;
pub mod tables;
pub mod target_mean;
pub mod written;
