//! Regression with wrong measurements in it: the same network under three losses, judged by the true curve.
//! `cargo run --release --example regression -- cpu`, or any other device.
//!
//! Every tenth target is far off. The squared error follows them, the absolute error and Huber's hardly do.

#![allow(missing_docs)]

use std::f64::consts::PI;

use wgpu_mlp::data::NumpyRandom;
use wgpu_mlp::{
    Activation, Batch, Dataset, Init, Loss, Metrics, MlpSpec, Optimizer, Predictor, Result, Rule, TrainConfig, Trainer,
    open,
};

/// Rows to learn from, and of the true curve.
const ROWS: usize = 400;

fn main() -> Result<()> {
    let device = std::env::args().nth(1).unwrap_or_else(|| "auto".into());
    run(&device).map(|_| ())
}

/// How far each loss's network ends from the true curve, as the root of the mean squared error.
pub fn run(device: &str) -> Result<Vec<(Loss, f64)>> {
    let choice = open(device)?;
    println!("on {choice}");
    let (measured, truth) = (measured()?, truth()?);
    let config = TrainConfig::new(100, Batch::Rows(50), Optimizer::new(Rule::Adam, 5e-3))
        .schedule("cosine".parse()?)
        .seed(1)
        .init(Init::Xavier);
    let mut errors = Vec::new();
    for loss in [Loss::MeanSquaredError, Loss::MeanAbsoluteError, Loss::Huber] {
        let mut spec = MlpSpec::new(&[1, 32, 32, 1], Activation::Tanh, loss)?;
        if loss == Loss::Huber {
            // Beyond this distance an error counts as its size, no longer as its square: about two of the noise.
            spec = spec.with_loss_parameter(0.2)?;
        }
        let mut trainer = Trainer::new(&choice.device, &spec, &config, &measured)?;
        trainer.fit()?;

        let parameters = trainer.parameters()?;
        let predictor = Predictor::new(&choice.device, &spec, &parameters, ROWS)?;
        let outputs = predictor.outputs(truth.features())?;
        let error = Metrics::new(&spec, &outputs, &truth, None)?.rmse().unwrap_or(f64::NAN);
        println!("{:20} {error:.3} off the true curve", loss.name());
        errors.push((loss, error));
    }
    Ok(errors)
}

fn curve(x: f64) -> f64 {
    (PI * x).sin()
}

/// Places of the curve with their heights, evenly spaced over -1 to 1.
fn truth() -> Result<Dataset> {
    let x: Vec<f64> = (0..ROWS).map(|row| 2.0 * (row as f64 + 0.5) / ROWS as f64 - 1.0).collect();
    dataset(&x, x.iter().map(|&x| curve(x)))
}

/// Heights with noise, and every tenth too high by 2 to 4.
fn measured() -> Result<Dataset> {
    let mut random = NumpyRandom::new(1);
    let x: Vec<f64> = (0..ROWS).map(|_| 2.0 * random.random_sample() - 1.0).collect();
    let y = x.iter().enumerate().map(|(row, &x)| {
        let noise = 0.1 * random.standard_normal();
        let wrong = if row % 10 == 0 { 2.0 + 2.0 * random.random_sample() } else { 0.0 };
        curve(x) + noise + wrong
    });
    dataset(&x, y)
}

fn dataset(x: &[f64], y: impl Iterator<Item = f64>) -> Result<Dataset> {
    Dataset::new(x.iter().map(|&x| x as f32).collect(), y.map(|y| y as f32).collect(), 1, 1)
}
