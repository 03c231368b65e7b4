//! Train and run multilayer perceptrons on any GPU, through wgpu compute shaders, with a CPU backend that
//! does the same work.
#![deny(missing_docs)]

pub mod backend;
#[doc(hidden)]
pub mod cli;
pub mod data;
mod error;
pub mod gradcheck;
pub mod infer;
pub mod kernels;
pub mod math;
mod model;
pub mod params;
pub mod plan;
pub mod report;
pub mod spec;
pub mod train;

pub use error::{Error, Result};
pub use model::{Model, TrainingRecord};
