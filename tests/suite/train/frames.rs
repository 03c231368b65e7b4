//! Training that a program's frames drive, and what a trainer starts from.

use wgpu_mlp::gradcheck::random_data;
use wgpu_mlp::params::Layout;
use wgpu_mlp::train::EarlyStopping;
use wgpu_mlp::{Activation, Batch, Init, Loss, MlpSpec, Optimizer, Rule, TrainConfig, Trainer};

use crate::train::gradients::{bits, everywhere};

fn spec() -> MlpSpec {
    MlpSpec::new(&[3, 16, 2], Activation::Tanh, Loss::MeanSquaredError).unwrap()
}

fn config() -> TrainConfig {
    TrainConfig::new(5, Batch::Rows(8), Optimizer::new(Rule::Adam, 1e-2)).seed(3)
}

/// Nobody has to set parameters: they are those that the configuration draws.
#[test]
fn parameters_start_as_the_configuration_says() {
    let data = random_data(&spec(), 20, 1).unwrap();
    for device in everywhere() {
        for init in [Init::He, Init::Xavier, Init::Article] {
            let mut trainer = Trainer::new(&device, &spec(), &config().init(init), &data).unwrap();
            assert_eq!(bits(&trainer.parameters().unwrap()), bits(&init.draw(&spec(), 3).unwrap()), "{init}");
        }
        let mut trainer = Trainer::new(&device, &spec(), &config(), &data).unwrap();
        assert_eq!(trainer.config().init, Init::He);
        let zeros = vec![0.0; Layout::new(&spec()).len()];
        trainer.set_parameters(&zeros).unwrap();
        assert_eq!(trainer.parameters().unwrap(), zeros);
    }
    let seed = u64::from(u32::MAX) + 1;
    let refused = Trainer::new(&everywhere()[0], &spec(), &config().init(Init::Article).seed(seed), &data);
    assert!(refused.unwrap_err().to_string().contains("4294967296"));
}

/// Many steps in one call come to what as many calls of one step come to, over the end of a run, too.
#[test]
fn many_steps_are_as_many_single_ones() {
    let data = random_data(&spec(), 30, 1).unwrap();
    for device in everywhere() {
        let new = || Trainer::new(&device, &spec(), &config(), &data).unwrap();
        let (mut single, mut many) = (new(), new());
        // A run has 5 epochs of 4 steps.
        for steps in [1, 3, 25] {
            let last = (0..steps).map(|_| single.step().unwrap()).last();
            let found = many.run_steps(steps).unwrap();
            assert_eq!(Some((found.step, found.loss)), last.map(|last| (last.step, last.loss)));
        }
        assert_eq!((many.steps(), single.steps()), (29, 29));
        assert_eq!(bits(&many.parameters().unwrap()), bits(&single.parameters().unwrap()));
    }
}

/// Steps that frames submit and collect come to what a run comes to that is done in one call.
#[test]
fn frames_come_to_what_a_run_comes_to() {
    let (data, validation) = (random_data(&spec(), 30, 1).unwrap(), random_data(&spec(), 12, 2).unwrap());
    let stopping = config().early_stopping(EarlyStopping::new(2));
    for device in everywhere() {
        for (config, validation) in
            [(config(), None), (config(), Some(&validation)), (stopping.clone(), Some(&validation))]
        {
            let new = || Trainer::with_validation(&device, &spec(), &config, &data, validation).unwrap();
            let mut whole = new();
            let outcome = whole.fit().unwrap();
            let expected = bits(&whole.parameters().unwrap());
            for steps in [1, 3, 1000] {
                let mut trainer = new();
                let (mut queued, mut seen) = (0, 0);
                while !trainer.is_finished() {
                    let now = trainer.submit(steps).unwrap();
                    assert!(now <= steps);
                    queued += now;
                    while let Some(progress) = trainer.try_collect().unwrap() {
                        assert!(progress.loss.is_finite() && progress.step > seen);
                        seen = progress.step;
                    }
                }
                let found = bits(&trainer.parameters().unwrap());
                assert_eq!((queued as u64, seen), (outcome.steps, outcome.steps), "{} by {steps}", device.name());
                assert_eq!(found, expected, "{} by {steps}", device.name());
            }
        }
    }
}

/// Two submissions are on their way at most, and none is begun for nothing.
#[test]
fn frames_never_queue_without_end() {
    let data = random_data(&spec(), 16, 1).unwrap();
    for device in everywhere() {
        let mut trainer = Trainer::new(&device, &spec(), &config(), &data).unwrap();
        assert_eq!(trainer.try_collect().unwrap(), None);
        assert_eq!(trainer.submit(0).unwrap(), 0);
        let queued = [1, 1, 1].map(|steps| trainer.submit(steps).unwrap());
        assert_eq!(queued, [1, 1, 0], "{}", device.name());
        // A call that waits takes in what is on its way.
        trainer.step().unwrap();
        assert_eq!(trainer.steps(), 3);
        assert_eq!(trainer.try_collect().unwrap(), None);
    }
}
