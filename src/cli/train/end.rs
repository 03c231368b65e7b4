//! What comes after the last step: the model is saved, judged, reported and told. What fails from there on is told last.

use super::keeping::Keeping;
use super::{Args, tell};
use crate::cli::interrupt::{Interrupt, Signal};
use crate::cli::output::{print, print_json};
use crate::cli::source::Source;
use crate::error::{Error, Result};
use crate::math::Loss;
use crate::pipeline::Fitting;
use crate::report::run::{Command, Summary, report_is_writable, write_report};

/// Ends a run that came to `trained`; the process's exit code.
pub async fn end(
    args: &Args,
    source: &Source,
    mut fitting: Fitting,
    mut keeping: Keeping<'_>,
    interrupt: &Interrupt,
    trained: Result<()>,
) -> Result<u8> {
    let diverged = match trained {
        Err(error @ Error::Diverged { .. }) => Err(error),
        trained => Ok(trained?),
    };
    let (saved, mut kept) = keeping.finish(fitting.model_async().await?);
    let (saved, out) = (saved.as_deref(), args.out.as_deref().filter(|_| kept.is_ok()));
    fitting.end_phase("save");
    diverged.inspect_err(|_| tell::what_is_left(saved))?;
    out.map_or(Ok(()), report_is_writable)?;
    let is_asked_to_end = || interrupt.heard().is_some();
    let is_judged = !is_asked_to_end();
    if is_judged && let Err(error) = fitting.evaluate_async().await {
        if let Error::Diverged { .. } = &error {
            // The parameters are those of before the last update.
            let model = fitting.model_async().await?;
            saved.map_or(Ok(()), |path| model.save(path))?;
            tell::what_is_left(saved);
        }
        return Err(error);
    }
    if !args.quiet {
        tell::the_end(&fitting, interrupt.heard());
    }
    let article = matches!(source, Source::Moons(_)) && fitting.prepared().spec.loss() == Loss::BinaryCrossEntropy;
    let mut summary = Summary::new(&fitting, saved);
    let (device, stopped) = (fitting.device().clone(), fitting.outcome().stopped.then_some(fitting.trainer().epochs()));
    let baseline = fitting.prepared().settled().baseline;
    let mut fitted = if is_judged { Some(fitting.finish_async().await?) } else { None };
    if let Some(fitted) = fitted.as_mut().filter(|_| baseline && !is_asked_to_end()) {
        fitted.add_baseline_async().await?;
    }
    if let Some(fitted) = &fitted {
        summary.score(fitted, article);
    }
    match (out, &fitted) {
        (Some(folder), Some(fitted)) if !is_asked_to_end() => {
            let command = Command { typed: &args.said.command(), config: keeping.config };
            match write_report(folder, &device, fitted, &mut summary, command).await {
                Ok(path) => summary.report = Some(path),
                Err(error) => kept = Err(error),
            }
        }
        (Some(folder), _) => tell::what_is_left_out(folder, source, stopped),
        (None, _) => {}
    }
    // The figures are there even where not all could be kept.
    if args.json { print_json(&summary) } else { print(summary.text()) }?;
    kept.map(|()| interrupt.heard().map_or(0, Signal::exit_code))
}
