//! The flags that describe a network without data.

use super::train::LossParameterArgs;
use super::{flag, help};
use crate::error::{Error, Result};
use crate::math::{Activation, Loss, TargetDomain};
use crate::spec::{HiddenLayers, MAX_WIDTH, MlpSpec};

#[derive(Debug, clap::Args)]
pub struct NetworkArgs {
    /// Number of features
    #[arg(long, default_value_t = 2, value_name = "N")]
    inputs: usize,
    /// Widths of the hidden layers, or `none`
    #[arg(long, default_value = "25,50,50,25", value_name = "N,N,…")]
    hidden: HiddenLayers,
    /// Number of outputs [default: 1, or for softmax_cross_entropy 3]
    #[arg(long, value_name = "N")]
    outputs: Option<usize>,
    #[arg(long, default_value = "relu", value_name = "NAME", help = help::activations("Activation of the hidden layers"))]
    activation: Activation,
    #[arg(long, default_value = "binary_cross_entropy", value_name = "NAME", help = help::losses("Loss"))]
    loss: Loss,
    #[command(flatten)]
    parameter: LossParameterArgs,
}

impl NetworkArgs {
    /// The network.
    pub fn spec(&self) -> Result<MlpSpec> {
        let outputs = self.outputs.unwrap_or(if self.loss.domain() == TargetDomain::Class { 3 } else { 1 });
        if !(1..=MAX_WIDTH).contains(&self.inputs) {
            let expected = format!("1 to {MAX_WIDTH}");
            return Err(Error::Setting { what: "--inputs", found: self.inputs.to_string(), expected });
        }
        let spec = self.hidden.spec(self.inputs, outputs, self.activation, self.loss).map_err(flag("--outputs"))?;
        self.parameter.tune(spec)
    }
}
