//! Other programs' safetensors.
#![no_main]

use wgpu_mlp::exchange::{self, Assumed};
use wgpu_mlp::math::{Activation, Loss};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let assumed = Assumed { activation: Some(Activation::Relu), loss: Some(Loss::MeanSquaredError) };
    wgpu_mlp_fuzz::read(&[bytes], |path| exchange::load(path, assumed).map(drop));
});
