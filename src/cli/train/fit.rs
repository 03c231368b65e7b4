//! The run itself, as the command line wants it: progress, `metrics.jsonl`, checkpoints, Ctrl-C.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::journal::Journal;
use super::saves::{Clock, Every, SaveArgs};
use crate::checkpoint::Checkpoint;
use crate::error::Result;
use crate::model::Model;
use crate::report::Reporter;
use crate::train::{Event, Outcome, Trainer};

/// What a run leaves behind while it goes on.
pub struct Keeping<'a> {
    /// The folder of `--out`.
    pub folder: Option<&'a Path>,
    pub saves: &'a SaveArgs,
    /// The command's settings, for checkpoints.
    pub settings: &'a str,
    /// A model with the parameters of now.
    pub model: &'a dyn Fn(&Trainer, Vec<f32>) -> Model,
}

/// Trains until the last epoch or Ctrl-C; a run that is resumed goes on. `setup` is what it took to come here.
pub async fn fit(trainer: &mut Trainer, keeping: &Keeping<'_>, setup: Duration, quiet: bool) -> Result<Outcome> {
    let resumed = keeping.saves.resume.is_some();
    let checkpoints = keeping.saves.checkpoints(keeping.folder)?;
    if let Some(Every::Epochs(epochs)) = keeping.saves.checkpoint_every {
        trainer.pause_every(Some(epochs));
    }
    let mut journal = keeping.folder.map(|folder| Journal::open(folder, trainer.epochs())).transpose()?;
    let mut clock = Clock::new(keeping.saves.checkpoint_every);
    let mut reporter = Reporter::new(trainer.config().epochs, setup, quiet);
    let interrupted = on_interrupt();
    let mut outcome: Option<Outcome> = None;
    let ended = loop {
        let (mut due, mut written, mut score) = (false, Ok(()), None);
        let on_event = |event| {
            reporter.show(&event);
            if let Event::Epoch(epoch) = &event {
                written = journal.as_mut().map_or(Ok(()), |journal| journal.write(epoch));
                score = epoch.validation.map(|validation| validation.loss);
                due |= clock.is_due(epoch.epoch);
            }
            let stop = due || written.is_err() || interrupted.load(Ordering::Relaxed);
            if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let part = match (&outcome, resumed) {
            (None, false) => trainer.fit(on_event).await,
            _ => trainer.resume(on_event).await,
        };
        let part = match part.and_then(|part| written.map(|()| part)) {
            Ok(part) => part,
            Err(error) => break Err(error),
        };
        outcome = Some(outcome.map_or(part, |before| before.then(part)));
        let stopped = interrupted.load(Ordering::Relaxed);
        if let Some(checkpoints) = checkpoints.as_ref().filter(|_| due || (part.stopped && stopped)) {
            let state = trainer.state().await?;
            let model = (keeping.model)(trainer, state.parameters.clone());
            let checkpoint = Checkpoint { model, state, settings: Some(keeping.settings.into()), score };
            let path = checkpoints.save(trainer.epochs(), &checkpoint)?;
            if part.stopped && stopped {
                eprintln!("mlp train --resume {} goes on from here", path.display());
            }
        }
        if !part.stopped || stopped {
            break Ok(());
        }
    };
    reporter.finish();
    ended.map(|()| outcome.unwrap_or_default())
}

/// A flag that Ctrl-C sets. A second Ctrl-C ends the process at once.
fn on_interrupt() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&flag);
    let handler = move || {
        if set.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    };
    if let Err(error) = ctrlc::set_handler(handler) {
        eprintln!("note: Ctrl-C will end the run without a model: {error}");
    }
    flag
}
