//! The seam between a sweep and what trains for it: jobs of one shape go in, their scores come out, losers are dropped on the way.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::space::Trial;
use crate::error::Result;
use crate::pipeline::Estimator;

/// A trial with what it trains.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Candidate {
    /// Its settings as texts.
    pub trial: Trial,
    /// The same as an estimator.
    pub estimator: Estimator,
}

impl Candidate {
    /// A trial with the estimator that its settings make.
    #[must_use]
    pub fn new(trial: Trial, estimator: Estimator) -> Self {
        Self { trial, estimator }
    }

    /// What trials have to have in common to train side by side: the network, the rows of a step, the rule, the plan, the length of the
    /// run, what the data are made into, and dropout rates where layers have their own. Numbers such as rates may differ.
    #[must_use]
    pub fn shape(&self) -> String {
        let Estimator { hidden, activation, loss, scaling, numbers, length, config, .. } = &self.estimator;
        let (rule, batch, plan) = (config.optimizer.rule, config.batch, config.plan);
        let dropout: &[f64] = if config.dropout.len() > 1 { &config.dropout } else { &[] };
        let network = format!("{hidden} {activation} {loss:?} {dropout:?} {scaling:?} {numbers}");
        format!("{network} {rule:?} {batch} {plan:?} {length:?} {}", config.parametrization)
    }
}

/// One training of a trial: on one fold, with one seed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Job {
    /// The trial's number.
    pub trial: usize,
    /// The fold whose rows are held out, counted from 1; 1 where there are none.
    pub fold: usize,
    /// Seed of the first parameters, the order of rows and dropout.
    pub seed: u64,
    /// What is trained, without fold and seed.
    pub estimator: Estimator,
}

/// What a job is called: its trial, its fold and its seed.
pub(super) type Name = (usize, usize, u64);

impl Job {
    /// What it is called.
    pub(super) fn name(&self) -> Name {
        (self.trial, self.fold, self.seed)
    }
}

/// How good a job is on the rows that are held out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Score {
    /// Epochs done.
    pub epoch: u64,
    /// The metric; none where it is not defined.
    pub value: Option<f64>,
    /// The loss.
    pub loss: f64,
    /// The epoch whose parameters are judged, where early stopping keeps the best.
    pub best_epoch: Option<u64>,
    /// Seconds of training so far.
    pub seconds: f64,
    /// Whether the run has come to its end.
    pub ended: bool,
}

impl Score {
    /// The score of a run after so many epochs.
    #[must_use]
    pub fn new(epoch: u64, value: Option<f64>, loss: f64) -> Self {
        Self { epoch, value, loss, best_epoch: None, seconds: 0.0, ended: false }
    }
}

/// What a group tells of its jobs, by their places in the list that it was started with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Told {
    /// Steps of a job are done.
    Steps {
        /// The job's place.
        job: usize,
    },
    /// A job has finished an epoch; a group whose jobs go side by side may tell of one for all.
    Epoch {
        /// The job's place.
        job: usize,
        /// The epoch, counted from 1.
        epoch: u64,
        /// The loss on the rows that are held out, where it is known.
        loss: Option<f64>,
    },
    /// A job has come to where it was to come, or to its end.
    Scored {
        /// The job's place.
        job: usize,
        /// Its score there.
        score: Score,
    },
    /// A job's loss or parameters are not finite. It has ended.
    Diverged {
        /// The job's place.
        job: usize,
        /// Epochs begun.
        epoch: u64,
    },
    /// A job cannot be trained, as where the device has too little memory for it. It has ended.
    Failed {
        /// The job's place.
        job: usize,
        /// Why.
        problem: String,
    },
}

impl Told {
    /// The same of a job that stands so many places further behind.
    pub(super) fn behind(self, places: usize) -> Self {
        match self {
            Self::Steps { job } => Self::Steps { job: job + places },
            Self::Epoch { job, epoch, loss } => Self::Epoch { job: job + places, epoch, loss },
            Self::Scored { job, score } => Self::Scored { job: job + places, score },
            Self::Diverged { job, epoch } => Self::Diverged { job: job + places, epoch },
            Self::Failed { job, problem } => Self::Failed { job: job + places, problem },
        }
    }
}

/// Trains jobs.
pub trait Runner {
    /// How many jobs like this one it takes at a time: what the device's memory has room for. At least 1.
    ///
    /// # Errors
    /// What the device says.
    fn capacity(&mut self, job: &Job) -> Result<usize>;

    /// Gets jobs of one [shape](Candidate::shape) ready. A group may have more of them than the capacity, where a single trial has.
    ///
    /// # Errors
    /// What ends the whole sweep: a table that cannot be read, a device that is lost.
    fn start(&mut self, jobs: &[Job]) -> Result<Box<dyn Group + '_>>;
}

/// Jobs that train side by side.
pub trait Group {
    /// Epochs of a job, unless it stops early.
    fn epochs(&self) -> u64;

    /// Trains each job that is still there on to the end of this epoch, or to the end of its run where that comes before or where no
    /// epoch is said, and tells of each when it is there. Nothing is begun anew. Where the receiver breaks, the steps under way are
    /// finished, and the call ends with a break.
    ///
    /// # Errors
    /// What ends the whole sweep.
    fn train_to(
        &mut self,
        epoch: Option<u64>,
        told: &mut dyn FnMut(Told) -> Result<ControlFlow<()>>,
    ) -> Result<ControlFlow<()>>;

    /// Gives up a job: it trains no further, and its memory may be used.
    fn drop_job(&mut self, job: usize);
}
