//! Networks that share weights.

use wgpu_mlp::gradcheck::random_data;
use wgpu_mlp::params::Layout;
use wgpu_mlp::plan::PlanKind;
use wgpu_mlp::train::{EarlyStopping, Parametrization, Replica};
use wgpu_mlp::{Activation, Batch, Checkpoint, Dataset, Init, Loss, MlpSpec, Optimizer, Rule, TrainConfig, Trainer};

use crate::train::factors::gradient;
use crate::train::gradients::{bits, everywhere};

fn problem() -> (MlpSpec, Dataset) {
    let spec = MlpSpec::new(&[3, 8, 5, 1], Activation::Tanh, Loss::MeanSquaredError).unwrap();
    let data = random_data(&spec, 300, 1).unwrap();
    (spec, data)
}

fn replicas(config: &TrainConfig, seeds: std::ops::Range<u64>) -> Vec<Replica> {
    seeds.map(|seed| Replica::new(config.clone().seed(seed))).collect()
}

/// What networks of one run train, in f64: what they share, and of each its last layer and its factors.
struct Shared {
    shared: Vec<f64>,
    own: Vec<(Vec<f64>, [f64; 3])>,
}

impl Shared {
    /// From networks with factors of 1 and −1: those of the first count as 1, which turns no step.
    fn of(networks: &[&[f32]], tied: usize) -> Self {
        let f64s = |values: &[f32]| values.iter().map(|&value| value.into()).collect::<Vec<f64>>();
        let factor = |network: &[f32], row: usize| f64::from(network[8 * row] / networks[0][8 * row]);
        let own = networks.iter().map(|network| (f64s(&network[tied..]), [0, 1, 2].map(|row| factor(network, row))));
        Self { shared: f64s(&networks[0][..tied]), own: own.collect() }
    }

    fn network(&self, number: usize) -> Vec<f64> {
        let (head, factors) = &self.own[number];
        let scaled = |(at, &value): (usize, &f64)| value * if at < 3 * 8 { factors[at / 8] } else { 1.0 };
        self.shared.iter().enumerate().map(scaled).chain(head.iter().copied()).collect()
    }

    /// A step of gradient descent on the mean loss of the networks by what they share, and on its own loss by what each has.
    fn step(&mut self, rate: f64, gradients: &[Vec<f64>]) {
        let before = self.shared.clone();
        for (at, value) in self.shared.iter_mut().enumerate() {
            let factor = |own: &[f64; 3]| if at < 3 * 8 { own[at / 8] } else { 1.0 };
            let sum: f64 = gradients.iter().zip(&self.own).map(|(g, (_, own))| g[at] * factor(own)).sum();
            *value -= rate * sum / gradients.len() as f64;
        }
        for ((head, factors), g) in self.own.iter_mut().zip(gradients) {
            head.iter_mut().zip(&g[before.len()..]).for_each(|(value, g)| *value -= rate * g);
            for (row, factor) in factors.iter_mut().enumerate() {
                let at = row * 8..row * 8 + 8;
                *factor -= rate * before[at.clone()].iter().zip(&g[at]).map(|(p, g)| p * g).sum::<f64>();
            }
        }
    }
}

/// With every plan that has it, two runs of three networks go where the gradients of the plain plan in f64 lead by the chain rule.
#[test]
fn shared_weights_go_the_way_of_the_oracle() {
    const RATE: f64 = 0.1;
    let (spec, data) = problem();
    let (layout, tied) = (Layout::new(&spec), Layout::new(&spec).weight(2).range.start);
    for device in everywhere() {
        for kind in [PlanKind::Plain, PlanKind::Layered, PlanKind::Fused] {
            let config =
                TrainConfig::new(9, Batch::Full, Optimizer::sgd(RATE)).init(Init::Xavier).sharing(3).plan(kind);
            let mut trainer = Trainer::with_replicas(&device, &spec, &replicas(&config, 0..6), &data, None).unwrap();
            let all = trainer.parameters().unwrap();
            let networks: Vec<&[f32]> = all.chunks_exact(layout.len()).collect();
            let mut runs: Vec<_> = networks.chunks(3).map(|run| Shared::of(run, tied)).collect();
            assert!(runs.iter().all(|run| run.own.iter().any(|(_, factors)| factors.contains(&-1.0))));
            for _ in 0..4 {
                trainer.step().unwrap();
                for run in &mut runs {
                    let gradients: Vec<_> = (0..3).map(|number| gradient(&spec, &data, &run.network(number))).collect();
                    run.step(RATE, &gradients);
                }
            }
            let found = trainer.parameters().unwrap();
            let expected: Vec<f64> =
                runs.iter().flat_map(|run| (0..3).flat_map(|number| run.network(number))).collect();
            let apart = |values: &[f32]| {
                values.iter().zip(&expected).map(|(&a, b)| (f64::from(a) - b).abs()).fold(0.0, f64::max)
            };
            assert!(apart(&found) <= 2e-6, "{kind} on {}: {:e}", device.name(), apart(&found));
            assert!(apart(&all) > 1e-2, "nothing has moved");
        }
    }
}

fn adam() -> TrainConfig {
    let optimizer = Optimizer::new(Rule::Adam, 0.02);
    TrainConfig::new(6, Batch::Rows(32), optimizer)
        .parametrization(Parametrization::Ntp)
        .init(Init::Ntp)
        .early_stopping(EarlyStopping::keep_best())
        .sharing(2)
}

/// What is shared stays alike to the bit, and nothing else is; a run of networks is what it is alone.
#[test]
fn what_is_shared_stays_alike() {
    let (spec, data) = problem();
    let layout = Layout::new(&spec);
    for device in everywhere() {
        let trained = |seeds| {
            let mut config = adam();
            config.early_stopping = None;
            let mut trainer = Trainer::with_replicas(&device, &spec, &replicas(&config, seeds), &data, None).unwrap();
            trainer.fit().unwrap();
            trainer.parameters().unwrap()
        };
        let all = trained(0..4);
        let networks: Vec<_> = all.chunks_exact(layout.len()).collect();
        for (index, tensor) in layout.tensors.iter().enumerate() {
            let of = |network: usize| bits(&networks[network][tensor.range.clone()]);
            let is_shared = (1..4).contains(&index);
            assert_eq!(of(0) == of(1), is_shared, "{} on {}", tensor.name, device.name());
            assert_eq!(of(2) == of(3), is_shared, "{} on {}", tensor.name, device.name());
            assert_ne!(of(0), of(2));
        }
        assert_eq!(bits(&all[..2 * layout.len()]), bits(&trained(0..2)), "{}", device.name());
    }
}

/// A run that goes through a file, in the middle and at its end, has the bytes of one that was not interrupted, and keeps the best epochs' networks.
#[test]
fn a_resumed_run_has_the_same_bytes() {
    let (spec, data) = problem();
    for device in everywhere() {
        let replicas: Vec<_> = replicas(&adam(), 0..4)
            .into_iter()
            .enumerate()
            .map(|(at, replica)| replica.fold([0..100, 200..300][at / 2].clone()))
            .collect();
        let new = || Trainer::with_replicas(&device, &spec, &replicas, &data, None).unwrap();
        let mut whole = new();
        whole.fit().unwrap();
        let mut first = new();
        for _ in 0..17 {
            first.step().unwrap();
        }
        let through_a_file = |trainer: &mut Trainer| {
            let bytes = Checkpoint::new(spec.clone(), trainer.state().unwrap()).unwrap().to_bytes().unwrap();
            let checkpoint = Checkpoint::from_bytes(&bytes).unwrap();
            assert_eq!(bits(&checkpoint.model.parameters), bits(&trainer.parameters().unwrap()));
            let mut again = new();
            again.restore(&checkpoint.state).unwrap();
            again
        };
        let mut again = through_a_file(&mut first);
        again.resume().unwrap();
        assert_eq!(bits(&again.parameters().unwrap()), bits(&whole.parameters().unwrap()), "{}", device.name());
        let best = whole.best_parameters().unwrap().unwrap();
        assert_eq!(bits(&again.best_parameters().unwrap().unwrap()), bits(&best), "{}", device.name());
        let mut ended = through_a_file(&mut whole);
        assert_eq!(ended.state().unwrap(), whole.state().unwrap(), "{}", device.name());
        let mut state = whole.state().unwrap();
        state.trained = None;
        let error = new().restore(&state).unwrap_err().to_string();
        assert!(error.contains("where they share weights"), "{error}");
    }
}

#[test]
fn networks_that_cannot_share_are_refused() {
    let (spec, data) = problem();
    let device = &everywhere()[0];
    let refused = |spec: &MlpSpec, replicas: &[Replica], expected: &str| {
        let error = Trainer::with_replicas(device, spec, replicas, &data, None).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}, expected {expected}");
    };
    refused(&spec, &replicas(&adam(), 0..3), "sharing is 2 of 3 networks");
    refused(&spec, &replicas(&adam().sharing(0), 0..2), "sharing is 0");
    let linear = MlpSpec::new(&[3, 1], Activation::Tanh, Loss::MeanSquaredError).unwrap();
    refused(&linear, &replicas(&adam(), 0..2), "with a hidden layer");
    let mut other = replicas(&adam(), 0..2);
    other[1].config.epochs = 7;
    refused(&spec, &other, "differ in their seeds alone");
    refused(&spec, &replicas(&adam().early_stopping(EarlyStopping::new(3)), 0..2), "end together");
    refused(&spec, &replicas(&adam().plan(PlanKind::Resident), 0..2), "networks share weights");
    let mut trainer = Trainer::with_replicas(device, &spec, &replicas(&adam(), 0..2), &data, None).unwrap();
    assert!(trainer.drop_replica(1).unwrap_err().to_string().contains("end together"));
}
