//! The run itself, as the command line wants it: progress, `metrics.jsonl`, checkpoints, signals, a device that is lost.

use std::ops::ControlFlow;

use super::Args;
use super::keeping::Keeping;
use super::saves::Clock;
use crate::cli::interrupt::Interrupt;
use crate::error::{Error, Result};
use crate::pipeline::Fitting;
use crate::report::Reporter;
use crate::train::Event;

/// Trains until the last epoch or a signal; a run that is resumed goes on.
///
/// # Errors
/// [`Error::Diverged`] leaves the last good parameters, others leave none.
pub async fn fit(args: &Args, fitting: &mut Fitting, keeping: &mut Keeping<'_>, interrupt: &Interrupt) -> Result<()> {
    let (mut clock, epochs) = (Clock::new(args.saves.checkpoint_every), fitting.trainer().config().epochs);
    let mut reporter = Reporter::new(epochs, fitting.prepared().timings.setup(), args.quiet);
    fitting.keep_copies();
    fitting.pause_every(args.saves.epochs());
    let fitted = loop {
        match part(fitting, keeping, interrupt, &mut clock, &mut reporter).await {
            Ok(false) => {}
            Ok(true) => break Ok(()),
            Err(lost) if lost.is_device_lost() && fitting.can_move() => {
                if let Err(error) = reopen(args, fitting, &lost).await {
                    break Err(error);
                }
                keeping.cut(fitting.trainer().epochs());
            }
            Err(error) => break Err(error),
        }
    };
    reporter.finish();
    fitted
}

/// Trains until something is to be done between two steps, and does it. Whether the run has ended.
async fn part(
    fitting: &mut Fitting,
    keeping: &mut Keeping<'_>,
    interrupt: &Interrupt,
    clock: &mut Clock,
    reporter: &mut Reporter,
) -> Result<bool> {
    let mut due = false;
    let on_event = |event| {
        reporter.show(&event);
        if let Event::Epoch(epoch) = &event {
            keeping.note(epoch);
            due |= clock.is_due(epoch.epoch);
        }
        if due || interrupt.heard().is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let outcome = fitting.run_with_async(on_event).await?;
    let stopped = outcome.stopped && interrupt.heard().is_some();
    let ended = !outcome.stopped || stopped;
    if due || stopped || (ended && keeping.lacks_checkpoint()) {
        let checkpoint = fitting.checkpoint_async().await?;
        keeping.checkpoint(fitting.trainer().epochs(), checkpoint);
    }
    if ended {
        fitting.model_async().await?;
    }
    Ok(ended)
}

/// Opens the device anew and goes on from the last copy.
async fn reopen(args: &Args, fitting: &mut Fitting, lost: &Error) -> Result<()> {
    let lost = match lost {
        Error::DeviceLost { device, problem } => format!("{device}: {problem}"),
        other => other.to_string(),
    };
    eprintln!("note: the device was lost, {lost}");
    fitting.move_to_async(&args.device.open(args.quiet).await?.device).await?;
    let epochs = fitting.trainer().epochs();
    eprintln!("note: the device was opened again, and the run continues from the end of epoch {epochs}");
    Ok(())
}
