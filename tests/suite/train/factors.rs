//! Learning rates by layer, and layers that are frozen.

use wgpu_mlp::gradcheck::random_data;
use wgpu_mlp::params::Layout;
use wgpu_mlp::plan::PlanKind;
use wgpu_mlp::{Activation, Batch, Dataset, Loss, MlpSpec, Optimizer, Rule, TrainConfig, Trainer};

use crate::train::gradients::{bits, everywhere};

const FACTORS: [f64; 3] = [0.0, 1.0, 0.25];

/// More rows than one share of the gradient has.
fn problem() -> (MlpSpec, Dataset) {
    let spec = MlpSpec::new(&[3, 8, 5, 1], Activation::Tanh, Loss::MeanSquaredError).unwrap();
    let data = random_data(&spec, 600, 1).unwrap();
    (spec, data)
}

fn config(rule: Rule, rate: f64) -> TrainConfig {
    let optimizer = Optimizer { weight_decay: 0.1, ..Optimizer::new(rule, rate) };
    TrainConfig::new(4, Batch::Full, optimizer)
}

/// With every plan that has them, a layer moves as it does in a run whose rate is the layer's, and a frozen one not by a bit.
#[test]
fn a_layer_moves_at_its_own_rate() {
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
                for (layer, factor) in FACTORS.into_iter().enumerate() {
                    let range = layout.weight(layer).range.start..layout.bias(layer).range.end;
                    let of = |values: &[f32]| bits(&values[range.clone()]);
                    if factor == 0.0 {
                        assert_eq!(of(&found), of(&before), "{rule} {kind} on {}", device.name());
                        continue;
                    }
                    let (_, alone) = trained(config(rule, 0.02 * factor));
                    assert_ne!(of(&found), of(&before), "{rule} {kind} on {}", device.name());
                    let pairs = found[range.clone()].iter().zip(&alone[range.clone()]);
                    let apart = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                    assert!(apart <= 1e-6, "{rule} {kind}, layer {layer} on {}: {apart:e}", device.name());
                }
            }
        }
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
    for factors in [&[1.0, 1.0][..], &[0.0; 3], &[1.0, -1.0, 1.0], &[1.0, f64::NAN, 1.0]] {
        let config = config(Rule::Sgd, 0.1).learning_rate_factors(factors);
        let error = Trainer::new(device, &spec, &config, &data).unwrap_err().to_string();
        assert!(error.contains("learning_rate_factors is") && error.contains("3 numbers"), "{error}");
    }
    let resident = config(Rule::Sgd, 0.1).learning_rate_factors(&FACTORS).plan(PlanKind::Resident);
    let error = Trainer::new(device, &spec, &resident, &data).unwrap_err().to_string();
    assert!(error.contains("learning rates of their own"), "{error}");
}
