//! The losses against JAX and optax (tests/fixtures/losses.py), with logits as large as f32 can bear: in f64 to 1e-12,
//! on the CPU in f32 and on every adapter within the limit that running error analysis derives, and always finite.

use wgpu_mlp::backend::{Backend, CpuBackend, CpuDevice, GpuBackend};
use wgpu_mlp::data::Dataset;
use wgpu_mlp::infer::Metrics;
use wgpu_mlp::kernels::{Step, loss_kernel};
use wgpu_mlp::math::{Activation, Bounded, Loss, Optimizer};
use wgpu_mlp::plan::{Buffer, Dispatch, Pass, PassKind, Plan, PlanKind, Role, View};
use wgpu_mlp::spec::MlpSpec;

use crate::support::{devices, wait};

/// Outputs of a row of the fixture.
const OUTPUTS: usize = 3;
/// Weights of the rows, in turn.
const WEIGHTS: [f32; 3] = [1.0, 0.5, 3.0];

/// Rows of one loss with one parameter.
#[derive(Debug)]
struct Group {
    loss: Loss,
    parameter: f64,
    /// [rows, outputs].
    z: Vec<f64>,
    /// [rows, terms].
    y: Vec<f64>,
    /// For each row the sum of its terms and the gradient, [rows, 1 + outputs].
    expected: Vec<f64>,
}

fn groups() -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for line in include_str!("../../fixtures/losses.csv").lines().skip(1) {
        let (name, numbers) = line.split_once(',').unwrap();
        let numbers: Vec<f64> = numbers.split(',').map(|number| number.parse().unwrap()).collect();
        let (loss, parameter): (Loss, f64) = (name.parse().unwrap(), numbers[0]);
        if groups.last().is_none_or(|last| (last.loss, last.parameter) != (loss, parameter)) {
            groups.push(Group { loss, parameter, z: Vec::new(), y: Vec::new(), expected: Vec::new() });
        }
        let group = groups.last_mut().unwrap();
        group.z.extend(&numbers[1..4]);
        group.y.extend(&numbers[4..4 + loss.terms(OUTPUTS)]);
        group.expected.extend(&numbers[7..]);
    }
    assert!(Loss::ALL.iter().all(|&loss| groups.iter().any(|group| group.loss == loss)), "a loss has no fixture");
    groups
}

impl Group {
    fn rows(&self) -> usize {
        self.z.len() / OUTPUTS
    }

    /// The loss's kernel with a replica for each row, so that each has a sum of its own.
    fn plan(&self, weightings: usize) -> Plan {
        let (kernel, part, groups) = loss_kernel(self.loss, 1, OUTPUTS);
        let columns = self.loss.terms(OUTPUTS) + weightings;
        let strides = [OUTPUTS, columns, 0, OUTPUTS, 2];
        let place = |index: usize| (Role::Delta(index), if index == 2 { 12 } else { strides[index] * self.rows() });
        let buffers = (0..strides.len()).map(place).map(|(role, len)| Buffer { role, len }).collect();
        let view = |buffer| View { buffer, offset: 0, replica_stride: strides[buffer], slot_stride: 0 };
        let views = (0..strides.len()).map(view).collect();
        let dims = [1, OUTPUTS, columns, groups].map(|dim| dim as u32).to_vec();
        let dispatches = vec![Dispatch { kernel, part, variant: 0, dims, views }];
        let passes = vec![Pass { kind: PassKind::Train, rows: 1, dispatches }];
        Plan { kind: PlanKind::Layered, replicas: self.rows(), slots: 1, buffers, passes, output: Some(3) }
    }

    /// Values and gradients, as `expected` has them.
    fn run<B: Backend>(&self, mut backend: B, weightings: usize, convert: fn(f64) -> B::Real) -> Vec<B::Real> {
        let targets = self.y.chunks_exact(self.loss.terms(OUTPUTS)).zip(WEIGHTS.iter().cycle());
        // Of several weights the last counts.
        let behind = |&weight: &f32| {
            (0..weightings).map(move |number| if number + 1 < weightings { f64::NAN } else { f64::from(weight) })
        };
        let y: Vec<f64> = targets.flat_map(|(y, weight)| y.iter().copied().chain(behind(weight))).collect();
        let step = Step { weighting: weightings.saturating_sub(1) as u32, ..Step::default() };
        let hyper = Optimizer::sgd(0.1).hyper(self.parameter);
        for (buffer, values) in [(0, &self.z), (1, &y), (2, &hyper.to_vec())] {
            backend.write(buffer, &values.iter().copied().map(convert).collect::<Vec<_>>()).unwrap();
        }
        backend.submit(&vec![(0, step); self.rows()]).unwrap();
        wait(backend.collect()).unwrap();
        let [d, sums] = [3, 4].map(|buffer| wait(backend.read(buffer)).unwrap());
        let rows = sums.chunks_exact(2).zip(d.chunks_exact(OUTPUTS));
        rows.flat_map(|(sums, d)| [sums[0], d[0], d[1], d[2]]).collect()
    }

    /// What a run should give: the row's weight counts, and a gradient is that of the mean over the row's terms.
    fn weighed(&self, weightings: usize) -> Vec<f64> {
        let terms = self.loss.terms(OUTPUTS) as f64;
        let rows = self.expected.chunks_exact(1 + OUTPUTS).zip(WEIGHTS.iter().cycle());
        rows.flat_map(|(row, &weight)| {
            let weight = if weightings > 0 { f64::from(weight) } else { 1.0 };
            let gradient = row[1..].iter().map(move |d| weight * d / terms);
            [weight * row[0]].into_iter().chain(gradient)
        })
        .collect()
    }
}

#[test]
fn losses_are_those_of_optax() {
    let cpu = CpuDevice::new(1).unwrap();
    for (group, weightings) in groups().iter().flat_map(|group| [0, 1, 3].map(|weightings| (group, weightings))) {
        let Group { loss, parameter, .. } = *group;
        let expected = group.weighed(weightings);
        let what = |place: usize| {
            let row = place / (1 + OUTPUTS);
            let z = &group.z[row * OUTPUTS..][..OUTPUTS];
            let part = if place.is_multiple_of(1 + OUTPUTS) { "value" } else { "gradient" };
            format!("{loss} {parameter}, {weightings} weights: {part} of row {row}, {z:?}")
        };
        let exact =
            group.run(CpuBackend::<f64>::load(&cpu, group.plan(weightings)).unwrap(), weightings, |value| value);
        assert_eq!(exact.len(), expected.len());
        for (place, (found, expected)) in exact.iter().zip(&expected).enumerate() {
            let limit = 1e-12 * expected.abs().max(1.0);
            assert!((found - expected).abs() <= limit, "{}: {found:e} and {expected:e}", what(place));
        }
        let bounded = CpuBackend::<Bounded>::load(&cpu, group.plan(weightings)).unwrap();
        let bounded = group.run(bounded, weightings, |value| Bounded::exact(f64::from(value as f32)));
        let check = |device: &str, found: Vec<f32>| {
            for (place, (found, expected)) in found.iter().zip(&bounded).enumerate() {
                // Where huge logits tie no limit is known of e^(z - z_max), which is 1.
                let known = expected.limit().is_finite();
                let limit = if known { expected.limit() } else { 1e-6 * expected.value.abs().max(1.0) };
                let difference = (f64::from(*found) - expected.value).abs();
                assert!(difference <= limit, "{device}: {}: {found:e}, {:e} ± {limit:e}", what(place), expected.value);
            }
        };
        let fast = CpuBackend::<f32>::load(&cpu, group.plan(weightings)).unwrap();
        check("CPU", group.run(fast, weightings, |value| value as f32));
        for gpu in devices() {
            let backend = wait(GpuBackend::load(gpu, group.plan(weightings))).unwrap();
            check(gpu.name(), group.run(backend, weightings, |value| value as f32));
        }
    }
}

/// A row with a logit that is not finite must give a loss that is not, wherever the logit stands.
#[test]
fn logits_that_are_not_finite_reach_the_loss() {
    let cpu = CpuDevice::new(1).unwrap();
    for &loss in Loss::ALL {
        let bad = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        let places = bad.into_iter().flat_map(|bad| (0..OUTPUTS).map(move |at| (bad, at)));
        let row = |(bad, at)| (0..OUTPUTS).map(move |j| if j == at { bad } else { 0.5 });
        let z: Vec<f64> = places.flat_map(row).collect();
        let y = vec![1.0; z.len() / OUTPUTS * loss.terms(OUTPUTS)];
        let group = Group { loss, parameter: loss.default_parameter(), z, y, expected: Vec::new() };
        let check = |device: &str, found: Vec<f32>| {
            for (row, values) in found.chunks_exact(1 + OUTPUTS).enumerate() {
                assert!(!values[0].is_finite(), "{device}: {loss}: row {row} has {}", values[0]);
            }
        };
        for gpu in devices() {
            let backend = wait(GpuBackend::load(gpu, group.plan(0))).unwrap();
            check(gpu.name(), group.run(backend, 0, |value| value as f32));
        }
        let fast = CpuBackend::<f32>::load(&cpu, group.plan(0)).unwrap();
        check("CPU", group.run(fast, 0, |value| value as f32));
    }
}

/// Targets of each loss that it takes and that it does not.
#[test]
fn targets_that_a_loss_does_not_take_are_refused() {
    for &loss in Loss::ALL {
        let (good, bad): (&[f32], &[f32]) = match loss {
            Loss::BinaryCrossEntropy => (&[0.0, 1.0, 0.5], &[-0.1, 1.1]),
            Loss::SoftmaxCrossEntropy => (&[0.0, 1.0, 2.0], &[3.0, -1.0, 0.5]),
            Loss::Poisson => (&[0.0, 2.5, 1e9], &[-1.0]),
            _ => (&[-1e9, 0.0, 2.5], &[]),
        };
        let terms = loss.terms(OUTPUTS);
        loss.check_targets(good, OUTPUTS).unwrap();
        for &bad in bad {
            let mut targets = vec![1.0; 4 * terms];
            targets[2 * terms] = bad;
            let problem = loss.check_targets(&targets, OUTPUTS).unwrap_err().to_string();
            let told = [&format!("a target is {bad} in row 2"), loss.name(), "expected"];
            assert!(told.iter().all(|word| problem.contains(*word)), "{problem}");
        }
    }
}

#[test]
fn parameters_are_checked_shown_and_saved() {
    let spec = |loss| MlpSpec::new(&[2, 3], Activation::Relu, loss).unwrap();
    for &loss in Loss::ALL {
        let plain = spec(loss);
        assert_eq!(plain.loss_parameter(), loss.default_parameter());
        assert!(plain.to_string().ends_with(loss.name()), "{plain}");
        // As a file from before losses had a parameter says it.
        let mut old = serde_json::to_value(&plain).unwrap();
        old.as_object_mut().unwrap().remove("loss_parameter").unwrap();
        assert_eq!(serde_json::from_value::<MlpSpec>(old).unwrap(), plain);
        let refused: &[f64] = match loss.parameter() {
            Some(parameter) => {
                let other = plain.clone().with_loss_parameter(0.3).unwrap();
                assert!(other.to_string().ends_with(&format!("{loss} ({} 0.3)", parameter.name)), "{other}");
                let json = serde_json::to_string(&other).unwrap();
                assert_eq!(serde_json::from_str::<MlpSpec>(&json).unwrap(), other);
                &[-0.1, f64::NAN, f64::INFINITY]
            }
            None => &[0.3, f64::NAN],
        };
        for &value in refused {
            assert!(spec(loss).with_loss_parameter(value).is_err(), "{loss} {value}");
        }
    }
    assert!(spec(Loss::BinaryCrossEntropy).with_loss_parameter(1.0).is_err());
    assert!(spec(Loss::Huber).with_loss_parameter(0.0).is_err());
    let problem = MlpSpec::new(&[2, 1], Activation::Relu, Loss::SoftmaxCrossEntropy).unwrap_err().to_string();
    assert!(problem.contains("at least 2") && problem.contains("binary_cross_entropy"), "{problem}");
}

/// Predictions of a row, and the figures of two rows by hand.
#[test]
fn predictions_and_metrics_are_those_of_the_loss() {
    let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found} and {expected}");
    let mut row = [1e4, 1e4 - 2f64.ln(), -1e30];
    Loss::SoftmaxCrossEntropy.predictions(&mut row);
    row.iter().zip([2.0 / 3.0, 1.0 / 3.0, 0.0]).for_each(|(&found, expected)| close(found, expected));
    close(Loss::Poisson.prediction(2.0), 2f64.exp());
    close(Loss::BinaryCrossEntropy.prediction(0.0), 0.5);
    close(Loss::Huber.prediction(-3.0), -3.0);

    let classes = MlpSpec::new(&[1, 2], Activation::Relu, Loss::SoftmaxCrossEntropy).unwrap();
    let data = Dataset::new(vec![0.0; 2], vec![1.0, 0.0], 1, 1).unwrap();
    let outputs = [0.0, 0.0, 0.0, 1.0];
    let (even, wrong) = (2f64.ln(), 1f64.exp().ln_1p());
    let plain = Metrics::new(&classes, &outputs, &data, None).unwrap();
    close(plain.loss, (even + wrong) / 2.0);
    // Of a tie the first class is the prediction.
    assert_eq!(plain.accuracy(), Some(0.0));
    let weighted = Metrics::new(&classes, &outputs, &data.with_weights(&[3.0, 1.0]).unwrap(), None).unwrap();
    close(weighted.loss, (3.0 * even + wrong) / 4.0);

    let counts = MlpSpec::new(&[1, 1], Activation::Relu, Loss::Poisson).unwrap();
    let data = Dataset::new(vec![0.0; 2], vec![1.0, 3.0], 1, 1).unwrap();
    let found = Metrics::new(&counts, &[0.0, 0.0], &data, None).unwrap();
    close(found.rmse().unwrap(), 2f64.sqrt());
    close(found.r2().unwrap(), -1.0);
}
