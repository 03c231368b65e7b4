//! safetensors that hold a multilayer perceptron's tensors under PyTorch's names and nothing else of it.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::Assumed;
use super::foreign::{Foreign, Scale, has_two_classes, of_two_classes};
use crate::error::Error;
use crate::math::Activation;
use crate::model::{floats, transpose};
use crate::spec::{Layer, MlpSpec};

/// Reads weights [outputs, inputs] and biases [outputs], by the numbers in the names of their modules; numbers may be
/// left out, as those of activations are. A module without a number is the last one. One without a bias has zeros, as with
/// `bias=False`.
pub fn read(path: &Path, bytes: &[u8], assumed: Assumed) -> Result<Foreign, String> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| format!("it is truncated or foreign ({error})"))?;
    let (Some(activation), Some(loss)) = (assumed.activation, assumed.loss) else {
        return Err("it has tensors alone: say its hidden layers' --activation, and its --loss".into());
    };
    let mut modules: BTreeMap<(bool, Vec<u64>), Module<'_>> = BTreeMap::new();
    let mut tensors = file.tensors();
    tensors.sort_by(|(a, _), (b, _)| a.cmp(b)); // for messages that are the same each time
    for (name, view) in tensors {
        let Some((module, kind)) = name.rsplit_once('.').filter(|(_, kind)| ["weight", "bias"].contains(kind)) else {
            return Err(format!("tensor `{name}` is no weight or bias of a linear layer"));
        };
        if view.dtype() != Dtype::F32 {
            return Err(format!("tensor `{name}` is {:?}: expected F32 (tensor.float() in PyTorch)", view.dtype()));
        }
        let numbers = numbers(module);
        let entry = modules.entry((numbers.is_empty(), numbers)).or_insert_with(|| Module::new(module));
        if entry.name != module {
            return Err(format!(
                "which of `{}` and `{module}` comes first? The numbers in the names do not say",
                entry.name
            ));
        }
        *(if kind == "weight" { &mut entry.weight } else { &mut entry.bias }) = Some(view);
    }
    let (mut layers, mut parameters) = (Vec::new(), Vec::new());
    for module in modules.into_values() {
        layers.push(module.read(activation, &mut parameters)?);
    }
    match layers.last_mut() {
        Some(last) => last.activation = Activation::Identity,
        None => return Err("it has no tensors".into()),
    }
    let problem = |error: Error| error.to_string();
    let (spec, parameters) = match has_two_classes(&layers, loss) {
        true => of_two_classes(layers, &parameters).map_err(problem)?,
        false => (MlpSpec::from_layers(layers, loss).map_err(problem)?, parameters),
    };
    let path = path.into();
    Ok(Foreign {
        spec,
        parameters,
        inputs: None,
        output: Scale::NONE,
        features: None,
        target: None,
        classes: None,
        path,
    })
}

/// A linear layer's tensors.
struct Module<'a> {
    name: String,
    weight: Option<TensorView<'a>>,
    bias: Option<TensorView<'a>>,
}

impl Module<'_> {
    fn new(name: &str) -> Self {
        Self { name: name.into(), weight: None, bias: None }
    }

    fn read(&self, activation: Activation, parameters: &mut Vec<f32>) -> Result<Layer, String> {
        let Self { name, weight, bias } = self;
        let weight = weight.as_ref().ok_or_else(|| format!("tensor `{name}.weight` is missing"))?;
        let (outputs, inputs) = match *weight.shape() {
            [outputs, inputs] if outputs > 0 && inputs > 0 => (outputs, inputs),
            _ => return Err(format!("tensor `{name}.weight` is {:?}: expected [outputs, inputs]", weight.shape())),
        };
        parameters.extend(transpose(&floats(weight), outputs, inputs));
        match bias {
            Some(bias) if bias.shape() != [outputs] => {
                return Err(format!("tensor `{name}.bias` is {:?}: expected [{outputs}]", bias.shape()));
            }
            Some(bias) => parameters.extend(floats(bias)),
            None => parameters.resize(parameters.len() + outputs, 0.0),
        }
        match parameters.iter().all(|value| value.is_finite()) {
            true => Ok(Layer { inputs, outputs, activation }),
            false => Err(format!("tensors of `{name}` hold a value that is not finite")),
        }
    }
}

/// The numbers in a name: [1, 10] of `net1.fc10`.
fn numbers(name: &str) -> Vec<u64> {
    let digits = name.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    digits.map(|digits| digits.parse().unwrap_or(u64::MAX)).collect()
}
