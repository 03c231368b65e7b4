//! Trains and runs multilayer perceptrons on any GPU through wgpu compute shaders. A CPU backend executes the same
//! plans.
//!
//! A program starts with a [`data::Dataset`], a [`spec::MlpSpec`] and a [`backend::Device`]. A [`train::Trainer`] plans
//! the training, loads it on the device and runs it. An [`infer::Predictor`] uses the result, and a [`Model`] stores
//! it. `docs/ARCHITECTURE.md` describes the modules.
//!
//! ```
//! use wgpu_mlp::{Activation, Batch, Dataset, Loss, MlpSpec, Optimizer, Predictor, TrainConfig, Trainer, open};
//!
//! # fn main() -> wgpu_mlp::Result<()> {
//! let xor = Dataset::new(vec![0., 0., 0., 1., 1., 0., 1., 1.], vec![0., 1., 1., 0.], 2, 1)?;
//! let spec = MlpSpec::new(&[2, 8, 1], Activation::Relu, Loss::BinaryCrossEntropy)?;
//! let device = open("cpu")?.device;
//!
//! let mut trainer = Trainer::new(&device, &spec, &TrainConfig::new(2000, Batch::Full, Optimizer::sgd(0.5)), &xor)?;
//! trainer.fit()?;
//!
//! let logits = Predictor::new(&device, &spec, &trainer.parameters()?, 4)?.outputs(xor.features())?;
//! assert!(logits[0] < 0.0 && logits[1] > 0.0 && logits[2] > 0.0 && logits[3] < 0.0);
//! # Ok(()) }
//! ```
//!
//! The plain names block. `open_async`, `fit_async` and the other names that end in `_async` are for programs with an
//! executor. On native platforms they block, too, at every wait for a GPU, and the CPU works on the caller's thread:
//! give training its own thread. The lower layers ([`backend`], [`plan`], [`kernels`]) are async where they wait.
//!
//! # Features
//!
//! Without features the library trains and predicts on one thread of the CPU. `docs/library.md` says what each costs.
//!
//! - `threads`: the CPU's other cores; the results are the same bits.
//! - `gpu`: GPUs, through wgpu.
//! - `text`: tables from files of delimited text in UTF-8 ([`Table`]`::read`); tables in memory need no feature.
//! - `tables`: the same in other encodings, compressed, and of numpy's and MNIST's formats.
//! - `parquet`: Parquet files as tables.
//! - `exchange`: ONNX out and in, other programs' safetensors in.
//! - `mpi`: several processes that train one network ([`ranks`]), through the system's MPI.
//! - `cli`, the default: the command `mlp`, with all of these except `parquet` and `mpi`.
#![deny(missing_docs)]
// A browser has no sweeps, no files with permissions and no locks: what only these call is not called there.
#![cfg_attr(target_family = "wasm", allow(dead_code, unused_imports, unused_mut, unfulfilled_lint_expectations))]

pub mod backend;
pub mod bench;
mod checkpoint;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
pub mod data;
mod error;
#[cfg(feature = "exchange")]
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
mod parallel;
pub mod params;
pub mod pipeline;
pub mod plan;
pub mod ranks;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod report;
pub mod spec;
#[cfg(not(target_family = "wasm"))]
pub mod sweep;
pub mod train;
mod wgsl;

/// The README, so that its snippets are compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The page about the library, so that its snippets are compiled.
#[cfg(doctest)]
#[doc = include_str!("../docs/library.md")]
struct Library;

#[cfg(not(target_family = "wasm"))]
pub use backend::open;
pub use backend::{Device, open_async};
pub use checkpoint::{Checkpoint, Checkpoints};
pub use data::{Dataset, Encoder, Table};
pub use error::{Error, Place, Result, call_settings_by};
pub use infer::{Metrics, Predictor};
pub use math::{Activation, Loss, Optimizer, Rule};
pub use model::{MemberRecord, Model, TrainingRecord};
pub use params::Init;
pub use pipeline::{Estimator, Fitted, Prediction, TablePredictor};
/// Waits for a future on this thread: for programs that are not async themselves.
#[cfg(not(target_family = "wasm"))]
pub use pollster::block_on;
pub use spec::MlpSpec;
pub use train::{Batch, Event, Schedule, TrainConfig, Trainer};
