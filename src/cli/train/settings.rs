//! The flags of `mlp train` as checked settings: the article's run for moons, what serves a newcomer best
//! for a file, and whatever a flag says instead.

use super::Args;
use super::hidden::Hidden;
use super::optimizer::OptimizerArgs;
use crate::cli::source::Source;
use crate::data::{Encoder, Scaling, Task};
use crate::error::Result;
use crate::math::{Activation, Loss, Rule};
use crate::params::Init;
use crate::plan::PlanKind;
use crate::spec::MlpSpec;
use crate::train::{Batch, TrainConfig};

#[derive(Debug)]
pub struct Settings {
    pub train: TrainConfig,
    pub hidden: Hidden,
    pub activation: Activation,
    pub init: Init,
    pub task: Option<Task>,
    pub scaling: Scaling,
    pub test_fraction: f64,
    pub validation_fraction: f64,
    pub split_seed: u32,
    pub baseline: bool,
}

impl Settings {
    pub fn new(args: &Args, source: &Source) -> Result<Self> {
        let article = matches!(source, Source::Moons(_));
        let scaled = !article && !args.no_standardize;
        let hidden: &[usize] = if article { &[25, 50, 50, 25] } else { &[64, 32] };
        let optimizer = args.optimizer.optimizer(if article { Rule::Sgd } else { Rule::Adam })?;
        let train = TrainConfig {
            plan: PlanKind::choice(&args.plan)?,
            ..TrainConfig::new(
                args.epochs.unwrap_or(if article { 10_000 } else { 50 }),
                args.batch.unwrap_or(if article { Batch::Full } else { Batch::Rows(32) }),
                optimizer,
            )
            .seed(args.seed.unwrap_or(if article { 1105 } else { 0 }))
        };
        Ok(Self {
            train: args.control.apply(train),
            hidden: args.hidden.clone().unwrap_or_else(|| Hidden::plain(hidden)),
            activation: args.activation.unwrap_or(Activation::Relu),
            init: args.init.unwrap_or(if article { Init::Article } else { Init::He }),
            task: args.task.task(),
            scaling: Scaling { features: scaled, target: scaled && !args.loss.takes_counts() },
            test_fraction: args.test_fraction.unwrap_or(if article { 0.1 } else { 0.2 }),
            validation_fraction: args.validation_fraction.unwrap_or(args.control.validation_fraction()),
            split_seed: args.split_seed.unwrap_or(if article { 42 } else { 0 }),
            baseline: !article && !args.no_baseline,
        })
    }

    /// What is in force of the flags without a fixed default, as words of the command line. A model to start from
    /// brings its own activation.
    pub fn words(&self, args: &Args, source: &Source) -> Vec<(&'static str, String)> {
        let mut words = vec![
            ("hidden", self.hidden.to_string()),
            ("batch", self.train.batch.to_string()),
            ("epochs", self.train.epochs.to_string()),
            ("seed", self.train.seed.to_string()),
            ("init", self.init.to_string()),
            ("test-fraction", self.test_fraction.to_string()),
            ("validation-fraction", self.validation_fraction.to_string()),
            ("split-seed", self.split_seed.to_string()),
        ];
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
