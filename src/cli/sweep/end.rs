//! What comes after the last training: the best trial, its command, its model and the page.

use std::fs::create_dir_all;
use std::path::PathBuf;

use serde::Serialize;

use super::Args;
use super::place::{Place, config};
use super::plan::Plan;
use super::team::Team;
use crate::backend::Device;
use crate::cli::interrupt::Signal;
use crate::cli::output::{print, print_json};
use crate::cli::train;
use crate::error::{Error, Result};
use crate::files::AtomicFile;
use crate::folder::{MODEL, PAGE};
use crate::pipeline::{Estimator, Fitted};
use crate::report::sweep::{SweepPage, page, ranking, with_error};
use crate::report::{count, count_of, metrics_table, significant};
use crate::sweep::{Candidate, FoldedTable, Record, Summary, Trial, TrialSummary};

/// Trials of the table on stdout.
const SHOWN: usize = 10;
/// Flags that the length of the best trial takes the place of, where it is trained on all rows.
const LENGTH: [&str; 5] = ["epochs", "patience", "monitor", "min-delta", "validation-fraction"];

/// What `--json` prints.
#[derive(Serialize)]
struct Printed<'a> {
    metric: &'static str,
    lower_is_better: bool,
    folds: Option<usize>,
    seeds: &'a [u64],
    device: String,
    /// Whether it was asked to end before.
    stopped: bool,
    trainings: usize,
    best: Option<&'a TrialSummary>,
    /// What trains the best trial.
    command: Option<&'a str>,
    trials: &'a [TrialSummary],
    results: Option<PathBuf>,
    report: Option<PathBuf>,
    /// The best trial's model of all rows.
    model: Option<PathBuf>,
}

/// What a sweep has come to.
pub struct Found<'a> {
    pub candidates: &'a [Candidate],
    pub records: &'a [Record],
    pub data: &'a FoldedTable,
    pub team: &'a Team,
    /// What the table has to be known for.
    pub how: train::TableFacts,
}

/// Ends a sweep; the process's exit code.
pub async fn end(
    args: &Args,
    plan: &Plan,
    found: &Found<'_>,
    place: Option<&Place>,
    signal: Option<Signal>,
) -> Result<u8> {
    let Found { data, team, records, .. } = found;
    let (device, names) = (team.device(), team.names());
    let trials: Vec<Trial> = found.candidates.iter().map(|candidate| candidate.trial.clone()).collect();
    let trainings = data.folds().unwrap_or(1) * plan.seeds.len();
    let summary = Summary::new(&trials, records, trainings, data.metric());
    let command = summary.best().map(|best| command(plan, &best.trial)).transpose()?;
    let report = match place {
        Some(place) => {
            let content = SweepPage {
                title: format!("Sweep of {}", plan.source),
                space: &plan.space,
                summary: &summary,
                records,
                facts: facts(plan, records, data, &names, place),
                best: command.as_deref(),
                command: &args.said.0.command(),
                config: &config(args, plan),
            };
            let path = place.path().join(PAGE);
            AtomicFile::create("write the report", &path)?.replace(page(&content)?.as_bytes())?;
            Some(path)
        }
        None => None,
    };
    let best = summary.best();
    let mut text = ranking(&summary, SHOWN).to_string();
    let more = summary.trials.len().saturating_sub(SHOWN);
    if more > 0 {
        text += &format!("… and {}\n", count_of(more as u64, "trial"));
    }
    let (mut model, mut fitted) = (None, None);
    if let (Some(best), true, Some(place), None) = (best, args.refit, place, signal) {
        let refitted = refit(plan, data, device, best, args.quiet, |estimator| found.how.tell(estimator)).await?;
        let folder = place.path().join("best");
        create_dir_all(&folder).map_err(Error::io("make the output folder", &folder))?;
        let path = folder.join(MODEL);
        refitted.model.save(&path)?;
        (model, fitted) = (Some(path), Some(refitted));
    }
    if args.json {
        print_json(&Printed {
            metric: summary.metric.name(),
            lower_is_better: summary.metric.lower_is_better(),
            folds: data.folds(),
            seeds: &plan.seeds,
            device: names,
            stopped: signal.is_some(),
            trainings: records.len(),
            best,
            command: command.as_deref(),
            trials: &summary.trials,
            results: place.map(|place| place.path().join("results.csv")),
            report,
            model,
        })?;
    } else {
        if let (Some(best), Some(command)) = (best, &command) {
            let scores = count_of(best.scores as u64, "score");
            let score = with_error(summary.metric, best);
            text += &format!("best: trial {}, {} {score} ({scores})\n{command}\n", best.trial.number, summary.metric);
        }
        if let Some(fitted) = &fitted {
            text += &judged(fitted);
        }
        let results = place.map(|place| place.path().join("results.csv"));
        for (name, path) in [("model", &model), ("results", &results), ("report", &report)] {
            text += &path.as_ref().map_or_else(String::new, |path| format!("{name}: {}\n", path.display()));
        }
        print(text)?;
    }
    match (best, signal) {
        (_, Some(signal)) => Ok(signal.exit_code()),
        (Some(_), None) => Ok(0),
        (None, None) => {
            let lost = "no trial has finished with a score: every one diverged or could not be trained; try lower rates or smaller \
                networks";
            Err(Error::CheckFailed(lost.into()))
        }
    }
}

/// What trains a trial.
fn command(plan: &Plan, trial: &Trial) -> Result<String> {
    let args = plan.common.with(&trial.settings, &[]).map_err(Error::CheckFailed)?;
    Ok(args.command())
}

/// Trains a trial on all rows that are not for testing, for as many epochs as its trainings needed.
async fn refit(
    plan: &Plan,
    data: &FoldedTable,
    device: &Device,
    best: &TrialSummary,
    quiet: bool,
    told: impl Fn(Estimator) -> Estimator,
) -> Result<Fitted> {
    let epochs = (best.judged_epochs.round() as u64).max(1);
    let length = [("epochs".to_string(), epochs.to_string()), ("validation-fraction".into(), "0".into())];
    let own = best.trial.settings.iter().filter(|(name, _)| !LENGTH.contains(&name.as_str()));
    let more = plan.more.iter().filter(|(name, _)| !LENGTH.contains(&name.as_str()));
    let settings: Vec<_> = more.chain(own).chain(&length).cloned().collect();
    let args = plan.common.with(&settings, &LENGTH).map_err(Error::CheckFailed)?;
    let (_, estimator) = args.estimator()?;
    let estimator = told(estimator);
    if !quiet {
        eprintln!("refit: trial {} on all rows, for {}", best.trial.number, count_of(epochs, "epoch"));
    }
    estimator.baseline(false).fit_async(data.table()?, device).await
}

/// How good the refitted model is on rows that the sweep has not seen.
fn judged(fitted: &Fitted) -> String {
    match &fitted.metrics.test {
        Some(test) => metrics_table(&[("test", test)]).to_string(),
        None => String::new(),
    }
}

fn facts(
    plan: &Plan,
    records: &[Record],
    data: &FoldedTable,
    device: &str,
    place: &Place,
) -> Vec<(&'static str, String)> {
    let metric = data.metric();
    let better = if metric.lower_is_better() { "lower" } else { "higher" };
    let seeds: Vec<_> = plan.seeds.iter().map(ToString::to_string).collect();
    let held_out = data.folds().map_or("a part of the rows".into(), |folds| format!("{folds} folds"));
    let mut facts = vec![
        ("sweep", place.name().to_string()),
        ("data", plan.source.to_string()),
        ("rows", count(data.rows() as u64)),
        ("task", data.task().to_string()),
        ("metric", format!("{metric} ({better} is better)")),
        ("held out", held_out),
        ("seeds", seeds.join(", ")),
        ("device", device.into()),
        ("seconds of training", significant(records.iter().map(|record| record.seconds).sum(), 3)),
        ("mlp", env!("CARGO_PKG_VERSION").into()),
    ];
    if let Some(halving) = plan.halving {
        facts.push(("halving", format!("one trial in {} goes on", halving.eta)));
    }
    facts
}
