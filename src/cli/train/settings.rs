//! The flags of `mlp train` as checked settings: the article's run for moons, what serves a newcomer best
//! for a file, and whatever a flag says instead.

use std::fmt;
use std::str::FromStr;

use super::Args;
use super::optimizer::OptimizerArgs;
use crate::cli::source::Source;
use crate::data::{Encoder, Scaling, Task};
use crate::error::{Error, Result};
use crate::math::{Activation, Loss, Rule};
use crate::params::Init;
use crate::plan::PlanKind;
use crate::spec::MlpSpec;
use crate::train::{Batch, TrainConfig};

/// Widths of hidden layers: `25,50,50,25`, or `none` for a linear model.
#[derive(Clone, Debug)]
pub struct Widths(pub Vec<usize>);

impl FromStr for Widths {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        if text == "none" {
            return Ok(Self(Vec::new()));
        }
        let widths = text.split(',').map(|width| width.trim().parse().ok().filter(|&width: &usize| width > 0));
        widths.collect::<Option<_>>().map(Self).ok_or_else(|| Error::Setting {
            what: "--hidden",
            found: format!("`{text}`"),
            expected: "widths from 1 on with commas between them, or `none`".into(),
        })
    }
}

impl fmt::Display for Widths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(if widths.is_empty() { "none".into() } else { widths.join(",") }.as_str())
    }
}

#[derive(Debug)]
pub struct Settings {
    pub train: TrainConfig,
    pub hidden: Vec<usize>,
    pub activation: Activation,
    pub init: Init,
    pub task: Option<Task>,
    pub scaling: Scaling,
    pub test_fraction: f64,
    pub validation_fraction: f64,
    pub split_seed: u32,
}

impl Settings {
    pub fn new(args: &Args, source: &Source) -> Result<Self> {
        let article = matches!(source, Source::Moons(_));
        let hidden: &[usize] = if article { &[25, 50, 50, 25] } else { &[64, 32] };
        let optimizer = args.optimizer.optimizer(if article { Rule::Sgd } else { Rule::Adam })?;
        Ok(Self {
            train: TrainConfig {
                plan: if args.plan == "auto" { None } else { Some(args.plan.parse::<PlanKind>()?) },
                ..TrainConfig::new(
                    args.epochs.unwrap_or(if article { 10_000 } else { 50 }),
                    args.batch.unwrap_or(if article { Batch::Full } else { Batch::Rows(32) }),
                    optimizer,
                )
                .seed(args.seed.unwrap_or(if article { 1105 } else { 0 }))
            },
            hidden: args.hidden.as_ref().map_or_else(|| hidden.to_vec(), |widths| widths.0.clone()),
            activation: args.activation.unwrap_or(Activation::Relu),
            init: args.init.unwrap_or(if article { Init::Article } else { Init::He }),
            task: args.task.task(),
            scaling: if article || args.no_standardize { Scaling::NONE } else { Scaling::ALL },
            test_fraction: args.test_fraction.unwrap_or(if article { 0.1 } else { 0.2 }),
            validation_fraction: args.validation_fraction,
            split_seed: args.split_seed.unwrap_or(if article { 42 } else { 0 }),
        })
    }

    /// What is in force of the flags without a fixed default, as words of the command line. A model to start from
    /// brings its own activation.
    pub fn words(&self, args: &Args, source: &Source) -> Vec<(&'static str, String)> {
        let mut words = vec![
            ("hidden", Widths(self.hidden.clone()).to_string()),
            ("batch", self.train.batch.to_string()),
            ("epochs", self.train.epochs.to_string()),
            ("seed", self.train.seed.to_string()),
            ("init", self.init.to_string()),
            ("test-fraction", self.test_fraction.to_string()),
            ("split-seed", self.split_seed.to_string()),
        ];
        words.extend(args.init_from.is_none().then(|| ("activation", self.activation.to_string())));
        words.extend(OptimizerArgs::words(&self.train.optimizer));
        words.extend(source.words());
        words
    }

    /// The network that the flags describe, for an encoder's features and task.
    pub fn spec(&self, encoder: &Encoder) -> Result<MlpSpec> {
        let widths: Vec<usize> =
            [encoder.inputs()].into_iter().chain(self.hidden.iter().copied()).chain([encoder.outputs()]).collect();
        MlpSpec::new(&widths, self.activation, loss_of(encoder.task()))
    }
}

/// The loss that a task is learned with.
pub fn loss_of(task: Task) -> Loss {
    match task {
        Task::Binary => Loss::BinaryCrossEntropy,
        Task::Multiclass => Loss::SoftmaxCrossEntropy,
        Task::Regression => Loss::MeanSquaredError,
    }
}
