//! The kernels: CPU against GPU against the oracle, and the shaders against their rows.

pub mod activations;
pub mod banks;
pub mod barriers;
pub mod lanes;
pub mod losses;
pub mod matrix_units;
pub mod mutation;
pub mod optimizers;
pub mod parity;
pub mod races;
pub mod shaders;
