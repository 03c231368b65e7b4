//! What decides between ways of planning, on the adapter at hand: every tile over the shapes of products that training has, every way
//! of planning over batch sizes and memories of a workgroup, and one network against many of its shape.
//! `cargo bench --bench plans [-- --adapter N] [--seconds F] [--precision NAME]` prints a line of JSON for each; `cargo test --benches` takes one of each kind.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "peers/work.rs"]
#[allow(dead_code)]
mod work;

use std::time::Instant;

use pollster::block_on;
use serde_json::{Value, json};
use wgpu_mlp::backend::gpu::adapters;
use wgpu_mlp::backend::{Backend, GpuBackend, GpuDevice, Opening};
use wgpu_mlp::kernels::{AB, ABT, ATB, MATMUL, Part, Step, TILES, Tile, Tiling};
use wgpu_mlp::math::{Activation, Loss, Precision, Rule};
use wgpu_mlp::plan::{Plan, PlanKind, Recipe, Role, Target, TrainShape, choose};
use wgpu_mlp::spec::MlpSpec;

/// Steps of a submission.
const SLOTS: usize = 64;
/// Submissions that a median comes from.
const ROUNDS: usize = 7;

/// m, n, k and the variant: the layers of 784→256→128→10 and of networks 64 wide forward, back to the input and to the weights,
/// at batches from 32 to 65,536, and square products.
const PRODUCTS: &[(usize, [u32; 3])] = &[
    (AB, [32, 256, 784]),
    (AB, [256, 256, 784]),
    (AB, [2048, 256, 784]),
    (AB, [16_384, 256, 784]),
    (AB, [32, 128, 256]),
    (AB, [256, 128, 256]),
    (AB, [2048, 128, 256]),
    (AB, [16_384, 128, 256]),
    (AB, [256, 12, 128]),
    (AB, [16_384, 12, 128]),
    (AB, [2048, 64, 64]),
    (AB, [16_384, 64, 64]),
    (AB, [65_536, 64, 64]),
    (ABT, [256, 256, 128]),
    (ABT, [16_384, 256, 128]),
    (ATB, [784, 256, 256]),
    (ATB, [784, 256, 2048]),
    (AB, [1024, 1024, 1024]),
    (AB, [2048, 2048, 2048]),
    (AB, [4096, 4096, 4096]),
];

/// A number that looks random, in [-1, 1).
fn noise(index: usize) -> f32 {
    let bits = (index as u32 ^ 0x9e37_79b9).wrapping_mul(0x85eb_ca6b);
    (bits ^ (bits >> 13)).wrapping_mul(0xc2b2_ae35) as f32 / (1u32 << 31) as f32 - 1.0
}

/// Puts numbers into what a plan reads; its hyperparameters stay 0, so that parameters stay as they are.
fn fill(gpu: &mut GpuBackend) {
    for buffer in 0..gpu.plan().buffers.len() {
        let (role, len) = (gpu.plan().buffers[buffer].role, gpu.plan().buffers[buffer].len);
        let values: Vec<f32> = match role {
            Role::Targets => (0..len).map(|index| (index % 2) as f32).collect(),
            Role::Parameters => (0..len).map(|index| noise(index) / 8.0).collect(),
            Role::Features | Role::Delta(_) => (0..len).map(noise).collect(),
            _ => continue,
        };
        gpu.write(buffer, &values).unwrap();
    }
}

/// Microseconds a step in submissions of many, two under way as in training: the median, least and most.
fn time(gpu: &mut GpuBackend, seconds: f64) -> [f64; 3] {
    let replicas = gpu.plan().replicas;
    let record = |key: usize| (0, Step { key: key as u32, ..Step::default() });
    let records: Vec<_> = (0..SLOTS * replicas).map(record).collect();
    let mut run = |steps: usize, submissions: usize| {
        let started = Instant::now();
        gpu.submit(&records[..steps * replicas]).unwrap();
        for _ in 1..submissions {
            gpu.submit(&records[..steps * replicas]).unwrap();
            block_on(gpu.collect()).unwrap();
        }
        block_on(gpu.collect()).unwrap();
        started.elapsed().as_secs_f64() / (steps * submissions) as f64
    };
    run(1, 1);
    let once = run(1, 1);
    let steps = ((0.005 / once) as usize).clamp(1, SLOTS);
    let once = run(steps, 2);
    let submissions = ((seconds / ROUNDS as f64 / once) as usize / steps).clamp(1, 4096);
    let mut rounds: Vec<f64> = (0..ROUNDS).map(|_| 1e6 * run(steps, submissions)).collect();
    rounds.sort_by(f64::total_cmp);
    [rounds[ROUNDS / 2], rounds[0], rounds[ROUNDS - 1]]
}

/// Microseconds of each dispatch by the GPU's clock, the median; none on a device without timestamps.
fn dispatches(gpu: &mut GpuBackend) -> Vec<f64> {
    let runs: Vec<Vec<f64>> = (0..ROUNDS).map_while(|_| block_on(gpu.profile(0, Step::default())).ok()).collect();
    let count = runs.first().map_or(0, Vec::len);
    let of = |index: usize| {
        let mut times: Vec<f64> = runs.iter().map(|run| 1e6 * run[index]).collect();
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    (0..count).map(of).collect()
}

fn line(device: &GpuDevice, plan: Plan, seconds: f64, mut of: Value) {
    let labels: Vec<_> = plan.passes[0].dispatches.iter().map(|d| d.kernel.label(&d.part, d.variant)).collect();
    match block_on(GpuBackend::load(device, plan)) {
        Ok(mut gpu) => {
            fill(&mut gpu);
            let [median, least, most] = time(&mut gpu, seconds);
            of["us"] = json!({"median": median, "least": least, "most": most});
            of["dispatches"] =
                labels.into_iter().zip(dispatches(&mut gpu)).map(|(name, us)| json!([name, us])).collect();
        }
        Err(error) => of["refused"] = json!(error.to_string()),
    }
    println!("{of}");
}

fn product(device: &GpuDevice, seconds: f64, (variant, [m, n, k]): (usize, [u32; 3]), tile: &'static Tile) {
    let dims = vec![m, n, k, tile.rows() as u32, tile.columns() as u32];
    let wide = MATMUL.can_be_wide(&dims, &[]);
    let part = Part::Tiling(Tiling { tile, wide, units: None, activation: Activation::Identity });
    let label = MATMUL.label(&part, variant);
    let plan = Plan::single(&MATMUL, part, variant, dims, SLOTS);
    let flops = 2.0 * f64::from(m) * f64::from(n) * f64::from(k);
    line(
        device,
        plan,
        seconds,
        json!({
            "kind": "product", "kernel": label, "m": m, "n": n, "k": k, "flops": flops
        }),
    );
}

struct Case {
    widths: &'static [usize],
    loss: Loss,
    samples: usize,
    batch: usize,
    replicas: usize,
}

fn step(device: &GpuDevice, seconds: f64, case: &Case, kind: Option<PlanKind>, target: Target) {
    let &Case { widths, loss, samples, batch, replicas } = case;
    let spec = MlpSpec::new(widths, Activation::Relu, loss).unwrap();
    let shape = TrainShape { batch, replicas, slots: SLOTS, ..TrainShape::full(samples) };
    let mut of = json!({
        "kind": "step", "network": widths, "samples": samples, "batch": batch, "replicas": replicas,
        "asked": kind.map_or("auto", PlanKind::name)
    });
    if let Target::Gpu { workgroup_bytes, cores, .. } = target {
        (of["workgroup_bytes"], of["cores"]) = (json!(workgroup_bytes), json!(cores));
    }
    match choose(kind, &spec, &Recipe::new(Rule::Sgd), shape, target) {
        Ok(plan) => {
            of["plan"] = json!(plan.kind.name());
            of["bytes"] = json!(plan.bytes(4));
            line(device, plan, seconds, of);
        }
        Err(error) => {
            of["refused"] = json!(error.to_string());
            println!("{of}");
        }
    }
}

const ARTICLE: &[usize] = &[2, 25, 50, 50, 25, 1];
const MNIST: &[usize] = &[784, 256, 128, 10];
const NARROW: &[usize] = &[64, 64, 64, 64, 64, 16];

fn all(device: &GpuDevice, seconds: f64) {
    for &shape in PRODUCTS {
        for &tile in TILES {
            product(device, seconds, shape, tile);
        }
    }
    let (memory, own) = (device.summary().workgroup_bytes as usize, device.summary().target());
    // Cores decide on the rows of a block.
    let targets = [(memory, 1), (memory, 64), (memory, 1 << 10), (16 << 10, 64)]
        .map(|(workgroup_bytes, cores)| Target::Gpu { workgroup_bytes, cores, sums: 64 });
    let (binary, classes) = (Loss::BinaryCrossEntropy, Loss::SoftmaxCrossEntropy);
    for batch in [32, 64, 256, 900, 4096, 16_384] {
        let case = Case { widths: ARTICLE, loss: binary, samples: 2 * batch, batch, replicas: 1 };
        for target in targets {
            step(device, seconds, &case, Some(PlanKind::Fused), target);
        }
        if batch < 300 {
            step(device, seconds, &case, Some(PlanKind::Resident), own);
        }
        step(device, seconds, &case, Some(PlanKind::Layered), own);
        step(device, seconds, &case, None, own);
    }
    for (widths, batches) in [(NARROW, [256, 2048, 16_384]), (MNIST, [32, 2048, 16_384])] {
        for batch in batches {
            let case = Case { widths, loss: classes, samples: 2 * batch, batch, replicas: 1 };
            step(device, seconds, &case, Some(PlanKind::Layered), own);
            for target in targets.into_iter().filter(|_| widths == NARROW) {
                step(device, seconds, &case, Some(PlanKind::Fused), target);
            }
        }
    }
    for (batch, samples) in [(900, 900), (32, 900)] {
        for replicas in [1, 16, 256, 1024] {
            let case = Case { widths: ARTICLE, loss: binary, samples, batch, replicas };
            for kind in [Some(PlanKind::Fused), Some(PlanKind::Resident)] {
                step(device, seconds, &case, kind, own);
            }
        }
    }
}

fn main() {
    // Cargo passes --bench only to measure.
    let measure = std::env::args().any(|arg| arg == "--bench");
    let number = |name: &str| work::option(name).map(|value| value.parse::<f64>().unwrap());
    let count = adapters().unwrap().len();
    let precision = work::option("--precision").map_or(Precision::F32, |name| name.parse().unwrap());
    let asked = number("--adapter").map(|index| index as usize);
    for index in (0..count).filter(|index| asked.is_none_or(|asked| asked == *index)) {
        let device = GpuDevice::open_with(index, Opening { timed: true, precision }).unwrap();
        println!(
            "{}",
            json!({"kind": "device", "name": device.name(), "workgroup_bytes": device.summary().workgroup_bytes, "precision": precision.name()})
        );
        if measure {
            all(&device, number("--seconds").unwrap_or(0.1));
        } else {
            product(&device, 0.0, (AB, [32, 12, 20]), TILES[0]);
            let case = Case { widths: &[2, 8, 1], loss: Loss::BinaryCrossEntropy, samples: 40, batch: 20, replicas: 2 };
            step(&device, 0.0, &case, None, device.summary().target());
        }
    }
}
