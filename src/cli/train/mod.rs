//! `mlp train`: from a table to a model.

mod control;
mod fit;
mod journal;
mod keeping;
mod length;
mod loss;
mod lr_find;
mod notes;
mod optimizer;
mod prepare;
mod report;
mod saves;
mod session;
mod settings;
mod split;
mod start;
mod summary;
mod tables;
mod weights;

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::columns::ColumnArgs;
use super::config::{GivenArgs, switch};
use super::device::DeviceArgs;
use super::interrupt::{Interrupt, Signal};
use super::output::{print, print_data, print_json};
use super::reading::ReadingArgs;
use super::source::{DataArgs, Source};
use super::{flag, help};
use crate::data::{Dataset, Task};
use crate::error::{Error, Result, shell_word};
use crate::folder::{Origin, RunName};
use crate::kernels::MOST_LAYERS;
use crate::math::{Activation, Loss};
use crate::model::{Model, TrainingRecord};
use crate::params::{Init, Layout};
use crate::pipeline::{Baseline, Splits, Timings, record};
use crate::plan::PlanKind;
use crate::report::{count, memory};
use crate::spec::{HiddenLayers, MlpSpec};
use crate::train::{Batch, Outcome, Trainer};
use control::ControlArgs;
use fit::{Fitted, fit};
use keeping::{Contents, Keeping, Place};
use length::LengthArgs;
use loss::LossArgs;
use optimizer::OptimizerArgs;
use prepare::{Prepared, Start, prepare};
use report::Material;
use saves::SaveArgs;
use session::{Session, Setup};
use settings::Settings;
use split::SplitArgs;
use summary::Summary;
use weights::WeightArgs;

pub use loss::LossParameterArgs;

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
    #[command(flatten, next_help_heading = "Table")]
    columns: ColumnArgs,
    #[command(flatten, next_help_heading = "Table")]
    reading: ReadingArgs,
    #[command(flatten, next_help_heading = "Table")]
    weights: WeightArgs,
    /// Widths of the hidden layers, or `none`; a layer may name its activation (64:tanh,32) [default: 25,50,50,25 for moons,
    /// 64,32 for files]
    #[arg(long, value_name = "N,N,…", conflicts_with = "init_from", help_heading = "Network")]
    hidden: Option<HiddenLayers>,
    #[arg(long, value_name = "NAME", help_heading = "Network",
          help = help::activations("Activation of the hidden layers") + " [default: relu]")]
    activation: Option<Activation>,
    #[command(flatten, next_help_heading = "Network")]
    loss: LossArgs,
    #[command(flatten, next_help_heading = "Training")]
    optimizer: OptimizerArgs,
    #[command(flatten, next_help_heading = "Training")]
    control: ControlArgs,
    /// Rows of a step, `full`, or `auto` (200 rows, or all if fewer) [default: full for moons, 32 for files]
    #[arg(long, value_name = "N|full|auto", help_heading = "Training")]
    batch: Option<Batch>,
    #[command(flatten, next_help_heading = "Training")]
    length: LengthArgs,
    /// Seed of the initial parameters, the sample order and dropout [default: 1105 for moons, 0 for files]
    #[arg(long, value_name = "N", help_heading = "Training")]
    seed: Option<u64>,
    #[arg(long, value_name = "NAME", conflicts_with = "init_from", help_heading = "Network",
          help = help::inits("Initialisation of the parameters") + " [default: article for moons, he for files]")]
    init: Option<Init>,
    /// Start from the parameters of a model, or of a file that `mlp import` takes
    #[arg(long, value_name = "FILE", help_heading = "Network")]
    init_from: Option<PathBuf>,
    /// Do not standardise features and target [default: files are standardised, moons are not]
    #[arg(long, help_heading = "Table")]
    no_standardize: bool,
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
    /// Leave out the baselines, a constant prediction and a linear model [moons have none]
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

/// Trains; the process's exit code.
pub async fn run(args: Args) -> Result<u8> {
    let source = args.data.source()?;
    let mut settings = Settings::new(&args, &source)?;
    if args.dump_config {
        return print_data(args.said.toml(&settings.words(&args, &source))).map(|_| 0);
    }
    let out = args.out.as_deref();
    if let (Some(folder), true) = (out, args.lr_find) {
        lr_find::writable(folder)?;
    }
    let command = args.said.command();
    let place = out.filter(|_| !args.lr_find).map(|path| Place::take(path, &args.saves, &command)).transpose()?;
    let mut phases = Timings::start();
    let Prepared { data, judged, encoder, spec, start, notes } = prepare(&args, &mut settings, &source, &mut phases)?;
    let config = args.said.toml(&settings.words(&args, &source));
    let started = Instant::now();
    let setup = Setup { device: &args.device, spec: &spec, config: &settings.train, data: &data, quiet: args.quiet };
    let mut session = Session::open(setup).await?;
    phases.end("device");
    if !args.quiet {
        tell_the_plan(&spec, &session.trainer, data.train.rows());
    }
    let (run, origin) = begin(start, &settings, &data, &mut session.trainer).await?;
    phases.end("upload");
    if args.lr_find {
        return lr_find::run(session.trainer, out, args.json).await.map(|()| 0);
    }

    let (rows, name) = (data.train.rows(), session.device.name());
    let model_of = |trainer: &Trainer, parameters, loss| {
        let training = Some(TrainingRecord {
            run: Some(run.to_string()),
            ..record(trainer, source.to_string(), rows, name.clone(), loss)
        });
        Model { spec: spec.clone(), parameters, encoder: Some(encoder.clone()), training }
    };
    let model_of_now = |trainer: &Trainer, parameters| model_of(trainer, parameters, None);
    let test = data.test.as_ref().map(Dataset::checksum);
    let mut keeping = Keeping::begin(
        place,
        Contents { settings: &config, model: &model_of_now, test },
        run.clone(),
        origin.as_ref(),
    )?;
    let setup = started.elapsed();
    let interrupt = Interrupt::listen();
    let Fitted { outcome, parameters } =
        fit(&mut session, &mut keeping, &args.saves, &interrupt, setup, args.quiet).await?;
    let Session { device, mut trainer, .. } = session;
    phases.end("train");
    let loss = outcome.as_ref().ok().and_then(|outcome| outcome.last_epoch).map(|epoch| epoch.loss);
    let mut model = model_of(&trainer, parameters, loss);
    // From here on what fails is told last: the model is there.
    let (saved, mut kept) = keeping.finish(&model);
    let saved = saved.as_deref();
    phases.end("save");
    let outcome = outcome.inspect_err(|_| tell_what_is_left(saved))?;
    let is_asked_to_end = || interrupt.heard().is_some();
    out.filter(|_| kept.is_ok()).map_or(Ok(()), report::writable)?;
    let mut metrics = None;
    if !is_asked_to_end() {
        metrics = Some(data.metrics(&device, &model).await?);
        phases.end("evaluate");
    }
    if metrics.as_ref().is_some_and(|metrics| metrics.train.scores.is_none()) {
        // The last update has no loss of its own to tell that it went wrong.
        let (step, epoch) = (trainer.steps(), trainer.epochs());
        let parameters = trainer.roll_back_async().await?;
        model = model_of(&trainer, parameters, None);
        saved.map_or(Ok(()), |path| model.save(path))?;
        tell_what_is_left(saved);
        return Err(Error::Diverged { step, epoch, what: "loss after it".into() });
    }
    if !args.quiet {
        tell_the_end(&outcome, trainer.epochs(), settings.train.epochs, interrupt.heard());
    }
    let article = matches!(source, Source::Moons(_)) && model.spec.loss() == Loss::BinaryCrossEntropy;
    let mut summary =
        Summary::new(&device, &trainer, &model, setup, &outcome, metrics.as_ref(), phases, article, saved);
    let done = trainer.epochs();
    drop(trainer); // and with it its copy of the rows
    if settings.baseline && metrics.is_some() && !is_asked_to_end() {
        summary.baseline = Some(Baseline::new(&data, &model).await?);
        summary.phases.end("baseline");
    }
    summary.notes = notes;
    if let (Some(folder), Some(metrics), Ok(()), false) = (out, &metrics, &kept, is_asked_to_end()) {
        let material = Material {
            device: &device,
            model: &model,
            encoder: &encoder,
            data: &data,
            judged: &judged,
            metrics,
            command: &command,
            config: &config,
        };
        match report::write(folder, &material, &mut summary).await {
            Ok(path) => summary.report = Some(path),
            Err(error) => kept = Err(error),
        }
        summary.phases.end("report");
    }
    if let (Some(folder), None, Ok(()), true) = (out, &summary.report, &kept, is_asked_to_end()) {
        tell_what_is_left_out(folder, &source, outcome.stopped.then_some(done));
    }
    // The figures are there even where not all could be kept.
    if args.json { print_json(&summary) } else { print(summary.text()) }?;
    kept.map(|()| interrupt.heard().map_or(0, Signal::exit_code))
}

/// Gives the trainer its first parameters, or its state where the run goes on: then with what it goes on from.
async fn begin(
    start: Start,
    settings: &Settings,
    data: &Splits<Dataset>,
    trainer: &mut Trainer,
) -> Result<(RunName, Option<Origin>)> {
    let (first, origin) = match start {
        Start::Drawn => (trainer.parameters_async().await?, None),
        Start::Model(model) => {
            trainer.set_parameters(&model.parameters)?;
            (model.parameters, None)
        }
        Start::Checkpoint(checkpoint) => {
            trainer.restore_async(&checkpoint.state).await.map_err(flag("--resume"))?;
            if checkpoint.test.is_some_and(|test| Some(test) != data.test.as_ref().map(Dataset::checksum)) {
                let (found, expected) = ("of a run with other test rows".into(), "the same test rows".into());
                return Err(Error::Setting { what: "--resume", found, expected });
            }
            let origin = Origin { epochs: trainer.epochs(), run: checkpoint.run() };
            (checkpoint.state.parameters, Some(origin))
        }
    };
    let run = match origin.as_ref().and_then(|origin| origin.run.as_ref()) {
        Some(run) => run.with_epochs(settings.train.epochs),
        None => RunName::new(trainer.key(&first), settings.train.epochs),
    };
    Ok((run, origin))
}

fn tell_the_plan(spec: &MlpSpec, trainer: &Trainer, rows: usize) {
    eprintln!("network: {spec}; {} parameters", count(Layout::new(spec).len() as u64));
    let (batch, memory) = (count(trainer.batch() as u64), memory(trainer.plan().bytes(4)));
    let kind = trainer.plan().kind;
    let deep = kind == PlanKind::Layered && spec.layers().len() > MOST_LAYERS;
    let reason = if deep { format!(" (the others take at most {MOST_LAYERS} layers)") } else { String::new() };
    eprintln!("plan: {kind}{reason}, {batch} of {} rows a step, {memory} of memory", count(rows as u64));
}

/// Why a run ended before its last epoch, and whose parameters it left.
fn tell_the_end(outcome: &Outcome, done: u64, epochs: u64, signal: Option<Signal>) {
    let best = outcome.best_epoch.map(|best| format!("; the parameters are those of epoch {}, the best", count(best)));
    let end = match signal.filter(|_| outcome.stopped) {
        Some(signal) => format!("stopped by {} after {} of {} epochs", signal.name(), count(done), count(epochs)),
        None if best.is_none() => return,
        None if done < epochs => format!("stopped early after {} epochs", count(done)),
        None => format!("trained for {} epochs", count(done)),
    };
    eprintln!("{end}{}", best.unwrap_or_default());
}

/// After a signal: what computes the metrics that are left out; of a run that was `stopped` after so many epochs, what goes on.
fn tell_what_is_left_out(folder: &Path, source: &Source, stopped: Option<u64>) {
    let folder = shell_word(&folder.to_string_lossy()).into_owned();
    match stopped {
        Some(done) => {
            eprintln!("metrics and report are left out: mlp train --resume {folder} --epochs {done} makes them");
            eprintln!("mlp train --resume {folder} continues from here");
        }
        None => eprintln!("the report is left out: mlp eval {folder} {} computes the metrics", source.typed()),
    }
}

/// After a divergence.
fn tell_what_is_left(saved: Option<&Path>) {
    match saved {
        Some(path) => eprintln!("the last good parameters are in {}", path.display()),
        None => eprintln!("the last good parameters were not saved: --out DIR would save them"),
    }
}
