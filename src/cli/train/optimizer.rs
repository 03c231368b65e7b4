//! The flags of the optimiser.

use crate::cli::help;
use crate::error::Result;
use crate::math::{Clip, Optimizer};
use crate::pipeline::Estimator;

#[derive(Debug, clap::Args)]
pub struct OptimizerArgs {
    #[arg(long, value_name = "NAME", value_parser = known,
          help = help::optimizers("Optimiser") + " [default: sgd for moons, adam for files]")]
    optimizer: Option<String>,
    #[arg(long, value_name = "F",
          help = help::by_optimizer("Learning rate", |optimizer| optimizer.rule.default_learning_rate()))]
    lr: Option<f64>,
    #[arg(long, value_name = "F", visible_alias = "momentum",
          help = help::by_optimizer("Momentum, or decay of the mean gradient", |optimizer| optimizer.beta_1))]
    beta1: Option<f64>,
    #[arg(long, value_name = "F",
          help = help::by_optimizer("Decay of the mean squared gradient", |optimizer| optimizer.beta_2))]
    beta2: Option<f64>,
    #[arg(long, value_name = "F",
          help = help::by_optimizer("Number added to the root of the mean squared gradient", |optimizer| optimizer.epsilon))]
    epsilon: Option<f64>,
    #[arg(long, value_name = "F", help = help::by_optimizer(
          "Decoupled weight decay: every step subtracts this times the learning rate times the parameter",
          |optimizer| optimizer.weight_decay))]
    weight_decay: Option<f64>,
    /// L2 penalty: adds this times the parameter to its gradient
    #[arg(long, value_name = "F", default_value_t = 0.0)]
    l2: f64,
    /// L1 penalty: adds this times the parameter's sign to its gradient
    #[arg(long, value_name = "F", default_value_t = 0.0)]
    l1: f64,
    /// Clamp each value of the gradients to ±F, before penalties
    #[arg(long, value_name = "F", conflicts_with = "clip_norm")]
    clip_value: Option<f64>,
    /// Scale all gradients down to a common Euclidean norm of F if theirs is larger, before penalties
    #[arg(long, value_name = "F")]
    clip_norm: Option<f64>,
}

/// Lets the names of optimisers pass.
fn known(name: &str) -> Result<String> {
    Optimizer::named(name, 0.0).map(|_| name.into())
}

impl OptimizerArgs {
    /// The estimator with what the flags say, checked. Under the rule that the estimator has, what they leave open stays.
    pub fn apply(&self, estimator: Estimator) -> Result<Estimator> {
        let own = estimator.config.optimizer;
        let named = self.optimizer.as_deref().map(|name| Optimizer::named(name, 0.0)).transpose()?;
        let base = match named {
            Some(named) if named.rule == own.rule => Optimizer { weight_decay: named.weight_decay, ..own },
            Some(named) => Optimizer { learning_rate: named.rule.default_learning_rate(), ..named },
            None => own,
        };
        let rate_by_task = estimator.rate_by_task && base.rule == own.rule && self.lr.is_none();
        let optimizer = Optimizer {
            learning_rate: self.lr.unwrap_or(base.learning_rate),
            beta_1: self.beta1.unwrap_or(base.beta_1),
            beta_2: self.beta2.unwrap_or(base.beta_2),
            epsilon: self.epsilon.unwrap_or(base.epsilon),
            weight_decay: self.weight_decay.unwrap_or(base.weight_decay),
            l2: self.l2,
            l1: self.l1,
            clip: match (self.clip_value, self.clip_norm) {
                (Some(limit), _) => Clip::Value(limit),
                (None, Some(limit)) => Clip::Norm(limit),
                (None, None) => Clip::None,
            },
            ..base
        };
        optimizer.check()?;
        let mut estimator = estimator.optimizer(optimizer);
        estimator.rate_by_task = rate_by_task;
        Ok(estimator)
    }

    /// What is in force of the flags without a fixed default, as words of the command line.
    pub fn words(estimator: &Estimator) -> Vec<(&'static str, String)> {
        let (optimizer, rate_by_task) = (&estimator.config.optimizer, estimator.rate_by_task);
        let rate = (!rate_by_task).then(|| ("lr", optimizer.learning_rate.to_string()));
        let others = [
            ("optimizer", optimizer.rule.name().into()),
            ("beta1", optimizer.beta_1.to_string()),
            ("beta2", optimizer.beta_2.to_string()),
            ("epsilon", optimizer.epsilon.to_string()),
            ("weight-decay", optimizer.weight_decay.to_string()),
        ];
        others.into_iter().chain(rate).collect()
    }
}
