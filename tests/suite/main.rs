//! All integration tests, in one binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // clippy takes the helpers for production code

mod architecture;
mod cli;
mod data;
mod examples;
mod exchange;
mod imports;
mod kernels;
mod library;
mod plan;
mod readme;
mod support;
mod sweep;
mod train;
