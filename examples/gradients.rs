//! Backpropagation at work: the gradients that a step leaves behind, and the same by hand, as the slope of the loss.
//! `cargo run --release --example gradients -- cpu`, or any other device.
//!
//! `mlp gradcheck` does this in earnest: every parameter, in f64, with limits.

#![allow(missing_docs)]

use wgpu_mlp::data::{Moons, Scaling};
use wgpu_mlp::params::Layout;
use wgpu_mlp::{Activation, Batch, Encoder, Init, Loss, MlpSpec, Optimizer, Result, TrainConfig, Trainer, open};

/// How far a parameter is moved to each side. Less, and the loss in f32 hardly changes; more, and it bends.
const SHIFT: f32 = 1e-2;

fn main() -> Result<()> {
    let device = std::env::args().nth(1).unwrap_or_else(|| "auto".into());
    run(&device).map(|_| ())
}

/// The largest difference between a gradient and its central difference, as a part of its tensor's norm.
pub fn run(device: &str) -> Result<f64> {
    let table = Moons { samples: 200, noise: 0.1, seed: 3 }.table()?;
    let rows: Vec<usize> = (0..table.rows()).collect();
    let data = Encoder::fit(&table, "label", &rows, None, Scaling::ALL)?.encode(&table)?;
    let spec = MlpSpec::new(&[2, 16, 16, 1], Activation::Tanh, Loss::BinaryCrossEntropy)?;
    let choice = open(device)?;
    println!("{spec}\non {choice}");

    // All rows in one step, so that every step's loss is the same function of the parameters.
    let config = TrainConfig::new(1, Batch::Full, Optimizer::sgd(0.1));
    let mut trainer = Trainer::new(&choice.device, &spec, &config, &data)?;
    let parameters = Init::Xavier.draw(&spec, 3)?;
    trainer.set_parameters(&parameters)?;
    let loss = trainer.step()?.loss;
    let gradients = trainer.gradients()?;
    println!("loss {loss:.6}\n");

    println!("{:16} {:>8} {:>9}   {:>10}   by hand", "tensor", "shape", "norm", "largest");
    let mut worst = 0.0_f64;
    for tensor in Layout::new(&spec).tensors {
        let of_tensor = &gradients[tensor.range.clone()];
        let norm = of_tensor.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>().sqrt();
        // The gradient of the largest size, and what it should be: (loss(p + h) − loss(p − h)) / 2h.
        let Some(place) = tensor.range.clone().max_by(|&a, &b| gradients[a].abs().total_cmp(&gradients[b].abs()))
        else {
            continue;
        };
        let (mut shifted, mut losses) = (parameters.clone(), [0.0; 2]);
        for (loss, shift) in losses.iter_mut().zip([SHIFT, -SHIFT]) {
            shifted[place] = parameters[place] + shift;
            trainer.set_parameters(&shifted)?;
            // The loss of a step is that before its update.
            *loss = trainer.step()?.loss;
        }
        let slope = (losses[0] - losses[1]) / f64::from(2.0 * SHIFT);
        let gradient = f64::from(gradients[place]);
        let shape = format!("{}×{}", tensor.rows, tensor.columns);
        println!("{:16} {shape:>8} {norm:9.6}   {gradient:10.6}   {slope:9.6}", tensor.name);
        worst = worst.max((slope - gradient).abs() / norm);
    }
    println!("\nat most {worst:.1e} of its tensor's norm apart");
    Ok(worst)
}
