//! What comes after the last step: the model is saved, judged, reported and told. What fails from there on is told last.

use std::path::Path;

use super::keeping::Keeping;
use super::{Args, tell};
use crate::cli::inspect::{calibrated, covered};
use crate::cli::interrupt::{Interrupt, Signal};
use crate::cli::output::{print, print_json};
use crate::cli::source::Source;
use crate::error::{Error, Result};
use crate::math::Loss;
use crate::pipeline::Fitting;
use crate::report::run::{Command, Summary, report_is_writable, write_report};

/// Ends a run that came to `trained`; the process's exit code. After a signal as little is done as there can be.
pub async fn end(
    args: &Args,
    source: &Source,
    mut fitting: Fitting,
    mut keeping: Keeping<'_>,
    interrupt: &Interrupt,
    trained: Result<()>,
) -> Result<u8> {
    let is_asked_to_end = || interrupt.heard().is_some();
    let trained = match trained {
        Err(error @ Error::Diverged { .. }) => Err(error),
        trained => Ok(trained?),
    };
    let model = fitting.model_async().await?;
    let training = model.training.as_ref();
    let calibrated = training.and_then(|training| calibrated(&training.temperatures));
    let covered = training.and_then(|training| covered(training.intervals.as_ref()));
    let (saved, mut kept) = keeping.finish(model);
    let (saved, out) = (saved.as_deref(), args.out.as_deref().filter(|_| kept.is_ok()));
    fitting.end_phase("save");
    trained.inspect_err(|_| tell::what_is_left(saved))?;
    out.map_or(Ok(()), report_is_writable)?;
    let is_judged = !is_asked_to_end();
    if is_judged {
        evaluate(&mut fitting, saved).await?;
    }
    if !args.quiet {
        tell::the_end(&fitting, interrupt.heard());
        tell::the_choice(&fitting);
        calibrated.iter().chain(&covered).for_each(|line| eprintln!("{line}"));
    }

    let mut summary = Summary::new(&fitting, saved);
    let (device, stopped) = (fitting.device().clone(), fitting.outcome().stopped.then_some(fitting.trainer().epochs()));
    let baseline = fitting.prepared().settled().baseline;
    let mut fitted = if is_judged { Some(fitting.finish_async().await?) } else { None };
    if let Some(fitted) = fitted.as_mut().filter(|_| baseline && !is_asked_to_end()) {
        fitted.add_baseline_async().await?;
        if !args.quiet {
            tell::the_better_baseline(fitted);
        }
    }
    if let Some(fitted) = &fitted {
        let article = source.is_articles() && fitted.model.spec.loss() == Loss::BinaryCrossEntropy;
        summary.score(fitted, article);
    }
    match (out, &fitted) {
        (Some(folder), Some(fitted)) if !is_asked_to_end() => {
            let command = Command { typed: &args.said.command(), config: keeping.config };
            kept = write_report(folder, &device, fitted, &mut summary, command).await;
        }
        (Some(folder), _) => tell::what_is_left_out(folder, source, stopped),
        (None, _) => {}
    }
    // The figures are there even where not all could be kept.
    if args.json { print_json(&summary) } else { print(summary.text()) }?;
    kept.map(|()| interrupt.heard().map_or(0, Signal::exit_code))
}

/// Judges the model. Where its last update went wrong, the saved one is replaced by that of before it.
async fn evaluate(fitting: &mut Fitting, saved: Option<&Path>) -> Result<()> {
    let evaluated = fitting.evaluate_async().await.map(drop);
    if let Err(Error::Diverged { .. }) = &evaluated {
        let model = fitting.model_async().await?;
        saved.map_or(Ok(()), |path| model.save(path))?;
        tell::what_is_left(saved);
    }
    evaluated
}
