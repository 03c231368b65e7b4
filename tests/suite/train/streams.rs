//! Data that come in parts, into a trainer that is there.

use std::ops::ControlFlow;

use wgpu_mlp::gradcheck::random_data;
use wgpu_mlp::infer::Metrics;
use wgpu_mlp::train::{EarlyStopping, Replica};
use wgpu_mlp::{
    Activation, Batch, Dataset, Error, Loss, MlpSpec, Optimizer, Predictor, Rule, Schedule, TrainConfig, Trainer,
};

use crate::train::gradients::{bits, everywhere};

fn spec() -> MlpSpec {
    MlpSpec::new(&[3, 16, 1], Activation::Tanh, Loss::MeanSquaredError).unwrap()
}

fn config() -> TrainConfig {
    let schedule: Schedule = "cosine".parse().unwrap();
    TrainConfig::new(4, Batch::Rows(8), Optimizer::new(Rule::Adam, 1e-2)).schedule(schedule)
}

/// The same rows again change nothing: the run goes on as if nobody had loaded them, and nothing is allocated.
#[test]
fn the_same_rows_change_nothing() {
    let (data, validation) = (random_data(&spec(), 30, 1).unwrap(), random_data(&spec(), 9, 2).unwrap());
    for device in everywhere() {
        for validation in [None, Some(&validation)] {
            let new = || Trainer::with_validation(&device, &spec(), &config(), &data, validation).unwrap();
            let mut whole = new();
            whole.fit().unwrap();
            let mut parts = new();
            let buffers = parts.counters().buffers_created;
            for _ in 0..4 * parts.steps_per_epoch() {
                parts.step().unwrap();
                parts.load(&data).unwrap();
            }
            assert_eq!(parts.counters().buffers_created, buffers);
            assert_eq!(bits(&parts.parameters().unwrap()), bits(&whole.parameters().unwrap()), "{}", device.name());
            // A state of one is a state of the other: it is of the same data.
            whole.restore(&parts.state().unwrap()).unwrap();
            parts.load(&random_data(&spec(), 30, 5).unwrap()).unwrap();
            let refused = whole.restore(&parts.state().unwrap()).unwrap_err().to_string();
            assert!(refused.contains("other data"), "{refused}");
        }
    }
}

/// Other rows of another number are those that the next steps learn from; what fits no network leaves all as it was.
#[test]
fn a_bad_part_costs_nothing() {
    let (data, longer) = (random_data(&spec(), 30, 1).unwrap(), random_data(&spec(), 41, 2).unwrap());
    let weighted = longer.clone().with_weights(&[2.0; 41]).unwrap();
    for device in everywhere() {
        let mut trainer = Trainer::new(&device, &spec(), &config(), &data).unwrap();
        (0..3).for_each(|_| _ = trainer.step().unwrap());
        let before = trainer.state().unwrap();
        let wide = Dataset::new(vec![0.0; 120], vec![0.0; 30], 4, 1).unwrap();
        assert!(matches!(trainer.load(&wide), Err(Error::Setting { .. } | Error::Shape { .. })));
        assert_eq!(trainer.state().unwrap(), before, "{}", device.name());
        trainer.step().unwrap();

        for data in [&longer, &weighted] {
            let (steps, old) = (trainer.steps(), trainer.parameters().unwrap());
            trainer.load(data).unwrap();
            assert_eq!((trainer.steps(), trainer.steps_per_epoch()), (steps, 6));
            assert_eq!(bits(&trainer.parameters().unwrap()), bits(&old));
            // The loss of a step is that of the parameters before it, on its own rows: here the same for both.
            let mut fresh = Trainer::new(&device, &spec(), &config(), data).unwrap();
            fresh.set_parameters(&old).unwrap();
            assert_eq!(trainer.config(), fresh.config());
            assert!(trainer.step().unwrap().loss.is_finite());
            assert_eq!(trainer.steps(), steps + 1);
        }
    }
}

/// A stream is learned part by part, and its error ends it.
#[test]
fn a_stream_is_trained_on_part_by_part() {
    let part = |seed: u64| random_data(&spec(), 16, seed);
    for device in everywhere() {
        let mut by_hand = Trainer::new(&device, &spec(), &config(), &part(0).unwrap()).unwrap();
        for seed in 0..6 {
            by_hand.load(&part(seed).unwrap()).unwrap();
            (0..2).for_each(|_| _ = by_hand.step().unwrap());
        }
        let mut trainer = Trainer::new(&device, &spec(), &config(), &part(0).unwrap()).unwrap();
        let mut events = 0;
        let count = |_| {
            events += 1;
            ControlFlow::Continue(())
        };
        let outcome = trainer.fit_stream((0..6).map(part), count).unwrap();
        assert_eq!((outcome.steps, outcome.epochs, trainer.steps()), (12, 6, 12));
        assert!(events >= 12);
        assert_eq!(bits(&trainer.parameters().unwrap()), bits(&by_hand.parameters().unwrap()), "{}", device.name());

        let broken = [part(1), Err(Error::CheckFailed("the source is gone".into())), part(2)];
        let error = trainer.fit_stream(broken, |_| ControlFlow::Continue(())).unwrap_err();
        assert!(error.to_string().contains("the source is gone"), "{error}");
        assert_eq!(trainer.steps(), 14);
    }
}

/// Another trainer goes on with other rows where one has stopped, as if that one had loaded them.
#[test]
fn another_trainer_goes_on() {
    let (data, longer) = (random_data(&spec(), 30, 1).unwrap(), random_data(&spec(), 41, 2).unwrap());
    for device in everywhere() {
        let mut first = Trainer::new(&device, &spec(), &config(), &data).unwrap();
        (0..7).for_each(|_| _ = first.step().unwrap());
        let mut second = Trainer::new(&device, &spec(), &config(), &longer).unwrap();
        second.adopt(&first.state().unwrap()).unwrap();
        first.load(&longer).unwrap();
        for trainer in [&mut first, &mut second] {
            (0..3).for_each(|_| _ = trainer.step().unwrap());
        }
        assert_eq!(first.steps(), second.steps());
        assert_eq!(bits(&first.parameters().unwrap()), bits(&second.parameters().unwrap()), "{}", device.name());
    }
    let device = wgpu_mlp::open("cpu").unwrap().device;
    let state = Trainer::new(&device, &spec(), &config(), &data).unwrap().state().unwrap();
    let momentum = TrainConfig::new(4, Batch::Rows(8), Optimizer::new(Rule::Momentum, 1e-2));
    let refused = Trainer::new(&device, &spec(), &momentum, &data).unwrap().adopt(&state).unwrap_err().to_string();
    assert!(refused.contains("is of adam: expected that of one network's momentum"), "{refused}");
}

/// A replica's fold is held out of whatever is loaded: its rows' own loss, without weights, judges the epochs. Rows that it does not fit
/// change nothing.
#[test]
fn a_fold_is_held_out_of_every_part() {
    let config = TrainConfig::new(5, Batch::Rows(32), Optimizer::new(Rule::Adam, 1e-2));
    let replica = Replica::new(config.early_stopping(EarlyStopping::new(3))).fold(0..50);
    let data = |rows: usize, seed: u64| random_data(&spec(), rows, seed).unwrap();
    let weighted = |rows: usize, seed: u64| {
        let weights: Vec<f32> = (0..rows).map(|row| (1 + row % 3) as f32).collect();
        data(rows, seed).with_weights(&weights).unwrap()
    };
    for device in everywhere() {
        let mut trainer =
            Trainer::with_replicas(&device, &spec(), std::slice::from_ref(&replica), &data(200, 1), None).unwrap();
        trainer.fit().unwrap();
        for part in [data(300, 2), data(300, 3), weighted(300, 4), weighted(300, 5), weighted(120, 6), data(90, 7)] {
            trainer.load(&part).unwrap();
            assert_eq!(trainer.steps_per_epoch(), (part.rows() - 50).div_ceil(32) as u64);
            trainer.fit().unwrap();
            let held_out = part.select(&(0..50).collect::<Vec<_>>()).without_weights();
            let predictor = Predictor::new(&device, &spec(), &trainer.parameters().unwrap(), 50).unwrap();
            let outputs = predictor.outputs(held_out.features()).unwrap();
            let expected = Metrics::new(&spec(), &outputs, &held_out, None).unwrap().loss;
            let found = trainer.outcomes()[0].best_score.unwrap();
            let text = format!("{} rows on {}: {found} and {expected}", part.rows(), device.name());
            assert!((found - expected).abs() <= 1e-5 * (1.0 + expected), "{text}");
        }
        let before = trainer.state().unwrap();
        for rows in [40, 50] {
            let refused = trainer.load(&data(rows, 8));
            assert!(matches!(refused, Err(Error::Setting { what: "fold", .. })), "{refused:?}");
        }
        assert_eq!(trainer.state().unwrap(), before);
        trainer.step().unwrap();
    }
}
