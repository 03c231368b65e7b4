//! `mlp sweep`: many trainings of one table with other settings.

mod end;
mod flags;
mod place;
mod plan;
mod team;
mod trials;

use std::ops::ControlFlow;
use std::path::PathBuf;

use super::config::switch;
use super::help;
use super::interrupt::Interrupt;
use super::job::Job;
use super::train;
use crate::error::{Error, Result, setting};
use crate::ranks::Ranks;
use crate::report::sweep::Live;
use crate::sweep::{FoldedTable, Metric, Record, Sweep, SweepEvent};
use end::{Found, end};
use flags::{SweptArgs, TrainFlags};
use place::Place;
use plan::Plan;
use team::Team;

const EXAMPLES: &str = "\
Examples:
  mlp sweep houses.csv --target price --vary lr=1e-4..1e-1:log --vary 'hidden=32,32;64,64' --trials 30 --folds 5 --out s
  mlp sweep houses.csv --target price --vary 'batch=16;64' --vary 'optimizer=adam;sgd' --seeds 3   # the grid
  mlp sweep houses.csv --target price --vary lr=1e-4..1e-1:log --trials 81 --epochs 81 --halving --refit --out s
  mlp sweep --resume s                                                                             # after a kill
docs/sweeps.md describes spaces, folds and halving.";

/// Train a table with many settings, as a grid or at random, and find the best
#[derive(Debug, clap::Args)]
#[command(allow_negative_numbers = true, mut_args(switch), after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    said: SweptArgs, // in front: it sees what the others take
    /// A flag of the network or of training, and its values: a list (hidden=32,32;64,64), or with --trials a range
    /// (dropout=0..0.5, lr=1e-4..1e-1:log, batch=16..256). Repeat it for each flag
    #[arg(long, value_name = "NAME=VALUES", help_heading = "Sweep")]
    vary: Vec<String>,
    /// Draw N trials at random [default: the grid of all values]
    #[arg(long, value_name = "N", help_heading = "Sweep")]
    trials: Option<u64>,
    /// Hold out each of K parts of the rows once, stratified for classification; --group keeps groups together [default: a
    /// fraction of the rows is held out]
    #[arg(long, value_name = "K", conflicts_with = "validation_fraction", help_heading = "Sweep")]
    folds: Option<usize>,
    /// Column that says each row's fold, instead of --folds; it is not a feature
    #[arg(long, value_name = "COLUMN", conflicts_with_all = ["folds", "validation_fraction"], help_heading = "Sweep")]
    fold_column: Option<String>,
    /// Train each trial with N seeds, from --seed on
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Sweep")]
    seeds: u64,
    #[arg(long, value_name = "NAME", help_heading = "Sweep",
          help = help::metrics("Metric of the rows held out by which trials are compared"))]
    metric: Option<Metric>,
    /// Successive halving: at each rung one trial in N goes on, and the others stop [default without a number: 3]
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "3", help_heading = "Sweep")]
    halving: Option<u64>,
    /// Epochs of the first rung; each further one has N times as many [default: by --halving N and the epochs, for three rungs]
    #[arg(long, value_name = "EPOCHS", requires = "halving", help_heading = "Sweep")]
    rung: Option<u64>,
    /// Seed of the random trials
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Sweep")]
    sweep_seed: u64,
    /// Train the best trial on all rows that are not for testing, and save it as DIR/best/model.safetensors
    #[arg(long, help_heading = "Sweep")]
    refit: bool,
    /// Read a TOML file with flags as keys, `data` for DATA, and a table [vary]. Command-line flags override its keys
    #[arg(long, value_name = "FILE", help_heading = "Sweep")]
    config: Option<PathBuf>,
    /// Folder for results.csv and results.jsonl, which grow with each training, report.html, and sweep.toml, which repeats the sweep
    #[arg(long, value_name = "DIR", help_heading = "Sweep")]
    out: Option<PathBuf>,
    /// Go on with the sweep in a folder of --out. What has ended is not repeated. Only --device, --refit and verbosity may change
    #[arg(long, value_name = "DIR", help_heading = "Sweep")]
    resume: Option<PathBuf>,
    /// Print one JSON object at the end
    #[arg(long, help_heading = "Sweep")]
    json: bool,
    /// Do not show progress
    #[arg(long, help_heading = "Sweep")]
    quiet: bool,
    #[command(flatten)]
    _train: TrainFlags,
}

/// Runs the sweep; the process's exit code. Under `mpirun` it is spread over all ranks, and rank 0 keeps the books.
pub async fn run(args: Args) -> Result<u8> {
    let Some(job) = Job::of_mpirun("`mlp sweep` by several processes")? else { return sweep(args, None).await };
    let ranks = job.ranks();
    let args = if ranks.rank() == 0 { args } else { Args { json: false, quiet: true, ..args } };
    let ended = sweep(args, Some(ranks)).await;
    job.leave(ended)
}

/// Sweeps alone or as one of several ranks.
async fn sweep(args: Args, ranks: Option<&Ranks>) -> Result<u8> {
    let plan = Plan::new(&args)?;
    let is_book_keeper = ranks.is_none_or(|ranks| ranks.rank() == 0);
    let mut place = if is_book_keeper { Place::take(&args)? } else { None };
    let (table, how) =
        train::TableFacts::read(&plan.base, plan.estimator(), &plan.source, args.fold_column.as_deref())?;
    let candidates = plan.candidates(&how);
    let Some(first) = candidates.first() else {
        return Err(Error::CheckFailed("the sweep has no trial".into()));
    };
    let (data, prepared) = FoldedTable::new(table, &first.estimator, args.metric)?;
    for candidate in &candidates {
        data.check(&candidate.estimator).map_err(|error| trials::blamed(error, &candidate.trial))?;
    }
    if !args.quiet {
        train::hints(&prepared.hints, true);
        plan.tell(&args, &data);
    }
    drop(prepared);
    let known = match &mut place {
        Some(place) => place.known(&args, &plan, &data)?,
        None => Vec::new(),
    };
    let folds = data.folds().unwrap_or(1);
    let sweep = Sweep::new(&candidates, folds, &plan.seeds, data.metric().lower_is_better());
    let sweep = sweep.halving(plan.halving);
    let team = Team::open(ranks, &plan, &args, &data).await?;
    place.as_mut().map_or(Ok(()), |place| place.begin(&args, &plan, &data))?;
    let interrupt = Interrupt::listen().among(ranks.cloned());
    if !is_book_keeper {
        return team.follow(&sweep, &data, &interrupt).map(|()| 0);
    }

    let mut live = Live::new(&candidates, sweep.trainings(), data.metric(), &known, args.quiet);
    let mut records = known.clone();
    let on_event = |event: SweepEvent<'_>| {
        live.show(&event);
        if let SweepEvent::Ended(record) = event {
            place.as_mut().map_or(Ok(()), |place| place.append(record))?;
            records.push(Record::clone(record));
        }
        Ok(if interrupt.heard().is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    };
    let ended = team.run(&sweep, &data, &known, on_event);
    live.finish();
    let finished = ended.inspect_err(|_| place::what_goes_on(place.as_ref()))?;
    if !finished {
        place::what_goes_on(place.as_ref());
    }
    let found = Found { candidates: &candidates, records: &records, data: &data, team: &team, how };
    end(&args, &plan, &found, place.as_ref(), interrupt.heard()).await
}

/// Refuses `--refit` and `--resume` without a folder, and flags that have no place in a sweep.
fn check(args: &Args) -> Result<()> {
    let refused = |what, found: &str, expected: String| Err(Error::Setting { what, found: found.into(), expected });
    if args.refit && args.out.is_none() && args.resume.is_none() {
        return refused("--refit", "without a folder for the model", format!("{} DIR beside it", setting("out")));
    }
    if args.seeds == 0 || args.seeds > 10_000 {
        return refused("seeds", &args.seeds.to_string(), "a number from 1 to 10000".into());
    }
    if let Some((flag, _)) = args.said.0.explicit().find(|(flag, _)| flags::REFUSED.contains(flag)) {
        let found = format!("given as --{flag}");
        return refused("a start", &found, "none: each trial of a sweep draws its first parameters".into());
    }
    Ok(())
}
