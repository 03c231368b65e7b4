//! Times every kernel of the table, and training steps of the article's network across batch sizes, on the
//! CPU and on every GPU adapter. `cargo bench` measures; `cargo test --benches` runs each once.
#![allow(missing_docs, clippy::unwrap_used)]

use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use pollster::block_on;
use wgpu_mlp::backend::gpu::adapters;
use wgpu_mlp::backend::{Backend, CpuDevice, Device, Executor, GpuDevice};
use wgpu_mlp::data::{Encoder, Moons, Scaling};
use wgpu_mlp::kernels::{KERNELS, Kernel, Part, Step};
use wgpu_mlp::math::{Activation, Loss, Optimizer};
use wgpu_mlp::params::Init;
use wgpu_mlp::plan::Plan;
use wgpu_mlp::spec::MlpSpec;
use wgpu_mlp::train::{Batch, TrainConfig, Trainer};

/// Steps of one submission of a kernel.
const SLOTS: usize = 16;

fn devices() -> Vec<(String, Device)> {
    let adapters = adapters().unwrap();
    let gpus = adapters.iter().enumerate().map(|(index, adapter)| {
        (format!("{} {}", adapter.backend, adapter.name), Device::Gpu(GpuDevice::open(index).unwrap()))
    });
    [("cpu".to_string(), Device::Cpu(CpuDevice::new(0).unwrap()))].into_iter().chain(gpus).collect()
}

/// A plan of one dispatch, each binding in a buffer of its own.
fn single(kernel: &'static Kernel, part: Part, variant: usize) -> Plan {
    let extent = |name: &str| match name {
        _ if matches!(part, Part::Tiling(_)) => match name {
            "groups" => 1,
            "stride" | "span" => 257 * 256,
            _ => 256,
        },
        "columns" => 64,
        "outputs" => 1,
        "groups" => 4,
        "slots" => 2,
        "settings" => Optimizer::HYPER as u32,
        "trained" => 2048,
        "members" | "networks" => 3,
        "rounds" => 16,
        "count" | "stride" => 1 << 16,
        _ => 1024,
    };
    let dims: Vec<u32> =
        kernel.dims.iter().map(|name| part.dim(name).map_or_else(|| extent(name), |fixed| fixed as u32)).collect();
    Plan::single(kernel, part, variant, dims, SLOTS)
}

/// Seconds of `iterations` runs of a plan's first pass, the device's work included.
fn run(executor: &mut Executor, iterations: u64) -> Duration {
    let steps = [(0, Step { lr_factor: 1.0, ..Step::default() }); SLOTS];
    let mut left = iterations as usize;
    let started = Instant::now();
    while left > 0 {
        let now = left.min(SLOTS);
        executor.submit(&steps[..now]).unwrap();
        block_on(executor.collect()).unwrap();
        left -= now;
    }
    started.elapsed()
}

fn kernels(criterion: &mut Criterion) {
    for (name, device) in devices() {
        let mut group = criterion.benchmark_group(format!("kernels/{name}"));
        for &kernel in KERNELS {
            for part in kernel.part.parts() {
                for variant in 0..kernel.variants.len() {
                    let plan = single(kernel, part.clone(), variant);
                    let bytes = plan.bytes(4);
                    let mut executor = block_on(device.load(plan)).unwrap();
                    group.throughput(Throughput::Bytes(bytes));
                    group.bench_function(kernel.label(&part, variant), |bencher| {
                        bencher.iter_custom(|iterations| run(&mut executor, iterations));
                    });
                }
            }
        }
        group.finish();
    }
}

fn train_steps(criterion: &mut Criterion) {
    // Cargo passes --bench only to measure.
    let measure = std::env::args().any(|arg| arg == "--bench");
    let batches: &[usize] = if measure { &[32, 256, 900, 4096, 65_536] } else { &[32, 900] };
    let spec = MlpSpec::new(&[2, 25, 50, 50, 25, 1], Activation::Relu, Loss::BinaryCrossEntropy).unwrap();
    for (name, device) in devices() {
        let mut group = criterion.benchmark_group(format!("train step/{name}"));
        group.sample_size(10).sampling_mode(SamplingMode::Flat);
        for &batch in batches {
            let table = Moons { samples: 2 * batch, noise: 0.2, seed: 100 }.table().unwrap();
            let rows: Vec<usize> = (0..table.rows()).collect();
            let data = Encoder::fit(&table, "label", &rows, None, Scaling::NONE).unwrap().encode(&table).unwrap();
            group.throughput(Throughput::Elements(batch as u64));
            group.bench_function(BenchmarkId::from_parameter(batch), |bencher| {
                bencher.iter_custom(|iterations| {
                    // An epoch has two steps.
                    let epochs = iterations.div_ceil(2);
                    let config = TrainConfig::new(epochs, Batch::Rows(batch), Optimizer::sgd(0.01));
                    let mut trainer = Trainer::new(&device, &spec, &config, &data).unwrap();
                    trainer.set_parameters(&Init::Article.draw(&spec, 1105).unwrap()).unwrap();
                    let outcome = trainer.fit().unwrap();
                    assert!(outcome.last_epoch.unwrap().loss < 1.0, "the network does not train");
                    Duration::from_secs_f64(outcome.seconds * iterations as f64 / outcome.steps as f64)
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, kernels, train_steps);
criterion_main!(benches);
