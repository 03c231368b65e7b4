//! Checkpoints whose checksum is right and whose state no trainer can be in: each is refused by what contradicts itself.

use std::fs;
use std::ops::ControlFlow;

use serde_json::{Value, json};
use tempfile::TempDir;
use wgpu_mlp::backend::{CpuDevice, Device};
use wgpu_mlp::gradcheck::random_data;
use wgpu_mlp::math::{Activation, Loss, Optimizer, Rule};
use wgpu_mlp::params::Init;
use wgpu_mlp::spec::MlpSpec;
use wgpu_mlp::train::{Batch, EarlyStopping, Event, TrainConfig, TrainState, Trainer};
use wgpu_mlp::{Checkpoint, Error};

use crate::cli::Place;

const EPOCHS: u64 = 3;
/// Rows of the validation set: two whole steps on them, and some.
const JUDGED: usize = 2 * VALIDATION + 7;
const VALIDATION: usize = 1024;
/// Steps of an epoch.
const STEPS: u64 = 3;

fn spec() -> MlpSpec {
    MlpSpec::new(&[2, 3, 1], Activation::Tanh, Loss::BinaryCrossEntropy).unwrap()
}

/// A trainer that is judged on rows, by rules or not.
fn trainer(controlled: bool) -> Trainer {
    let (data, validation) = (random_data(&spec(), 12, 1).unwrap(), random_data(&spec(), JUDGED, 2).unwrap());
    let mut config = TrainConfig::new(EPOCHS, Batch::Rows(5), Optimizer::new(Rule::Adam, 0.01));
    if controlled {
        config = config.schedule("plateau".parse().unwrap()).early_stopping(EarlyStopping::new(2));
    }
    let device = Device::Cpu(CpuDevice::new(1).unwrap());
    let validation = controlled.then_some(&validation);
    Trainer::with_validation(&device, &spec(), &config, &data, validation).unwrap()
}

/// A state after so many steps.
fn state(controlled: bool, steps: u64) -> TrainState {
    let mut trainer = trainer(controlled);
    trainer.set_parameters(&Init::He.draw(&spec(), 0).unwrap()).unwrap();
    for _ in 0..steps {
        trainer.step().unwrap();
    }
    trainer.state().unwrap()
}

/// The state with a value in another's place, through a file with a right checksum.
fn changed(state: &TrainState, changes: &[(&str, Value)]) -> TrainState {
    let mut progress = serde_json::to_value(&state.progress).unwrap();
    for (key, value) in changes {
        *progress.pointer_mut(key).unwrap_or_else(|| panic!("no {key} in {state:?}")) = value.clone();
    }
    let state = TrainState { progress: serde_json::from_value(progress).unwrap(), ..state.clone() };
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("made.safetensors");
    Checkpoint::new(spec(), state).unwrap().save(&path).unwrap();
    Checkpoint::load(&path).unwrap().state
}

/// Why a trainer does not take a state; it goes on as it was.
fn refused(controlled: bool, state: &TrainState) -> String {
    let mut trainer = trainer(controlled);
    let error = match trainer.restore(state) {
        Err(error @ Error::Setting { what: "the state to resume from", .. }) => error.to_string(),
        other => panic!("{other:?} of {state:?}"),
    };
    assert_eq!(trainer.steps(), 0);
    error
}

#[test]
fn a_state_that_no_trainer_gave_is_refused() {
    const MOST: u64 = u64::MAX;
    let controlled: &[(&str, Value, &str)] = &[
        ("/step", json!(5), "validated after its step"),
        ("/step", json!(10), "has not been validated"),
        ("/step", json!(MOST), "invalid"),
        ("/age", json!(MOST), "count of steps"),
        ("/age", json!(MOST / 2), "count of steps"),
        ("/optimizer_start", json!(8), "count of steps"),
        ("/run/first", json!(8), "first step"),
        ("/run/first", json!(MOST), "first step"),
        ("/run/end", json!(8), "within an epoch"),
        ("/run/end", json!(12), "after its last epoch"),
        ("/run/end", json!(1_u64 << 60), "after its last epoch"),
        ("/run/end", json!(MOST), "after its last epoch"),
        ("/run/finished", json!(true), "finished"),
        ("/run/judged", json!(0), "has not been validated"),
        ("/run/judged", json!(5), "validated last"),
        ("/run/judged", json!(9), "validated after its step"),
        ("/run/judged", json!(MOST), "validated after its step"),
        // The rest of an epoch is not judged before it is over, nor by a part of a step.
        ("/run/judged_rows", json!(1), "validation rows"),
        ("/run/judged_rows", json!(VALIDATION), "validation rows"),
        ("/run/judged_rows", json!(JUDGED), "validation rows"),
        ("/run/judged_rows", json!(MOST), "validation rows"),
        ("/run/training/hits", json!(-1.0), "training rows"),
        ("/run/training/terms", json!(-1.0), "training rows"),
        ("/run/training/terms", json!(0.0), "training rows"),
        ("/run/validation/terms", json!(5.0), "sums over validation rows"),
        ("/run/validation/loss", json!(1e308), "sums over validation rows"),
        ("/run/plateau/factor", json!(-1.0), "plateau"),
        ("/run/plateau/factor", json!(2.0), "plateau"),
        ("/run/plateau/bad_epochs", json!(11), "plateau"),
        ("/run/plateau/bad_epochs", json!(MOST), "plateau"),
        ("/run/stopping/bad_epochs", json!(3), "early stopping"),
        ("/run/stopping/bad_epochs", json!(MOST), "early stopping"),
        ("/run/stopping/best_epoch", json!(3), "early stopping"),
        ("/run/stopping/best_epoch", json!(MOST), "early stopping"),
        ("/run/stopping/best", json!(null), "early stopping"),
        ("/run/last/epoch", json!(7), "last epoch"),
        ("/run/last/step", json!(7), "last epoch"),
    ];
    let plain: &[(&str, Value, &str)] = &[
        ("/run/judged", json!(3), "has not been validated"),
        ("/run/judged_rows", json!(1), "validation rows"),
        ("/run/plateau/factor", json!(0.5), "plateau"),
        ("/run/plateau/bad_epochs", json!(1), "plateau"),
        ("/run/stopping/bad_epochs", json!(1), "early stopping"),
        ("/run/stopping/best", json!(0.5), "early stopping"),
    ];
    for (is_controlled, cases) in [(true, controlled), (false, plain)] {
        let state = state(is_controlled, 2 * STEPS + 1);
        assert_eq!(changed(&state, &[]), state);
        trainer(is_controlled).restore(&state).unwrap();
        for (key, value, told) in cases {
            let error = refused(is_controlled, &changed(&state, &[(key, value.clone())]));
            assert!(error.contains(told), "{key} {value}: {error}");
            assert!(
                error.contains("expected a state that a trainer has given") && error.lines().count() == 1,
                "{error}"
            );
        }
    }
}

#[test]
fn the_best_parameters_are_there_where_they_are_gone_back_to() {
    let state = state(true, STEPS);
    let error = refused(true, &TrainState { best: None, ..state.clone() });
    assert!(error.contains("without the best parameters"), "{error}");
    let other = self::state(false, STEPS);
    let error = refused(false, &TrainState { best: state.best, ..other });
    assert!(error.contains("with best parameters"), "{error}");
}

/// Validation that was broken off goes on from the step where it was, and from no other row.
#[test]
fn a_state_within_validation_is_one() {
    let mut first = trainer(true);
    let broken = |event| match event {
        Event::Steps(progress) if progress.step == STEPS => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let outcome = first.fit_with(broken).unwrap();
    assert!(outcome.stopped && first.steps() == STEPS, "{outcome:?}");
    let state = first.state().unwrap();
    let waiting = changed(&state, &[]);
    let progress = serde_json::to_value(&state.progress).unwrap();
    assert_eq!(progress["run"]["judged_rows"], VALIDATION, "{progress}");
    let mut again = trainer(true);
    again.restore(&waiting).unwrap();
    let outcome = again.resume().unwrap();
    assert_eq!(outcome.epochs, EPOCHS);
    for rows in [1, VALIDATION - 1, VALIDATION + 1, JUDGED - 1, JUDGED, 3 * VALIDATION] {
        let changes = [("/run/judged_rows", json!(rows)), ("/run/validation/terms", json!(rows as f64))];
        let error = refused(true, &changed(&state, &changes));
        assert!(error.contains("validation rows"), "{rows}: {error}");
    }
    let error = refused(true, &changed(&state, &[("/run/training", json!({"loss": 0.0, "hits": 0.0, "terms": 0.0}))]));
    assert!(error.contains("training rows"), "{error}");
}

#[test]
fn the_command_refuses_it() {
    let place = Place::new();
    let words = "train classes.csv --target answer --device cpu --epochs 4 --validation-fraction 0.3 --checkpoint-every 2 --out run";
    place.json(words);
    let path = place.path().join("run/checkpoints/epoch-000002.safetensors");
    let checkpoint = Checkpoint::load(&path).unwrap();
    for (key, value) in [("/run/judged_rows", json!(1)), ("/run/end", json!(u64::MAX)), ("/step", json!(1_u64 << 40))] {
        let mut progress = serde_json::to_value(&checkpoint.state.progress).unwrap();
        *progress.pointer_mut(key).unwrap() = value;
        let state = TrainState { progress: serde_json::from_value(progress).unwrap(), ..checkpoint.state.clone() };
        let made = place.path().join("made.safetensors");
        let mut other = checkpoint.clone();
        other.state = state;
        other.save(&made).unwrap();
        place.refuses("train --resume made.safetensors", 2, &["an impossible run", "a state that a trainer has given"]);
        fs::remove_file(&made).unwrap();
    }
}
