//! `mlp train`: from a table to a model.

mod control;
mod end;
mod ensemble;
mod fit;
mod journal;
mod keeping;
mod length;
mod loss;
mod lr_find;
mod optimizer;
mod ranks;
mod read;
mod saves;
mod settings;
mod split;
mod start;
mod tell;
mod weights;

use std::path::{Path, PathBuf};

use super::columns::ColumnArgs;
use super::config::{GivenArgs, switch};
use super::device::DeviceArgs;
use super::help;
use super::interrupt::Interrupt;
use super::job::Job;
use super::output::print_data;
use super::reading::ReadingArgs;
use super::source::{DataArgs, Source, refuse_input};
use crate::backend::Device;
use crate::data::{FeatureScaling, NumericEncoding, Task};
use crate::error::Result;
use crate::folder;
use crate::math::Activation;
use crate::params::Init;
use crate::pipeline::{Estimator, Prepared, Preset};
use crate::ranks::DataParallel;
use crate::spec::HiddenLayers;
use crate::train::Batch;
use control::ControlArgs;
use end::end;
use ensemble::EnsembleArgs;
use fit::fit;
use keeping::{Keeping, Place};
use length::{LengthArgs, TimeLimit};
use loss::LossArgs;
use optimizer::OptimizerArgs;
use ranks::RankArgs;
use saves::SaveArgs;
use split::SplitArgs;
use weights::WeightArgs;

pub use loss::LossParameterArgs;
pub use read::TableFacts;
pub use tell::hints;

/// Train a network on a table; `mlp train moons` reproduces the run of docs/article.md
#[derive(Debug, clap::Args)]
#[command(allow_negative_numbers = true, mut_args(switch))]
pub struct Args {
    #[command(flatten)]
    said: GivenArgs, // in front: it sees what the others take
    /// Read a TOML file with flags as keys (`lr = 0.01`), and `data` for DATA. Command-line flags override its keys; relative
    /// paths start at the current directory
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the effective configuration as such a file and exit; `--out DIR` keeps it as DIR/config.toml
    #[arg(long)]
    dump_config: bool,
    #[command(flatten)]
    data: DataArgs,
    /// Column to predict
    #[arg(long, value_name = "COLUMN")]
    target: Option<String>,
    /// Learning task. auto: two distinct values, or text, is classification; other numbers are regression. Splits are
    /// stratified for classification
    #[arg(long, value_enum, default_value_t = TaskArg::Auto)]
    task: TaskArg,
    /// Settings that go together, for what no flag says: tabular (RealMLP's TD-S: 128,128,128 units, mish, robust-all scaling, numbers
    /// in bins, adam with cos-log and ntp; as many folds and epochs as fit half a minute or so), or plain (one network of 64,32 units, relu,
    /// adam) [default: tabular for files; plain for built-in data, for --init-from and in sweeps]
    #[arg(long, value_name = "NAME")]
    preset: Option<Preset>,
    #[command(flatten, next_help_heading = "Table")]
    columns: ColumnArgs,
    #[command(flatten, next_help_heading = "Table")]
    reading: ReadingArgs,
    #[command(flatten, next_help_heading = "Table")]
    weights: WeightArgs,
    /// Widths of the hidden layers, or `none`; a layer may name its activation (64:tanh,32) [default: 25,50,50,25 for moons,
    /// by --preset for files]
    #[arg(long, value_name = "N,N,…", conflicts_with = "init_from", help_heading = "Network")]
    hidden: Option<HiddenLayers>,
    #[arg(long, value_name = "NAME", help_heading = "Network",
          help = help::activations("Activation of the hidden layers") + " [default: relu, or by --preset]")]
    activation: Option<Activation>,
    #[command(flatten, next_help_heading = "Network")]
    loss: LossArgs,
    #[command(flatten, next_help_heading = "Training")]
    optimizer: OptimizerArgs,
    #[command(flatten, next_help_heading = "Training")]
    control: ControlArgs,
    /// Rows of a step, `full`, or `auto` (200 rows, or all if fewer) [default: full for moons, by --preset for files]
    #[arg(long, value_name = "N|full|auto", help_heading = "Training")]
    batch: Option<Batch>,
    #[command(flatten, next_help_heading = "Training")]
    length: LengthArgs,
    /// Seed of the initial parameters, the sample order and dropout [default: 1105 for moons, 0 for files]
    #[arg(long, value_name = "N", help_heading = "Training")]
    seed: Option<u64>,
    #[arg(long, value_name = "NAME", conflicts_with = "init_from", help_heading = "Network",
          help = help::inits("Initialisation of the parameters") + " [default: article for moons, by --preset for files]")]
    init: Option<Init>,
    /// Start from the parameters of a model, or of a file that `mlp import` takes
    #[arg(long, value_name = "FILE", help_heading = "Network")]
    init_from: Option<PathBuf>,
    /// How features that are numbers are scaled: standard (mean and standard deviation), robust (median and quartiles, and nothing
    /// beyond 3), robust-all (the inputs of categories alike), none [default: none for moons, by --preset for files]
    #[arg(long, value_name = "NAME", conflicts_with_all = ["no_standardize", "init_from"], help_heading = "Table")]
    scaling: Option<FeatureScaling>,
    /// What inputs numbers have: scaled (one), or ple (piecewise-linear encoding: one more for each of at most 16 bins between
    /// quantiles, or as ple:bins=N says) [default: scaled, or by --preset]
    #[arg(long, value_name = "NAME", conflicts_with = "init_from", help_heading = "Table")]
    numbers: Option<NumericEncoding>,
    /// Do not standardise features and target [default: files are standardised, moons are not]
    #[arg(long, help_heading = "Table")]
    no_standardize: bool,
    /// Calibrate probabilities: divide the logits of each network by the temperature that fits the rows it held out, for validation or
    /// in its fold. Predicted classes of one network stay [default: false, or by --preset where there are classes and such rows]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Training")]
    calibrate: Option<bool>,
    /// Keep predicted numbers within the least and the largest target of the training rows [default: false, or by --preset where the
    /// target is a number]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", conflicts_with = "init_from", help_heading = "Table")]
    clip_outputs: Option<bool>,
    /// Encode columns by the target's mean in each category, too, where a tenth of the training rows or more have a category that is too
    /// rare for an input of its own; of three classes or more by the part of each [default: false; with --preset tabular true]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", conflicts_with = "init_from", help_heading = "Table")]
    target_encoding: Option<bool>,
    #[command(flatten, next_help_heading = "Ensemble")]
    ensemble: EnsembleArgs,
    #[command(flatten, next_help_heading = "Ranks")]
    ranks: RankArgs,
    #[command(flatten, next_help_heading = "Splits")]
    split: SplitArgs,
    #[command(flatten)]
    device: DeviceArgs,
    #[arg(long, default_value = "auto", value_name = "PLAN", help_heading = "Training", help = help::plans())]
    plan: String,
    /// Folder for the files of the run: model.safetensors, report.html, predictions.csv of the test rows, metrics.jsonl with a
    /// line for each epoch, config.toml, checkpoints
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten, next_help_heading = "Checkpoints")]
    saves: SaveArgs,
    /// Do not train, but raise the learning rate from step to step and report where the loss falls fastest; --out DIR
    /// draws it as DIR/lr-find.svg
    #[arg(long, help_heading = "Training")]
    lr_find: bool,
    /// Leave out the baselines: a constant prediction, a linear model, and beside --preset tabular a small network [moons have none]
    #[arg(long)]
    no_baseline: bool,
    /// Print one JSON object at the end
    #[arg(long)]
    json: bool,
    /// Do not show progress
    #[arg(long)]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum TaskArg {
    Auto,
    Binary,
    Multiclass,
    Regression,
}

impl TaskArg {
    /// The task, or None where the target's values are to tell.
    fn task(self) -> Option<Task> {
        match self {
            Self::Auto => None,
            Self::Binary => Some(Task::Binary),
            Self::Multiclass => Some(Task::Multiclass),
            Self::Regression => Some(Task::Regression),
        }
    }
}

impl Args {
    /// The data and what is to be learned of it, by one network, for a program that trains in its own way.
    pub fn estimator(&self) -> Result<(Source, Estimator)> {
        let source = self.data.source()?;
        let estimator = settings::estimator(self, &source)?.without_effort();
        Ok((source, estimator))
    }

    /// The line that these flags are typed as.
    pub fn command(&self) -> String {
        self.said.command()
    }

    /// The device that the flags choose.
    pub fn device(&self) -> &DeviceArgs {
        &self.device
    }
}

/// Trains; the process's exit code.
pub async fn run(args: Args) -> Result<u8> {
    if !args.ranks.data_parallel || args.dump_config {
        return train(args, None).await;
    }
    let job = Job::join("--data-parallel")?;
    let parallel = args.ranks.parallel(&job);
    let ended = train(ranks::args_of_rank(args, job.ranks().rank()), Some(parallel)).await;
    job.leave(ended)
}

/// Trains alone or as one of several ranks.
async fn train(args: Args, parallel: Option<DataParallel>) -> Result<u8> {
    let source = args.data.source()?;
    let estimator = settings::estimator(&args, &source)?;
    if args.dump_config {
        return print_data(args.said.toml(&settings::words(&estimator, &args, &source))).map(|_| 0);
    }
    if let Some(folder) = &args.out {
        let inputs: Vec<&Path> = args.split.tables().chain([source.path()]).collect();
        folder::FILES.iter().try_for_each(|name| refuse_input("--out", &folder.join(name), &inputs))?;
    }
    let place = Place::take(&args)?;
    if let (Some(place), false) = (&place, args.quiet) {
        tell::the_run_it_replaces(place.path(), &source.to_string());
    }
    let ranks = parallel.as_ref().map(|parallel| parallel.ranks.clone());
    let estimator = parallel.clone().into_iter().fold(estimator, Estimator::data_parallel);
    let mut prepared = read::prepare(&args, estimator, &source)?;
    let device = open(&args, &mut prepared).await?;
    time(&args, &mut prepared, &device).await?;
    let config = args.said.toml(&settings::words(prepared.settled(), &args, &source));
    let mut fitting = prepared.start_async(&device).await?;
    if !args.quiet {
        tell::the_plan(&fitting);
    }
    if let (Some(parallel), false) = (&parallel, args.quiet) {
        ranks::tell(parallel);
    }
    if args.lr_find {
        return lr_find::run(fitting.into_trainer(), args.out.as_deref(), args.json).await.map(|()| 0);
    }
    let mut keeping = Keeping::begin(place, &mut fitting, &config).await?;
    let is_book_keeper = ranks.as_ref().is_none_or(|ranks| ranks.rank() == 0);
    let interrupt = Interrupt::listen().among(ranks);
    let trained = fit(&args, &mut fitting, &mut keeping, &interrupt).await;
    let trained = fitting.end_on_ranks_async(trained).await;
    if !is_book_keeper {
        return trained.map(|()| 0);
    }
    end(&args, &source, fitting, keeping, &interrupt, trained).await
}

/// Opens the device.
async fn open(args: &Args, prepared: &mut Prepared) -> Result<Device> {
    let rank = prepared.settled().parallel.as_ref().map(|parallel| parallel.ranks.rank());
    let opened = match rank {
        Some(rank) => args.device.open_nth(rank, args.quiet).await?,
        None => args.device.open(args.quiet).await?,
    };
    prepared.timings.end("device");
    Ok(opened.device)
}

/// Fits the run into its budget; without one, tells how long the run of a preset takes.
async fn time(args: &Args, prepared: &mut Prepared, device: &Device) -> Result<()> {
    let is_alone = args.saves.resume.is_none() && !args.ranks.data_parallel && !args.lr_find;
    match args.length.budget {
        Some(TimeLimit(budget)) => {
            prepared.fit_into_async(budget, device).await?;
            if let (Some(hint), false) = (prepared.hints.last(), args.quiet) {
                eprintln!("{hint}");
            }
        }
        None if prepared.settled().preset != Preset::Plain && is_alone && !args.quiet && !prepared.is_short() => {
            tell::the_time(prepared.expected_seconds_async(device).await?);
        }
        None => return Ok(()),
    }
    prepared.timings.end("measure");
    Ok(())
}
