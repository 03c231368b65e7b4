//! A training loop of one's own, on a stream: data comes in parts, and each is learned from, step by step, before the
//! next comes. `cargo run --release --example custom_loop -- cpu`, or any other device.
//!
//! Each part is judged before it is learned from, so every accuracy is that on rows never seen.

#![allow(missing_docs)]

use wgpu_mlp::data::{Moons, Scaling};
use wgpu_mlp::{
    Activation, Batch, Dataset, Encoder, Loss, MlpSpec, Optimizer, Result, Rule, TrainConfig, Trainer, open,
};

/// Parts of the stream at most.
const PARTS: u32 = 40;
/// Good enough, and the stream may end: so many parts in a row with this accuracy.
const ENOUGH: (u32, f64) = (3, 0.96);

fn main() -> Result<()> {
    let device = std::env::args().nth(1).unwrap_or_else(|| "auto".into());
    run(&device).map(|_| ())
}

/// The number of parts that it took.
pub fn run(device: &str) -> Result<u32> {
    let spec = MlpSpec::new(&[2, 32, 32, 1], Activation::Relu, Loss::BinaryCrossEntropy)?;
    // A whole part is a step; the epochs of the configuration are those of `fit`, which is not used here.
    let config = TrainConfig::new(1, Batch::Full, Optimizer::new(Rule::Adam, 1e-2));
    let choice = open(device)?;
    println!("{spec}\non {choice}");

    let mut trainer = Trainer::new(&choice.device, &spec, &config, &part(0)?)?;
    println!("part  steps      rate    loss  accuracy");
    let mut good = 0;
    for number in 1..=PARTS {
        let rate = 1e-2 / f64::from(number).sqrt();
        trainer.set_learning_rate(rate)?;
        // A step says how good the parameters were before it.
        let before = trainer.step()?;
        let accuracy = before.accuracy.unwrap_or(f64::NAN);
        println!("{number:4}  {:5}  {rate:.2e}  {:.4}  {accuracy:8.3}", trainer.steps(), before.loss);
        good = if accuracy >= ENOUGH.1 { good + 1 } else { 0 };
        if good == ENOUGH.0 {
            return Ok(number);
        }
        // Goes on until the part's loss is halved, but not for ever.
        for _ in 0..20 {
            if trainer.step()?.loss < before.loss / 2.0 {
                break;
            }
        }
        // Parameters, Adam's means and its count of steps stay; the rows are others.
        trainer.load(&part(number)?)?;
    }
    Ok(PARTS)
}

/// Two hundred rows of the stream.
fn part(number: u32) -> Result<Dataset> {
    let table = Moons { samples: 200, noise: 0.15, seed: number }.table()?;
    let rows: Vec<usize> = (0..table.rows()).collect();
    Encoder::fit(&table, "label", &rows, None, Scaling::NONE)?.encode(&table)
}
