//! Long runs: no buffer is created and no memory gathers. Memory is a process's, so the run has one of its own.

use std::process::Command;

use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, get_current_pid};
use wgpu_mlp::backend::{CpuDevice, Device};
use wgpu_mlp::gradcheck::random_data;
use wgpu_mlp::math::{Activation, Loss, Optimizer, Rule};
use wgpu_mlp::params::Init;
use wgpu_mlp::spec::MlpSpec;
use wgpu_mlp::train::{Batch, EarlyStopping, TrainConfig, Trainer};

use crate::support::devices;

/// Steps on each device, as a variable of the environment; which device, by its place: a number, or `cpu`.
const STEPS: &str = "MLP_SOAK_STEPS";
const DEVICE: &str = "MLP_SOAK_DEVICE";
/// What resident memory may grow by from a quarter of the run to its end. An allocator that keeps what was freed takes some.
const BOUND: u64 = 4 << 20;
/// Steps of a call of the trainer.
const PART: u64 = 500;

fn resident() -> u64 {
    let pid = get_current_pid().unwrap();
    let mut system = System::new();
    system.refresh_processes_specifics(
        ProcessesToUpdate::Some(&[pid]),
        true,
        ProcessRefreshKind::nothing().with_memory(),
    );
    system.process(pid).unwrap().memory()
}

/// `MLP_SOAK_STEPS=100000 cargo test --test suite plan::soak::alone -- --exact --ignored --nocapture`
#[test]
#[ignore = "needs a process of its own; memory_stays_flat starts it"]
fn alone() {
    let steps: u64 = std::env::var(STEPS).map_or(100_000, |steps| steps.parse().unwrap());
    let all = (0..devices().len()).map(|index| (index.to_string(), Device::Gpu(devices()[index].clone())));
    let all = all.chain([("cpu".into(), Device::Cpu(CpuDevice::new(1).unwrap()))]);
    let wanted = std::env::var(DEVICE).ok();
    let spec = MlpSpec::new(&[2, 4, 1], Activation::Tanh, Loss::BinaryCrossEntropy).unwrap();
    let (data, validation) = (random_data(&spec, 24, 1).unwrap(), random_data(&spec, 6, 2).unwrap());
    for (_, device) in all.filter(|(name, _)| wanted.as_ref().is_none_or(|wanted| wanted == name)) {
        // Three steps an epoch, the last one of fewer rows, with everything that a step can have.
        let config = TrainConfig::new(PART / 3, Batch::Rows(9), Optimizer::new(Rule::Adam, 1e-3))
            .dropout(&[0.1])
            .early_stopping(EarlyStopping::new(u64::MAX));
        let mut trainer = Trainer::with_validation(&device, &spec, &config, &data, Some(&validation)).unwrap();
        trainer.set_parameters(&Init::Xavier.draw(&spec, 3).unwrap()).unwrap();
        let (mut early, mut buffers) = (0, trainer.counters().buffers_created);
        while trainer.steps() < steps {
            trainer.fit().unwrap();
            if 4 * trainer.steps() < steps || early == 0 {
                (early, buffers) = (resident(), trainer.counters().buffers_created);
            }
        }
        let (late, created) = (resident(), trainer.counters().buffers_created);
        let kib = |bytes: u64| bytes / 1024;
        println!(
            "{}: {} steps, {created} buffers, {} KiB after a quarter, {} KiB at the end",
            device.name(),
            trainer.steps(),
            kib(early),
            kib(late)
        );
        assert_eq!(created, buffers, "{}", device.name());
        assert!(late <= early + BOUND, "{}: {} KiB, then {} KiB", device.name(), kib(early), kib(late));
    }
}

/// As many steps as take a few seconds.
#[test]
fn memory_stays_flat() {
    let gpus = (0..devices().len()).map(|index| (index.to_string(), 1500));
    for (device, steps) in gpus.chain([("cpu".into(), 100_000)]) {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["plan::soak::alone", "--exact", "--ignored", "--nocapture"]);
        let output = command.env(DEVICE, &device).env(STEPS, steps.to_string()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && text.contains(" buffers, ") && text.contains("1 passed"),
            "{device}: {text}"
        );
        print!("{text}");
    }
}
