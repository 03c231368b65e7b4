//! The plain names of what waits for a device: each waits for its async form on this thread.

use std::ops::ControlFlow;
use std::time::Duration;

use pollster::block_on;

use super::estimator::Estimator;
use super::fitted::Fitted;
use super::fitting::Fitting;
use super::prepare::Prepared;
use super::splits::Splits;
use crate::backend::Device;
use crate::checkpoint::Checkpoint;
use crate::data::Table;
use crate::error::Result;
use crate::infer::Metrics;
use crate::model::Model;
use crate::train::{Event, Outcome};

impl Estimator {
    /// Splits the rows, fits the encoder to the training rows, trains, and judges the model on each split. Blocks the thread.
    ///
    /// # Errors
    /// [`Error::MissingColumns`](crate::Error::MissingColumns) and [`Error::UnfitTarget`](crate::Error::UnfitTarget) for a target that cannot serve; [`Error::Setting`](crate::Error::Setting) for settings that
    /// cannot be; [`Error::Diverged`](crate::Error::Diverged); what the device says.
    pub fn fit(&self, table: Table, device: &Device) -> Result<Fitted> {
        block_on(self.fit_async(table, device))
    }

    /// [`fit`](Self::fit) with a function that is told of every epoch and may stop.
    ///
    /// # Errors
    /// Those of [`fit`](Self::fit).
    pub fn fit_with(
        &self,
        table: Table,
        device: &Device,
        on_event: impl FnMut(Event) -> ControlFlow<()>,
    ) -> Result<Fitted> {
        block_on(self.fit_with_async(table, device, on_event))
    }

    /// [`fit`](Self::fit) on arrays in memory: `features` [rows, columns], whose columns are called `x0`, `x1` and so forth, and a
    /// number for each row as its target. NaN stands for a missing feature.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) for arrays that do not fit each other, else those of [`fit`](Self::fit).
    pub fn fit_arrays(&self, features: &[f64], targets: &[f64], device: &Device) -> Result<Fitted> {
        self.fit(self.table_of(features, targets)?, device)
    }

    /// [`prepare`](Self::prepare)s the table and loads all on the device, for a program that drives the run itself: by the frame, or
    /// with pauses and checkpoints.
    ///
    /// ```
    /// # use wgpu_mlp::data::{Cells, Column};
    /// # use wgpu_mlp::{Estimator, Table, open};
    /// # fn main() -> wgpu_mlp::Result<()> {
    /// # let x: Vec<f64> = (0..200).map(f64::from).collect();
    /// # let y = x.iter().map(|x| 3.0 * x + 1.0).collect();
    /// # let table = Table::new("lines", vec![Column::new("x", Cells::Number(x)), Column::new("y", Cells::Number(y))])?;
    /// let mut fitting = Estimator::new("y").hidden(&[16]).epochs(20).start(table, &open("cpu")?.device)?;
    /// while !fitting.is_finished() {
    ///     fitting.submit(4)?; // each frame: neither call waits for a GPU
    ///     while let Some(progress) = fitting.try_collect()? {
    ///         assert!(progress.loss.is_finite());
    ///     }
    /// }
    /// let fitted = fitting.finish()?;
    /// assert_eq!(fitted.outcome.epochs, 20);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`fit`](Self::fit) that come before the first step.
    pub fn start(&self, table: Table, device: &Device) -> Result<Fitting> {
        block_on(self.prepare(table)?.start_async(device))
    }
}

impl Prepared {
    /// The seconds that all epochs are going to take on a device, of all networks together. It does the first steps of a copy of the run,
    /// for about 0.3 s, and changes nothing. Early stopping may end the run sooner.
    ///
    /// # Errors
    /// Those of [`start`](Self::start) and of a run.
    pub fn expected_seconds(&self, device: &Device) -> Result<f64> {
        block_on(self.expected_seconds_async(device))
    }

    /// Fits the run into a time, by [`expected_seconds`](Self::expected_seconds): fewer epochs, at least one, or where all of them take
    /// less, more networks up to 8. Their number stays where [`ensemble`](Estimator::ensemble) or [`folds`](Estimator::folds) says it, and
    /// where the run starts from a model. [`settled`](Self::settled) has what it came to: an estimator with these numbers gives the same
    /// bytes. Reading, writing and judging come on top.
    ///
    /// # Errors
    /// Those of [`expected_seconds`](Self::expected_seconds); [`Error::Setting`](crate::Error::Setting) for no time at all, for several
    /// ranks, and for a run that goes on from a checkpoint.
    pub fn fit_into(&mut self, budget: Duration, device: &Device) -> Result<()> {
        block_on(self.fit_into_async(budget, device))
    }

    /// Loads it on a device: all memory is allocated here. The first parameters are drawn, or where the estimator says so those of a
    /// model, or the state of a checkpoint.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for settings that do not fit the network and for a checkpoint of other settings or
    /// data; [`Error::TooLarge`](crate::Error::TooLarge); what the device says.
    pub fn start(self, device: &Device) -> Result<Fitting> {
        block_on(self.start_async(device))
    }
}

impl Fitting {
    /// Trains to the run's end with a receiver, which learns of every submission and of every epoch in order. When it breaks, the
    /// steps that are under way are finished and the call ends; another call goes on, to the bytes of an unbroken run. Gives how the
    /// run stands, all calls together.
    ///
    /// # Errors
    /// [`Error::Diverged`](crate::Error::Diverged) as [`Trainer::fit`](crate::Trainer::fit) gives it; what the device says.
    pub fn run_with(&mut self, on_event: impl FnMut(Event) -> ControlFlow<()>) -> Result<Outcome> {
        block_on(self.run_with_async(on_event))
    }

    /// The state of now, for [`Estimator::resume`](crate::Estimator::resume). [`Checkpoint::settings`] is the program's to fill.
    ///
    /// # Errors
    /// What the device says.
    pub fn checkpoint(&mut self) -> Result<Checkpoint> {
        block_on(self.checkpoint_async())
    }

    /// The model as it stands: the best parameters where early stopping knows them, else those of now.
    ///
    /// # Errors
    /// What the device says.
    pub fn model(&mut self) -> Result<&Model> {
        block_on(self.model_async())
    }

    /// How good the model is on each split.
    ///
    /// # Errors
    /// [`Error::Diverged`](crate::Error::Diverged) where the run's last update made the loss of the training rows infinite: it has no
    /// later step to tell of it. The parameters are then those of before it. What the device says.
    pub fn evaluate(&mut self) -> Result<&Splits<Metrics>> {
        block_on(self.evaluate_async())
    }

    /// The model with its metrics and with all that was learned on the way. The trainer goes, and with it its copy of the rows.
    ///
    /// # Errors
    /// Those of [`evaluate`](Self::evaluate).
    pub fn finish(self) -> Result<Fitted> {
        block_on(self.finish_async())
    }

    /// Goes on on a device that was opened anew, or on another one, from the last copy of the state ([`keep_copies`](Self::keep_copies)):
    /// epochs after that are run once more.
    ///
    /// # Errors
    /// [`Error::CheckFailed`](crate::Error::CheckFailed) unless it [`can_move`](Self::can_move); what the device says.
    pub fn move_to(&mut self, device: &Device) -> Result<()> {
        block_on(self.move_to_async(device))
    }
}

impl Fitted {
    /// Judges a constant prediction and a linear model, trained on the CPU, beside the network.
    ///
    /// # Errors
    /// What the CPU's backend says, as of too little memory.
    pub fn add_baseline(&mut self) -> Result<()> {
        block_on(self.add_baseline_async())
    }
}
