//! `mlp train`: from a table to a model.

mod baseline;
mod control;
mod fit;
mod hidden;
mod journal;
mod length;
mod loss;
mod lr_find;
mod notes;
mod optimizer;
mod parts;
mod phases;
mod prepare;
mod report;
mod saves;
mod settings;
mod split;
mod start;
mod summary;
mod tables;
mod weights;

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::columns::ColumnArgs;
use super::config::{Said, keep, switch};
use super::device::DeviceArgs;
use super::flag;
use super::output::{print, print_data, print_json};
use super::reading::ReadingArgs;
use super::source::{DataArgs, Source};
use crate::backend::Device;
use crate::data::Task;
use crate::error::{Error, Result};
use crate::files::AtomicFile;
use crate::math::{Activation, Loss};
use crate::model::{FILE_NAME, Model, TrainingRecord};
use crate::params::{Init, Layout};
use crate::report::{count, memory};
use crate::train::{Batch, Outcome, Trainer};
use baseline::Baseline;
use control::ControlArgs;
use fit::{Keeping, fit};
use length::LengthArgs;
use loss::LossArgs;
use optimizer::OptimizerArgs;
use phases::Phases;
use prepare::{Prepared, Start, prepare};
use report::Material;
use saves::SaveArgs;
use settings::Settings;
use split::SplitArgs;
use summary::Summary;
use weights::WeightArgs;

pub use hidden::Hidden;
pub use loss::LossParameterArgs;
pub use weights::ClassWeight;

/// Train a network on a table; `mlp train moons` is the run of the article that the README describes
#[derive(Debug, clap::Args)]
#[command(allow_negative_numbers = true, mut_args(switch))]
pub struct Args {
    #[command(flatten)]
    said: Said, // in front: it sees what the others take
    /// A TOML file with flags as keys (`lr = 0.01`), and `data` for DATA; flags take the place of its keys, and paths in
    /// it start from the current folder
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the configuration in force, as such a file, and do nothing else; `--out DIR` keeps it as DIR/config.toml
    #[arg(long)]
    dump_config: bool,
    #[command(flatten)]
    data: DataArgs,
    /// Column to be predicted
    #[arg(long, value_name = "COLUMN")]
    target: Option<String>,
    /// What to learn; auto takes two values or texts as classes and more numbers as a regression, and says why. Each part of
    /// a file's rows gets as many of each class as it can
    #[arg(long, value_enum, default_value_t = TaskArg::Auto)]
    task: TaskArg,
    #[command(flatten)]
    columns: ColumnArgs,
    #[command(flatten)]
    reading: ReadingArgs,
    #[command(flatten)]
    weights: WeightArgs,
    /// Widths of the hidden layers, each with an activation of its own or without (64:tanh,32), or `none` [default:
    /// 25,50,50,25 for moons, 64,32 for files]
    #[arg(long, value_name = "N,N,…", conflicts_with = "init_from")]
    hidden: Option<Hidden>,
    /// Activation of the hidden layers: identity, relu, sigmoid, leaky_relu, elu, selu, gelu, gelu_tanh, silu, softplus,
    /// tanh, softsign [default: relu]
    #[arg(long, value_name = "NAME")]
    activation: Option<Activation>,
    #[command(flatten)]
    loss: LossArgs,
    #[command(flatten)]
    optimizer: OptimizerArgs,
    #[command(flatten)]
    control: ControlArgs,
    /// Rows of a step, `full`, or `auto` for 200 or all [default: full for moons, 32 for files]
    #[arg(long, value_name = "N|full|auto")]
    batch: Option<Batch>,
    #[command(flatten)]
    length: LengthArgs,
    /// Seed of the first parameters, the sample order and dropout [default: 1105 for moons, 0 for files]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// First parameters: article, he or xavier [default: article for moons, he for files]
    #[arg(long, value_name = "NAME", conflicts_with = "init_from")]
    init: Option<Init>,
    /// Start from the parameters of a model, or of a file that `mlp import` takes
    #[arg(long, value_name = "FILE")]
    init_from: Option<PathBuf>,
    /// Leave features and target as they are [moons always are, files are standardised]
    #[arg(long)]
    no_standardize: bool,
    #[command(flatten)]
    split: SplitArgs,
    #[command(flatten)]
    device: DeviceArgs,
    /// How a training step is planned: auto, layered (a dispatch or two for each layer), fused (small networks in two),
    /// resident (many steps of one workgroup in one) or plain (a dispatch for each operation)
    #[arg(long, default_value = "auto", value_name = "PLAN")]
    plan: String,
    /// Folder for the run: model.safetensors, report.html, predictions.csv of the test rows, metrics.jsonl with a line for
    /// each epoch, config.toml, checkpoints
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    saves: SaveArgs,
    /// Do not train, but raise the learning rate from step to step and tell where the loss falls fastest; --out DIR
    /// draws it as DIR/lr-find.svg
    #[arg(long)]
    lr_find: bool,
    /// Leave out the constant prediction and the linear model that stand beside the network [moons have none]
    #[arg(long)]
    no_baseline: bool,
    /// Print one JSON object at the end
    #[arg(long)]
    json: bool,
    /// Show no progress
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

pub async fn run(args: Args) -> Result<()> {
    let source = args.data.source()?;
    let mut settings = Settings::new(&args, &source)?;
    if args.dump_config {
        return print_data(args.said.toml(&settings.words(&args, &source))).map(|_| ());
    }
    if !args.lr_find {
        args.saves.checkpoints(args.out.as_deref())?;
    }
    let out = args.out.as_deref().map(writable_model).transpose()?;
    let mut phases = Phases::start();
    let Prepared { data, judged, encoder, spec, start, notes } = prepare(&args, &mut settings, &source, &mut phases)?;
    let config = args.said.toml(&settings.words(&args, &source));
    let started = Instant::now();
    let device = args.device.open(args.quiet).await?.device;
    phases.end("device");
    let mut trainer =
        Trainer::with_validation(&device, &spec, &settings.train, &data.train, data.validation.as_ref()).await?;
    if !args.quiet {
        eprintln!("network: {spec}; {} parameters", count(Layout::new(&spec).len() as u64));
        let (batch, memory) = (count(trainer.batch() as u64), memory(trainer.plan().bytes(4)));
        let rows = count(data.train.rows() as u64);
        eprintln!("plan: {}, {batch} of {rows} rows a step, {memory} of memory", trainer.plan().kind);
    }
    match &start {
        Start::Drawn => trainer.set_parameters(&settings.init.draw(&spec, settings.train.seed)?)?,
        Start::Model(model) => trainer.set_parameters(&model.parameters)?,
        Start::Checkpoint(checkpoint) => trainer.restore(&checkpoint.state).await.map_err(flag("--resume"))?,
    }
    drop(start);
    phases.end("upload");
    if args.lr_find {
        return lr_find::run(trainer, args.out.as_deref(), args.json).await;
    }

    let rows = data.train.rows();
    let model_of = |trainer: &Trainer, parameters, loss| {
        let training = Some(record(&source, trainer, rows, &device, loss));
        Model { spec: spec.clone(), parameters, encoder: Some(encoder.clone()), training }
    };
    args.out.as_deref().map_or(Ok(()), |folder| keep(&config, folder))?;
    let keeping = Keeping {
        folder: args.out.as_deref(),
        saves: &args.saves,
        settings: &config,
        model: &|trainer, parameters| model_of(trainer, parameters, None),
    };
    let setup = started.elapsed();
    let fitted = match fit(&mut trainer, &keeping, setup, args.quiet).await {
        Err(error) if !matches!(error, Error::Diverged { .. }) => return Err(error),
        fitted => fitted,
    };
    phases.end("train");
    let loss = fitted.as_ref().ok().and_then(|outcome| outcome.last_epoch).map(|epoch| epoch.loss);
    // A run that was broken off still has its current ones, so that it can go on.
    let parameters = match trainer.best_parameters().await? {
        Some(best) => best,
        None => trainer.parameters().await?,
    };
    let mut model = model_of(&trainer, parameters, loss);
    let save = |model: &Model| out.as_ref().map_or(Ok(()), |path| model.save(path));
    save(&model)?;
    args.out.as_deref().map_or(Ok(()), report::clear)?;
    phases.end("save");
    let outcome = fitted.inspect_err(|_| tell_what_is_left(out.as_deref()))?;
    let metrics = data.metrics(&device, &model).await?;
    phases.end("evaluate");
    if metrics.train.figures.is_none() {
        // The last update has no loss of its own to tell that it went wrong.
        let (step, epoch) = (trainer.steps(), trainer.epochs());
        let parameters = trainer.roll_back().await?;
        model = model_of(&trainer, parameters, None);
        save(&model)?;
        tell_what_is_left(out.as_deref());
        return Err(Error::Diverged { step, epoch, what: "loss after it".into() });
    }
    if !args.quiet {
        tell_the_end(&outcome, trainer.epochs(), settings.train.epochs);
    }
    let article = matches!(source, Source::Moons(_)) && model.spec.loss() == Loss::BinaryCrossEntropy;
    let saved = out.as_deref();
    let mut summary = Summary::new(&device, &trainer, &model, setup, &outcome, &metrics, phases, article, saved);
    drop(trainer); // and with it its copy of the rows
    if settings.baseline && !outcome.stopped {
        summary.baseline = Some(Baseline::new(&data, &model).await?);
        summary.phases.end("baseline");
    }
    summary.notes = notes;
    let mut failed = None;
    if let Some(folder) = &args.out {
        let material = Material {
            device: &device,
            model: &model,
            encoder: &encoder,
            data: &data,
            judged: &judged,
            metrics: &metrics,
            command: &args.said.command(),
            config: &config,
        };
        match report::write(folder, &material, &mut summary).await {
            Ok(path) => summary.report = Some(path),
            Err(error) => failed = Some(error),
        }
        summary.phases.end("report");
    }
    // The figures are there even where their report could not be written.
    if args.json { print_json(&summary) } else { print(summary.text()) }?;
    failed.map_or(Ok(()), Err)
}

/// Why a run ended before its last epoch, and whose parameters it left.
fn tell_the_end(outcome: &Outcome, done: u64, epochs: u64) {
    let best = outcome.best_epoch.map(|best| format!("; the parameters are those of epoch {}, the best", count(best)));
    let end = match outcome.stopped {
        true => format!("stopped by Ctrl-C after {} of {} epochs", count(done), count(epochs)),
        false if best.is_none() => return,
        false if done < epochs => format!("stopped early after {} epochs", count(done)),
        false => format!("trained for {} epochs", count(done)),
    };
    eprintln!("{end}{}", best.unwrap_or_default());
}

/// After a divergence.
fn tell_what_is_left(saved: Option<&Path>) {
    match saved {
        Some(path) => eprintln!("the last good parameters are in {}", path.display()),
        None => eprintln!("the last good parameters were not kept: --out DIR would have"),
    }
}

/// What the model file tells of its training: of what its parameters have behind them.
fn record(source: &Source, trainer: &Trainer, rows: usize, device: &Device, loss: Option<f64>) -> TrainingRecord {
    let config = trainer.config();
    TrainingRecord {
        data: source.to_string(),
        rows,
        epochs: trainer.epochs(),
        steps: trainer.steps(),
        batch: trainer.batch(),
        optimizer: config.optimizer,
        seed: config.seed,
        device: device.name(),
        loss,
    }
}

/// Makes the folder and shows that a file can be written there, before any work is done.
fn writable_model(folder: &Path) -> Result<PathBuf> {
    let path = folder.join(FILE_NAME);
    std::fs::create_dir_all(folder).map_err(Error::io("make the output folder", folder))?;
    AtomicFile::create("write the model", &path)?;
    Ok(path)
}
