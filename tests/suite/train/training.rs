//! Runs: dropout, validation, early stopping, schedules, breaks and states, steps one at a time, further data.

use std::ops::ControlFlow;

use wgpu_mlp::Error;
use wgpu_mlp::backend::{Backend, CpuBackend, CpuDevice, Device};
use wgpu_mlp::data::Dataset;
use wgpu_mlp::gradcheck::{DEVICE_LIMIT, random_data};
use wgpu_mlp::infer::{Metrics, Predictor};
use wgpu_mlp::kernels::{Step, mask_key};
use wgpu_mlp::math::{Activation, Clip, Loss, Optimizer, Rule};
use wgpu_mlp::params::Init;
use wgpu_mlp::plan::{self, PlanKind, Recipe, Role, TrainShape};
use wgpu_mlp::spec::{Layer, MlpSpec};
use wgpu_mlp::train::{
    Batch, EarlyStopping, Epoch, Event, Monitor, Replica, Schedule, TrainConfig, TrainState, Trainer,
};

use crate::support::wait;
use crate::train::gradients::{bits, everywhere};

const GO_ON: ControlFlow<()> = ControlFlow::Continue(());

/// A network, rows to learn and rows to validate on: more of these than a validation step takes.
fn problem() -> (MlpSpec, Dataset, Dataset) {
    let spec = MlpSpec::new(&[3, 17, 9, 1], Activation::Tanh, Loss::BinaryCrossEntropy).unwrap();
    let all = random_data(&spec, 1100 + 70, 3).unwrap();
    // Something to learn: the sign of a feature.
    let targets = all.features().chunks(3).map(|row| f32::from(u8::from(row[0] + 0.2 * row[1] > 0.0))).collect();
    let all = Dataset::new(all.features().to_vec(), targets, 3, 1).unwrap();
    let rows = |range: std::ops::Range<usize>| all.select(&range.collect::<Vec<_>>());
    (spec, rows(0..70), rows(70..1170))
}

fn config(epochs: u64, rule: Rule) -> TrainConfig {
    TrainConfig::new(epochs, Batch::Rows(16), Optimizer::new(rule, 0.02)).seed(9)
}

fn trainer(device: &Device, config: &TrainConfig) -> Trainer {
    let (spec, data, validation) = problem();
    let mut trainer = Trainer::with_validation(device, &spec, config, &data, Some(&validation)).unwrap();
    trainer.set_parameters(&Init::Xavier.draw(&spec, 4).unwrap()).unwrap();
    trainer
}

/// All epochs of a run.
fn epochs(trainer: &mut Trainer) -> Vec<Epoch> {
    let mut all = Vec::new();
    trainer
        .fit_with(|event| {
            all.extend(if let Event::Epoch(epoch) = event { Some(epoch) } else { None });
            GO_ON
        })
        .unwrap();
    all
}

fn parameters(trainer: &mut Trainer) -> Vec<u32> {
    bits(&trainer.parameters().unwrap())
}

/// The loss and the gradient of one step with the masks of `step`.
fn masked<B: Backend>(mut backend: B, data: &Dataset, at: &[B::Real], convert: fn(f32) -> B::Real) -> (f64, Vec<f64>) {
    use wgpu_mlp::math::Real;
    let values = |values: &[f32]| values.iter().copied().map(convert).collect::<Vec<_>>();
    let buffer = |role| backend.plan().buffer(role).unwrap();
    let (features, targets, all) = (buffer(Role::Features), buffer(Role::Targets), buffer(Role::Parameters));
    let gradients = buffer(Role::Gradients);
    backend.write(features, &values(data.features())).unwrap();
    backend.write(targets, &values(data.targets())).unwrap();
    backend.write(all, at).unwrap();
    backend.submit(&[(0, Step { mask_key: mask_key(5, 6), ..Step::default() })]).unwrap();
    let loss: f64 = wait(backend.collect()).unwrap().iter().step_by(2).map(|sum| sum.to_f64()).sum();
    let gradient = wait(backend.read(gradients)).unwrap().iter().map(|value| value.to_f64()).collect();
    (loss / data.targets().len() as f64, gradient)
}

/// Gradients of a network with dropout: the f64 oracle's are the slope of its loss with the same masks, the devices'
/// are the oracle's. Layers with and without an activation, with and without dropout.
#[test]
fn gradients_behind_dropout_agree() {
    let layers = [
        (4, 9, Activation::Sigmoid),
        (9, 8, Activation::Identity),
        (8, 7, Activation::Silu),
        (7, 2, Activation::Identity),
    ];
    let layers = layers.map(|(inputs, outputs, activation)| Layer { inputs, outputs, activation });
    let spec = MlpSpec::from_layers(layers.to_vec(), Loss::MeanSquaredError).unwrap();
    let data = random_data(&spec, 21, 8).unwrap();
    let start = Init::Xavier.draw(&spec, 2).unwrap();
    let recipe = Recipe { dropout: vec![0.5, 0.3, 0.0], ..Recipe::new(Rule::Sgd) };
    let plan = || plan::layered(&spec, &recipe, TrainShape::full(data.rows())).unwrap();
    let cpu = CpuDevice::new(0).unwrap();
    let exact = |at: &[f64]| masked(CpuBackend::<f64>::load(&cpu, plan()).unwrap(), &data, at, f64::from);
    let at: Vec<f64> = start.iter().map(|&value| value.into()).collect();
    let (_, expected) = exact(&at);
    let norm = |values: &[f64]| values.iter().map(|value| value * value).sum::<f64>().sqrt();
    let slope = |place: usize| {
        let shifted = |shift: f64| {
            let mut at = at.clone();
            at[place] += shift;
            exact(&at).0
        };
        (8.0 * (shifted(1e-3) - shifted(-1e-3)) - (shifted(2e-3) - shifted(-2e-3))) / 12e-3
    };
    let slopes: Vec<f64> = (0..at.len()).map(slope).collect();
    let off: Vec<f64> = slopes.iter().zip(&expected).map(|(slope, expected)| slope - expected).collect();
    assert!(norm(&off) <= 1e-9 * norm(&expected), "{:e} of {:e}", norm(&off), norm(&expected));
    let plain = plan::layered(&spec, &Recipe::new(Rule::Sgd), TrainShape::full(data.rows())).unwrap();
    let (_, undropped) = masked(CpuBackend::<f64>::load(&cpu, plain).unwrap(), &data, &at, f64::from);
    assert!(undropped.iter().zip(&expected).any(|(a, b)| (a - b).abs() > 0.1 * norm(&expected)), "nothing is dropped");
    for device in everywhere() {
        for &kind in PlanKind::ALL {
            let shape = TrainShape::full(data.rows());
            let plan = plan::choose(Some(kind), &spec, &recipe, shape, device.target()).unwrap();
            let (_, found) = masked(wait(device.load(plan)).unwrap(), &data, &start, |value| value);
            let off: Vec<f64> = found.iter().zip(&expected).map(|(found, expected)| found - expected).collect();
            assert!(norm(&off) <= DEVICE_LIMIT * norm(&expected), "{}, {kind}: {:e}", device.name(), norm(&off));
        }
    }
}

/// What an epoch says of the validation set is what a predictor says of the parameters at its end.
#[test]
fn validation_is_that_of_a_predictor() {
    let (spec, _, validation) = problem();
    for device in everywhere() {
        let mut trainer = trainer(&device, &config(3, Rule::Adam).dropout(&[0.4]));
        let epoch = *epochs(&mut trainer).last().unwrap();
        let parameters = trainer.parameters().unwrap();
        let predictor = Predictor::new(&device, &spec, &parameters, validation.rows()).unwrap();
        let outputs = predictor.outputs(validation.features()).unwrap();
        let expected = Metrics::new(&spec, &outputs, &validation, None).unwrap();
        let found = epoch.validation.unwrap();
        assert!((found.loss - expected.loss).abs() < 1e-6 * expected.loss, "{found:?} {expected:?}");
        assert_eq!(found.accuracy, expected.accuracy(), "{}", device.name());
        assert!(found.accuracy.unwrap() > 0.6, "{found:?}");
    }
}

/// Training ends when nothing has improved for as long as was said, with the best parameters of all.
#[test]
fn early_stopping_keeps_the_best() {
    let (spec, _, validation) = problem();
    for device in everywhere() {
        let cases = [(Monitor::Loss, Rule::Adam), (Monitor::Accuracy, Rule::Sgd), (Monitor::RocAuc, Rule::Sgd)];
        for (monitor, rule) in cases {
            let stopping = EarlyStopping { monitor, ..EarlyStopping::new(3) };
            // A rate at which it goes up and down.
            let mut config = config(200, rule).early_stopping(stopping);
            config.optimizer.learning_rate = if rule == Rule::Adam { 0.3 } else { 3.0 };
            let mut trainer = trainer(&device, &config);
            let mut all = Vec::new();
            let outcome = trainer
                .fit_with(|event| {
                    all.extend(if let Event::Epoch(epoch) = event { epoch.validation } else { None });
                    GO_ON
                })
                .unwrap();
            let value = |at: usize| match monitor {
                Monitor::Loss => -all[at].loss,
                Monitor::Accuracy => all[at].accuracy.unwrap(),
                Monitor::RocAuc => all[at].roc_auc.unwrap(),
            };
            // The first of the best.
            let best = (0..all.len()).rev().max_by(|&a, &b| value(a).total_cmp(&value(b))).unwrap();
            assert_eq!((outcome.epochs, outcome.best_epoch), (best as u64 + 4, Some(best as u64 + 1)), "{all:?}");
            assert!(outcome.epochs < 200 && !outcome.stopped && outcome.last_epoch.is_some());
            let parameters = trainer.parameters().unwrap();
            let predictor = Predictor::new(&device, &spec, &parameters, validation.rows()).unwrap();
            let outputs = predictor.outputs(validation.features()).unwrap();
            let found = Metrics::new(&spec, &outputs, &validation, None).unwrap();
            assert!((found.loss - all[best].loss).abs() < 1e-6, "{}: {found:?} {:?}", device.name(), all[best]);
            let area = found.classification().unwrap().roc_auc;
            assert_eq!(all[best].roc_auc, area.filter(|_| monitor == Monitor::RocAuc), "{}", device.name());
        }
    }
}

/// Replicas are ranked by their own folds, and only those that ask for it; the number is that of the metrics.
#[test]
fn replicas_are_ranked_by_their_folds() {
    let (spec, data, _) = problem();
    let with = |monitor| config(3, Rule::Adam).early_stopping(EarlyStopping { monitor, ..EarlyStopping::keep_best() });
    let replicas = [(Monitor::RocAuc, 0..40), (Monitor::Loss, 0..40), (Monitor::RocAuc, 40..70)]
        .map(|(monitor, fold)| Replica::new(with(monitor)).fold(fold));
    for device in everywhere() {
        let mut trainer = Trainer::with_replicas(&device, &spec, &replicas, &data, None).unwrap();
        let mut last = [None; 3];
        trainer
            .fit_with(|event| {
                if let Event::Epoch(epoch) = event {
                    last[epoch.replica] = epoch.validation;
                }
                GO_ON
            })
            .unwrap();
        let (outcomes, all) = (trainer.outcomes(), trainer.best_parameters().unwrap().unwrap());
        for (at, replica) in replicas.iter().enumerate() {
            let is_ranked = at != 1;
            assert_eq!(last[at].unwrap().roc_auc.is_some(), is_ranked);
            if !is_ranked {
                continue;
            }
            let rows = data.select(&replica.fold.clone().unwrap().collect::<Vec<_>>());
            let own = &all[at * all.len() / 3..][..all.len() / 3];
            let outputs = Predictor::new(&device, &spec, own, rows.rows()).unwrap().outputs(rows.features()).unwrap();
            let area = Metrics::new(&spec, &outputs, &rows, None).unwrap().classification().unwrap().roc_auc;
            assert_eq!(outcomes[at].best_score, area, "{}, replica {at}", device.name());
        }
    }
    // Without rows that are held out there is nothing to rank, and numbers have no classes.
    let (what, device) = (with(Monitor::RocAuc), &everywhere()[0]);
    let told = Trainer::new(device, &spec, &what, &data).unwrap_err().to_string();
    assert!(told.contains("roc_auc without such rows") && told.contains("held out"), "{told}");
    let numbers = MlpSpec::new(&[2, 1], Activation::Relu, Loss::MeanSquaredError).unwrap();
    assert!(what.check(&numbers).unwrap_err().to_string().contains("monitor is roc_auc: expected loss"));
}

/// Without a patience all epochs are run, and of those with the best accuracy, of which there are several, the one with the lowest loss is
/// kept.
#[test]
fn the_lowest_loss_of_the_best_epochs_is_kept() {
    let (spec, data, validation) = problem();
    let validation = validation.select(&(0..24).collect::<Vec<_>>());
    for device in everywhere() {
        let rule = EarlyStopping { monitor: Monitor::Accuracy, ..EarlyStopping::keep_best() };
        let mut config = config(40, Rule::Adam).early_stopping(rule);
        config.optimizer.learning_rate = 0.5;
        let mut trainer = Trainer::with_validation(&device, &spec, &config, &data, Some(&validation)).unwrap();
        let mut all = Vec::new();
        let outcome = trainer
            .fit_with(|event| {
                all.extend(if let Event::Epoch(epoch) = event { epoch.validation } else { None });
                GO_ON
            })
            .unwrap();
        let value = |at: usize| all[at].accuracy.unwrap();
        let loss = |at: usize| all[at].loss;
        let best =
            (0..all.len()).max_by(|&a, &b| value(a).total_cmp(&value(b)).then(loss(b).total_cmp(&loss(a)))).unwrap();
        let ties = (0..all.len()).filter(|&at| value(at) == value(best));
        assert!(ties.clone().any(|at| at < best) && ties.clone().any(|at| at > best), "{all:?}");
        assert_eq!((outcome.epochs, outcome.best_epoch), (40, Some(best as u64 + 1)), "{all:?}");
        let parameters = trainer.parameters().unwrap();
        let predictor = Predictor::new(&device, &spec, &parameters, validation.rows()).unwrap();
        let outputs = predictor.outputs(validation.features()).unwrap();
        let found = Metrics::new(&spec, &outputs, &validation, None).unwrap();
        assert!((found.loss - all[best].loss).abs() < 1e-6, "{}: {found:?} {:?}", device.name(), all[best]);
    }
}

/// A run that is broken off has its current parameters, so that it can go on, and can still give the best ones.
#[test]
fn a_broken_run_can_give_the_best() {
    let (spec, _, validation) = problem();
    for device in everywhere() {
        let mut config = config(200, Rule::Adam).early_stopping(EarlyStopping::new(100));
        config.optimizer.learning_rate = 0.3;
        let mut trainer = trainer(&device, &config);
        assert_eq!(trainer.best_parameters().unwrap(), None, "nothing has been judged");
        let mut losses: Vec<f64> = Vec::new();
        let outcome = trainer
            .fit_with(|event| {
                losses.extend(if let Event::Epoch(epoch) = event {
                    epoch.validation.map(|score| score.loss)
                } else {
                    None
                });
                // Until one is worse than the best.
                let worse = losses.last().is_some_and(|last| losses.iter().any(|loss| loss < last));
                if worse { ControlFlow::Break(()) } else { GO_ON }
            })
            .unwrap();
        assert!(outcome.stopped, "{losses:?}");
        let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
        let loss_of = |parameters: &[f32]| {
            let predictor = Predictor::new(&device, &spec, parameters, validation.rows()).unwrap();
            let outputs = predictor.outputs(validation.features()).unwrap();
            Metrics::new(&spec, &outputs, &validation, None).unwrap().loss
        };
        let found = loss_of(&trainer.best_parameters().unwrap().unwrap());
        assert!((found - best).abs() < 1e-6, "{}: {found}, {losses:?}", device.name());
        let current = loss_of(&trainer.parameters().unwrap());
        assert!((current - losses.last().unwrap()).abs() < 1e-6, "{}: {current}, {losses:?}", device.name());
    }
}

/// After a divergence the optimiser has neither means nor a count of steps: Adam's first update moves a parameter by the
/// whole rate, as in a fresh run, and a state of it can be taken up.
#[test]
fn the_optimiser_starts_anew_after_a_divergence() {
    let rate = 1e-3;
    for device in everywhere() {
        let mut config = config(u64::MAX, Rule::Adam);
        config.optimizer.learning_rate = rate;
        let mut trainer = trainer(&device, &config);
        for _ in 0..23 {
            trainer.step().unwrap();
        }
        trainer.set_learning_rate(1e38).unwrap();
        let error = (0..9).find_map(|_| trainer.step().err()).unwrap();
        assert!(matches!(error, Error::Diverged { .. }), "{error}");
        trainer.set_learning_rate(rate).unwrap();
        trainer.set_parameters(&Init::Xavier.draw(&problem().0, 4).unwrap()).unwrap();
        let state = trainer.state().unwrap();
        assert!(state.optimizer.iter().all(|&value| value == 0.0));
        let mut again = self::trainer(&device, &config);
        again.restore(&state).unwrap();
        for trainer in [&mut trainer, &mut again] {
            let before = trainer.parameters().unwrap();
            trainer.step().unwrap();
            let after = trainer.parameters().unwrap();
            let largest = before.iter().zip(&after).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!((f64::from(largest) / rate - 1.0).abs() < 1e-3, "{}: {largest}", device.name());
        }
        assert_eq!(parameters(&mut trainer), parameters(&mut again), "{}", device.name());
    }
}

/// A schedule is the same as a learning rate that is set by hand for every step.
#[test]
fn schedules_set_the_rate() {
    let (spec, data, _) = problem();
    for device in everywhere() {
        let schedule: Schedule = "step:every=1,factor=0.5".parse().unwrap();
        let scheduled = {
            let mut trainer = trainer(&device, &config(3, Rule::Sgd).schedule(schedule));
            let rates: Vec<_> = epochs(&mut trainer).iter().map(|epoch| epoch.learning_rate).collect();
            assert_eq!(rates, [0.02, 0.01, 0.005]);
            parameters(&mut trainer)
        };
        let mut by_hand = Trainer::new(&device, &spec, &config(3, Rule::Sgd), &data).unwrap();
        by_hand.set_parameters(&Init::Xavier.draw(&spec, 4).unwrap()).unwrap();
        for step in 0..3 * by_hand.steps_per_epoch() {
            by_hand.set_learning_rate(0.02 / f64::from(1 << (step / by_hand.steps_per_epoch()))).unwrap();
            let progress = by_hand.step().unwrap();
            assert_eq!((progress.step, progress.steps), (step + 1, 15));
        }
        // Powers of 2: no rounding between a rate and its factor.
        assert_eq!(scheduled, parameters(&mut by_hand), "{}", device.name());
    }
}

#[test]
fn plateau_reduces_the_rate() {
    let device = Device::Cpu(CpuDevice::new(1).unwrap());
    let schedule: Schedule = "plateau:patience=0,factor=0.25,min_delta=10".parse().unwrap();
    let rates: Vec<_> = epochs(&mut trainer(&device, &config(4, Rule::Sgd).schedule(schedule)))
        .iter()
        .map(|epoch| epoch.learning_rate)
        .collect();
    assert_eq!(rates, [0.02, 0.02, 0.005, 0.00125], "the first epoch is the best, nothing is better by 10");
}

/// A run that is broken off anywhere, put into a state and taken up by another trainer ends with the bytes of the
/// run that was never broken off: for every rule, with everything on that has a state, by every plan.
#[test]
fn a_resumed_run_ends_with_the_same_bytes() {
    for device in everywhere() {
        for (index, &rule) in Rule::ALL.iter().enumerate() {
            let schedule = ["cosine:warmup=2", "plateau:patience=0,factor=0.5", "one-cycle"][index % 3];
            let mut config = config(6, rule)
                .dropout(&[0.2, 0.1])
                .schedule(schedule.parse().unwrap())
                .early_stopping(EarlyStopping::new(3));
            config.optimizer.clip = Clip::Norm(0.5);
            config.plan = Some(match rule {
                Rule::Adam => PlanKind::Resident,
                Rule::Nesterov => PlanKind::Fused,
                _ => PlanKind::Layered,
            });
            let mut whole = trainer(&device, &config);
            let expected_epochs = epochs(&mut whole);
            let expected = parameters(&mut whole);

            let mut found_epochs = Vec::new();
            let mut current = trainer(&device, &config);
            let mut fresh = true;
            let mut breaks = 0;
            loop {
                let mut events = 0;
                let on_event = |event| {
                    found_epochs.extend(if let Event::Epoch(epoch) = event { Some(epoch) } else { None });
                    events += 1;
                    if events > breaks % 4 { ControlFlow::Break(()) } else { GO_ON }
                };
                let outcome = if fresh { current.fit_with(on_event) } else { current.resume_with(on_event) }.unwrap();
                if !outcome.stopped {
                    break;
                }
                fresh = false;
                breaks += 1;
                let state = current.state().unwrap();
                // Through text and back, as a file has it.
                let text = serde_json::to_string(&state.progress).unwrap();
                let state = TrainState { progress: serde_json::from_str(&text).unwrap(), ..state };
                current = trainer(&device, &config);
                current.restore(&state).unwrap();
            }
            assert!(breaks > 3, "{rule}: {breaks} breaks");
            assert_eq!(found_epochs, expected_epochs, "{rule} on {}", device.name());
            assert!(expected == parameters(&mut current), "{rule} on {}: other bytes", device.name());
        }
    }
}

/// Steps one at a time come to what a run comes to, and their gradients can be read.
#[test]
fn steps_are_those_of_a_run() {
    for device in everywhere() {
        let config = config(2, Rule::Momentum).dropout(&[0.5]);
        let mut whole = trainer(&device, &config);
        epochs(&mut whole);
        let mut single = trainer(&device, &config);
        let mut last = f64::INFINITY;
        for _ in 0..2 * single.steps_per_epoch() {
            last = single.step().unwrap().loss;
        }
        assert!(last.is_finite());
        assert_eq!(parameters(&mut whole), parameters(&mut single), "{}", device.name());
        let gradients = single.gradients().unwrap();
        assert_eq!(gradients, whole.gradients().unwrap());
        assert!(gradients.iter().any(|&value| value != 0.0));
        // A run is over: the next step begins another one.
        assert_eq!(single.step().unwrap().step, 1);
    }
}

/// Other data takes up the parameters, what the optimiser keeps and its count of steps.
#[test]
fn training_goes_on_with_further_data() {
    let (spec, _, further) = problem();
    for device in everywhere() {
        let config = config(2, Rule::Adam);
        let mut first = trainer(&device, &config);
        epochs(&mut first);
        let steps = first.steps();
        first.load(&further).unwrap();
        let mut next = first;
        assert_eq!(next.steps(), steps);
        let before = next.parameters().unwrap();
        next.step().unwrap();
        assert_eq!(next.steps(), steps + 1);
        // Adam's first step moves every parameter by the whole rate; with a past it does not.
        let after = next.parameters().unwrap();
        let largest = before.iter().zip(&after).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        let smallest = before.iter().zip(&after).map(|(a, b)| (a - b).abs()).fold(f32::MAX, f32::min);
        assert!(largest < 0.04 && smallest < 0.01, "{}: {smallest} to {largest}", device.name());
        let score = epochs(&mut next).last().unwrap().validation.unwrap();
        assert!(score.accuracy.unwrap() > 0.8, "{score:?}");
        assert_eq!(spec.inputs(), 3);
    }
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let (spec, data, _) = problem();
    let device = Device::Cpu(CpuDevice::new(1).unwrap());
    let problem = |config: TrainConfig| Trainer::new(&device, &spec, &config, &data).unwrap_err().to_string();
    let base = || config(2, Rule::Sgd);
    for (config, expected) in [
        (base().dropout(&[0.1, 0.1, 0.1]), "dropout is a list of 3: expected one for all hidden layers or 2"),
        (base().dropout(&[1.0]), "dropout is 1: expected a number in [0, 1)"),
        (base().dropout(&[f64::NAN]), "dropout is NaN"),
        (base().early_stopping(EarlyStopping::new(0)), "patience is 0"),
        (config(0, Rule::Sgd), "epochs is 0: expected at least 1"),
    ] {
        let found = problem(config);
        assert!(found.starts_with(expected), "{found}");
    }
    let regression = MlpSpec::new(&[3, 1], Activation::Relu, Loss::MeanSquaredError).unwrap();
    let stopping = EarlyStopping { monitor: Monitor::Accuracy, ..EarlyStopping::new(1) };
    let error = Trainer::new(&device, &regression, &base().early_stopping(stopping), &data).unwrap_err();
    assert!(error.to_string().starts_with("monitor is accuracy: expected loss"), "{error}");
}

#[test]
fn a_foreign_state_is_refused() {
    let device = Device::Cpu(CpuDevice::new(1).unwrap());
    let mut from = trainer(&device, &config(2, Rule::Adam));
    epochs(&mut from);
    let state = from.state().unwrap();
    let refused = |trainer: &mut Trainer, state: &TrainState| match trainer.restore(state) {
        Err(Error::Setting { found, .. }) => found,
        other => panic!("{other:?}"),
    };
    let found = refused(&mut trainer(&device, &config(2, Rule::Sgd)), &state);
    assert!(found.starts_with("of a run with"), "{found}");
    let (spec, data, _) = problem();
    let mut other = Trainer::new(&device, &spec, &config(2, Rule::Adam), &data).unwrap();
    assert_eq!(refused(&mut other, &state), "of a run on other data");
    // A place that no run comes to, as a file may have it.
    for (key, value) in [("step", "0"), ("step", "18446744073709551615"), ("age", "18446744073709551615")] {
        let text = serde_json::to_string(&state.progress).unwrap();
        let (front, rest) = text.split_once(&format!("\"{key}\":")).unwrap();
        let text = format!("{front}\"{key}\":{value}{}", rest.trim_start_matches(|c: char| c.is_ascii_digit()));
        let state = TrainState { progress: serde_json::from_str(&text).unwrap(), ..state.clone() };
        let found = refused(&mut trainer(&device, &config(2, Rule::Adam)), &state);
        assert!(found.starts_with("at step "), "{key} {value}: {found}");
    }
    let short = TrainState { optimizer: state.optimizer[1..].to_vec(), ..state.clone() };
    assert!(matches!(trainer(&device, &config(2, Rule::Adam)).restore(&short), Err(Error::Shape { .. })));

    // More epochs lengthen a finished run.
    let mut longer = trainer(&device, &config(3, Rule::Adam));
    longer.restore(&state).unwrap();
    let outcome = longer.resume_with(|_| GO_ON).unwrap();
    assert_eq!(outcome.epochs, 1);
    let mut whole = trainer(&device, &config(3, Rule::Adam));
    epochs(&mut whole);
    assert_eq!(parameters(&mut whole), parameters(&mut longer));
}
