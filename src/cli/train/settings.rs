//! The flags of `mlp train` as checked settings: the article's run for moons, what serves a newcomer best
//! for a file, and whatever a flag says instead.

use super::Args;
use super::length::tell;
use super::optimizer::OptimizerArgs;
use crate::cli::config::AUTO;
use crate::cli::source::Source;
use crate::data::{Encoder, Scaling, Task};
use crate::error::Result;
use crate::math::{Activation, Loss, Rule};
use crate::params::Init;
use crate::pipeline::Splits;
use crate::pipeline::{Length, Rows, SplitSizes};
use crate::plan::PlanKind;
use crate::spec::HiddenLayers;
use crate::spec::MlpSpec;
use crate::train::{Batch, Budget, TrainConfig};

#[derive(Debug)]
pub struct Settings {
    /// With the epochs that [`Settings::decide`] has settled.
    pub train: TrainConfig,
    pub length: Length,
    pub hidden: HiddenLayers,
    pub activation: Activation,
    pub init: Init,
    pub task: Option<Task>,
    pub scaling: Scaling,
    pub sizes: SplitSizes,
    pub baseline: bool,
}

impl Settings {
    pub fn new(args: &Args, source: &Source) -> Result<Self> {
        let article = matches!(source, Source::Moons(_));
        let scaled = !article && !args.no_standardize;
        let hidden: &[usize] = if article { &[25, 50, 50, 25] } else { &[64, 32] };
        let optimizer = args.optimizer.optimizer(if article { Rule::Sgd } else { Rule::Adam })?;
        let length = args.length.length(article.then_some(10_000));
        let fraction = match (&args.split.validation, args.split.validation_fraction) {
            (Some(_), _) => Some(0.0),
            (None, Some(said)) => said.given(),
            (None, None) => length.validation_fraction(),
        };
        let init = args.init.unwrap_or(if article { Init::Article } else { Init::He });
        let starts_anew = args.init_from.is_none() && args.saves.resume.is_none();
        let train = TrainConfig {
            plan: PlanKind::choice(&args.plan)?,
            ..TrainConfig::new(1, args.batch.unwrap_or(if article { Batch::Full } else { Batch::Rows(32) }), optimizer)
                .seed(args.seed.unwrap_or(if article { 1105 } else { 0 }))
                .init(if starts_anew { init } else { Init::default() })
        };
        Ok(Self {
            train: args.control.apply(train),
            hidden: args.hidden.clone().unwrap_or_else(|| HiddenLayers::plain(hidden)),
            activation: args.activation.unwrap_or(Activation::Relu),
            init,
            task: args.task.task(),
            scaling: Scaling { features: scaled, target: scaled && !args.loss.takes_counts() },
            sizes: SplitSizes {
                test: args.split.test_fraction(if article { 0.1 } else { 0.2 }),
                validation: fraction,
                seed: args.split.split_seed.unwrap_or(if article { 42 } else { 0 }),
            },
            length,
            baseline: !article && !args.no_baseline,
        })
    }

    /// Settles what the number of rows decides; says it in a line, if there is something to say.
    pub fn decide(&mut self, parts: &Splits<Vec<usize>>, from_file: bool) -> Option<String> {
        let rows = Rows { train: parts.train.len(), validation: parts.validation.as_ref().map_or(0, Vec::len) };
        self.train = self.length.apply(self.train.clone(), rows);
        let drawn = self.sizes.validation.is_none() && !from_file;
        if self.sizes.validation.is_none() {
            self.sizes.validation = Some(if rows.validation > 0 { Budget::VALIDATION_FRACTION } else { 0.0 });
        }
        let told = tell(&self.length, &self.train, rows, drawn);
        self.length.epochs = Some(self.train.epochs);
        told
    }

    /// What is in force of the flags without a fixed default, as words of the command line. A model to start from
    /// brings its own activation.
    pub fn words(&self, args: &Args, source: &Source) -> Vec<(&'static str, String)> {
        let mut words = vec![
            ("hidden", self.hidden.to_string()),
            ("batch", self.train.batch.to_string()),
            ("epochs", self.length.epochs.map_or(AUTO.into(), |epochs| epochs.to_string())),
            ("seed", self.train.seed.to_string()),
            ("init", self.init.to_string()),
            ("test-fraction", self.sizes.test.to_string()),
            ("validation-fraction", self.sizes.validation.map_or(AUTO.into(), |fraction| fraction.to_string())),
            ("split-seed", self.sizes.seed.to_string()),
        ];
        let patience = self.train.early_stopping.map(|rule| rule.patience);
        words.extend(patience.map(|patience| ("patience", patience.to_string())));
        words.extend(args.init_from.is_none().then(|| ("activation", self.activation.to_string())));
        words.extend(OptimizerArgs::words(&self.train.optimizer));
        words.extend(source.words());
        words
    }

    /// The network that the flags describe, for an encoder's features and task.
    pub fn spec(&self, encoder: &Encoder, loss: Loss) -> Result<MlpSpec> {
        self.hidden.spec(encoder.inputs(), encoder.outputs(), self.activation, loss)
    }
}
