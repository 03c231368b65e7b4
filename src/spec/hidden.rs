//! Hidden layers as text: widths, each with or without its own activation.

use std::fmt;
use std::str::FromStr;

use super::{Layer, MAX_LAYERS, MAX_WIDTH, MlpSpec};
use crate::error::{Error, Result};
use crate::math::{Activation, Loss};

/// Hidden layers: `25,50:tanh,50,25`, or `none` for a linear model.
#[derive(Clone, Debug, PartialEq)]
pub struct HiddenLayers(Vec<(usize, Option<Activation>)>);

impl HiddenLayers {
    /// Layers of these widths, none with an activation of its own.
    #[must_use]
    pub fn plain(widths: &[usize]) -> Self {
        Self(widths.iter().map(|&width| (width, None)).collect())
    }

    /// The network with these numbers of inputs and outputs. `activation` is that of layers that name none.
    ///
    /// # Errors
    /// Those of [`MlpSpec::from_layers`].
    pub fn spec(&self, inputs: usize, outputs: usize, activation: Activation, loss: Loss) -> Result<MlpSpec> {
        let hidden = self.0.iter().map(|&(width, own)| (width, own.unwrap_or(activation)));
        let mut inputs = inputs;
        let layers = hidden.chain([(outputs, Activation::Identity)]).map(|(outputs, activation)| {
            let layer = Layer { inputs, outputs, activation };
            inputs = outputs;
            layer
        });
        MlpSpec::from_layers(layers.collect(), loss)
    }
}

impl FromStr for HiddenLayers {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        if text == "none" {
            return Ok(Self(Vec::new()));
        }
        let refused = || Error::Setting {
            what: "hidden",
            found: format!("`{text}`"),
            expected: format!(
                "widths from 1 to {MAX_WIDTH} separated by commas, each with or without :ACTIVATION, or `none`; at \
                most {} layers",
                MAX_LAYERS - 1
            ),
        };
        let layer = |word: &str| {
            let (width, activation) = match word.trim().split_once(':') {
                Some((width, activation)) => (width, Some(activation.parse()?)),
                None => (word.trim(), None),
            };
            let width = width.parse().ok().filter(|width| (1..=MAX_WIDTH).contains(width));
            width.map(|width| (width, activation)).ok_or_else(refused)
        };
        let layers: Vec<_> = text.split(',').map(layer).collect::<Result<_>>()?;
        if layers.len() < MAX_LAYERS { Ok(Self(layers)) } else { Err(refused()) }
    }
}

impl fmt::Display for HiddenLayers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let layer = |&(width, activation): &(usize, Option<Activation>)| match activation {
            Some(activation) => format!("{width}:{activation}"),
            None => width.to_string(),
        };
        let layers: Vec<_> = self.0.iter().map(layer).collect();
        f.write_str(if layers.is_empty() { "none".into() } else { layers.join(",") }.as_str())
    }
}
