//! All integration tests, in one binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // clippy takes the helpers for production code

mod activations;
mod architecture;
mod article;
mod bench;
mod checkpoints;
mod cli;
mod cli_checkpoints;
mod cli_classes;
mod cli_errors;
mod cli_tables;
mod cli_train;
mod config;
mod csv;
mod encoder;
mod examples;
mod figures;
mod files;
mod gradients;
mod idx;
mod library;
mod losses;
mod metrics;
mod numpy;
mod optimizers;
mod parity;
mod residency;
mod schedules;
mod shaders;
mod soak;
mod support;
mod teeth;
mod training;
