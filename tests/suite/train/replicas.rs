//! Many networks in one trainer: each does what it does alone, whatever the others do.

use wgpu_mlp::backend::Device;
use wgpu_mlp::gradcheck::random_data;
use wgpu_mlp::math::Clip;
use wgpu_mlp::params::Layout;
use wgpu_mlp::plan::{PassKind, PlanKind};
use wgpu_mlp::train::{EarlyStopping, Replica, ReplicaEnd};
use wgpu_mlp::{Activation, Batch, Dataset, Error, Loss, MlpSpec, Optimizer, Rule, TrainConfig, Trainer};

use crate::train::gradients::{bits, everywhere};

const KINDS: [PlanKind; 4] = [PlanKind::Plain, PlanKind::Layered, PlanKind::Fused, PlanKind::Resident];

fn problem(rows: usize) -> (MlpSpec, Dataset) {
    let spec = MlpSpec::new(&[3, 6, 5, 1], Activation::Tanh, Loss::BinaryCrossEntropy).unwrap();
    let data = random_data(&spec, rows, 1).unwrap();
    (spec, data)
}

/// Rows of a data set.
fn part(spec: &MlpSpec, data: &Dataset, rows: impl Iterator<Item = usize> + Clone) -> Dataset {
    let (inputs, columns) = (spec.inputs(), spec.target_columns());
    let of = |values: &[f32], width: usize| -> Vec<f32> {
        rows.clone().flat_map(|row| values[row * width..][..width].to_vec()).collect()
    };
    let found = Dataset::new(of(data.features(), inputs), of(data.targets(), columns), inputs, columns).unwrap();
    match data.weights() {
        Some(weights) => found.with_weights(&of(weights, 1)).unwrap(),
        None => found,
    }
}

fn each(trainer: &mut Trainer) -> Vec<Vec<u32>> {
    trainer.replica_parameters().unwrap().iter().map(|values| bits(values)).collect()
}

fn alone(
    device: &Device,
    spec: &MlpSpec,
    config: &TrainConfig,
    data: &Dataset,
    validation: Option<&Dataset>,
) -> Trainer {
    let mut trainer = Trainer::with_validation(device, spec, config, data, validation).unwrap();
    trainer.fit().unwrap();
    trainer
}

/// Five networks that differ in all that they may.
fn several(batch: Batch, kind: PlanKind) -> Vec<TrainConfig> {
    let base = TrainConfig::new(5, batch, Optimizer::new(Rule::Adam, 0.01)).plan(kind);
    let with = |optimizer| TrainConfig::new(5, batch, optimizer).plan(kind);
    let adam = base.optimizer;
    vec![
        base.clone().seed(7),
        with(adam.betas(0.8, 0.95).weight_decay(0.1).clip(Clip::Norm(0.05))).seed(8).dropout(&[0.3]),
        with(adam.l2(0.01).l1(0.001)).schedule("cosine:warmup=1".parse().unwrap()).dropout(&[0.125]),
        TrainConfig::new(3, batch, adam.clip(Clip::Value(0.01))).plan(kind).seed(u64::MAX),
        with(adam.epsilon(1e-3)).schedule("plateau:patience=0".parse().unwrap()).seed(1 << 40),
    ]
}

#[test]
fn a_network_among_others_ends_with_the_bytes_that_it_ends_with_alone() {
    let (spec, data) = problem(23);
    for device in everywhere() {
        for kind in KINDS {
            for batch in [Batch::Full, Batch::Rows(7)] {
                let configs = several(batch, kind);
                let replicas: Vec<_> = configs.iter().cloned().map(Replica::new).collect();
                let mut together = Trainer::with_replicas(&device, &spec, &replicas, &data, None).unwrap();
                together.fit().unwrap();
                let found = each(&mut together);
                let ends: Vec<_> =
                    together.outcomes().into_iter().map(|outcome| (outcome.end, outcome.epochs)).collect();
                for (number, config) in configs.iter().enumerate() {
                    let mut alone = alone(&device, &spec, config, &data, None);
                    let what = format!("replica {number}, {kind}, {batch} on {}", device.name());
                    assert_eq!(found[number], bits(&alone.parameters().unwrap()), "{what}");
                    assert_eq!(ends[number], (Some(ReplicaEnd::Finished), config.epochs), "{what}");
                    let (own, last) = (together.outcomes()[number].last_epoch.unwrap(), alone.last_epoch().unwrap());
                    assert_eq!(
                        (own.loss, own.learning_rate, own.step),
                        (last.loss, last.learning_rate, last.step),
                        "{what}"
                    );
                }
            }
        }
    }
}

/// A loss parameter of its own is that of a network that has it.
#[test]
fn a_label_smoothing_may_be_a_replicas_own() {
    let spec = MlpSpec::new(&[3, 6, 4], Activation::Relu, Loss::SoftmaxCrossEntropy).unwrap();
    let data = random_data(&spec, 20, 3).unwrap();
    let config = TrainConfig::new(4, Batch::Rows(8), Optimizer::sgd(0.1));
    for device in everywhere() {
        let replicas = [0.0, 0.1].map(|value| Replica::new(config.clone()).loss_parameter(value));
        let mut together = Trainer::with_replicas(&device, &spec, &replicas, &data, None).unwrap();
        together.fit().unwrap();
        let found = each(&mut together);
        for (found, value) in found.iter().zip([0.0, 0.1]) {
            let spec = spec.clone().with_loss_parameter(value).unwrap();
            let mut alone = alone(&device, &spec, &config, &data, None);
            assert_eq!(*found, bits(&alone.parameters().unwrap()), "{value} on {}", device.name());
        }
        assert_ne!(found[0], found[1]);
    }
}

/// Each network takes the sample weights that it says, as if there were no others; weights of 1 are none.
#[test]
fn sample_weights_may_be_a_replicas_own() {
    let weights = |of: fn(u32) -> f32| (0..23).map(of).collect::<Vec<_>>();
    let weightings = [weights(|_| 1.0), weights(|row| (row % 3) as f32), weights(|row| 1.0 + (row % 2) as f32)];
    let losses = [(2, Loss::MeanSquaredError), (4, Loss::SoftmaxCrossEntropy)];
    for (outputs, loss) in losses {
        let spec = MlpSpec::new(&[3, 6, 5, outputs], Activation::Tanh, loss).unwrap();
        let data = random_data(&spec, 23, 1).unwrap();
        let all = data.clone().with_weightings(&weightings).unwrap();
        for (device, kind) in everywhere().iter().flat_map(|device| KINDS.map(|kind| (device, kind))) {
            for batch in [Batch::Full, Batch::Rows(7)] {
                let config = TrainConfig::new(3, batch, Optimizer::new(Rule::Adam, 0.01)).plan(kind);
                let replicas = [2, 0, 1].map(|number| Replica::new(config.clone()).weighting(number));
                let mut together = Trainer::with_replicas(device, &spec, &replicas, &all, None).unwrap();
                together.fit().unwrap();
                let found = each(&mut together);
                for (replica, found) in replicas.iter().zip(&found) {
                    let number = replica.weighting;
                    let data = match number {
                        0 => data.clone(),
                        _ => data.clone().with_weights(&weightings[number]).unwrap(),
                    };
                    let mut alone = alone(device, &spec, &config, &data, None);
                    let what = format!("weights {number}, {loss}, {kind}, {batch} on {}", device.name());
                    assert_eq!(*found, bits(&alone.parameters().unwrap()), "{what}");
                }
                assert!(found[0] != found[1] && found[1] != found[2]);
            }
        }
    }
}

/// A fold is held out as if its rows were a validation set and the others all there is; weights count in training alone.
#[test]
fn a_fold_is_a_validation_set() {
    let (spec, unweighted) = problem(23);
    let folds = [0..5, 5..11, 11..12, 12..23];
    // They have a mean of 1 in each fold, so that they are the same numbers without any of them.
    let of_fold = |rows: &std::ops::Range<usize>| {
        let of_row = |at| if at == rows.len() / 2 * 2 { 1.0 } else { 0.5 + (at % 2) as f32 };
        (0..rows.len()).map(of_row).collect::<Vec<_>>()
    };
    let weighted = unweighted.clone().with_weights(&folds.iter().flat_map(of_fold).collect::<Vec<_>>()).unwrap();
    for device in everywhere() {
        for kind in KINDS {
            for (data, batch) in
                [(&unweighted, Batch::Rows(6)), (&weighted, Batch::Rows(6)), (&unweighted, Batch::Full)]
            {
                let config = TrainConfig::new(5, batch, Optimizer::new(Rule::Adam, 0.02))
                    .early_stopping(EarlyStopping::new(2))
                    .plan(kind);
                let seeded = |fold: usize| config.clone().seed(fold as u64);
                let replicas: Vec<_> =
                    folds.iter().enumerate().map(|(k, rows)| Replica::new(seeded(k)).fold(rows.clone())).collect();
                let mut together = Trainer::with_replicas(&device, &spec, &replicas, data, None).unwrap();
                together.fit().unwrap();
                let found = each(&mut together);
                for (k, rows) in folds.iter().enumerate() {
                    let others = (0..23).filter(|row| !rows.contains(row));
                    let (train, held_out) = (part(&spec, data, others), part(&spec, &unweighted, rows.clone()));
                    let mut alone = alone(&device, &spec, &seeded(k), &train, Some(&held_out));
                    let what =
                        format!("fold {rows:?}, {kind}, {batch}, {} on {}", data.weights().is_some(), device.name());
                    let outcome = &together.outcomes()[k];
                    let (own, last) = (outcome.last_epoch.unwrap(), alone.last_epoch().unwrap());
                    assert_eq!(
                        (own.epoch, own.step, outcome.best_epoch),
                        (last.epoch, last.step, alone.best_epoch()),
                        "{what}"
                    );
                    assert_eq!(own.validation, last.validation, "{what}");
                    assert_eq!(found[k], bits(&alone.parameters().unwrap()), "{what}");
                }
            }
        }
    }
}

/// Patience, the best epoch and the end are each replica's own. Those that have ended make room, and what they ended with stays.
#[test]
fn replicas_stop_when_they_would_stop_alone() {
    let (spec, data) = problem(40);
    let (train, validation) = (part(&spec, &data, 0..28), part(&spec, &data, 28..40));
    for device in everywhere() {
        let config = |patience: Option<u64>, rate| {
            let rule = patience.map_or(EarlyStopping::keep_best(), EarlyStopping::new);
            TrainConfig::new(30, Batch::Rows(10), Optimizer::new(Rule::Adam, rate)).early_stopping(rule)
        };
        let [one, two, three, all] = [1, 2, 3, 30].map(Some);
        let configs: Vec<_> = [(one, 0.3), (two, 0.1), (one, 0.2), (all, 0.01), (three, 0.05), (one, 0.5), (None, 0.4)]
            .map(|(patience, rate)| config(patience, rate))
            .into();
        let replicas: Vec<_> = configs.iter().cloned().map(Replica::new).collect();
        let mut together = Trainer::with_replicas(&device, &spec, &replicas, &train, Some(&validation)).unwrap();
        together.fit().unwrap();
        let (found, outcomes) = (each(&mut together), together.outcomes());
        let mut ends = Vec::new();
        for (number, config) in configs.iter().enumerate() {
            let mut alone = alone(&device, &spec, config, &train, Some(&validation));
            let last = alone.last_epoch().unwrap();
            let outcome = &outcomes[number];
            assert_eq!((outcome.epochs, outcome.best_epoch), (last.epoch, alone.best_epoch()), "{number}");
            assert_eq!(found[number], bits(&alone.parameters().unwrap()), "{number} on {}", device.name());
            assert_eq!(outcome.end == Some(ReplicaEnd::Stopped), last.epoch < 30);
            ends.push(last.epoch);
        }
        ends.sort_unstable();
        assert!(ends[2] < ends[5], "half of them stop before the last: {ends:?}");
        let (each_step, steps) = (dispatches(&together), together.counters().dispatches);
        assert!(steps > 0 && each_step > 0);
    }
}

fn dispatches(trainer: &Trainer) -> usize {
    trainer.plan().passes_of(PassKind::Train).next().map_or(0, |(_, pass)| pass.dispatches.len())
}

/// A replica that diverges ends alone, with finite parameters; one that is dropped ends where it was.
#[test]
fn a_replica_that_ends_early_ends_no_other() {
    let (spec, data) = problem(23);
    let regression = MlpSpec::new(&[3, 6, 5, 1], Activation::Relu, Loss::MeanSquaredError).unwrap();
    let spec = if spec.inputs() == 3 { regression } else { spec };
    for device in everywhere() {
        let config = |rate| TrainConfig::new(12, Batch::Rows(8), Optimizer::sgd(rate));
        let configs = [config(0.01), config(1e30), config(0.02), config(0.03)];
        let replicas: Vec<_> = configs.iter().cloned().map(Replica::new).collect();
        let mut together = Trainer::with_replicas(&device, &spec, &replicas, &data, None).unwrap();
        together.pause_every(Some(1));
        let mut epochs = 0;
        together
            .fit_with(|event| match event {
                wgpu_mlp::Event::Epoch(epoch) if epoch.replica == 0 && epoch.epoch == 4 => {
                    epochs = epoch.epoch;
                    std::ops::ControlFlow::Break(())
                }
                _ => std::ops::ControlFlow::Continue(()),
            })
            .unwrap();
        assert_eq!(epochs, 4);
        let before = each(&mut together)[2].clone();
        together.drop_replica(2).unwrap();
        assert!(matches!(together.drop_replica(4), Err(Error::Setting { what: "replica", .. })));
        together.resume().unwrap();
        let (found, outcomes) = (each(&mut together), together.outcomes());
        let what = device.name();
        let Some(ReplicaEnd::Diverged { step, .. }) = &outcomes[1].end else {
            panic!("{:?} on {what}", outcomes[1].end)
        };
        assert!((1..=6).contains(step), "{step} on {what}");
        assert!(found[1].iter().all(|&word| f32::from_bits(word).is_finite()), "{what}");
        assert_eq!((outcomes[2].end.clone(), outcomes[2].epochs), (Some(ReplicaEnd::Dropped), 4), "{what}");
        assert_eq!(found[2], before, "{what}");
        for number in [0, 3] {
            let mut alone = alone(&device, &spec, &configs[number], &data, None);
            assert_eq!(found[number], bits(&alone.parameters().unwrap()), "{number} on {what}");
            assert_eq!(outcomes[number].end, Some(ReplicaEnd::Finished));
        }
    }
}

/// A run of many goes on from a state to the bytes of an unbroken one, though some had ended when the state was taken.
#[test]
fn a_resumed_run_of_many_ends_like_an_unbroken_one() {
    let (spec, data) = problem(23);
    for device in everywhere() {
        let config = |patience, seed| {
            TrainConfig::new(14, Batch::Rows(6), Optimizer::new(Rule::Adam, 0.05))
                .early_stopping(EarlyStopping::new(patience))
                .seed(seed)
        };
        let folds = [0..6, 6..12, 12..18, 18..23];
        let patience = [1, 1, 14, 1];
        let replicas: Vec<_> = folds
            .into_iter()
            .zip(patience)
            .zip(0..)
            .map(|((rows, patience), seed)| Replica::new(config(patience, seed)).fold(rows))
            .collect();
        let make = || Trainer::with_replicas(&device, &spec, &replicas, &data, None).unwrap();
        let mut whole = make();
        whole.fit().unwrap();
        let (expected, outcomes) = (each(&mut whole), whole.outcomes());
        for at in [1, 3, 7, 11] {
            let mut broken = make();
            let stop = |event| match event {
                wgpu_mlp::Event::Epoch(epoch) if epoch.epoch >= at => std::ops::ControlFlow::Break(()),
                _ => std::ops::ControlFlow::Continue(()),
            };
            broken.fit_with(stop).unwrap();
            let state = broken.state().unwrap();
            let mut resumed = make();
            resumed.restore(&state).unwrap();
            assert_eq!(resumed.state().unwrap(), state, "at {at} on {}", device.name());
            resumed.resume().unwrap();
            assert_eq!(resumed.outcomes(), outcomes, "at {at} on {}", device.name());
            assert_eq!(each(&mut resumed), expected, "at {at} on {}", device.name());
            let mut other = Trainer::with_replicas(&device, &spec, &replicas[..3], &data, None).unwrap();
            assert!(matches!(other.restore(&state), Err(Error::Setting { .. })));
        }
    }
}

/// A step of 64 networks takes as many dispatches as one of a single network, and the plan's memory grows by what a network needs.
#[test]
fn many_networks_take_the_dispatches_of_one() {
    let (spec, data) = problem(200);
    for device in everywhere() {
        let plan = |count: usize| {
            let config = TrainConfig::new(1, Batch::Rows(100), Optimizer::new(Rule::Adam, 0.01)).plan(PlanKind::Fused);
            let replicas: Vec<_> = (0..count).map(|seed| Replica::new(config.clone().seed(seed as u64))).collect();
            let trainer = Trainer::with_replicas(&device, &spec, &replicas, &data, None).unwrap();
            (dispatches(&trainer), trainer.plan().bytes(4))
        };
        let (one, eight, many) = (plan(1), plan(8), plan(64));
        assert_eq!((eight.0, many.0), (one.0, one.0), "{}", device.name());
        let parameters = 4 * Layout::new(&spec).len() as u64;
        assert!(many.1 < one.1 + 64 * (12 * parameters + (64 << 10)), "{many:?} and {one:?} on {}", device.name());
    }
}

#[test]
fn replicas_that_cannot_share_a_plan_are_refused() {
    let (spec, data) = problem(20);
    let device = everywhere().pop().unwrap();
    let config_of = |batch, optimizer| TrainConfig::new(2, batch, optimizer);
    let config = config_of(Batch::Rows(8), Optimizer::sgd(0.1));
    let refusal = |replicas: Vec<Replica>| match Trainer::with_replicas(&device, &spec, &replicas, &data, None) {
        Err(Error::Setting { what, .. }) => what,
        other => panic!("{other:?}"),
    };
    let first = || Replica::new(config.clone());
    let with = |config: TrainConfig| vec![first(), Replica::new(config)];
    assert_eq!(refusal(Vec::new()), "number of replicas");
    assert_eq!(refusal(with(config_of(Batch::Full, config.optimizer))), "batch");
    assert_eq!(refusal(with(config_of(config.batch, Optimizer::new(Rule::Adam, 0.1)))), "optimizer");
    assert_eq!(refusal(with(config.clone().dropout(&[0.1, 0.2]))), "dropout");
    assert_eq!(refusal(with(config.clone().learning_rate_factors(&[1.0, 0.5, 0.5]))), "learning_rate_factors");
    assert_eq!(refusal(vec![first(), first().weighting(1)]), "weighting");
    assert_eq!(refusal(vec![first(), first().fold(0..5)]), "fold");
    assert_eq!(refusal(vec![first().fold(0..5), first()]), "fold");
    assert_eq!(refusal(vec![first().fold(5..5)]), "fold");
    assert_eq!(refusal(vec![first().fold(0..20)]), "fold");
    assert_eq!(refusal(vec![first().fold(15..21)]), "fold");
}
