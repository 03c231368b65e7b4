//! The engine of the page: a network that a browser trains before one's eyes. In: settings as JSON, a table's bytes, numbers. Out:
//! pictures as lists of numbers, records as JSON. All that trains is the crate `wgpu_mlp`, on the browser's WebGPU or on the processor; all
//! that is seen is JavaScript, in `page/`.
//!
//! [`data`] and [`session`] know of no browser: a program of the tests runs them on the processor (`src/bin/reference.rs`). `browser` hands
//! them to JavaScript.

#[cfg(target_family = "wasm")]
mod browser;
pub mod data;
pub mod session;
pub mod settings;
