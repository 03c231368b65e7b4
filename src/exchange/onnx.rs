//! From an ONNX file to a network.

use std::path::Path;

use prost::Message;

use super::external;
use super::foreign::{Foreign, Scale, has_two_classes, of_two_classes};
use super::function::Known;
use super::graph::{Affine, Product, Rows, Walk};
use super::proto::{Entry, Model};
use super::{Assumed, key};
use crate::error::Error;
use crate::math::{Activation, Loss};
use crate::model::transpose;
use crate::spec::{Layer, MAX_LAYERS, MlpSpec};

/// Reads a file's graph from its input to its output as layers. The activations are the file's; the loss is told by what
/// comes last: a sigmoid, a softmax, an exponential, or plain numbers, for which the file or `assumed` has to name one.
pub fn read(path: &Path, bytes: &[u8], assumed: Assumed) -> Result<Foreign, String> {
    let mut model =
        Model::decode(bytes).map_err(|error| format!("it is neither safetensors nor a whole ONNX file ({error})"))?;
    let mut graph = model.graph.take().ok_or("it is neither safetensors nor ONNX with a graph")?;
    let outside = external::read(&mut graph, path)?;
    let outputs = std::mem::take(&mut graph.output);
    let bytes = bytes.len() + outside;
    let walk = Walk::new(graph, bytes)?;
    let said = |wanted: &str| {
        let entry = model.metadata_props.iter().find(|entry| entry.key == wanted);
        entry.map(|Entry { value, .. }| value.as_str())
    };
    let list = |wanted| said(wanted).and_then(|json| serde_json::from_str::<Vec<String>>(json).ok());

    let end = walk.output(&outputs)?;
    let Network { mut layers, parameters, inputs } = Network::read(&walk, &end, bytes)?;
    let (activation, output, told) = ending(&end)?;
    if let Some(last) = layers.last_mut() {
        last.activation = activation;
    }
    let named = said(key::LOSS).and_then(|loss| loss.parse().ok());
    let loss = told.or(named).or(assumed.loss).ok_or(
        "its outputs are plain numbers: --loss says what they are, mean_squared_error for numbers, binary_cross_entropy or \
         softmax_cross_entropy for the logits of classes",
    )?;
    if output != Scale::NONE && layers.last().is_some_and(|last| last.outputs != 1) {
        return Err("it scales several outputs: expected one".into());
    }
    let problem = |error: Error| error.to_string();
    let (mut spec, parameters) = match has_two_classes(&layers, loss) {
        true => of_two_classes(layers, &parameters).map_err(problem)?,
        false => (MlpSpec::from_layers(layers, loss).map_err(problem)?, parameters),
    };
    if let Some(value) = said(key::LOSS_PARAMETER).and_then(|value| value.parse().ok()).filter(|_| named == Some(loss))
    {
        spec = spec.with_loss_parameter(value).map_err(problem)?;
    }
    let (features, target) = (list(key::FEATURES), said(key::TARGET).map(String::from));
    let classes = list(key::CLASSES).or(walk.classes.filter(|classes| !classes.is_empty()));
    Ok(Foreign { spec, parameters, inputs, output, features, target, classes, path: path.into() })
}

/// The last layer's activation, the scale of the output, and the loss that goes with what comes last.
fn ending(end: &Rows) -> Result<(Activation, Scale, Option<Loss>), String> {
    match end.known()? {
        Known::Activation(activation) if end.softmax => Ok((activation, Scale::NONE, Some(Loss::SoftmaxCrossEntropy))),
        Known::Activation(Activation::Sigmoid) => {
            Ok((Activation::Identity, Scale::NONE, Some(Loss::BinaryCrossEntropy)))
        }
        Known::Activation(activation) => Ok((activation, Scale::NONE, None)),
        Known::Exp => Ok((Activation::Identity, Scale::NONE, Some(Loss::Poisson))),
        Known::Affine { factor, shift } if factor > 0.0 => {
            Ok((Activation::Identity, Scale { mean: shift, scale: factor }, None))
        }
        Known::Affine { factor, .. } => Err(format!("its output is multiplied by {factor}: expected more than 0")),
    }
}

/// The layers of a walk, with the identity as the last one's activation.
struct Network {
    layers: Vec<Layer>,
    parameters: Vec<f32>,
    inputs: Option<Vec<Scale>>,
}

impl Network {
    fn read(walk: &Walk, end: &Rows, bytes: usize) -> Result<Self, String> {
        // From the output back to the input: each product with what lies behind it.
        let (mut chain, mut rows, mut weights) = (Vec::new(), end, 0_usize);
        while let Some(at) = rows.base.checked_sub(1) {
            let product = &walk.products[at];
            weights += product.weight.values.len();
            if chain.len() == MAX_LAYERS || 4 * weights > bytes {
                return Err("it uses weights several times, or has more layers than mlp takes".into());
            }
            chain.push((product, rows));
            rows = &product.source;
        }
        let (mut layers, mut parameters) = (Vec::with_capacity(chain.len()), Vec::with_capacity(weights));
        for (at, (product, rows)) in chain.into_iter().rev().enumerate() {
            let (inputs, outputs) = product.shape();
            let activation = match rows.known()? {
                Known::Activation(activation) => activation,
                Known::Affine { .. } | Known::Exp => Activation::Identity,
            };
            append(product, rows.affine.as_deref(), &mut parameters);
            if let Some(value) = parameters.iter().rev().take((inputs + 1) * outputs).find(|value| !value.is_finite()) {
                return Err(format!("layer {at} (from 0) has the parameter {value}: expected finite numbers"));
            }
            layers.push(Layer { inputs, outputs, activation });
        }
        let width = layers.first().map_or(0, |first| first.inputs);
        Ok(Self { layers, parameters, inputs: scales(rows, width)? })
    }
}

/// Weight [inputs, outputs] and bias of a product whose columns are scaled and shifted, in f64.
fn append(product: &Product, affine: Option<&Affine>, parameters: &mut Vec<f32>) {
    let (inputs, outputs) = product.shape();
    let weight = &product.weight.values;
    let turned = if product.by_outputs { Some(transpose(weight, outputs, inputs)) } else { None };
    let weight = turned.as_ref().unwrap_or(weight);
    let bias = |column: usize| match &product.bias {
        // One for all columns, too.
        Some(bias) => bias.values[column.min(bias.values.len() - 1)].into(),
        None => 0.0,
    };
    match affine {
        None => {
            parameters.extend(weight);
            parameters.extend((0..outputs).map(|column| bias(column) as f32));
        }
        Some(Affine { factors, shifts }) => {
            let scaled = weight
                .chunks(outputs)
                .flat_map(|row| row.iter().zip(factors).map(|(&weight, factor)| (f64::from(weight) * factor) as f32));
            parameters.extend(scaled);
            parameters.extend((0..outputs).map(|column| (bias(column) * factors[column] + shifts[column]) as f32));
        }
    }
}

/// How the inputs are scaled, if they are.
fn scales(rows: &Rows, width: usize) -> Result<Option<Vec<Scale>>, String> {
    let (factor, shift) = match rows.known()? {
        Known::Affine { factor, shift } => (factor, shift),
        _ => (1.0, 0.0),
    };
    if rows.affine.is_none() && (factor, shift) == (1.0, 0.0) {
        return Ok(None);
    }
    let mut all = rows.affine.as_deref().cloned().unwrap_or_else(|| Affine::identity(width));
    let scales = (0..width).map(|column| {
        all.then(column, factor, shift);
        let (factor, shift) = (all.factors[column], all.shifts[column]);
        // What is left of a mean where nothing is subtracted is 0, not −0.
        let scale = Scale { mean: -shift / factor + 0.0, scale: 1.0 / factor };
        match scale.scale > 0.0 && scale.scale.is_finite() && scale.mean.is_finite() {
            true => Ok(scale),
            false => Err(format!("input {column} (from 0) is multiplied by {factor}: expected more than 0")),
        }
    });
    Ok(Some(scales.collect::<Result<_, _>>()?))
}
