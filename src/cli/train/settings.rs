//! The flags of `mlp train` as an estimator: the article's run for moons, what serves a newcomer best for a file, and whatever a flag
//! says instead.

use super::Args;
use super::length::Patience;
use super::optimizer::OptimizerArgs;
use crate::cli::config::AUTO;
use crate::cli::source::Source;
use crate::data::FeatureScaling;
use crate::error::Result;
use crate::math::{Activation, Rule};
use crate::params::Init;
use crate::pipeline::{Estimator, Length};
use crate::plan::PlanKind;
use crate::spec::HiddenLayers;
use crate::train::{Batch, TrainConfig};

/// What the flags say.
pub fn estimator(args: &Args, source: &Source) -> Result<Estimator> {
    let article = matches!(source, Source::Moons(_));
    let hidden: &[usize] = if article { &[25, 50, 50, 25] } else { &[64, 32] };
    let init = args.init.unwrap_or(if article { Init::Article } else { Init::He });
    let plan = PlanKind::choice(&args.plan)?;
    let estimator = Estimator::new(args.target.as_deref().or(source.target()).unwrap_or_default())
        .data_name(source.to_string())
        .hidden_layers(args.hidden.clone().unwrap_or_else(|| HiddenLayers::plain(hidden)))
        .activation(args.activation.unwrap_or(Activation::Relu))
        .scaling(args.scaling.unwrap_or(if article || args.no_standardize {
            FeatureScaling::None
        } else {
            FeatureScaling::Standard
        }))
        .stratify(!article) // the article splits its moons without a look at the classes
        .strict(args.reading.strict)
        .class_weight(args.weights.class_weight.clone())
        .optimizer(args.optimizer.optimizer(if article { Rule::Sgd } else { Rule::Adam })?)
        .batch(args.batch.unwrap_or(if article { Batch::Full } else { Batch::Rows(32) }))
        .seed(args.seed.unwrap_or(if article { 1105 } else { 0 }))
        .train_config(|config| args.control.apply(TrainConfig { plan, ..config.init(init) }))
        .baseline(!article && !args.no_baseline);
    let estimator = args.task.task().into_iter().fold(estimator, Estimator::task);
    let estimator = args.length.apply(args.loss.apply(estimator), article.then_some(10_000));
    let (test, seed) = if article { (0.1, 42) } else { (0.2, 0) };
    let is_feature = args.split.column().is_some_and(|column| args.columns.names(column));
    let estimator = args.ensemble.apply(estimator);
    Ok(args.split.apply(estimator, test, seed).split_column_is_feature(is_feature))
}

/// What is in force of the flags without a fixed default, as words of the command line. A model to start from brings its own
/// activation.
pub fn words(estimator: &Estimator, args: &Args, source: &Source) -> Vec<(&'static str, String)> {
    let (config, sizes) = (&estimator.config, estimator.split_sizes());
    let mut words = vec![
        ("hidden", estimator.hidden.to_string()),
        ("batch", config.batch.to_string()),
        ("epochs", estimator.length.epochs.map_or(AUTO.into(), |epochs| epochs.to_string())),
        ("seed", config.seed.to_string()),
        ("init", config.init.to_string()),
        ("parametrization", config.parametrization.to_string()),
        ("test-fraction", sizes.test.to_string()),
        ("split-seed", sizes.seed.to_string()),
    ];
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
    words.extend(OptimizerArgs::words(&config.optimizer));
    words.extend(source.words());
    words
}
