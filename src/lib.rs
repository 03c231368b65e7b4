//! Train and run multilayer perceptrons on any GPU, through wgpu compute shaders, with a CPU backend that
//! does the same work.
//!
//! The flow: a [`data::Dataset`], a [`spec::MlpSpec`], a [`backend::Device`]; a [`train::Trainer`] that plans the
//! training, loads it on the device and runs it; an [`infer::Predictor`] that uses the result; a [`Model`] that
//! keeps it. `docs/ARCHITECTURE.md` tells how it hangs together.
//!
//! ```
//! use std::ops::ControlFlow;
//! use wgpu_mlp::backend::open;
//! use wgpu_mlp::block_on;
//! use wgpu_mlp::data::Dataset;
//! use wgpu_mlp::math::{Activation, Loss, Optimizer};
//! use wgpu_mlp::params::Init;
//! use wgpu_mlp::spec::MlpSpec;
//! use wgpu_mlp::train::{Batch, TrainConfig, Trainer};
//!
//! # fn main() -> wgpu_mlp::Result<()> { block_on(async {
//! let xor = Dataset::new(vec![0., 0., 0., 1., 1., 0., 1., 1.], vec![0., 1., 1., 0.], 2, 1)?;
//! let spec = MlpSpec::new(&[2, 8, 1], Activation::Relu, Loss::BinaryCrossEntropy)?;
//! let device = open("cpu").await?.device;
//! let config = TrainConfig::new(2000, Batch::Full, Optimizer::sgd(0.5));
//! let mut trainer = Trainer::new(&device, &spec, &config, &xor).await?;
//! trainer.set_parameters(&Init::He.draw(&spec, 0)?)?;
//! let outcome = trainer.fit(|_| ControlFlow::Continue(())).await?;
//! assert_eq!(outcome.last_epoch.and_then(|epoch| epoch.accuracy), Some(1.0));
//! # Ok(()) }) }
//! ```
#![deny(missing_docs)]

pub mod backend;
pub mod bench;
mod checkpoint;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
pub mod data;
mod error;
pub mod exchange;
pub mod explain;
mod files;
mod folder;
pub mod gradcheck;
pub mod infer;
pub mod kernels;
mod limits;
pub mod math;
pub mod metrics;
mod model;
pub mod params;
pub mod plan;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod report;
pub mod spec;
pub mod train;

/// The README, so that its snippets are compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use checkpoint::{Checkpoint, Checkpoints};
pub use error::{Error, Place, Result};
pub use model::{Model, TrainingRecord};
/// Waits for a future on this thread: for programs that are not async themselves.
pub use pollster::block_on;
