//! What a step costs with each feature of training, as a ratio to the plain step: side by side, in rounds that take turns,
//! the median and the spread. `cargo bench --bench features` measures; `cargo test --benches` runs each once.
#![allow(missing_docs, clippy::unwrap_used)]

use std::time::Instant;

use wgpu_mlp::backend::gpu::adapters;
use wgpu_mlp::backend::{CpuDevice, Device, GpuDevice};
use wgpu_mlp::data::Dataset;
use wgpu_mlp::gradcheck::random_data;
use wgpu_mlp::math::{Activation, Clip, Loss, Optimizer, Rule};
use wgpu_mlp::params::Init;
use wgpu_mlp::spec::MlpSpec;
use wgpu_mlp::train::{Batch, TrainConfig, Trainer};

const BATCH: usize = 256;
const SAMPLES: usize = 8 * BATCH;

/// A trainer with one feature on.
struct Feature {
    name: String,
    trainer: Trainer,
    /// Seconds a step, of each round.
    rounds: Vec<f64>,
}

fn features(device: &Device, epochs: u64) -> Vec<Feature> {
    let spec = MlpSpec::new(&[64, 128, 128, 10], Activation::Relu, Loss::SoftmaxCrossEntropy).unwrap();
    let data = random_data(&spec, SAMPLES, 1).unwrap();
    let weights: Vec<f32> = (0..SAMPLES).map(|row| 1.0 + (row % 3) as f32).collect();
    let weighted = data.clone().with_weights(&weights).unwrap();
    let validation = random_data(&spec, SAMPLES / 4, 2).unwrap();
    let optimizer = |rule| Optimizer::new(rule, 1e-4);
    let config = |optimizer| TrainConfig::new(epochs, Batch::Rows(BATCH), optimizer);
    let make = |name: &str, config: TrainConfig, data: &Dataset, validation: Option<&Dataset>| {
        let mut trainer = Trainer::with_validation(device, &spec, &config, data, validation).unwrap();
        trainer.set_parameters(&Init::He.draw(&spec, 1).unwrap()).unwrap();
        Feature { name: name.into(), trainer, rounds: Vec::new() }
    };
    let sgd = optimizer(Rule::Sgd);
    let plain = config(sgd);
    let mut all = vec![make("sgd", plain.clone(), &data, None)];
    for &rule in Rule::ALL.iter().filter(|&&rule| rule != Rule::Sgd) {
        all.push(make(rule.name(), config(optimizer(rule)), &data, None));
    }
    let penalised = sgd.l1(1e-5).l2(1e-5).weight_decay(1e-5);
    let clipped = |clip| config(sgd.clip(clip));
    all.extend([
        make("sgd, l1, l2, decay", config(penalised), &data, None),
        make("sgd, clip value", clipped(Clip::Value(1.0)), &data, None),
        make("sgd, clip norm", clipped(Clip::Norm(1.0)), &data, None),
        make("sgd, dropout 0.2", plain.clone().dropout(&[0.2]), &data, None),
        make("sgd, row weights", plain.clone(), &weighted, None),
        make("sgd, cosine", plain.clone().schedule("cosine".parse().unwrap()), &data, None),
        make("sgd, validation", plain, &data, Some(&validation)),
    ]);
    all
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    // Cargo passes --bench only to measure.
    let measure = std::env::args().any(|arg| arg == "--bench");
    let (rounds, epochs) = if measure { (9, 25) } else { (1, 1) };
    let count = adapters().unwrap().len();
    let gpus = (0..count).map(|index| Device::Gpu(GpuDevice::open(index).unwrap()));
    for device in [Device::Cpu(CpuDevice::new(0).unwrap())].into_iter().chain(gpus) {
        let mut all = features(&device, epochs);
        for round in 0..=rounds {
            for feature in &mut all {
                let started = Instant::now();
                let outcome = feature.trainer.fit().unwrap();
                assert!(outcome.last_epoch.unwrap().loss < 10.0, "{}: it does not train", feature.name);
                // The first round is for caches and the length of submissions.
                if round > 0 {
                    feature.rounds.push(started.elapsed().as_secs_f64() / outcome.steps as f64);
                }
            }
        }
        println!("\n{}: 64→128→128→10, batches of {BATCH}, microseconds a step, {rounds} rounds", device.name());
        println!(
            "{:<20} {:>8} {:>8} {:>8}  {:>6} {:>6} {:>6}",
            "", "median", "least", "most", "ratio", "least", "most"
        );
        let plain = all[0].rounds.clone();
        for feature in &mut all {
            // Of the same round, so that a slow phase of the machine falls on both.
            let mut ratios: Vec<f64> = feature.rounds.iter().zip(&plain).map(|(own, plain)| own / plain).collect();
            let (micros, ratio) = (median(&mut feature.rounds) * 1e6, median(&mut ratios));
            let (least, most) = (feature.rounds[0] * 1e6, feature.rounds[feature.rounds.len() - 1] * 1e6);
            println!(
                "{:<20} {micros:>8.1} {least:>8.1} {most:>8.1}  {ratio:>6.2} {:>6.2} {:>6.2}",
                feature.name,
                ratios[0],
                ratios[ratios.len() - 1]
            );
        }
    }
}
