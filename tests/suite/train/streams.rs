//! Data that come in parts, into a trainer that is there.

use std::ops::ControlFlow;

use wgpu_mlp::gradcheck::random_data;
use wgpu_mlp::{Activation, Batch, Dataset, Error, Loss, MlpSpec, Optimizer, Rule, Schedule, TrainConfig, Trainer};

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
