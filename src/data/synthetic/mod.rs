//! Generated tables. In: the settings of a generator. Out: a [`Table`] with the columns `x0`, `x1` and the
//! target `label`.
//!
//! Each generator is a type of its own, with all its settings. [`BuiltIn`] is the table of them by name, with the
//! settings that the name alone stands for.

mod blobs;
mod built_in;
mod circles;
mod moons;
mod points;
mod spirals;
mod xor;

pub use blobs::Blobs;
pub use built_in::BuiltIn;
pub use circles::Circles;
pub use moons::Moons;
pub use spirals::Spirals;
pub use xor::Xor;
