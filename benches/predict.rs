//! What predictions cost on the CPU: by a `Predictor`, whose rows are the same bits whatever rows stand beside them; by a forward plan,
//! whose products choose by the number of rows, too; and by a plain loop on one thread. `cargo bench --bench predict` prints a line for
//! each network and number of rows, microseconds a call; without `--bench`, as in `cargo test --benches`, results are checked alone.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Instant;

use pollster::block_on;
use wgpu_mlp::backend::{Backend, CpuDevice, Device, Executor};
use wgpu_mlp::kernels::Step;
use wgpu_mlp::params::{Init, Layout};
use wgpu_mlp::plan::{Role, forward};
use wgpu_mlp::{Activation, Loss, MlpSpec, Predictor};

const NETWORKS: [&[usize]; 4] =
    [&[2, 25, 50, 50, 25, 1], &[20, 64, 32, 1], &[784, 256, 128, 10], &[784, 1024, 1024, 10]];
const ROWS: [usize; 4] = [1, 16, 256, 4096];
/// Seconds of a measurement.
const SECONDS: f64 = 0.5;
/// Parts that the median is of.
const PARTS: usize = 15;
/// Largest difference from the plain loop, relative to the largest output.
const LIMIT: f32 = 1e-4;

/// The outputs by sums as they are written down, row by row.
fn plain(spec: &MlpSpec, layout: &Layout, parameters: &[f32], x: &[f32], z: &mut [f32]) {
    for (x, z) in x.chunks(spec.inputs()).zip(z.chunks_mut(spec.outputs())) {
        let mut a = x.to_vec();
        for (i, layer) in spec.layers().iter().enumerate() {
            let weight = &parameters[layout.weight(i).range.clone()];
            let mut sums = parameters[layout.bias(i).range.clone()].to_vec();
            for (x, weights) in a.iter().zip(weight.chunks(layer.outputs)) {
                sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += x * weight);
            }
            a.resize(layer.outputs, 0.0);
            layer.activation.forward(&sums, &mut a);
        }
        z.copy_from_slice(&a);
    }
}

/// A forward plan of as many rows, with its data's way in and out.
fn planned(executor: &mut Executor, x: &[f32], z: &mut [f32]) {
    let (input, output) = (executor.plan().buffer(Role::Features).unwrap(), executor.plan().output().unwrap());
    executor.write(input, x).unwrap();
    executor.submit(&[(0, Step::default())]).unwrap();
    block_on(executor.collect()).unwrap();
    z.copy_from_slice(&block_on(executor.read(output)).unwrap());
}

/// Median, least and most microseconds of a call.
fn time(mut call: impl FnMut()) -> String {
    let once = Instant::now();
    call();
    let calls = (SECONDS / PARTS as f64 / once.elapsed().as_secs_f64()).clamp(1.0, 1e6) as usize;
    let mut parts: Vec<f64> = (0..PARTS)
        .map(|_| {
            let start = Instant::now();
            (0..calls).for_each(|_| call());
            start.elapsed().as_secs_f64() * 1e6 / calls as f64
        })
        .collect();
    parts.sort_by(f64::total_cmp);
    format!("{:>10.2} ({:.2}, {:.2})", parts[PARTS / 2], parts[0], parts[PARTS - 1])
}

fn main() {
    let timed = std::env::args().any(|word| word == "--bench");
    let device = Device::Cpu(CpuDevice::new(0).unwrap());
    println!("{}; microseconds a call: median (least, most)", device.name());
    println!("{:<26}{:>6}  {:>32}  {:>32}  {:>32}", "network", "rows", "Predictor", "forward plan", "plain loop");
    for widths in NETWORKS {
        let spec = MlpSpec::new(widths, Activation::Relu, Loss::MeanSquaredError).unwrap();
        let (layout, parameters) = (Layout::new(&spec), Init::He.draw(&spec, 1).unwrap());
        let predictor = Predictor::new(&device, &spec, &parameters, 1).unwrap();
        for rows in ROWS {
            let x: Vec<f32> = (0..rows * spec.inputs()).map(|i| (i * 7919 % 1009) as f32 / 500.0 - 1.0).collect();
            let mut executor = block_on(device.load(forward(&spec, rows, 1, device.target()).unwrap())).unwrap();
            let place = executor.plan().buffer(Role::Parameters).unwrap();
            executor.write(place, &parameters).unwrap();
            let mut outputs = [(); 3].map(|()| vec![f32::NAN; rows * spec.outputs()]);
            let [predicted, by_plan, by_loop] = &mut outputs;
            predictor.outputs_into(&x, predicted).unwrap();
            planned(&mut executor, &x, by_plan);
            plain(&spec, &layout, &parameters, &x, by_loop);
            let largest = by_loop.iter().fold(0.0_f32, |largest, z| largest.max(z.abs()));
            for found in [&*predicted, by_plan] {
                let near = |(a, b): (&f32, &f32)| (a - b).abs() <= LIMIT * largest;
                assert!(found.iter().zip(&*by_loop).all(near), "{widths:?}, {rows} rows: {found:?}, and {by_loop:?}");
            }
            if timed {
                let times = [
                    time(|| predictor.outputs_into(black_box(&x), predicted).unwrap()),
                    time(|| planned(&mut executor, black_box(&x), by_plan)),
                    time(|| plain(&spec, &layout, &parameters, black_box(&x), by_loop)),
                ];
                let network = widths.iter().map(ToString::to_string).collect::<Vec<_>>().join("→");
                println!("{network:<26}{rows:>6}  {:>32}  {:>32}  {:>32}", times[0], times[1], times[2]);
            }
        }
    }
}
