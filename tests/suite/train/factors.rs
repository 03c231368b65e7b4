//! Learning rates by tensor and by layer, and tensors that are frozen.

use wgpu_mlp::backend::{Backend, CpuBackend, CpuDevice};
use wgpu_mlp::gradcheck::random_data;
use wgpu_mlp::kernels::Step;
use wgpu_mlp::params::Layout;
use wgpu_mlp::plan::{PlanKind, Recipe, Role, TrainShape, layered, plain};
use wgpu_mlp::train::Parametrization;
use wgpu_mlp::{Activation, Batch, Dataset, Init, Loss, MlpSpec, Optimizer, Rule, TrainConfig, Trainer, block_on};

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
        for kind in [PlanKind::Plain, PlanKind::Layered, PlanKind::Fused, PlanKind::Resident] {
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
        for kind in [PlanKind::Plain, PlanKind::Layered, PlanKind::Fused, PlanKind::Resident] {
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

/// Rates that differ take no dispatch more.
#[test]
fn rates_are_of_one_update() {
    let (spec, data) = problem();
    for way in [plain, layered] {
        let dispatches = |factors: &[f64]| {
            let recipe = Recipe { factors: factors.to_vec(), ..Recipe::new(Rule::Adam) };
            way(&spec, &recipe, TrainShape::full(data.rows())).unwrap().passes[0].dispatches.len()
        };
        assert_eq!(dispatches(&FACTORS), dispatches(&[]));
    }
}

/// The gradient of the plain plan in f64.
pub fn gradient(spec: &MlpSpec, data: &Dataset, parameters: &[f64]) -> Vec<f64> {
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

/// A network in the neural tangent parametrisation, in f64: z = x V / √n + b with tanh between two layers, and the mean of squares.
struct Ntp<'a> {
    data: &'a Dataset,
    widths: [usize; 3],
}

impl Ntp<'_> {
    /// The derivatives by V₁, b₁, V₂, b₂, one behind the other, by the chain rule.
    fn gradient(&self, parameters: &[f64]) -> Vec<f64> {
        let [inputs, hidden, outputs] = self.widths;
        let roots = [inputs, hidden].map(|width| (width as f64).sqrt());
        let (first, rest) = parameters.split_at(inputs * hidden);
        let (first_bias, rest) = rest.split_at(hidden);
        let (second, second_bias) = rest.split_at(hidden * outputs);
        let mut all = vec![0.0; parameters.len()];
        let terms = (self.data.rows() * outputs) as f64;
        for (x, y) in self.data.features().chunks(inputs).zip(self.data.targets().chunks(outputs)) {
            let x: Vec<f64> = x.iter().map(|&x| x.into()).collect();
            let sum = |j: usize| (0..inputs).map(|i| x[i] * first[i * hidden + j]).sum::<f64>() / roots[0];
            let a: Vec<f64> = (0..hidden).map(|j| (sum(j) + first_bias[j]).tanh()).collect();
            let sum = |k: usize| (0..hidden).map(|j| a[j] * second[j * outputs + k]).sum::<f64>() / roots[1];
            let d: Vec<f64> = (0..outputs).map(|k| 2.0 * (sum(k) + second_bias[k] - f64::from(y[k])) / terms).collect();
            for j in 0..hidden {
                let back = (0..outputs).map(|k| d[k] * second[j * outputs + k]).sum::<f64>() / roots[1];
                let back = back * (1.0 - a[j] * a[j]);
                (0..inputs).for_each(|i| all[i * hidden + j] += back * x[i] / roots[0]);
                all[inputs * hidden + j] += back;
                let at = inputs * hidden + hidden;
                (0..outputs).for_each(|k| all[at + j * outputs + k] += d[k] * a[j] / roots[1]);
            }
            let at = parameters.len() - outputs;
            (0..outputs).for_each(|k| all[at + k] += d[k]);
        }
        all
    }
}

/// Steps of plain weights with these factors are those of the neural tangent parametrisation under a single rate, with a tenth of it for
/// biases: written down in f64 with a backward pass and with rules of its own.
#[test]
fn ntp_is_the_neural_tangent_parametrisation() {
    const RATE: f64 = 0.04;
    let widths = [5, 9, 2];
    let spec = MlpSpec::new(&widths, Activation::Tanh, Loss::MeanSquaredError).unwrap();
    let data = random_data(&spec, 40, 8).unwrap();
    let layout = Layout::new(&spec);
    let roots: Vec<f64> = layout
        .tensors
        .iter()
        .flat_map(|tensor| vec![if tensor.rows > 1 { (tensor.rows as f64).sqrt() } else { 1.0 }; tensor.range.len()])
        .collect();
    let is_bias: Vec<bool> =
        layout.tensors.iter().flat_map(|tensor| vec![tensor.rows == 1; tensor.range.len()]).collect();
    for device in everywhere() {
        for rule in [Rule::Adam, Rule::Momentum] {
            let optimizer = Optimizer::new(rule, RATE).betas(0.9, 0.95);
            let config = TrainConfig::new(3, Batch::Full, optimizer).parametrization(Parametrization::Ntp);
            let mut trainer = Trainer::new(&device, &spec, &config, &data).unwrap();
            let drawn = Init::Xavier.draw(&spec, 2).unwrap();
            trainer.set_parameters(&drawn).unwrap();
            let mut v: Vec<f64> = drawn.iter().zip(&roots).map(|(&w, root)| f64::from(w) * root).collect();
            let (mut mean, mut square) = (vec![0.0; v.len()], vec![0.0; v.len()]);
            for step in 1..=3 {
                trainer.step().unwrap();
                let gradient = Ntp { data: &data, widths }.gradient(&v);
                for at in 0..v.len() {
                    let (g, rate) = (gradient[at], if is_bias[at] { 0.1 * RATE } else { RATE });
                    v[at] -= rate
                        * if rule == Rule::Adam {
                            mean[at] = 0.9 * mean[at] + 0.1 * g;
                            square[at] = 0.95 * square[at] + 0.05 * g * g;
                            let [m, s] =
                                [(mean[at], 0.9_f64), (square[at], 0.95)].map(|(sum, b)| sum / (1.0 - b.powi(step)));
                            m / s.sqrt()
                        } else {
                            mean[at] = 0.9 * mean[at] + g;
                            mean[at]
                        };
                }
            }
            let found = trainer.parameters().unwrap();
            let expected = v.iter().zip(&roots).map(|(v, root)| v / root);
            let apart = found.iter().zip(expected).map(|(&a, b)| (f64::from(a) - b).abs()).fold(0.0, f64::max);
            assert!(apart <= 2e-6, "{rule} on {}: {apart:e}", device.name());
            let moved = found.iter().zip(&drawn).filter(|(found, drawn)| (*found - *drawn).abs() > 1e-4).count();
            assert!(moved > v.len() / 2, "{moved}");
        }
    }
}

/// The parametrisation's factors and those that are given are multiplied; frozen stays frozen. It is part of a run that is taken up.
#[test]
fn a_parametrisation_goes_with_given_factors() {
    let (spec, data) = problem();
    let ntp = Parametrization::Ntp.factors(&spec, Rule::Adam);
    assert_eq!(ntp, [3.0_f64, 8.0, 5.0].map(|inputs| [1.0 / inputs.sqrt(), 0.1]).concat());
    assert_eq!(Parametrization::Ntp.factors(&spec, Rule::Sgd)[2], 0.125);
    assert!(Parametrization::Standard.factors(&spec, Rule::Adam).is_empty());
    let product = |given: &[f64]| -> Vec<f64> {
        let of = |at: usize| given[at * given.len() / ntp.len()];
        ntp.iter().enumerate().map(|(at, factor)| factor * of(at)).collect()
    };
    for device in everywhere() {
        for given in [&FACTORS[..], &BY_LAYER] {
            let trained = |config: TrainConfig| {
                let mut trainer = Trainer::new(&device, &spec, &config, &data).unwrap();
                trainer.fit().unwrap();
                bits(&trainer.parameters().unwrap())
            };
            let base = || config(Rule::Adam, 0.02);
            let both = base().learning_rate_factors(given).parametrization(Parametrization::Ntp);
            assert_eq!(trained(both), trained(base().learning_rate_factors(&product(given))), "{}", device.name());
        }
        let config = config(Rule::Adam, 0.02);
        let ntp = config.clone().parametrization(Parametrization::Ntp);
        let mut whole = Trainer::new(&device, &spec, &ntp, &data).unwrap();
        whole.step().unwrap();
        let state = whole.state().unwrap();
        let text = serde_json::to_string(&state.progress).unwrap();
        assert_eq!(serde_json::from_str::<wgpu_mlp::train::TrainProgress>(&text).unwrap(), state.progress);
        assert!(Trainer::new(&device, &spec, &config, &data).unwrap().restore(&state).is_err());
        let mut again = Trainer::new(&device, &spec, state.progress.config(), &data).unwrap();
        again.restore(&state).unwrap();
        for trainer in [&mut whole, &mut again] {
            trainer.resume().unwrap();
        }
        assert_eq!(bits(&again.parameters().unwrap()), bits(&whole.parameters().unwrap()));
    }
}

/// Weights of variance 1 / inputs, biases of variance 1, a last layer of zeros.
#[test]
fn ntp_draws_what_the_parametrisation_begins_with() {
    let spec = MlpSpec::new(&[100, 400, 300, 3], Activation::Mish, Loss::SoftmaxCrossEntropy).unwrap();
    let (drawn, layout) = (Init::Ntp.draw(&spec, 7).unwrap(), Layout::new(&spec));
    assert_eq!(bits(&drawn), bits(&Init::Ntp.draw(&spec, 7).unwrap()));
    assert_ne!(bits(&drawn), bits(&Init::Ntp.draw(&spec, 8).unwrap()));
    for (tensor, variance) in layout.tensors.iter().zip([0.01, 1.0, 0.0025, 1.0, 0.0, 0.0]) {
        let values: Vec<f64> = drawn[tensor.range.clone()].iter().map(|&value| value.into()).collect();
        let count = values.len() as f64;
        let (mean, square) = (values.iter().sum::<f64>() / count, values.iter().map(|v| v * v).sum::<f64>() / count);
        // Five standard errors, of the mean and of the variance.
        assert!(mean.abs() <= 5.0 * (variance / count).sqrt(), "{}: mean {mean}", tensor.name);
        assert!((square - variance).abs() <= 5.0 * variance * (2.0 / count).sqrt(), "{}: {square}", tensor.name);
    }
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
}
