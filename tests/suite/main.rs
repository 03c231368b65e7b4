//! All integration tests, in one binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // clippy takes the helpers for production code

mod activations;
mod architecture;
mod article;
mod cli;
mod csv;
mod encoder;
mod files;
mod gradients;
mod library;
mod metrics;
mod numpy;
mod optimizers;
mod parity;
mod residency;
mod shaders;
mod support;
mod teeth;
mod training;
