//! Learning rates by tensor and by layer, and tensors that are frozen.

use wgpu_mlp::backend::{Backend, CpuBackend, CpuDevice};
use wgpu_mlp::gradcheck::random_data;
use wgpu_mlp::kernels::Step;
use wgpu_mlp::params::Layout;
use wgpu_mlp::plan::{PlanKind, Recipe, Role, TrainShape, plain};
use wgpu_mlp::{Activation, Batch, Dataset, Loss, MlpSpec, Optimizer, Rule, TrainConfig, Trainer, block_on};

use crate::train::gradients::{bits, everywhere};

/// Of each weight and bias.
const FACTORS: [f64; 6] = [0.0, 0.5, 1.0, 0.0, 0.25, 1.0];
const BY_LAYER: [f64; 3] = [0.0, 1.0, 0.25];

/// More rows than one share of the gradient has.
fn problem() -> (MlpSpec, Dataset) {
    let spec = MlpSpec::new(&[3, 8, 5, 1], Activation::Tanh, Loss::MeanSquaredError).unwrap();
    let data = random_data(&spec, 600, 1).unwrap();
    (spec, data)
}

fn config(rule: Rule, rate: f64) -> TrainConfig {
    TrainConfig::new(4, Batch::Full, Optimizer::new(rule, rate).weight_decay(0.1))
}

/// With every plan that has them, a tensor moves as it does in a run whose rate is the tensor's, and a frozen one not by a bit.
#[test]
fn a_tensor_moves_at_its_own_rate() {
    let (spec, data) = problem();
    let layout = Layout::new(&spec);
    for device in everywhere() {
        for kind in [PlanKind::Plain, PlanKind::Layered, PlanKind::Fused] {
            for &rule in Rule::ALL {
                let trained = |config: TrainConfig| {
                    let mut trainer = Trainer::new(&device, &spec, &config.plan(kind), &data).unwrap();
                    let before = trainer.parameters().unwrap();
                    trainer.step().unwrap();
                    (before, trainer.parameters().unwrap())
                };
                let (before, found) = trained(config(rule, 0.02).learning_rate_factors(&FACTORS));
                for (tensor, factor) in layout.tensors.iter().zip(FACTORS) {
                    let range = tensor.range.clone();
                    let of = |values: &[f32]| bits(&values[range.clone()]);
                    if factor == 0.0 {
                        assert_eq!(of(&found), of(&before), "{rule} {kind} on {}", device.name());
                        continue;
                    }
                    let (_, alone) = trained(config(rule, 0.02 * factor));
                    assert_ne!(of(&found), of(&before), "{rule} {kind} on {}", device.name());
                    let pairs = found[range.clone()].iter().zip(&alone[range.clone()]);
                    let apart = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                    assert!(apart <= 1e-6, "{rule} {kind}, {} on {}: {apart:e}", tensor.name, device.name());
                }
            }
        }
    }
}

/// Three steps of each plan go where the gradients of the plain plan in f64 lead at the tensors' rates.
#[test]
fn the_oracle_goes_the_same_way() {
    const RATE: f64 = 0.1;
    let (spec, data) = problem();
    let layout = Layout::new(&spec);
    for device in everywhere() {
        for kind in [PlanKind::Plain, PlanKind::Layered, PlanKind::Fused] {
            let config = TrainConfig::new(4, Batch::Full, Optimizer::sgd(RATE)).learning_rate_factors(&FACTORS);
            let mut trainer = Trainer::new(&device, &spec, &config.plan(kind), &data).unwrap();
            let first = trainer.parameters().unwrap();
            let mut expected: Vec<f64> = first.iter().map(|&p| p.into()).collect();
            for _ in 0..3 {
                trainer.step().unwrap();
                let gradient = gradient(&spec, &data, &expected);
                for (tensor, factor) in layout.tensors.iter().zip(FACTORS) {
                    tensor.range.clone().for_each(|at| expected[at] -= RATE * factor * gradient[at]);
                }
            }
            let found = trainer.parameters().unwrap();
            for (tensor, factor) in layout.tensors.iter().zip(FACTORS) {
                let at = |values: &[f32]| bits(&values[tensor.range.clone()]);
                assert_eq!(at(&found) == at(&first), factor == 0.0, "{} by {kind} on {}", tensor.name, device.name());
            }
            let apart = found.iter().zip(&expected).map(|(&a, b)| (f64::from(a) - b).abs()).fold(0.0, f64::max);
            assert!(apart <= 1e-6, "{kind} on {}: {apart:e}", device.name());
        }
    }
}

/// The gradient of the plain plan in f64.
fn gradient(spec: &MlpSpec, data: &Dataset, parameters: &[f64]) -> Vec<f64> {
    let plan = plain(spec, &Recipe::new(Rule::Sgd), TrainShape::full(data.rows())).unwrap();
    let mut oracle = CpuBackend::<f64>::load(&CpuDevice::new(0).unwrap(), plan).unwrap();
    let exact = |values: &[f32]| values.iter().map(|&value| value.into()).collect::<Vec<f64>>();
    for (role, values) in [
        (Role::Features, &exact(data.features())[..]),
        (Role::Targets, &exact(data.targets())),
        (Role::Parameters, parameters),
    ] {
        let buffer = oracle.plan().buffer(role).unwrap();
        oracle.write(buffer, values).unwrap();
    }
    oracle.submit(&[(0, Step::default())]).unwrap(); // at a rate of 0
    block_on(oracle.collect()).unwrap();
    block_on(oracle.read(oracle.plan().buffer(Role::Gradients).unwrap())).unwrap()
}

/// A layer's factor is that of its weight and of its bias.
#[test]
fn factors_by_layer_are_those_of_both_tensors() {
    let (spec, data) = problem();
    for device in everywhere() {
        let trained = |factors: &[f64]| {
            let config = config(Rule::Adam, 0.02).learning_rate_factors(factors);
            let mut trainer = Trainer::new(&device, &spec, &config, &data).unwrap();
            trainer.fit().unwrap();
            bits(&trainer.parameters().unwrap())
        };
        assert_eq!(trained(&BY_LAYER), trained(&BY_LAYER.map(|factor| [factor; 2]).concat()), "{}", device.name());
    }
}

/// A run that is taken up has the rates that it had, and one with other rates is another run.
#[test]
fn a_resumed_run_keeps_them() {
    let (spec, data) = problem();
    for device in everywhere() {
        let config = config(Rule::Adam, 0.02).learning_rate_factors(&FACTORS);
        let new = |config: &TrainConfig| Trainer::new(&device, &spec, config, &data).unwrap();
        let mut whole = new(&config);
        whole.fit().unwrap();
        let mut first = new(&config);
        first.step().unwrap();
        let state = first.state().unwrap();
        let text = serde_json::to_string(&state.progress).unwrap();
        assert_eq!(serde_json::from_str::<wgpu_mlp::train::TrainProgress>(&text).unwrap(), state.progress);
        let mut again = new(state.progress.config());
        again.restore(&state).unwrap();
        again.resume().unwrap();
        assert_eq!(bits(&again.parameters().unwrap()), bits(&whole.parameters().unwrap()), "{}", device.name());
        let other = config.clone().learning_rate_factors(&[]);
        assert!(new(&other).restore(&state).is_err());
    }
}

#[test]
fn factors_that_cannot_be_are_refused() {
    let (spec, data) = problem();
    let device = &everywhere()[0];
    for factors in [&[1.0, 1.0][..], &[0.0; 3], &[0.0; 6], &[1.0; 4], &[1.0, -1.0, 1.0], &[1.0, f64::NAN, 1.0]] {
        let config = config(Rule::Sgd, 0.1).learning_rate_factors(factors);
        let error = Trainer::new(device, &spec, &config, &data).unwrap_err().to_string();
        assert!(
            error.contains("learning_rate_factors is")
                && error.contains("3 numbers")
                && error.contains("or 6, one for each weight and bias"),
            "{error}"
        );
    }
    let resident = config(Rule::Sgd, 0.1).learning_rate_factors(&FACTORS).plan(PlanKind::Resident);
    let error = Trainer::new(device, &spec, &resident, &data).unwrap_err().to_string();
    assert!(error.contains("learning rates of their own"), "{error}");
}
