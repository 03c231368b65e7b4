//! A fit that its program drives: run, pause, checkpoint, go on, and at last judge the model.

use std::ops::ControlFlow;
use std::time::Duration;

use web_time::Instant;

use super::fitted::Fitted;
use super::members::OutOfFold;
use super::portfolio::Selection;
use super::prepare::Prepared;
use super::preset::Preset;
use super::splits::Splits;
use super::start::Start;
use crate::backend::Device;
use crate::checkpoint::Checkpoint;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::infer::Metrics;
use crate::model::Model;
use crate::params::Init;
#[cfg(feature = "cli")]
use crate::ranks::DataParallel;
use crate::train::{Event, Outcome, Progress, TrainState, Trainer};

/// How old a copy of the state may become where the device is hardware.
const AGE: Duration = Duration::from_secs(30);

/// A run on its device, with all that was prepared for it.
///
/// [`run_with`](Self::run_with) trains until its receiver breaks, and goes on when it is called again; [`submit`](Self::submit) and
/// [`try_collect`](Self::try_collect) train between a program's frames. [`checkpoint`](Self::checkpoint) and [`model`](Self::model)
/// may be called in between, [`finish`](Self::finish) at the end. After an error the parameters are the last good ones.
#[derive(Debug)]
pub struct Fitting {
    pub(super) prepared: Prepared,
    pub(super) device: Device,
    pub(super) trainer: Trainer,
    /// Steps and epochs that the parameters had behind them.
    first: (u64, u64),
    /// The calls of `run_with` as one; none before the first.
    outcome: Option<Outcome>,
    /// When frames began, and how long after that their first and last losses came.
    frames: Option<(Instant, Duration, Duration)>,
    pause: Option<u64>,
    copies: Option<Copies>,
    /// The parameters of now with their record, once it was asked for.
    pub(super) model: Option<Model>,
    pub(super) metrics: Option<Splits<Metrics>>,
    pub(super) out_of_fold: Option<OutOfFold>,
    /// Which networks predict, where that was chosen for the parameters of now.
    pub(super) selection: Option<Selection>,
    /// Of each network the loss on the rows that it held out, as it was judged for the parameters of now; none where the epoch that is
    /// kept was judged by the loss already.
    pub(super) losses: Vec<Option<f64>>,
    pub(super) name: Option<String>,
}

/// The last copy of the state on the host.
#[derive(Debug)]
struct Copies {
    last: Option<TrainState>,
    at: Instant,
    /// Whether nothing was done since.
    is_fresh: bool,
    /// Whether the run has gone on from one.
    moved: bool,
}

impl Prepared {
    /// [`start`](Self::start) for async programs.
    ///
    /// # Errors
    /// As there.
    pub async fn start_async(self, device: &Device) -> Result<Fitting> {
        let mut trainer = self.load(device).await?;
        match &self.settled.start {
            Start::Drawn => {}
            Start::Model(model) => trainer.set_parameters(&model.parameters.repeat(trainer.replicas()))?,
            Start::Checkpoint(checkpoint) => {
                trainer.restore_async(&checkpoint.state).await.map_err(|error| match error {
                    Error::Setting { found, expected, .. } => Error::Setting { what: "resume", found, expected },
                    other => other,
                })?;
                let test = self.data.test.as_ref().map(Dataset::checksum);
                if checkpoint.test.is_some_and(|known| Some(known) != test) {
                    let (found, expected) = ("of a run with other test rows".into(), "the same test rows".into());
                    return Err(Error::Setting { what: "resume", found, expected });
                }
            }
        }
        if let (Some(parallel), false) = (&self.settled.parallel, matches!(self.settled.start, Start::Drawn)) {
            trainer.agree_async(parallel).await?;
        }
        let first = (trainer.steps(), trainer.epochs());
        let mut fitting = Fitting {
            prepared: self,
            device: device.clone(),
            trainer,
            first,
            outcome: None,
            frames: None,
            pause: None,
            copies: None,
            model: None,
            metrics: None,
            out_of_fold: None,
            selection: None,
            losses: Vec::new(),
            name: None,
        };
        fitting.prepared.timings.end("upload");
        Ok(fitting)
    }

    pub(super) async fn load(&self, device: &Device) -> Result<Trainer> {
        let mut replicas = self.replicas();
        if !matches!(self.settled.start, Start::Drawn) {
            // Nothing is drawn that might not fit the network.
            replicas.iter_mut().for_each(|replica| replica.config.init = Init::default());
        }
        let Splits { train, validation, .. } = &self.data;
        if let Some(parallel) = &self.settled.parallel {
            if replicas.len() > 1 || replicas[0].fold.is_some() {
                let what = if self.folds.is_empty() { "ensemble" } else { "folds" };
                let (found, expected) = (format!("{} networks", replicas.len()), "one network on all ranks".into());
                return Err(Error::Setting { what, found, expected });
            }
            let config = &replicas[0].config;
            return Trainer::data_parallel_async(device, &self.spec, config, train, validation.as_ref(), parallel)
                .await;
        }
        Trainer::with_replicas_async(device, &self.spec, &replicas, train, validation.as_ref()).await
    }
}

impl Fitting {
    /// What it was prepared from.
    pub fn prepared(&self) -> &Prepared {
        &self.prepared
    }

    /// What trains: its plan, configuration and counters.
    pub fn trainer(&self) -> &Trainer {
        &self.trainer
    }

    /// The trainer alone, for a loop of the program's own or [`Trainer::lr_find`].
    pub fn into_trainer(self) -> Trainer {
        self.trainer
    }

    /// The device.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Whether the run has come to its end; false where it was stopped.
    pub fn is_finished(&self) -> bool {
        self.trainer.is_finished()
    }

    /// How the run stands, all calls together.
    pub fn outcome(&self) -> Outcome {
        let outcome = self.outcome.unwrap_or_default();
        let Some((_, first, last)) = self.frames else { return outcome };
        Outcome {
            epochs: self.trainer.epochs() - self.first.1,
            steps: self.trainer.steps() - self.first.0,
            seconds: outcome.seconds + last.as_secs_f64(),
            first_step_seconds: if outcome.steps > 0 { outcome.first_step_seconds } else { first.as_secs_f64() },
            stopped: !self.is_finished(),
            last_epoch: self.trainer.last_epoch(),
            best_epoch: self.trainer.best_epoch(),
        }
    }

    /// Names the run; the model's file tells it.
    pub fn name_run(&mut self, name: impl Into<String>) {
        self.name = Some(name.into());
    }

    /// The run's name, if it has one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// [`Trainer::pause_every`].
    pub fn pause_every(&mut self, epochs: Option<u64>) {
        self.pause = epochs;
        self.trainer.pause_every(epochs);
    }

    /// [`run_with`](Self::run_with) for async programs.
    ///
    /// # Errors
    /// As there.
    pub async fn run_with_async(&mut self, mut on_event: impl FnMut(Event) -> ControlFlow<()>) -> Result<Outcome> {
        loop {
            self.secure().await?;
            let is_copy_due = self.clock();
            let mut stopped = false;
            let receive = |event| {
                stopped |= on_event(event).is_break();
                if stopped || is_copy_due() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            let goes_on = matches!(self.prepared.settled.start, Start::Checkpoint(_));
            let part = match goes_on || self.outcome.is_some() || self.frames.is_some() {
                true => self.trainer.resume_with_async(receive).await?,
                false => self.trainer.fit_with_async(receive).await?,
            };
            self.outcome = Some(self.outcome.map_or(part, |before| before.then(part)));
            if stopped || !part.stopped {
                return Ok(self.outcome());
            }
        }
    }

    /// [`Trainer::submit`], but for a run that [`is_finished`](Self::is_finished): it begins no other. Frames keep no copies.
    ///
    /// # Errors
    /// As there.
    #[cfg(not(target_family = "wasm"))]
    pub fn submit(&mut self, steps: usize) -> Result<usize> {
        if self.is_finished() {
            return Ok(0);
        }
        self.forget();
        self.copies = None;
        self.frames.get_or_insert_with(|| (Instant::now(), Duration::ZERO, Duration::ZERO));
        self.trainer.submit(steps)
    }

    /// [`Trainer::try_collect`].
    ///
    /// # Errors
    /// As there.
    #[cfg(not(target_family = "wasm"))]
    pub fn try_collect(&mut self) -> Result<Option<Progress>> {
        let progress = self.trainer.try_collect()?;
        if let (Some(_), Some((began, first, last))) = (&progress, &mut self.frames) {
            *last = began.elapsed();
            *first = if first.is_zero() { *last } else { *first };
        }
        Ok(progress)
    }

    /// [`checkpoint`](Self::checkpoint) for async programs.
    ///
    /// # Errors
    /// As there.
    pub async fn checkpoint_async(&mut self) -> Result<Checkpoint> {
        let state = self.state().await?;
        let model = self.model_of(state.parameters.clone(), None);
        let outcomes = self.trainer.outcomes();
        let losses = outcomes.iter().filter_map(|outcome| Some(outcome.last_epoch?.validation?.loss));
        let (count, sum) = losses.fold((0.0, 0.0), |(count, sum), loss| (count + 1.0, sum + loss));
        let score = (count > 0.0).then_some(sum / count);
        let test = self.prepared.data.test.as_ref().map(Dataset::checksum);
        Ok(Checkpoint { model, state, settings: None, score, test })
    }

    /// CRC-32 of what decides what the run comes to, as long as no step is done: [`Trainer::key`].
    #[cfg(feature = "cli")]
    pub(crate) async fn key(&mut self) -> Result<u32> {
        let first = self.trainer.parameters_async().await?;
        Ok(self.trainer.key(&first))
    }

    /// Ends what several ranks do together, by how it went; the error is this rank's, else another's.
    #[cfg(feature = "cli")]
    pub(crate) async fn end_on_ranks_async(&mut self, went: Result<()>) -> Result<()> {
        let Some(DataParallel { ranks, .. }) = self.prepared.settled.parallel.clone() else { return went };
        if went.is_err() || ranks.is_over() {
            return ranks.end(went);
        }
        self.trainer.agree_at_the_end_async(&ranks).await
    }

    /// Ends a phase of [`Prepared::timings`].
    pub(crate) fn end_phase(&mut self, name: &'static str) {
        self.prepared.timings.end(name);
    }

    /// [`finish`](Self::finish) for async programs.
    ///
    /// # Errors
    /// As there.
    pub async fn finish_async(mut self) -> Result<Fitted> {
        let metrics = self.take_metrics().await?;
        let (model, outcome, members) = (self.take_model().await?, self.outcome(), self.members());
        let out_of_fold = self.out_of_fold.take();
        // The trainer goes, and with it its copy of the rows.
        let Prepared { data, splits, notes, hints, timings, truth, settled, .. } = self.prepared;
        let (baseline, is_plain) = (None, settled.preset == Preset::Plain);
        Ok(Fitted {
            model,
            metrics,
            splits,
            data,
            truth,
            baseline,
            outcome,
            members,
            out_of_fold,
            notes,
            hints,
            timings,
            is_plain,
        })
    }

    /// Forgets what is true of the parameters of now alone.
    fn forget(&mut self) {
        (self.model, self.metrics, self.selection, self.losses) = (None, None, None, Vec::new());
    }

    /// Copies the state to the host when [`run_with`](Self::run_with) begins and every 30 seconds, so that the run can go on where a
    /// GPU is lost: [`move_to`](Self::move_to).
    pub fn keep_copies(&mut self) {
        // Of several ranks none goes on alone.
        let can_be_lost = matches!(self.device, Device::Gpu(_)) && self.prepared.settled.parallel.is_none();
        self.copies = can_be_lost.then(|| Copies { last: None, at: Instant::now(), is_fresh: false, moved: false });
    }

    /// Whether [`move_to`](Self::move_to) can go on: there is a copy, and it was not done before. A device that is lost twice will be
    /// lost again.
    pub fn can_move(&self) -> bool {
        self.copies.as_ref().is_some_and(|copies| copies.last.is_some() && !copies.moved)
    }

    /// [`move_to`](Self::move_to) for async programs.
    ///
    /// # Errors
    /// As there.
    pub async fn move_to_async(&mut self, device: &Device) -> Result<()> {
        let can_move = self.can_move();
        let Some(Copies { last: Some(state), moved, is_fresh, .. }) = self.copies.as_mut().filter(|_| can_move) else {
            return Err(Error::CheckFailed("the run has no copy on the host to go on from on another device".into()));
        };
        let mut trainer = self.prepared.load(device).await?;
        trainer.restore_async(state).await?;
        trainer.pause_every(self.pause);
        (*moved, *is_fresh) = (true, true);
        (self.trainer, self.device) = (trainer, device.clone());
        self.forget();
        Ok(())
    }

    /// Tells when it is time for another copy.
    fn clock(&self) -> impl Fn() -> bool + use<> {
        let is_hardware = matches!(&self.device, Device::Gpu(gpu) if gpu.summary().is_hardware());
        let copied = self.copies.as_ref().map(|copies| copies.at).filter(|_| is_hardware);
        move || copied.is_some_and(|at| at.elapsed() >= AGE)
    }

    /// Copies the state where copies are kept and the last one is of an earlier state; more is done from now on.
    async fn secure(&mut self) -> Result<()> {
        self.forget();
        if self.copies.as_ref().is_some_and(|copies| !copies.is_fresh) {
            self.state().await?;
        }
        self.copies.iter_mut().for_each(|copies| copies.is_fresh = false);
        Ok(())
    }

    async fn state(&mut self) -> Result<TrainState> {
        let state = self.trainer.state_async().await?;
        if let Some(copies) = &mut self.copies {
            (copies.last, copies.at, copies.is_fresh) = (Some(state.clone()), Instant::now(), true);
        }
        Ok(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::open;
    use crate::data::{Cells, Column, Table};
    use crate::pipeline::Estimator;
    use crate::train::Batch;

    fn start(device: &Device) -> Fitting {
        let value = |i: u16| f64::from(i % 7) / 7.0 - 0.5;
        let column = |name, by: u16| Column::new(name, Cells::Number((0..40).map(|i| value(i * by)).collect()));
        let table = Table::new("t", vec![column("a", 3), column("b", 5), column("y", 2)]).unwrap();
        Estimator::new("y").hidden(&[5]).epochs(9).batch(Batch::Rows(8)).start(table, device).unwrap()
    }

    fn destroy(device: &Device) {
        let Device::Gpu(gpu) = device else { panic!("no GPU") };
        gpu.destroy();
    }

    /// A run whose device is lost before its first step, or in its middle, ends with the bytes of an unbroken one.
    #[test]
    fn a_run_goes_on_once_where_its_device_is_lost() {
        let go_on = |_| ControlFlow::Continue(());
        let open = || open("gpu").unwrap().device;
        let mut unbroken = start(&open());
        unbroken.run_with(go_on).unwrap();
        let expected = unbroken.finish().unwrap().model.parameters;
        for epochs in [0, 4] {
            let mut fitting = start(&open());
            fitting.keep_copies();
            fitting.pause_every((epochs > 0).then_some(epochs));
            let until = |event| match event {
                Event::Epoch(epoch) if epoch.epoch == epochs => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            };
            if epochs > 0 {
                fitting.run_with(until).unwrap();
            }
            assert_eq!(fitting.trainer().epochs(), epochs);
            // Before the first step of a call the state is copied; then the device goes.
            let device = fitting.device().clone();
            let lost = fitting.run_with(|_| {
                destroy(&device);
                ControlFlow::Continue(())
            });
            assert!(lost.unwrap_err().is_device_lost() && fitting.can_move());
            fitting.move_to(&open()).unwrap();
            assert_eq!(fitting.trainer().epochs(), epochs);
            let outcome = fitting.run_with(go_on).unwrap();
            assert!(outcome.last_epoch.unwrap().epoch == 9 && !outcome.stopped);
            assert_eq!(fitting.model().unwrap().parameters, expected, "after {epochs} epochs");
            // A second time it is an error.
            destroy(fitting.device());
            assert!(fitting.checkpoint().unwrap_err().is_device_lost() && !fitting.can_move());
        }
    }
}
