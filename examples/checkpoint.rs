//! A run that is broken off, kept in a file and taken up again ends with the parameters of the unbroken run, bit for bit.
//! `cargo run --release --example checkpoint -- cpu`, or any other device.
//!
//! On the command line: `mlp train … --out run --checkpoint-every 10`, then `mlp train --resume run`.

#![allow(missing_docs)]

use std::ops::ControlFlow;
use std::path::Path;

use wgpu_mlp::data::{Moons, Scaling};
use wgpu_mlp::{
    Activation, Batch, Checkpoint, Dataset, Device, Encoder, Error, Event, Loss, MlpSpec, Optimizer, Result, Rule,
    TrainConfig, Trainer, open,
};

/// The epoch after which the run is broken off.
const BREAK: u64 = 8;

fn main() -> Result<()> {
    let device = std::env::args().nth(1).unwrap_or_else(|| "auto".into());
    let path = std::env::temp_dir().join(format!("mlp-checkpoint-{}.safetensors", std::process::id()));
    let parameters = run(&device, &path);
    // It may not have been written.
    let _ = std::fs::remove_file(&path);
    parameters.map(|_| ())
}

/// The parameters at the end; an error where the two runs end apart. The file is left at `path`.
pub fn run(device: &str, path: &Path) -> Result<Vec<f32>> {
    let choice = open(device)?;
    println!("on {choice}");
    let data = data()?;
    let mut unbroken = begin(&choice.device, &data)?;
    unbroken.fit()?;
    let expected = unbroken.parameters()?;
    println!("unbroken: {} epochs, {} steps", unbroken.epochs(), unbroken.steps());

    // The same run again. The device is steps ahead of the events, so it is told where to wait for them.
    let mut broken = begin(&choice.device, &data)?;
    broken.pause_every(Some(BREAK));
    let until_the_break = |event| match event {
        Event::Epoch(epoch) if epoch.epoch == BREAK => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    broken.fit_with(until_the_break)?;
    Checkpoint::new(network()?, broken.state()?)?.save(path)?;
    println!("broken off after epoch {}, kept in {}", broken.epochs(), path.display());
    drop(broken);

    // As another process would: from the file, which has the settings too, and the same data.
    let Checkpoint { model, state, .. } = Checkpoint::load(path)?;
    let mut resumed = Trainer::new(&choice.device, &model.spec, state.progress.config(), &data)?;
    resumed.restore(&state)?;
    resumed.resume()?;
    let found = resumed.parameters()?;
    let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    if bits(&found) != bits(&expected) {
        return Err(Error::CheckFailed("the resumed run ended with other parameters".into()));
    }
    println!(
        "resumed: {} epochs, {} steps, and the same {} parameters",
        resumed.epochs(),
        resumed.steps(),
        found.len()
    );
    Ok(found)
}

fn network() -> Result<MlpSpec> {
    MlpSpec::new(&[2, 32, 32, 1], Activation::Relu, Loss::BinaryCrossEntropy)
}

fn data() -> Result<Dataset> {
    let table = Moons { samples: 500, noise: 0.2, seed: 1 }.table()?;
    let rows: Vec<usize> = (0..table.rows()).collect();
    Encoder::fit(&table, "label", &rows, None, Scaling::ALL)?.encode(&table)
}

/// A trainer before its first step. Adam's means, the order of the rows, dropout and the schedule all have a state that
/// the checkpoint must hold.
fn begin(device: &Device, data: &Dataset) -> Result<Trainer> {
    let config = TrainConfig::new(20, Batch::Rows(32), Optimizer::new(Rule::Adam, 1e-2))
        .seed(1)
        .dropout(&[0.1])
        .schedule("cosine".parse()?);
    Trainer::new(device, &network()?, &config, data)
}
