//! The flags of `mlp train` as an estimator: the article's run for moons, what serves a newcomer best for a file, and whatever a flag
//! says instead.

use super::Args;
use super::length::Patience;
use super::optimizer::OptimizerArgs;
use crate::cli::config::AUTO;
use crate::cli::source::Source;
use crate::data::FeatureScaling;
use crate::error::{Error, Result};
use crate::math::{Optimizer, Rule};
use crate::params::Init;
use crate::pipeline::{Effort, Estimator, FoldBy, Length, Preset};
use crate::plan::PlanKind;
use crate::train::{Batch, TrainConfig};

/// What the flags say.
pub fn estimator(args: &Args, source: &Source) -> Result<Estimator> {
    let article = source.is_articles();
    let plan = PlanKind::choice(&args.plan)?;
    let is_quick = source.is_built_in() || args.init_from.is_some();
    let preset = args.preset.unwrap_or(if is_quick { Preset::Plain } else { Preset::Tabular });
    let estimator = Estimator::new(args.target.as_deref().or(source.target()).unwrap_or_default())
        .data_name(source.to_string())
        .preset(preset)
        .stratify(!article) // the article splits its moons without a look at the classes
        .strict(args.reading.strict)
        .class_weight(args.weights.class_weight.clone())
        .seed(args.seed.unwrap_or(if article { 1105 } else { 0 }))
        .baseline(!article && !args.no_baseline);
    let estimator = if article && preset == Preset::Plain { articles_run(estimator) } else { estimator };
    let estimator = args.hidden.iter().cloned().fold(estimator, Estimator::hidden_layers);
    let estimator = args.activation.into_iter().fold(estimator, Estimator::activation);
    let scaling = if args.no_standardize { Some(FeatureScaling::None) } else { args.scaling };
    let estimator = scaling.into_iter().fold(estimator, Estimator::scaling);
    let estimator = args.numbers.into_iter().fold(estimator, Estimator::numbers);
    let estimator = args.clip_outputs.into_iter().fold(estimator, Estimator::clip_outputs);
    let estimator = args.target_encoding.into_iter().fold(estimator, Estimator::target_encoding);
    let estimator = args.batch.into_iter().fold(args.optimizer.apply(estimator)?, Estimator::batch);
    let estimator = estimator.train_config(|config| {
        let config = args.init.into_iter().fold(config, TrainConfig::init);
        args.control.apply(TrainConfig { plan, ..config })
    });
    let estimator = args.task.task().into_iter().fold(estimator, Estimator::task);
    let estimator = args.length.apply(args.loss.apply(estimator));
    let (test, seed) = if article { (0.1, 42) } else { (0.2, 0) };
    let is_feature = args.split.column().is_some_and(|column| args.columns.names(column));
    let estimator = args.ensemble.apply(args.calibrate.into_iter().fold(estimator, Estimator::calibrate));
    let estimator = with_effort(estimator, args.length.effort)?;
    let is_open = estimator.networks_are_open();
    let estimator = if args.lr_find && is_open { estimator.portfolio(&[1.0]).ensemble(1) } else { estimator };
    let estimator = if args.length.budget.is_some() { estimator.without_effort() } else { estimator };
    Ok(args.split.apply(estimator, test, seed).split_column_is_feature(is_feature))
}

/// With an effort, if one is said and there is something that it decides on.
fn with_effort(estimator: Estimator, effort: Option<Effort>) -> Result<Estimator> {
    match effort {
        Some(effort) if estimator.open_effort().is_none() => Err(Error::Setting {
            what: "effort",
            found: effort.to_string(),
            expected: "--preset tabular, with networks or epochs that no flag and no configuration says".into(),
        }),
        _ => Ok(effort.into_iter().fold(estimator, Estimator::effort)),
    }
}

/// The settings of the article's run.
fn articles_run(estimator: Estimator) -> Estimator {
    estimator
        .hidden(&[25, 50, 50, 25])
        .scaling(FeatureScaling::None)
        .optimizer(Optimizer::new(Rule::Sgd, Rule::Sgd.default_learning_rate()))
        .batch(Batch::Full)
        .epochs(10_000)
        .train_config(|config| config.init(Init::Article))
}

/// What is in force of the flags without a fixed default, as words of the command line. A model to start from brings its own
/// activation.
pub fn words(estimator: &Estimator, args: &Args, source: &Source) -> Vec<(&'static str, String)> {
    let (config, sizes) = (&estimator.config, estimator.split_sizes());
    let mut words = vec![
        ("preset", estimator.preset.to_string()),
        ("hidden", estimator.hidden.to_string()),
        ("batch", config.batch.to_string()),
        ("epochs", estimator.length.epochs.map_or(AUTO.into(), |epochs| epochs.to_string())),
        ("seed", config.seed.to_string()),
        ("init", config.init.to_string()),
        ("schedule", config.schedule.to_string()),
        ("parametrization", config.parametrization.to_string()),
        ("test-fraction", sizes.test.to_string()),
        ("split-seed", sizes.seed.to_string()),
    ];
    if !estimator.networks_are_open() {
        words.push(("ensemble", estimator.ensemble.to_string()));
    }
    if estimator.ensemble > 1 {
        words.push(("share-weights", estimator.shares_weights().to_string()));
    }
    if !estimator.portfolio.is_empty() {
        words.push(("portfolio", estimator.portfolio.iter().map(f64::to_string).collect::<Vec<_>>().join(",")));
    }
    if let Some(FoldBy::Number(folds)) = &estimator.folds {
        words.push(("folds", folds.to_string()));
    }
    if estimator.folds.is_none() {
        let fraction = sizes.validation.map_or(AUTO.into(), |fraction| fraction.to_string());
        words.push(("validation-fraction", fraction));
    }
    let patience = match estimator.length {
        Length { is_patient: true, rule, .. } => Some(rule.patience),
        Length { is_patient: false, .. } => config.early_stopping.map(|rule| rule.patience),
    };
    words.extend(patience.map(|patience| ("patience", Patience::word(patience))));
    words.extend(args.init_from.is_none().then(|| ("activation", estimator.activation.to_string())));
    // Without a preset nothing is decided that the file would have to say.
    let decides = estimator.preset != Preset::Plain && args.init_from.is_none();
    words.extend(decides.then(|| ("numbers", estimator.numbers.to_string())));
    let clips = estimator.clips.filter(|_| decides);
    words.extend(clips.map(|clips| ("clip-outputs", clips.to_string())));
    words.extend(decides.then(|| ("target-encoding", estimator.encodes_target.to_string())));
    words.extend((decides && !args.no_standardize).then(|| ("scaling", estimator.scaling.name().into())));
    words.extend(estimator.calibrates.map(|calibrates| ("calibrate", calibrates.to_string())));
    words.extend((!estimator.monitor_by_task).then(|| ("monitor", estimator.length.rule.monitor.to_string())));
    words.extend(OptimizerArgs::words(estimator));
    words.extend(source.words());
    words
}
