//! `mlp train`: from a table to a model.

mod optimizer;
mod parts;
mod settings;
mod start;
mod summary;
mod weights;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::config::{Said, keep, switch};
use super::device::DeviceArgs;
use super::output::{print, print_json};
use super::source::{DataArgs, Source};
use crate::backend::Device;
use crate::data::{Encoder, Task};
use crate::error::{Error, Result};
use crate::files::AtomicFile;
use crate::math::{Activation, Loss};
use crate::model::{FILE_NAME, Model, TrainingRecord};
use crate::params::{Init, Layout};
use crate::report::{Reporter, count};
use crate::train::{Batch, Outcome, Trainer};
use optimizer::OptimizerArgs;
use parts::Parts;
use settings::Settings;
use summary::Summary;
use weights::WeightArgs;

pub use settings::Widths;

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
    /// What to learn; auto takes two values or texts as classes and more numbers as a regression
    #[arg(long, value_enum, default_value_t = TaskArg::Auto)]
    task: TaskArg,
    #[command(flatten)]
    weights: WeightArgs,
    /// Widths of the hidden layers, or `none` [default: 25,50,50,25 for moons, 64,32 for files]
    #[arg(long, value_name = "N,N,…", conflicts_with = "init_from")]
    hidden: Option<Widths>,
    /// Activation of the hidden layers: identity, relu, sigmoid, leaky_relu, elu, selu, gelu, gelu_tanh, silu, softplus,
    /// tanh, softsign [default: relu]
    #[arg(long, value_name = "NAME")]
    activation: Option<Activation>,
    #[command(flatten)]
    optimizer: OptimizerArgs,
    /// Rows of a step, or `full` [default: full for moons, 32 for files]
    #[arg(long, value_name = "N|full")]
    batch: Option<Batch>,
    /// Passes over the training rows [default: 10000 for moons, 50 for files]
    #[arg(long, value_name = "N")]
    epochs: Option<u64>,
    /// Seed of the first parameters and of the sample order [default: 1105 for moons, 0 for files]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// First parameters: article, he or xavier [default: article for moons, he for files]
    #[arg(long, value_name = "NAME", conflicts_with = "init_from")]
    init: Option<Init>,
    /// Start from the parameters of a model, or of any safetensors file with layers.{i}.weight and .bias
    #[arg(long, value_name = "FILE")]
    init_from: Option<PathBuf>,
    /// Leave features and target as they are [moons always are, files are standardised]
    #[arg(long)]
    no_standardize: bool,
    /// Part of the rows that is kept for testing [default: 0.1 for moons, 0.2 for files]
    #[arg(long, value_name = "F")]
    test_fraction: Option<f64>,
    /// Part of the remaining rows that is kept for validation
    #[arg(long, default_value_t = 0.0, value_name = "F")]
    validation_fraction: f64,
    /// Seed of the split [default: 42 for moons, 0 for files]
    #[arg(long, value_name = "N")]
    split_seed: Option<u32>,
    #[command(flatten)]
    device: DeviceArgs,
    /// How to run the network: auto or layered
    #[arg(long, default_value = "auto", value_name = "PLAN")]
    plan: String,
    /// Folder for the model: DIR/model.safetensors
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
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
    let settings = Settings::new(&args, &source)?;
    let config = args.said.toml(&settings.words(&args, &source));
    if args.dump_config {
        return print(config);
    }
    let out = args.out.as_deref().map(writable_model).transpose()?;
    let start = args.init_from.as_ref().map(|path| start::load(path, &args)).transpose()?;

    let known = start.as_ref().and_then(|model| model.encoder.clone());
    let target = args.target.as_deref().or(known.as_ref().map(|encoder| encoder.target().name.as_str()));
    let (mut table, target) = source.read(target, &[])?;
    let weights = args.weights.take(&mut table, &target, known.as_ref())?;
    let rows = Parts::split(&settings, table.rows())?;
    let encoder = match known {
        Some(encoder) => encoder,
        None => {
            let encoder = Encoder::fit(&table, &target, &rows.train, settings.task, settings.scaling)?;
            if settings.task.is_none() && !args.quiet {
                parts::note_whole_numbers(&encoder, &table)?;
            }
            encoder
        }
    };
    let encoder = weights.name_in(encoder)?;
    let mut data = rows.encode(&encoder, &table)?;
    drop(table);
    data.train = weights.give(data.train, &rows.train, &encoder)?;
    let spec = match &start {
        Some(model) => start::spec(model, &encoder)?,
        None => settings.spec(&encoder)?,
    };

    let device = args.device.open(args.quiet).await?.device;
    let mut trainer = Trainer::new(&device, &spec, &settings.train, &data.train).await?;
    if !args.quiet {
        eprintln!("network: {spec}; {} parameters", count(Layout::new(&spec).len() as u64));
        let (batch, kib) = (count(trainer.batch() as u64), count(trainer.plan().bytes(4).div_ceil(1024)));
        let rows = count(data.train.rows() as u64);
        eprintln!("plan: {}, {batch} of {rows} rows a step, {kib} KiB", trainer.plan().kind);
    }
    let parameters = match start {
        Some(model) => model.parameters,
        None => settings.init.draw(&spec, settings.train.seed)?,
    };
    trainer.set_parameters(&parameters)?;

    args.out.as_deref().map_or(Ok(()), |folder| keep(&config, folder))?;
    let fitted = fit(&mut trainer, &settings, args.quiet).await;
    let fitted = match fitted {
        Err(error) if !matches!(error, Error::Diverged { .. }) => return Err(error),
        fitted => fitted,
    };
    let loss = fitted.as_ref().ok().and_then(|outcome| outcome.last_epoch).map(|epoch| epoch.loss);
    let training = Some(record(&source, &settings, &trainer, data.train.rows(), &device, loss));
    let mut model = Model { spec, parameters: trainer.parameters().await?, encoder: Some(encoder), training };
    let save = |model: &Model| out.as_ref().map_or(Ok(()), |path| model.save(path));
    save(&model)?;
    let outcome = fitted.inspect_err(|_| tell_what_is_left(out.as_deref()))?;
    let metrics = data.metrics(&device, &model).await?;
    if metrics.train.figures.is_none() {
        // The last update has no loss of its own to tell that it went wrong.
        let (step, epoch) = (trainer.steps(), trainer.epochs());
        model.parameters = trainer.roll_back().await?;
        model.training = Some(record(&source, &settings, &trainer, data.train.rows(), &device, None));
        save(&model)?;
        tell_what_is_left(out.as_deref());
        return Err(Error::Diverged { step, epoch, what: "loss after it".into() });
    }
    if outcome.stopped {
        eprintln!("stopped by Ctrl-C after {} of {} epochs", count(outcome.epochs), count(settings.train.epochs));
    }
    let article = matches!(source, Source::Moons(_)) && model.spec.loss() == Loss::BinaryCrossEntropy;
    let summary = Summary::new(&device, &trainer, &model, &outcome, &metrics, article, out.as_deref());
    if args.json { print_json(&summary) } else { print(summary.text()) }
}

/// After a divergence.
fn tell_what_is_left(saved: Option<&Path>) {
    match saved {
        Some(path) => eprintln!("the last good parameters are in {}", path.display()),
        None => eprintln!("the last good parameters were not kept: --out DIR would have"),
    }
}

/// Trains with progress on stderr, until the last epoch or Ctrl-C.
async fn fit(trainer: &mut Trainer, settings: &Settings, quiet: bool) -> Result<Outcome> {
    let mut reporter = Reporter::new(settings.train.epochs, quiet);
    let interrupted = on_interrupt();
    let fitted = trainer.fit(|event| {
        reporter.show(&event);
        if interrupted.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let fitted = fitted.await;
    reporter.finish();
    fitted
}

/// What the model file tells of its training: of what its parameters have behind them.
fn record(
    source: &Source,
    settings: &Settings,
    trainer: &Trainer,
    rows: usize,
    device: &Device,
    loss: Option<f64>,
) -> TrainingRecord {
    TrainingRecord {
        data: source.to_string(),
        rows,
        epochs: trainer.epochs(),
        steps: trainer.steps(),
        batch: trainer.batch(),
        optimizer: settings.train.optimizer,
        seed: settings.train.seed,
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
