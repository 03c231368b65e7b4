//! The update kernel against 50 updates by optax, on the CPU in f64 and f32 and on every adapter.

use std::fs;

use safetensors::SafeTensors;
use wgpu_mlp::backend::{Backend, CpuBackend, CpuDevice, GpuBackend};
use wgpu_mlp::block_on;
use wgpu_mlp::kernels::{CLIPPED, Part, SQUARE_SUM, Step, UNSCALED, UPDATE};
use wgpu_mlp::math::{Clip, Optimizer, Real, Rule};
use wgpu_mlp::plan::{Buffer, Dispatch, Pass, PassKind, Plan, PlanKind, Role, View};

use crate::support::devices;

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/optimizers.safetensors");
const SIZE: usize = 6;
const LEARNING_RATE: f64 = 0.01;

/// In the order of the update kernel's bindings.
const ROLES: [Role; 5] = [Role::Gradients, Role::SquareSums, Role::Hyper, Role::Parameters, Role::OptimizerState];

fn plan(optimizer: &Optimizer) -> Plan {
    let (rule, clip) = (optimizer.rule, matches!(optimizer.clip, Clip::Norm(_)));
    let groups = 2;
    let dims = vec![SIZE as u32, rule.state().max(1) as u32, groups, Optimizer::HYPER as u32];
    let len = |index| UPDATE.elements(index, &dims) as usize;
    let buffers = ROLES.iter().enumerate().map(|(index, &role)| Buffer { role, len: len(index) }).collect();
    let view = |buffer| View { buffer, offset: 0, replica_stride: 0, slot_stride: 0 };
    let views: Vec<_> = (0..ROLES.len()).map(view).collect();
    let mut dispatches = Vec::new();
    if clip {
        let (views, dims) = (views[..2].to_vec(), vec![SIZE as u32, groups]);
        dispatches.push(Dispatch { kernel: &SQUARE_SUM, part: Part::None, variant: 0, dims, views });
    }
    let variant = if clip { CLIPPED } else { UNSCALED };
    dispatches.push(Dispatch { kernel: &UPDATE, part: Part::Rule(rule), variant, dims, views });
    let passes = vec![Pass { kind: PassKind::Train, rows: 1, dispatches }];
    Plan { kind: PlanKind::Layered, replicas: 1, slots: 1, buffers, passes, output: Some(3) }
}

/// The parameters after every step.
fn run<B: Backend>(mut backend: B, optimizer: &Optimizer, start: &[f64], gradients: &[f64]) -> Vec<f64> {
    let convert = |values: &[f64]| values.iter().map(|&value| B::Real::from_f64(value)).collect::<Vec<_>>();
    let buffer = |role| ROLES.iter().position(|&other| other == role).unwrap();
    backend.write(buffer(Role::Parameters), &convert(start)).unwrap();
    backend.write(buffer(Role::Hyper), &convert(&optimizer.hyper(0.0))).unwrap();
    backend.write(buffer(Role::OptimizerState), &convert(&vec![0.0; SIZE * optimizer.rule.state()])).unwrap();
    let mut all = Vec::new();
    for (t, gradient) in (1..).zip(gradients.chunks_exact(SIZE)) {
        backend.write(buffer(Role::Gradients), &convert(gradient)).unwrap();
        backend
            .submit(&[(0, Step { lr_factor: 1.0, bias_corrections: optimizer.bias_corrections(t), ..Step::default() })])
            .unwrap();
        block_on(backend.collect()).unwrap();
        all.extend(block_on(backend.read(buffer(Role::Parameters))).unwrap().iter().map(|value| value.to_f64()));
    }
    all
}

/// The settings of a fixture: its name is a rule's, with what differs from the rule's defaults.
fn optimizer(name: &str) -> Optimizer {
    let words: Vec<&str> = name.split(' ').collect();
    let mut optimizer = Optimizer::named(words[0], LEARNING_RATE).unwrap();
    if optimizer.rule == Rule::AdaGrad {
        optimizer.epsilon = 1e-30; // optax has none outside the root
    }
    match words[1..] {
        [] => {}
        ["l2", value] => optimizer.l2 = value.parse().unwrap(),
        ["l1", value] => optimizer.l1 = value.parse().unwrap(),
        ["value", limit] => optimizer.clip = Clip::Value(limit.parse().unwrap()),
        ["norm", limit] => optimizer.clip = Clip::Norm(limit.parse().unwrap()),
        ["decay", value] => optimizer.weight_decay = value.parse().unwrap(),
        _ => panic!("what is `{name}`?"),
    }
    optimizer
}

#[test]
fn rules_are_those_of_optax() {
    let bytes = fs::read(FIXTURE).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let floats = |name: &str| {
        let data = file.tensor(name).unwrap().data().to_vec();
        data.as_chunks().0.iter().map(|&word| f64::from_le_bytes(word)).collect::<Vec<_>>()
    };
    let (start, gradients) = (floats("start"), floats("gradients"));
    let names = file.names().into_iter().filter_map(|name| name.strip_prefix("after/"));
    let mut seen = Vec::new();
    for name in names {
        let (optimizer, expected) = (optimizer(name), floats(&format!("after/{name}")));
        let cpu = CpuDevice::new(1).unwrap();
        let plan = || plan(&optimizer);
        // In f64 a few roundings a step; in f32 fifty steps of rounding parameters of the size of 1, and twice as
        // much for a large learning rate's worth of them.
        let check = |device: &str, found: Vec<f64>, limit: f64| {
            for (place, (found, expected)) in found.iter().zip(&expected).enumerate() {
                let difference = (found - expected).abs();
                assert!(difference <= limit, "{name} on {device}, step {}: {found} and {expected}", place / SIZE + 1);
            }
        };
        let exact = CpuBackend::<f64>::load(&cpu, plan()).unwrap();
        check("the CPU in f64", run(exact, &optimizer, &start, &gradients), 1e-11);
        let fast = CpuBackend::<f32>::load(&cpu, plan()).unwrap();
        check("the CPU in f32", run(fast, &optimizer, &start, &gradients), F32_LIMIT);
        for gpu in devices() {
            let backend = block_on(GpuBackend::load(gpu, plan())).unwrap();
            check(gpu.name(), run(backend, &optimizer, &start, &gradients), F32_LIMIT);
        }
        seen.push(optimizer.rule);
    }
    assert!(Rule::ALL.iter().all(|rule| seen.contains(rule)), "only {seen:?} have a fixture");
}

/// 50 steps, each of which rounds a parameter below 8 and an update to half a unit in the last place, twice over.
const F32_LIMIT: f64 = 50.0 * 2.0 * 8.0 / (1u32 << 24) as f64;
