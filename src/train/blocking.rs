//! The plain names of a trainer's methods: each waits for its async form on this thread.

use std::ops::ControlFlow;

use pollster::block_on;

use super::{Event, LrCurve, LrRange, Outcome, Progress, TrainConfig, TrainState, Trainer};
use crate::backend::Device;
use crate::data::Dataset;
use crate::error::Result;
use crate::spec::MlpSpec;

impl Trainer {
    /// Plans the training of `spec` on `data` and loads it on `device`: all memory is allocated here. The parameters are those
    /// that [`TrainConfig::init`] draws by [`TrainConfig::seed`].
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for settings or data that do not fit the network;
    /// [`Error::TooLarge`](crate::Error::TooLarge) for what does not fit the device.
    pub fn new(device: &Device, spec: &MlpSpec, config: &TrainConfig, data: &Dataset) -> Result<Self> {
        block_on(Self::new_async(device, spec, config, data))
    }

    /// [`new`](Self::new) with a validation set, on which every epoch's parameters are judged, on the device; its rows count alike.
    ///
    /// # Errors
    /// Those of [`new`](Self::new).
    pub fn with_validation(
        device: &Device,
        spec: &MlpSpec,
        config: &TrainConfig,
        data: &Dataset,
        validation: Option<&Dataset>,
    ) -> Result<Self> {
        block_on(Self::with_validation_async(device, spec, config, data, validation))
    }

    /// Takes other training rows, as scikit-learn's `partial_fit` does: parameters, optimiser and the count of steps stay.
    ///
    /// As many rows as before go where those were: nothing is allocated, and the run under way goes on with its schedule,
    /// whatever of its epoch is left. Another number of rows, or rows with weights after some without, take a new plan in place of
    /// the old one, as large as it has to be; then the run ends.
    ///
    /// # Errors
    /// Those of [`new`](Self::new). The trainer is then as before.
    pub fn load(&mut self, data: &Dataset) -> Result<()> {
        block_on(self.load_async(data))
    }

    /// Trains on data that come in parts, more of them than memory holds at once: each part is loaded, as [`load`](Self::load) does
    /// it, and trained on for an epoch. A run, its schedule and early stopping take [`TrainConfig::epochs`] parts; then another
    /// begins. Parts should have equal numbers of rows: one that differs ends the run.
    ///
    /// # Errors
    /// The first one that a part is; those of [`load`](Self::load) and [`fit`](Self::fit).
    pub fn fit_stream(
        &mut self,
        parts: impl IntoIterator<Item = Result<Dataset>>,
        on_event: impl FnMut(Event) -> ControlFlow<()>,
    ) -> Result<Outcome> {
        block_on(self.fit_stream_async(parts, on_event))
    }

    /// Trains for the configured number of epochs; called again, for as many more, the rest of an epoch that was broken off
    /// counting as one, with the schedule and early stopping from their start.
    ///
    /// # Errors
    /// [`Error::Diverged`](crate::Error::Diverged) when the loss stops being finite. It names the step; the parameters are those
    /// from which the last submission with a finite first loss began, and the optimiser starts anew, its count of steps too.
    pub fn fit(&mut self) -> Result<Outcome> {
        block_on(self.fit_async())
    }

    /// [`fit`](Self::fit) with a receiver, which learns of every submission and of every epoch in order. When it breaks, the steps
    /// that are under way are finished and the call ends; [`resume`](Self::resume) goes on.
    ///
    /// # Errors
    /// Those of [`fit`](Self::fit).
    pub fn fit_with(&mut self, on_event: impl FnMut(Event) -> ControlFlow<()>) -> Result<Outcome> {
        block_on(self.fit_with_async(on_event))
    }

    /// Goes on with a run that was broken off, or taken up from a [`TrainState`], to its end. What it gives is, to the byte, what it
    /// would have given without the break.
    ///
    /// # Errors
    /// Those of [`fit`](Self::fit).
    pub fn resume(&mut self) -> Result<Outcome> {
        block_on(self.resume_async())
    }

    /// [`resume`](Self::resume) with a receiver, as [`fit_with`](Self::fit_with) has one.
    ///
    /// # Errors
    /// Those of [`fit`](Self::fit).
    pub fn resume_with(&mut self, on_event: impl FnMut(Event) -> ControlFlow<()>) -> Result<Outcome> {
        block_on(self.resume_with_async(on_event))
    }

    /// Does the next step and waits for it, for loops of a program's own. After the run's last step it begins another.
    /// Where the step ends an epoch, what belongs to that is done too.
    ///
    /// # Errors
    /// Those of [`fit`](Self::fit).
    pub fn step(&mut self) -> Result<Progress> {
        block_on(self.step_async())
    }

    /// The state after the last step.
    ///
    /// # Errors
    /// What the device says.
    pub fn state(&mut self) -> Result<TrainState> {
        block_on(self.state_async())
    }

    /// Takes up a state: [`resume`](Self::resume) goes on from it. The number of epochs may be another than in the
    /// state, and so lengthen or shorten the run.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) where the state is of another network, other settings or other data;
    /// [`Error::Shape`](crate::Error::Shape) where its lists do not fit.
    pub fn restore(&mut self, state: &TrainState) -> Result<()> {
        block_on(self.restore_async(state))
    }

    /// Raises the learning rate by the same factor from step to step, up to the end of the range or where the loss blows up
    /// (Smith 2017). The trainer is used up by it: its parameters are those of the test, its run has begun.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for a range that is none. What the device says.
    pub fn lr_find(self, range: LrRange) -> Result<LrCurve> {
        block_on(self.lr_find_async(range))
    }

    /// All parameters, in the order of [`Layout`](crate::params::Layout).
    ///
    /// # Errors
    /// What the device says.
    pub fn parameters(&mut self) -> Result<Vec<f32>> {
        block_on(self.parameters_async())
    }

    /// What early stopping has found best so far, which a run that comes to its end puts back; none without early
    /// stopping and before the first epoch that it has judged.
    ///
    /// # Errors
    /// What the device says.
    pub fn best_parameters(&mut self) -> Result<Option<Vec<f32>>> {
        block_on(self.best_parameters_async())
    }

    /// The gradients of the last step's mean loss, in the order of [`Layout`](crate::params::Layout), before clipping and
    /// penalties.
    ///
    /// # Errors
    /// What the device says.
    pub fn gradients(&mut self) -> Result<Vec<f32>> {
        block_on(self.gradients_async())
    }

    /// Goes back to the parameters from which the last submission began, and gives them. The optimiser starts anew, its count
    /// of steps too.
    ///
    /// # Errors
    /// What the device says.
    pub fn roll_back(&mut self) -> Result<Vec<f32>> {
        block_on(self.roll_back_async())
    }
}
