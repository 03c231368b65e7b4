//! The flags of the loss.

use crate::data::Task;
use crate::error::{Error, Result};
use crate::math::Loss;
use crate::spec::MlpSpec;

#[derive(Debug, clap::Args)]
pub struct LossArgs {
    /// What training makes small: binary_cross_entropy, softmax_cross_entropy; for numbers mean_squared_error,
    /// mean_absolute_error, huber or poisson [default: the task's first]
    #[arg(long, value_name = "NAME")]
    loss: Option<Loss>,
    /// Part of a class's certainty that cross entropy spreads over all classes
    #[arg(long, default_value_t = 0.0, value_name = "F")]
    label_smoothing: f64,
    /// Error from which on Huber's loss grows linearly, in deviations of the target where that is standardised
    #[arg(long, default_value_t = 1.0, value_name = "F")]
    huber_delta: f64,
}

impl LossArgs {
    /// Whether the target has to stay as it is: counts, of which the logarithm is learned.
    pub fn takes_counts(&self) -> bool {
        self.loss == Some(Loss::Poisson)
    }

    /// The loss for a task.
    pub fn of(&self, task: Task) -> Result<Loss> {
        let fitting: &[Loss] = match task {
            Task::Binary => &[Loss::BinaryCrossEntropy],
            Task::Multiclass => &[Loss::SoftmaxCrossEntropy],
            Task::Regression => &[Loss::MeanSquaredError, Loss::MeanAbsoluteError, Loss::Huber, Loss::Poisson],
        };
        match self.loss {
            Some(loss) if !fitting.contains(&loss) => {
                let names: Vec<_> = fitting.iter().map(ToString::to_string).collect();
                let expected = format!("{}, as the task is {task}", names.join(", "));
                Err(Error::Setting { what: "--loss", found: loss.to_string(), expected })
            }
            loss => Ok(loss.unwrap_or(fitting[0])),
        }
    }

    /// The network with the loss's parameter.
    pub fn tune(&self, spec: MlpSpec) -> Result<MlpSpec> {
        let Self { label_smoothing, huber_delta, .. } = *self;
        let name = spec.loss().parameter().map(|parameter| parameter.name);
        let idle = [("--label-smoothing", label_smoothing != 0.0), ("--huber-delta", huber_delta != 1.0)];
        let (value, idle) = match name {
            Some("label_smoothing") => (label_smoothing, &idle[1..]),
            Some("huber_delta") => (huber_delta, &idle[..1]),
            _ => (spec.loss_parameter(), &idle[..]),
        };
        match idle.iter().find(|(_, given)| *given) {
            Some(&(what, _)) => {
                let expected = format!("to be left out with {}", spec.loss());
                Err(Error::Setting { what, found: "given".into(), expected })
            }
            None => spec.with_loss_parameter(value),
        }
    }
}
