//! The flags of the loss.

use crate::cli::{flag, help};
use crate::data::Task;
use crate::error::{Error, Result};
use crate::math::Loss;
use crate::spec::MlpSpec;

#[derive(Debug, clap::Args)]
pub struct LossArgs {
    #[arg(long, value_name = "NAME",
          help = help::losses_by_task("Loss function") + " [default: by the task]")]
    loss: Option<Loss>,
    #[command(flatten)]
    parameter: LossParameterArgs,
}

/// The flags of the losses' parameters, each for those losses that have it.
#[derive(Debug, clap::Args)]
pub struct LossParameterArgs {
    /// Label smoothing of cross entropy, in [0, 1): the fraction of a target that is spread evenly over all classes
    #[arg(long, default_value_t = 0.0, value_name = "F")]
    label_smoothing: f64,
    /// Huber threshold: the loss is linear beyond it (in standard deviations if the target is standardised)
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
        Loss::for_task(task, self.loss)
    }

    /// The network with the loss's parameter.
    pub fn tune(&self, spec: MlpSpec) -> Result<MlpSpec> {
        self.parameter.tune(spec)
    }
}

impl LossParameterArgs {
    /// The network with its loss's parameter; a flag that the loss does not have is refused.
    pub fn tune(&self, spec: MlpSpec) -> Result<MlpSpec> {
        let flags = [
            ("label_smoothing", "--label-smoothing", self.label_smoothing, 0.0),
            ("huber_delta", "--huber-delta", self.huber_delta, 1.0),
        ];
        let own = spec.loss().parameter().map(|parameter| parameter.name);
        if let Some((_, what, ..)) =
            flags.iter().find(|(name, _, value, default)| own != Some(*name) && value != default)
        {
            let expected = format!("to be left out with {}", spec.loss());
            return Err(Error::Setting { what, found: "given".into(), expected });
        }
        match flags.into_iter().find(|(name, ..)| own == Some(*name)) {
            Some((_, what, value, _)) => spec.with_loss_parameter(value).map_err(flag(what)),
            None => Ok(spec),
        }
    }
}
