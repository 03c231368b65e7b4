//! The smallest thing that works: a network learns exclusive or.
//! `cargo run --release --example xor -- cpu`, or any other device.

#![allow(missing_docs)]

use wgpu_mlp::{Activation, Batch, Dataset, Loss, MlpSpec, Optimizer, Predictor, Result, TrainConfig, Trainer, open};

fn main() -> Result<()> {
    let device = std::env::args().nth(1).unwrap_or_else(|| "auto".into());
    run(&device).map(|_| ())
}

/// The probability of a 1 for each of the four inputs.
pub fn run(device: &str) -> Result<Vec<f64>> {
    // Four rows: two features and a target each.
    let data = Dataset::new(vec![0., 0., 0., 1., 1., 0., 1., 1.], vec![0., 1., 1., 0.], 2, 1)?;
    let spec = MlpSpec::new(&[2, 8, 1], Activation::Relu, Loss::BinaryCrossEntropy)?;
    let choice = open(device)?;
    println!("{spec}\non {choice}");

    let config = TrainConfig::new(2000, Batch::Full, Optimizer::sgd(0.5));
    let mut trainer = Trainer::new(&choice.device, &spec, &config, &data)?;
    trainer.fit()?;

    let parameters = trainer.parameters()?;
    let predictor = Predictor::new(&choice.device, &spec, &parameters, 4)?;
    // The network gives logits; the loss knows what they mean.
    let logits = predictor.outputs(data.features())?;
    let ones: Vec<f64> = logits.iter().map(|&z| spec.loss().prediction(z.into())).collect();
    for (x, p) in data.features().chunks_exact(2).zip(&ones) {
        println!("{} xor {} is 1 with probability {p:.3}", x[0], x[1]);
    }
    Ok(ones)
}
