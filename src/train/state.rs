//! The state from which a run continues as if it had never been interrupted.

use serde::{Deserialize, Serialize};

use super::run::Course;
use super::run_state::RunProgress;
use super::{TrainConfig, Trainer};
use crate::error::{Error, Result};
use crate::params::Layout;
use crate::plan::Role;
use crate::spec::MlpSpec;

/// The state of a [`Trainer`] between two steps. With the same data, device and build, training continues from it to
/// the bytes of the uninterrupted run.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainState {
    /// All parameters, in the order of [`Layout`].
    pub parameters: Vec<f32>,
    /// The optimiser's state, [parameters, values for a parameter]; one value if it has none.
    pub optimizer: Vec<f32>,
    /// The best parameters so far, where early stopping keeps them.
    pub best: Option<Vec<f32>>,
    /// How far the run has come.
    pub progress: TrainProgress,
}

/// The small part of a [`TrainState`], for a file's metadata.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainProgress {
    spec: MlpSpec,
    config: TrainConfig,
    /// CRC-32 of the data sets.
    data: u32,
    #[serde(rename = "age")]
    steps_before: u64,
    optimizer_start: u64,
    step: u64,
    run: RunProgress,
}

impl TrainProgress {
    /// The settings.
    pub fn config(&self) -> &TrainConfig {
        &self.config
    }
}

impl Trainer {
    /// [`state`](Self::state) for async programs.
    pub async fn state_async(&mut self) -> Result<TrainState> {
        let best = match self.config.early_stopping {
            Some(_) => Some(self.read(Role::Best).await?),
            None => None,
        };
        let progress = TrainProgress {
            spec: self.spec.clone(),
            config: self.config.clone(),
            data: self.fingerprint,
            steps_before: self.steps_before,
            optimizer_start: self.optimizer_start,
            step: self.next_step,
            run: self.run.clone(),
        };
        let (parameters, optimizer) = (self.parameters_async().await?, self.read(Role::OptimizerState).await?);
        Ok(TrainState { parameters, optimizer, best, progress })
    }

    /// [`restore`](Self::restore) for async programs.
    pub async fn restore_async(&mut self, state: &TrainState) -> Result<()> {
        let TrainState { parameters, optimizer, best, progress } = state;
        let refused = |found: String, expected: &str| {
            Err(Error::Setting { what: "the state to resume from", found, expected: expected.into() })
        };
        if progress.spec != self.spec {
            return refused(format!("of the network {}", progress.spec), &self.spec.to_string());
        }
        // What decides on the parameters is compared: not how they began, nor how often the device is spoken to.
        let TrainConfig { epochs, init, submission, .. } = self.config;
        let same_epochs = TrainConfig { epochs, init, submission, ..progress.config.clone() };
        if same_epochs != self.config {
            return refused(format!("of a run with {same_epochs:?}"), &format!("{:?}", self.config));
        }
        if progress.data != self.fingerprint {
            return refused("of a run on other data".into(), "the same training and validation rows");
        }
        let TrainProgress { steps_before, optimizer_start, step, run, .. } = progress;
        let steps = steps_before.checked_add(*step).filter(|steps| *steps <= u64::MAX / 2 && optimizer_start <= steps);
        let course = Course {
            config: &progress.config,
            steps_per_epoch: self.steps_per_epoch(),
            validation: self.validation,
            validation_step: self.validation_batch(),
        };
        let fits = steps.map_or_else(|| Err("its count of steps is invalid".into()), |_| run.check(*step, &course));
        if let Err(problem) = fits {
            return refused(
                format!("at step {step} of an impossible run: {problem}"),
                "a state that a trainer has given",
            );
        }
        if best.is_some() != self.config.early_stopping.is_some() {
            let (found, expected) = ("without the best parameters so far", "them, since early stopping restores them");
            return match best {
                None => refused(found.into(), expected),
                Some(_) => refused("with best parameters".into(), "none without early stopping"),
            };
        }
        self.drain().await?;
        Layout::new(&self.spec).check(parameters)?;
        let expected = self.plan().buffers[self.plan().buffer(Role::OptimizerState)?].len;
        if optimizer.len() != expected {
            let what = "the optimiser's state".into();
            return Err(Error::Shape { what, found: optimizer.len(), expected: expected.to_string() });
        }
        if let Some(best) = best {
            Layout::new(&self.spec).check(best)?;
            self.write(Role::Best, best)?;
        }
        self.set_parameters(parameters)?;
        self.write(Role::OptimizerState, optimizer)?;
        (self.steps_before, self.optimizer_start) = (*steps_before, *optimizer_start);
        (self.next_step, self.run) = (*step, run.clone());
        if progress.config.epochs != self.config.epochs {
            self.run.set_epochs(self.config.epochs, self.steps_per_epoch());
        }
        Ok(())
    }
}
