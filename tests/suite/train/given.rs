//! Steps whose gradient by the outputs the program gives.

use wgpu_mlp::gradcheck::random_data;
use wgpu_mlp::plan::PlanKind;
use wgpu_mlp::train::EarlyStopping;
use wgpu_mlp::{Activation, Batch, Dataset, Error, Loss, MlpSpec, Optimizer, Rule, TrainConfig, Trainer, open};

use crate::train::gradients::{bits, everywhere};

const ROWS: usize = 300;

fn spec(loss: Loss, last: usize) -> MlpSpec {
    MlpSpec::new(&[3, 20, 9, last], Activation::Tanh, loss).unwrap()
}

fn config() -> TrainConfig {
    TrainConfig::new(10, Batch::Full, Optimizer::new(Rule::Adam, 1e-2)).plan(PlanKind::Layered)
}

/// The gradient of the built-in loss, given from outside, makes the same update, bit for bit, as far as the device rounds the gradient
/// as the host does; schedule, dropout and clipping included.
#[test]
fn the_gradient_of_the_loss_makes_the_step_of_the_loss() {
    let spec = spec(Loss::MeanSquaredError, 2);
    let data = random_data(&spec, ROWS, 1).unwrap();
    for device in everywhere() {
        let mut config = config().dropout(&[0.2]).schedule("cosine".parse().unwrap());
        config.optimizer.clip = wgpu_mlp::math::Clip::Norm(0.5);
        let mut known = Trainer::new(&device, &spec, &config, &data).unwrap();
        let mut given = Trainer::without_data(&device, &spec, &config, ROWS).unwrap();
        for step in 0..12 {
            known.step().unwrap();
            let z = given.forward(data.features()).unwrap();
            let scale = 2.0 / (ROWS * 2) as f32;
            let gradient: Vec<f32> = z.iter().zip(data.targets()).map(|(z, y)| (z - y) * scale).collect();
            given.backward(&gradient).unwrap();
            assert_eq!(given.steps(), step + 1);
            let (expected, found) = (known.parameters().unwrap(), given.parameters().unwrap());
            let apart = expected.iter().zip(&found).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(apart <= 2e-6, "{}: {apart:e} apart after step {step}", device.name());
        }
    }
}

/// Fewer rows than there is room for are a step of those rows, and the order of forward and backward does not matter to the bits.
#[test]
fn a_short_batch_is_a_batch() {
    let spec = spec(Loss::MeanSquaredError, 2);
    let data = random_data(&spec, 7, 1).unwrap();
    for device in everywhere() {
        let [mut small, mut large, mut whole] =
            [7, ROWS, 7].map(|rows| Trainer::without_data(&device, &spec, &config(), rows).unwrap());
        for _ in 0..4 {
            let z = small.forward(data.features()).unwrap();
            let gradient: Vec<f32> = z.iter().map(|z| 0.1 * z.powi(3)).collect();
            small.backward(&gradient).unwrap();
            assert_eq!(large.forward(data.features()).unwrap().len(), z.len());
            large.backward(&gradient).unwrap();
            whole.step_with_output_gradient(data.features(), &gradient).unwrap();
        }
        let (small, large) = (small.parameters().unwrap(), large.parameters().unwrap());
        let apart = small.iter().zip(&large).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart <= 1e-5, "{}: {apart:e}", device.name());
        assert_eq!(bits(&whole.parameters().unwrap()), bits(&small), "{}", device.name());
    }
}

/// Gradients of a loss that no list has, Σ z⁴ / 4, are its slopes: by parameters and by inputs, against central differences in f64.
#[test]
fn gradients_of_an_own_loss_are_its_slopes() {
    let spec = spec(Loss::MeanSquaredError, 2);
    let x = random_data(&spec, 5, 3).unwrap().features().to_vec();
    for device in everywhere() {
        let mut trainer = Trainer::without_data(&device, &spec, &config(), 5).unwrap();
        let parameters = trainer.parameters().unwrap();
        let wide = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect::<Vec<_>>();
        let loss = |p: &[f64], x: &[f64]| outputs(&spec, p, x).iter().map(|z| z.powi(4) / 4.0).sum::<f64>();
        let z = trainer.forward(&x).unwrap();
        let dz: Vec<f32> = z.iter().map(|z| z.powi(3)).collect();
        let by_inputs = trainer.backward_to_inputs(&dz).unwrap();
        let by_parameters = trainer.gradients().unwrap();
        let (p, x) = (wide(&parameters), wide(&x));
        let slope = |shifted: &dyn Fn(f64) -> f64| (shifted(1e-6) - shifted(-1e-6)) / 2e-6;
        let close = |found: f32, expected: f64, what: &str| {
            let limit = 1e-4 * (1.0 + expected.abs());
            assert!((f64::from(found) - expected).abs() <= limit, "{}: {what}: {found} and {expected}", device.name());
        };
        for (at, &found) in by_parameters.iter().enumerate() {
            let shifted = |by: f64| {
                let mut p = p.clone();
                p[at] += by;
                loss(&p, &x)
            };
            close(found, slope(&shifted), "parameter");
        }
        assert_eq!(by_inputs.len(), x.len());
        assert!(by_inputs.iter().any(|&value| value.abs() > 1e-3));
        for (at, &found) in by_inputs.iter().enumerate() {
            let shifted = |by: f64| {
                let mut x = x.clone();
                x[at] += by;
                loss(&p, &x)
            };
            close(found, slope(&shifted), "input");
        }
    }
}

/// The outputs in f64, written out.
fn outputs(spec: &MlpSpec, parameters: &[f64], x: &[f64]) -> Vec<f64> {
    let mut all = Vec::new();
    for row in x.chunks(spec.inputs()) {
        let (mut a, mut rest) = (row.to_vec(), parameters);
        for (i, layer) in spec.layers().iter().enumerate() {
            let (weight, behind) = rest.split_at(layer.inputs * layer.outputs);
            let (bias, behind) = behind.split_at(layer.outputs);
            rest = behind;
            let z = |j: usize| bias[j] + (0..layer.inputs).map(|l| a[l] * weight[l * layer.outputs + j]).sum::<f64>();
            let z: Vec<f64> = (0..layer.outputs).map(z).collect();
            a = if i + 1 < spec.layers().len() { z.iter().map(|z| z.tanh()).collect() } else { z };
        }
        all.extend(a);
    }
    all
}

#[test]
fn what_cannot_be_is_refused() {
    let spec = spec(Loss::SoftmaxCrossEntropy, 3);
    let device = open("cpu").unwrap().device;
    let mut trainer = Trainer::without_data(&device, &spec, &config(), 4).unwrap();
    let setting = |error: Error| assert!(matches!(error, Error::Setting { .. }), "{error}");
    let shape = |error: Error| assert!(matches!(error, Error::Shape { .. }), "{error}");
    setting(trainer.backward(&[0.0; 3]).unwrap_err());
    shape(trainer.forward(&[0.0; 4]).unwrap_err());
    shape(trainer.forward(&[0.0; 15]).unwrap_err());
    shape(trainer.forward(&[]).unwrap_err());
    trainer.forward(&[0.0; 3]).unwrap();
    shape(trainer.backward(&[0.0; 2]).unwrap_err());
    setting(trainer.backward(&[0.0, f32::NAN, 0.0]).unwrap_err());
    trainer.backward(&[0.1, 0.0, -0.1]).unwrap();
    setting(trainer.backward(&[0.0; 3]).unwrap_err());
    setting(trainer.fit().unwrap_err());
    setting(trainer.step().unwrap_err());
    setting(trainer.submit(1).unwrap_err());
    let data = Dataset::new(vec![0.0; 12], vec![0.0; 4], 3, 1).unwrap();
    setting(trainer.load(&data).unwrap_err());
    setting(Trainer::new(&device, &spec, &config(), &data).unwrap().forward(&[0.0; 3]).unwrap_err());
    let refused = |config: TrainConfig| setting(Trainer::without_data(&device, &spec, &config, 4).unwrap_err());
    refused(config().plan(PlanKind::Fused));
    refused(config().early_stopping(EarlyStopping::new(3)));
}

/// A feature that is not finite is refused as one of a data set is, and the next batch is taken.
#[test]
fn features_are_finite() {
    for device in everywhere() {
        let mut trainer = Trainer::without_data(&device, &spec(Loss::MeanSquaredError, 2), &config(), 2).unwrap();
        for bad in [f32::NAN, f32::INFINITY] {
            let refused = trainer.forward(&[1.0, 2.0, 3.0, 4.0, bad, 6.0]).unwrap_err();
            assert!(refused.to_string().contains("row 1, column 1"), "{refused}");
            let refused = trainer.step_with_output_gradient(&[bad; 3], &[0.1, 0.1]).unwrap_err();
            assert!(matches!(refused, Error::Setting { what: "a feature", .. }), "{refused}");
        }
        assert_eq!(trainer.steps(), 0);
        trainer.forward(&[1.0, 2.0, 3.0]).unwrap();
    }
}
