//! The run itself, as the command line wants it: progress, `metrics.jsonl`, checkpoints, signals, a device that is lost.

use std::ops::ControlFlow;
use std::time::Duration;

use super::keeping::Keeping;
use super::saves::{Clock, Every, SaveArgs};
use super::session::Session;
use crate::cli::interrupt::Interrupt;
use crate::error::{Error, Result};
use crate::report::Reporter;
use crate::train::{Event, Outcome};

/// What training has come to.
pub struct Fitted {
    /// How it ended; a divergence leaves the last good parameters.
    pub outcome: Result<Outcome>,
    /// The best parameters where early stopping knows them, else the last.
    pub parameters: Vec<f32>,
}

/// Trains until the last epoch or a signal; a run that is resumed goes on. `setup` is what it took to come here.
///
/// # Errors
/// What leaves no parameters.
pub async fn fit(
    session: &mut Session<'_>,
    keeping: &mut Keeping<'_>,
    saves: &SaveArgs,
    interrupt: &Interrupt,
    setup: Duration,
    quiet: bool,
) -> Result<Fitted> {
    let mut clock = Clock::new(saves.checkpoint_every);
    let mut reporter = Reporter::new(session.trainer.config().epochs, setup, quiet);
    let mut outcome: Option<Outcome> = None;
    if !session.has_copy() {
        session.secure().await?;
    }
    let fitted = loop {
        match part(session, keeping, saves, interrupt, &mut clock, &mut reporter, &mut outcome).await {
            Ok(None) => {}
            Ok(Some(parameters)) => break Ok(Fitted { outcome: Ok(outcome.unwrap_or_default()), parameters }),
            Err(error) if error.is_device_lost() => {
                if let Err(error) = session.reopen(error).await {
                    break Err(error);
                }
                keeping.cut(session.trainer.epochs());
            }
            Err(error @ Error::Diverged { .. }) => {
                let parameters = session.parameters().await;
                break parameters.map(|parameters| Fitted { outcome: Err(error), parameters });
            }
            Err(error) => break Err(error),
        }
    };
    reporter.finish();
    fitted
}

/// Trains until something is to be done between two steps, and does it. The parameters, once the run has ended.
async fn part(
    session: &mut Session<'_>,
    keeping: &mut Keeping<'_>,
    saves: &SaveArgs,
    interrupt: &Interrupt,
    clock: &mut Clock,
    reporter: &mut Reporter,
    outcome: &mut Option<Outcome>,
) -> Result<Option<Vec<f32>>> {
    let (mut due, mut score, is_copy_due) = (false, None, session.clock());
    if let Some(Every::Epochs(epochs)) = saves.checkpoint_every {
        session.trainer.pause_every(Some(epochs));
    }
    let on_event = |event| {
        reporter.show(&event);
        if let Event::Epoch(epoch) = &event {
            keeping.note(epoch);
            score = epoch.validation.map(|validation| validation.loss);
            due |= clock.is_due(epoch.epoch);
        }
        let stop = due || interrupt.heard().is_some() || is_copy_due();
        if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let part = match (&outcome, saves.resume.is_some()) {
        (None, false) => session.trainer.fit_with_async(on_event).await?,
        _ => session.trainer.resume_with_async(on_event).await?,
    };
    let stopped = part.stopped && interrupt.heard().is_some();
    let ended = !part.stopped || stopped;
    *outcome = Some(outcome.map_or(part, |before| before.then(part)));
    if due || stopped || (ended && keeping.lacks_checkpoint()) {
        let state = session.copy().await?.clone();
        keeping.checkpoint(&session.trainer, state, score);
    } else if !ended {
        session.secure().await?;
    }
    Ok(if ended { Some(session.parameters().await?) } else { None })
}
