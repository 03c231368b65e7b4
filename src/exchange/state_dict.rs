//! safetensors that hold a multilayer perceptron's tensors under PyTorch's names and nothing else of it.

use std::collections::BTreeMap;
use std::path::Path;

use half::{bf16, f16};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::Assumed;
use super::foreign::{Foreign, Scale, has_two_classes, of_two_classes};
use crate::error::{Error, setting};
use crate::math::Activation;
use crate::model::transpose;
use crate::spec::{Layer, MlpSpec};

/// Reads weights [outputs, inputs] and biases [outputs], by the numbers in the names of their modules; numbers may be
/// left out, as those of activations are. A module without a number is the last one, or the first one where only then
/// each layer takes what the one before gives. One without a bias has zeros, as with `bias=False`.
pub fn read(path: &Path, bytes: &[u8], assumed: Assumed) -> Result<Foreign, String> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| format!("it is truncated or foreign ({error})"))?;
    let (Some(activation), Some(loss)) = (assumed.activation, assumed.loss) else {
        return Err(format!(
            "it has only tensors: give the hidden layers' {} and the {}",
            setting("activation"),
            setting("loss")
        ));
    };
    let mut modules: BTreeMap<(bool, Vec<u64>), Module<'_>> = BTreeMap::new();
    let mut tensors = file.tensors();
    tensors.sort_by(|(a, _), (b, _)| a.cmp(b)); // for messages that are the same each time
    for (name, view) in tensors {
        let Some((module, kind)) = name.rsplit_once('.').filter(|(_, kind)| ["weight", "bias"].contains(kind)) else {
            return Err(format!("tensor `{name}` is not a weight or bias of a linear layer"));
        };
        let numbers = numbers(module);
        let entry = modules.entry((numbers.is_empty(), numbers)).or_insert_with(|| Module::new(module));
        if entry.name != module {
            return Err(format!(
                "the order of `{}` and `{module}` is unknown: expected different numbers in the names",
                entry.name
            ));
        }
        *(if kind == "weight" { &mut entry.weight } else { &mut entry.bias }) = Some(view);
    }
    let has_unnumbered = modules.keys().next_back().is_some_and(|(is_unnumbered, _)| *is_unnumbered);
    let mut modules: Vec<Module<'_>> = modules.into_values().collect();
    let mut notes = Vec::new();
    if has_unnumbered && modules.len() > 1 {
        let [as_last, as_first] = [0, 1].map(|turns| {
            let mut order: Vec<_> = modules.iter().map(Module::shape).collect();
            order.rotate_right(turns);
            order.windows(2).all(|pair| matches!(pair, [Some((_, a)), Some((b, _))] if a == b))
        });
        if as_first && !as_last {
            modules.rotate_right(1);
        }
        if as_first {
            notes.push(order(&modules));
        }
    }
    let order = || if has_unnumbered { format!(" ({})", order(&modules)) } else { String::new() };
    let (mut layers, mut parameters) = (Vec::new(), Vec::new());
    for module in &modules {
        layers.push(module.read(activation, &mut parameters)?);
    }
    match layers.last_mut() {
        Some(last) => last.activation = Activation::Identity,
        None => return Err("it has no tensors".into()),
    }
    let problem = |error: Error| format!("{error}{}", order());
    let (spec, parameters) = match has_two_classes(&layers, loss) {
        true => of_two_classes(layers, &parameters).map_err(problem)?,
        false => (MlpSpec::from_layers(layers, loss).map_err(problem)?, parameters),
    };
    Ok(Foreign {
        spec,
        parameters,
        inputs: None,
        output: Scale::NONE,
        range: None,
        features: None,
        target: None,
        classes: None,
        notes,
        order: order(),
        path: path.into(),
    })
}

/// The order of the layers, as a sentence.
fn order(modules: &[Module<'_>]) -> String {
    let names: Vec<_> = modules.iter().map(|module| format!("`{}`", module.name)).collect();
    format!(
        "its layers were taken in the order {}: the numbers in their names do not fully determine it",
        names.join(", ")
    )
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

    /// Inputs and outputs, where the tensor is there.
    fn shape(&self) -> Option<(usize, usize)> {
        match *self.weight.as_ref()?.shape() {
            [outputs, inputs] => Some((inputs, outputs)),
            _ => None,
        }
    }

    fn read(&self, activation: Activation, parameters: &mut Vec<f32>) -> Result<Layer, String> {
        let Self { name, weight, bias } = self;
        let weight = weight.as_ref().ok_or_else(|| format!("tensor `{name}.weight` is missing"))?;
        let (outputs, inputs) = match *weight.shape() {
            [outputs, inputs] if outputs > 0 && inputs > 0 => (outputs, inputs),
            _ => return Err(format!("tensor `{name}.weight` is {:?}: expected [outputs, inputs]", weight.shape())),
        };
        parameters.extend(transpose(&floats(weight, &format!("{name}.weight"))?, outputs, inputs));
        match bias {
            Some(bias) if bias.shape() != [outputs] => {
                return Err(format!("tensor `{name}.bias` is {:?}: expected [{outputs}]", bias.shape()));
            }
            Some(bias) => parameters.extend(floats(bias, &format!("{name}.bias"))?),
            None => parameters.resize(parameters.len() + outputs, 0.0),
        }
        match parameters.iter().all(|value| value.is_finite()) {
            true => Ok(Layer { inputs, outputs, activation }),
            false => Err(format!("tensors of `{name}` hold a value that is not finite")),
        }
    }
}

/// A tensor's values as f32.
fn floats(view: &TensorView<'_>, name: &str) -> Result<Vec<f32>, String> {
    fn words<const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> f32) -> Vec<f32> {
        bytes.as_chunks().0.iter().map(|&word| value(word)).collect()
    }
    let bytes = view.data();
    Ok(match view.dtype() {
        Dtype::F32 => words(bytes, f32::from_le_bytes),
        Dtype::F16 => words(bytes, |word| f16::from_le_bytes(word).to_f32()),
        Dtype::BF16 => words(bytes, |word| bf16::from_le_bytes(word).to_f32()),
        Dtype::F64 => {
            let beyond = |word: &&[u8; 8]| {
                let value = f64::from_le_bytes(**word);
                value.is_finite() && !(value as f32).is_finite()
            };
            if let Some(&word) = bytes.as_chunks().0.iter().find(beyond) {
                let value = f64::from_le_bytes(word);
                return Err(format!("tensor `{name}` holds {value:e}: expected numbers that fit float32"));
            }
            words(bytes, |word| f64::from_le_bytes(word) as f32)
        }
        other => {
            return Err(format!(
                "tensor `{name}` is {other:?}: expected F32, F16, BF16 or F64 (tensor.float() in PyTorch)"
            ));
        }
    })
}

/// The numbers in a name: [1, 10] of `net1.fc10`.
fn numbers(name: &str) -> Vec<u64> {
    let digits = name.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    digits.map(|digits| digits.parse().unwrap_or(u64::MAX)).collect()
}
