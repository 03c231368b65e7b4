//! ONNX files; the first byte says what is assumed.
#![no_main]

use wgpu_mlp::exchange::{self, Assumed};
use wgpu_mlp::math::{Activation, Loss};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((&how, file)) = bytes.split_first() else { return };
    let losses = [None, Some(Loss::MeanSquaredError), Some(Loss::BinaryCrossEntropy), Some(Loss::SoftmaxCrossEntropy)];
    let activation = (how & 4 != 0).then_some(Activation::Relu);
    let assumed = Assumed { activation, loss: losses[usize::from(how & 3)] };
    wgpu_mlp_fuzz::read(&[file], |path| exchange::load(path, assumed).map(drop));
});
