//! The work that `benches/peers/run.py` compares with other libraries, in this one: trains what a folder's `cases.json` says, or
//! multiplies, and prints a line of JSON for each case.
//! `cargo bench --bench workloads -- --device cpu|gpu --cases FOLDER [--precision NAME]`; without `--cases`, as in `cargo test --benches`, a small case of each
//! kind runs on every device.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

#[path = "peers/work.rs"]
mod work;

use std::ops::ControlFlow;
use std::path::Path;
use std::thread::available_parallelism;

use pollster::block_on;
use serde_json::{Value, json};
use wgpu_mlp::backend::gpu::adapters;
use wgpu_mlp::backend::{Backend, Device, Executor, Opening, open_with};
use wgpu_mlp::data::Dataset;
use wgpu_mlp::kernels::Step;
use wgpu_mlp::math::{Activation, Loss, Optimizer, Precision};
use wgpu_mlp::plan::Plan;
use wgpu_mlp::spec::MlpSpec;
use wgpu_mlp::train::{Batch, Event, TrainConfig, Trainer};
use work::{Arrays, Case, Product, Result, Run, Training, Work};

const SMALL: &str = r#"[
    {"name": "binary", "layers": [3, 8, 1], "loss": "binary_cross_entropy", "optimizer": "sgd", "learning_rate": 0.1, "rows": 20,
     "batch": 20, "epochs": 5, "parts": 2},
    {"name": "classes", "layers": [5, 8, 4], "loss": "softmax_cross_entropy", "optimizer": "adam", "learning_rate": 0.01, "rows": 64,
     "batch": 16, "epochs": 5, "parts": 2},
    {"name": "product", "m": 33, "n": 17, "k": 9, "products": 20, "parts": 2}
]"#;

/// Products in a submission.
const SLOTS: usize = 16;

struct Epochs {
    trainer: Trainer,
    /// Of each epoch.
    losses: Vec<f64>,
}

impl Run for Epochs {
    fn part(&mut self) -> Result<()> {
        let Self { trainer, losses } = self;
        trainer.fit_with(|event| {
            if let Event::Epoch(epoch) = event {
                losses.push(epoch.loss);
            }
            ControlFlow::Continue(())
        })?;
        Ok(())
    }

    fn result(&mut self) -> Result<Vec<f32>> {
        let (before, after) = (self.losses[0], self.losses[self.losses.len() - 1]);
        assert!(after < before, "the loss went from {before} to {after}");
        Ok(self.trainer.parameters()?)
    }
}

fn train(device: &Device, work: &Training, [x, y, p]: Arrays) -> Result<Epochs> {
    let spec = MlpSpec::new(&work.layers, Activation::Relu, work.loss.parse::<Loss>()?)?;
    let data = Dataset::new(x, y, spec.inputs(), 1)?;
    let batch = if work.batch == work.rows { Batch::Full } else { Batch::Rows(work.batch) };
    let config = TrainConfig::new(work.epochs as u64, batch, Optimizer::named(&work.optimizer, work.learning_rate)?);
    let mut trainer = Trainer::new(device, &spec, &config, &data)?;
    trainer.set_parameters(&p)?;
    Ok(Epochs { trainer, losses: Vec::new() })
}

struct Products {
    executor: Executor,
    products: usize,
}

impl Run for Products {
    fn part(&mut self) -> Result<()> {
        // Two submissions under way, as in training.
        let (mut left, mut waiting) = (self.products, 0);
        while left > 0 || waiting > 0 {
            if left > 0 && waiting < 2 {
                let now = left.min(SLOTS);
                self.executor.submit(&vec![(0, Step::default()); now])?;
                left -= now;
                waiting += 1;
            } else {
                block_on(self.executor.collect())?;
                waiting -= 1;
            }
        }
        Ok(())
    }

    fn result(&mut self) -> Result<Vec<f32>> {
        Ok(block_on(self.executor.read(2))?)
    }
}

fn multiply(device: &Device, &Product { m, n, k, products }: &Product, [a, b, _]: &Arrays) -> Result<Products> {
    let plan = Plan::product([m as u32, n as u32, k as u32], SLOTS).in_tiles_for(device.target());
    let mut executor = block_on(device.load(plan))?;
    executor.write(0, a)?;
    executor.write(1, b)?;
    Ok(Products { executor, products })
}

fn start(device: &Device, work: &Work, arrays: Arrays) -> Result<Box<dyn Run>> {
    Ok(match work {
        Work::Train(training) => Box::new(train(device, training, arrays)?),
        Work::Multiply(product) => Box::new(multiply(device, product, &arrays)?),
    })
}

fn head(device: &Device) -> Value {
    let threads = available_parallelism().ok().filter(|_| device.backend() == "cpu");
    let precision =
        if device.precision() == Precision::F32 { String::new() } else { format!(" {}", device.precision()) };
    json!({"peer": format!("{}{precision}", env!("CARGO_PKG_NAME")), "version": env!("CARGO_PKG_VERSION"), "device": device.name(), "threads": threads})
}

/// A small case of each kind.
fn small(device: &Device) {
    for case in serde_json::from_str::<Vec<Case>>(SMALL).unwrap() {
        let line = work::line(&head(device), &case, None, |work, arrays| start(device, work, arrays))
            .unwrap_or_else(|error| panic!("{}: {error}", case.name));
        assert!(line.get("error").is_none_or(|error| error.as_f64().is_some_and(|error| error <= 1e-5)), "{line}");
        println!("{line}");
    }
}

fn main() {
    let precision = work::option("--precision").map_or(Precision::F32, |name| name.parse().unwrap());
    let opening = Opening { precision, ..Opening::default() };
    let device = |name: &str| open_with(name, opening).unwrap_or_else(|error| panic!("{error}")).device;
    if let Some(folder) = work::option("--cases") {
        let device = device(&work::option("--device").unwrap_or("cpu".into()));
        work::main(Path::new(&folder), &head(&device), |work, arrays| start(&device, work, arrays))
            .unwrap_or_else(|error| panic!("{error}"));
        return;
    }
    let count = adapters().unwrap().len();
    for name in (0..count).map(|index| index.to_string()).chain(["cpu".to_string()]) {
        small(&device(&name));
    }
}
