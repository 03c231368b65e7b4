//! A network's layers, activations and loss, checked once. It knows neither parameters nor devices.

mod hidden;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use hidden::HiddenLayers;

use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::math::{Activation, Loss, Parameter, TargetDomain};

/// Widest layer. Keeps every size of a network below 2^61 elements, so that counting them never overflows.
pub const MAX_WIDTH: usize = 1 << 24;
/// Most layers.
pub const MAX_LAYERS: usize = 1 << 12;

/// A dense layer: a = activation(x W + b), `x [rows, inputs]`, `W [inputs, outputs]`, `b [outputs]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Layer {
    /// Width of the layer's input.
    pub inputs: usize,
    /// Width of the layer's output.
    pub outputs: usize,
    /// Applied to every output.
    pub activation: Activation,
}

/// A multilayer perceptron: at least one layer, each as wide as the next one expects, and a loss on the
/// last layer's output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct MlpSpec {
    layers: Vec<Layer>,
    loss: Loss,
    loss_parameter: f64,
}

#[derive(Deserialize)]
struct Unchecked {
    layers: Vec<Layer>,
    loss: Loss,
    /// Absent in files from before losses had one.
    loss_parameter: Option<f64>,
}

impl TryFrom<Unchecked> for MlpSpec {
    type Error = Error;
    fn try_from(unchecked: Unchecked) -> Result<Self> {
        let spec = Self::from_layers(unchecked.layers, unchecked.loss)?;
        match unchecked.loss_parameter {
            Some(value) => spec.with_loss_parameter(value),
            None => Ok(spec),
        }
    }
}

impl MlpSpec {
    /// A network with the layers' `widths`, input first, output last: at least two. Hidden layers have the
    /// activation `hidden`, the last one none: binary cross entropy works on its logits.
    pub fn new(widths: &[usize], hidden: Activation, loss: Loss) -> Result<Self> {
        let mut layers: Vec<Layer> =
            widths.windows(2).map(|pair| Layer { inputs: pair[0], outputs: pair[1], activation: hidden }).collect();
        if let Some(last) = layers.last_mut() {
            last.activation = Activation::Identity;
        }
        Self::from_layers(layers, loss)
    }

    /// A network with an activation of its own for each layer, the last one's included.
    pub fn from_layers(layers: Vec<Layer>, loss: Loss) -> Result<Self> {
        if layers.is_empty() || layers.len() > MAX_LAYERS {
            return Err(Error::Setting {
                what: "number of layers",
                found: layers.len().to_string(),
                expected: format!("1 to {MAX_LAYERS}"),
            });
        }
        for layer in &layers {
            for width in [layer.inputs, layer.outputs] {
                if width == 0 || width > MAX_WIDTH {
                    return Err(Error::Setting {
                        what: "width of a layer",
                        found: width.to_string(),
                        expected: format!("1 to {MAX_WIDTH}"),
                    });
                }
            }
        }
        if let Some(pair) = layers.windows(2).find(|pair| pair[0].outputs != pair[1].inputs) {
            return Err(Error::Setting {
                what: "input width of a layer",
                found: pair[1].inputs.to_string(),
                expected: format!("{}, the width of the layer before", pair[0].outputs),
            });
        }
        let outputs = layers[layers.len() - 1].outputs;
        if loss.domain() == TargetDomain::Class && outputs < 2 {
            return Err(Error::Setting {
                what: "number of outputs",
                found: outputs.to_string(),
                expected: format!("one for each class, at least 2, for {loss}; binary_cross_entropy takes 1"),
            });
        }
        Ok(Self { layers, loss, loss_parameter: loss.default_parameter() })
    }

    /// The network with another [parameter](Loss::parameter) of its loss.
    pub fn with_loss_parameter(self, value: f64) -> Result<Self> {
        self.loss.check_parameter(value)?;
        Ok(Self { loss_parameter: value, ..self })
    }

    /// The network with parameters of its loss by their names, each one that the loss has.
    pub(crate) fn with_named_parameters(self, given: &[(&'static str, f64)]) -> Result<Self> {
        let own = self.loss.parameter().map(|parameter| parameter.name);
        given.iter().try_fold(self, |spec, &(name, value)| match own == Some(name) {
            true => spec.with_loss_parameter(value),
            false => {
                let expected = format!("to be left out with {}", spec.loss);
                Err(Error::Setting { what: name, found: "given".into(), expected })
            }
        })
    }

    /// Refuses data with rows of another width, or with targets that the loss does not take.
    pub fn check_data(&self, data: &Dataset) -> Result<()> {
        for (what, found, expected) in [
            ("features of a row of the data", data.inputs(), self.inputs()),
            ("targets of a row of the data", data.target_columns(), self.target_columns()),
        ] {
            if found != expected {
                let expected = format!("{expected}, as the network has");
                return Err(Error::Setting { what, found: found.to_string(), expected });
            }
        }
        self.loss.check_targets(data.targets(), self.outputs())
    }

    /// The layers, first to last.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The loss.
    pub fn loss(&self) -> Loss {
        self.loss
    }

    /// The loss's [parameter](Loss::parameter); 0 for a loss without one.
    pub fn loss_parameter(&self) -> f64 {
        self.loss_parameter
    }

    /// Number of target columns: one for each output, or a single one with the index of a class.
    pub fn target_columns(&self) -> usize {
        self.loss.terms(self.outputs())
    }

    /// Number of features.
    pub fn inputs(&self) -> usize {
        self.layers[0].inputs
    }

    /// Number of outputs.
    pub fn outputs(&self) -> usize {
        self.layers[self.layers.len() - 1].outputs
    }
}

impl fmt::Display for MlpSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.inputs())?;
        for layer in &self.layers {
            write!(f, "→{}", layer.outputs)?;
            if layer.activation != Activation::Identity {
                write!(f, " {}", layer.activation)?;
            }
        }
        write!(f, ", {}", self.loss)?;
        match self.loss.parameter() {
            Some(Parameter { name, default, .. }) if default != self.loss_parameter => {
                write!(f, " ({name} {})", self.loss_parameter)
            }
            _ => Ok(()),
        }
    }
}
