//! The work that `benches/peers/run.py` compares with other libraries, in this one: trains what a folder's `cases.json` says, or
//! multiplies, and prints a line of JSON for each case.
//! `cargo bench --bench workloads -- --device cpu|gpu --cases FOLDER`; without `--bench`, as in `cargo test --benches`, a small case of each
//! kind runs on every device.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::ops::ControlFlow;
use std::path::Path;
use std::thread::available_parallelism;
use std::time::Instant;

use pollster::block_on;
use serde::Deserialize;
use serde_json::{Value, json};
use wgpu_mlp::Result;
use wgpu_mlp::backend::gpu::adapters;
use wgpu_mlp::backend::{Backend, Device, Executor, open};
use wgpu_mlp::data::Dataset;
use wgpu_mlp::kernels::Step;
use wgpu_mlp::math::{Activation, Loss, Optimizer};
use wgpu_mlp::params::Layout;
use wgpu_mlp::plan::Plan;
use wgpu_mlp::spec::MlpSpec;
use wgpu_mlp::train::{Batch, Event, TrainConfig, Trainer};

/// A case of `benches/peers/workload.py`.
#[derive(Deserialize)]
struct Case {
    name: String,
    parts: usize,
    #[serde(default)]
    files: String,
    #[serde(flatten)]
    work: Work,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Work {
    Train {
        layers: Vec<usize>,
        loss: String,
        optimizer: String,
        learning_rate: f64,
        rows: usize,
        batch: usize,
        epochs: u64,
    },
    Product {
        m: u32,
        n: u32,
        k: u32,
        products: usize,
    },
}

const SMALL: &str = r#"[
    {"name": "binary", "layers": [3, 8, 1], "loss": "binary_cross_entropy", "optimizer": "sgd", "learning_rate": 0.1, "rows": 20,
     "batch": 20, "epochs": 5, "parts": 2},
    {"name": "classes", "layers": [5, 8, 4], "loss": "softmax_cross_entropy", "optimizer": "adam", "learning_rate": 0.01, "rows": 64,
     "batch": 16, "epochs": 5, "parts": 2},
    {"name": "product", "m": 33, "n": 17, "k": 9, "products": 20, "parts": 2}
]"#;

/// Products in a submission.
const SLOTS: usize = 16;

/// A case's array: from its file, or without a folder repeatable numbers in ±1/2.
fn array(folder: Option<&Path>, case: &Case, suffix: &str, len: usize) -> Vec<f32> {
    let Some(folder) = folder else {
        return (0..len).map(|i| (i * 7919 % 1009) as f32 / 1009.0 - 0.5).collect();
    };
    let path = folder.join(format!("{}.{suffix}", case.files));
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(bytes.len(), 4 * len, "{}: bytes", path.display());
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

/// Trains, and returns the seconds of each part, the steps of one, and what there is to check: the mean loss of the first and
/// the last epoch, and a file with the final parameters.
fn train(device: &Device, case: &Case, folder: Option<&Path>) -> Result<(Vec<f64>, u64, Value)> {
    let Work::Train { layers, loss, optimizer, learning_rate, rows, batch, epochs } = &case.work else {
        unreachable!()
    };
    let spec = MlpSpec::new(layers, Activation::Relu, loss.parse::<Loss>()?)?;
    let features = array(folder, case, "x", rows * spec.inputs());
    let targets = match folder {
        Some(_) => array(folder, case, "y", *rows),
        None => (0..*rows).map(|row| (row % spec.outputs().max(2)) as f32).collect(),
    };
    let data = Dataset::new(features, targets, spec.inputs(), 1)?;
    let batch = if batch == rows { Batch::Full } else { Batch::Rows(*batch) };
    let config = TrainConfig::new(*epochs, batch, Optimizer::named(optimizer, *learning_rate)?);
    let mut trainer = block_on(Trainer::new(device, &spec, &config, &data))?;
    trainer.set_parameters(&array(folder, case, "p", Layout::new(&spec).len()))?;
    let (mut seconds, mut losses) = (Vec::new(), Vec::new());
    for _ in 0..case.parts {
        let started = Instant::now();
        block_on(trainer.fit(|event| {
            if let Event::Epoch(epoch) = event {
                losses.push(epoch.loss);
            }
            ControlFlow::Continue(())
        }))?;
        seconds.push(started.elapsed().as_secs_f64());
    }
    let (before, after) = (losses[0], losses[losses.len() - 1]);
    assert!(after < before, "{}: the loss went from {before} to {after}", case.name);
    let mut checked = json!({});
    if let Some(folder) = folder {
        let path = folder.join(format!("{}.final", case.name.replace('/', "-")));
        let bytes: Vec<u8> = block_on(trainer.parameters())?.iter().flat_map(|value| value.to_le_bytes()).collect();
        std::fs::write(&path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        checked["final"] = json!(path);
    }
    Ok((seconds, trainer.steps() / case.parts as u64, checked))
}

/// Multiplies, and returns the seconds of each part, the products of one, and the largest error as a share of the terms.
fn product(device: &Device, case: &Case, folder: Option<&Path>) -> Result<(Vec<f64>, u64, Value)> {
    let &Work::Product { m, n, k, products } = &case.work else { unreachable!() };
    let plan = Plan::product([m, n, k], SLOTS);
    let [m, n, k] = [m, n, k].map(|extent| extent as usize);
    let (a, b) = (array(folder, case, "a", m * k), array(folder, case, "b", k * n));
    let mut executor: Executor = block_on(device.load(plan))?;
    executor.write(0, &a)?;
    executor.write(1, &b)?;
    let mut seconds = Vec::new();
    for _ in 0..case.parts {
        let started = Instant::now();
        // Two submissions under way, as in training.
        let mut left = products;
        let mut waiting = 0;
        while left > 0 || waiting > 0 {
            if left > 0 && waiting < 2 {
                let now = left.min(SLOTS);
                executor.submit(&vec![(0, Step::default()); now])?;
                left -= now;
                waiting += 1;
            } else {
                block_on(executor.collect())?;
                waiting -= 1;
            }
        }
        seconds.push(started.elapsed().as_secs_f64());
    }
    let c = block_on(executor.read(2))?;
    let mut error = 0.0_f64;
    for row in (0..m).step_by((m / 8).max(1)) {
        let (mut sums, mut scales) = (vec![0.0_f64; n], vec![0.0_f64; n]);
        for (&a, b) in a[row * k..][..k].iter().zip(b.chunks_exact(n)) {
            for ((sum, scale), &b) in sums.iter_mut().zip(&mut scales).zip(b) {
                let term = f64::from(a) * f64::from(b);
                *sum += term;
                *scale += term.abs();
            }
        }
        for ((&c, sum), scale) in c[row * n..].iter().zip(sums).zip(scales) {
            let share = (f64::from(c) - sum).abs() / scale;
            // A NaN is the largest error there is.
            error = if share.is_nan() { f64::INFINITY } else { error.max(share) };
        }
    }
    assert!(error <= 1e-5, "{}: a product is {error:.1e} of its terms off", case.name);
    Ok((seconds, products as u64, json!({"error": error})))
}

/// A case's line. Panics where its results are wrong.
fn line(device: &Device, case: &Case, folder: Option<&Path>) -> Result<Value> {
    let ((seconds, steps, checked), batch) = match case.work {
        Work::Train { batch, .. } => (train(device, case, folder)?, Some(batch)),
        Work::Product { .. } => (product(device, case, folder)?, None),
    };
    let mut each: Vec<f64> = seconds.iter().skip(1).map(|seconds| seconds / steps as f64).collect();
    each.sort_by(f64::total_cmp);
    let threads = available_parallelism().ok().filter(|_| device.backend() == "cpu");
    let mut line = json!({
        "peer": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION"), "device": device.name(), "threads": threads,
        "workload": case.name, "batch": batch, "steps": steps, "first_part_seconds": seconds[0], "seconds": each,
    });
    for (key, value) in checked.as_object().unwrap() {
        line[key] = value.clone();
    }
    Ok(line)
}

fn run(device: &str, cases: &str, folder: Option<&Path>) {
    let device = block_on(open(device)).unwrap_or_else(|error| panic!("{error}")).device;
    for case in serde_json::from_str::<Vec<Case>>(cases).unwrap() {
        // A case that a device cannot do takes no others along: run.py reports it.
        let line = line(&device, &case, folder).unwrap_or_else(
            |error| json!({"peer": env!("CARGO_PKG_NAME"), "workload": case.name, "failed": error.to_string()}),
        );
        assert!(folder.is_some() || line.get("failed").is_none(), "{line}");
        println!("{line}");
    }
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let value = |name: &str| words.iter().position(|word| word == name).and_then(|at| words.get(at + 1));
    match value("--cases") {
        Some(folder) => {
            let path = Path::new(folder).join("cases.json");
            let cases = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            run(value("--device").map_or("cpu", String::as_str), &cases, Some(Path::new(folder)));
        }
        None => {
            let count = block_on(adapters()).unwrap().len();
            for device in (0..count).map(|index| index.to_string()).chain(["cpu".to_string()]) {
                run(&device, SMALL, None);
            }
        }
    }
}
