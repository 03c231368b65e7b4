//! Models and checkpoints.
#![no_main]

use wgpu_mlp::{Checkpoint, Model};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    wgpu_mlp_fuzz::read(&[bytes], |path| Checkpoint::load(path).map(drop).or_else(|_| Model::load(path).map(drop)));
});
