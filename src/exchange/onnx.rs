//! From an ONNX file to a network.

use std::path::Path;

use prost::Message;

use super::chain::Value;
use super::external;
use super::foreign::{Foreign, Scale, has_two_classes, of_two_classes};
use super::function::{Kind, Known, UNCHANGED};
use super::graph::Walk;
use super::network::ImportedNetwork;
use super::proto::{Entry, Model, Node, ValueInfo};
use super::rows::{Ending, Rows};
use super::{Assumed, key};
use crate::error::{Error, setting};
use crate::math::{Activation, Loss};
use crate::spec::MlpSpec;

/// Reads a file's graph from its input to its output as layers. The activations are the file's; the loss is told by what
/// comes last: a sigmoid, a softmax, an exponential, or plain numbers, for which the file or `assumed` has to name one.
pub fn read(path: &Path, bytes: &[u8], assumed: Assumed) -> Result<Foreign, String> {
    let mut model =
        Model::decode(bytes).map_err(|error| format!("it is neither safetensors nor a whole ONNX file ({error})"))?;
    let mut graph = model.graph.take().ok_or("it is neither safetensors nor ONNX with a graph")?;
    let outside = external::read(&mut graph, path)?;
    let outputs = std::mem::take(&mut graph.output);
    let bytes = bytes.len() + outside;
    let last = match &outputs[..] {
        [only] => graph.node.iter().find(|node| node.output.contains(&only.name)).cloned(),
        _ => None,
    };
    let walk = Walk::new(graph, bytes)?;
    let said = |wanted: &str| {
        let entry = model.metadata_props.iter().find(|entry| entry.key == wanted);
        entry.map(|Entry { value, .. }| value.as_str())
    };
    let list = |wanted| said(wanted).and_then(|json| serde_json::from_str::<Vec<String>>(json).ok());

    let End { rows, names } = End::find(&walk, &outputs)?;
    // An activation that has bounds of its own, such as relu6, is one in spite of them.
    let is_number = rows.known().map_or(true, |known| is_number(known.kind));
    let (rows, range) = match last.filter(|_| is_number).and_then(|node| within(&walk, &node)) {
        Some((unclipped, range)) => (unclipped, Some(range)),
        None => (rows, None),
    };
    let known = rows.known().map_err(|problem| format!("its output is {problem}"))?;
    let named = said(key::LOSS).and_then(|loss| loss.parse().ok());
    let loss = told(&rows, known)?.or(named).or(assumed.loss).ok_or_else(|| {
        format!(
            "its outputs are plain numbers: {} says what they are (mean_squared_error for numbers, \
            binary_cross_entropy or softmax_cross_entropy for logits of classes)",
            setting("loss")
        )
    })?;
    if range.is_some() && loss.classifies() {
        return Err(format!("its output is clipped to a range, which no output of {loss} is"));
    }
    let last = Last::of(&rows, known, loss, rows.width(&walk.chain.bases))?;
    let ImportedNetwork { mut layers, parameters, inputs, names: columns } =
        ImportedNetwork::read(&walk, &rows, last.fold, bytes)?;
    if let Some(layer) = layers.last_mut() {
        layer.activation = last.activation;
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
    let (features, target) = (list(key::FEATURES).or(columns), said(key::TARGET).map(String::from));
    // A letter of their type stands in front of skl2onnx's names of classes.
    let names = match model.producer_name.as_str() {
        "skl2onnx" => names.map(without_letter),
        _ => names,
    };
    let classes = list(key::CLASSES).or(walk.chain.classes.map(|classes| classes.labels)).or(names);
    let halves = walk.chain.products.iter().any(|product| product.weight.is_half());
    let note = "it computes in half precision, and mlp in float32: predictions may differ in the third digit";
    let notes = halves.then(|| note.to_string()).into_iter().collect();
    let (output, path, order) = (last.scale, path.into(), String::new());
    Ok(Foreign { spec, parameters, inputs, output, range, features, target, classes, notes, order, path })
}

/// What the graph's last node keeps within two bounds, if it does: the only column of plain numbers or of means of counts.
fn within(walk: &Walk, last: &Node) -> Option<(Rows, [f64; 2])> {
    let ("" | "ai.onnx", "Clip", [rows, least, most]) = (last.domain.as_str(), last.op_type.as_str(), &last.input[..])
    else {
        return None;
    };
    let bound = |name: &String| match walk.get(name) {
        Some(Value::Constant(bound)) => bound.single(),
        _ => None,
    };
    let (range, Some(Value::Rows(rows))) = ([bound(least)?, bound(most)?], walk.get(rows)) else { return None };
    let is_alone = rows.base > 0 && rows.ending.is_none() && rows.width(&walk.chain.bases) == Some(1);
    (is_alone && is_number(rows.known().ok()?.kind)).then(|| (rows.clone(), range))
}

/// Whether outputs are plain numbers or means of counts.
fn is_number(kind: Kind) -> bool {
    matches!(kind, Kind::Activation(Activation::Identity) | Kind::Exp)
}

/// Names without the letter of the type that stands in front of each.
fn without_letter(names: Vec<String>) -> Vec<String> {
    let without = |letter: char| names.iter().map(|name| name.strip_prefix(letter).map(String::from)).collect();
    let short: Option<Vec<String>> = ['s', 'i'].into_iter().find_map(without);
    short.unwrap_or(names)
}

/// The output that a network's rows are, and the classes that its columns are named by.
struct End {
    rows: Rows,
    names: Option<Vec<String>>,
}

impl End {
    fn find(walk: &Walk, outputs: &[ValueInfo]) -> Result<Self, String> {
        let (mut problem, mut found, mut parts) = (None, None, Vec::new());
        for output in outputs {
            match walk.get(&output.name) {
                Some(Value::Rows(rows)) if rows.base > 0 && rows.columns.is_some() => parts.push((&output.name, rows)),
                // Steps, as a class by the half of a probability, are none.
                Some(Value::Rows(rows))
                    if rows.base > 0 && found.as_ref().is_none_or(|of: &Rows| of.known().is_err()) =>
                {
                    found = Some(rows.clone());
                }
                // The label is often the first output, and what it is made of the last.
                Some(Value::Other(reason)) => problem = Some(reason.to_string()),
                _ => {}
            }
        }
        match (found, parts.is_empty()) {
            (Some(rows), _) => Ok(Self { rows, names: None }),
            (None, false) => Self::of_columns(walk, &parts),
            (None, true) => Err(problem.unwrap_or("no output of its graph is that of a multilayer perceptron".into())),
        }
    }

    /// An output for each class, as of skl2onnx with zipmap='columns'.
    fn of_columns(walk: &Walk, parts: &[(&String, &Rows)]) -> Result<Self, String> {
        let (_, first) = parts[0];
        let whole = Rows { columns: None, ..first.clone() };
        let width = whole.width(&walk.chain.bases).unwrap_or(0);
        let is_next = |(at, (_, rows)): (usize, &(&String, &Rows))| {
            rows.columns.as_deref() == Some(&[at])
                && (rows.base, rows.ending, &rows.function, &rows.affine)
                    == (first.base, first.ending, &first.function, &first.affine)
        };
        if parts.len() != width || !parts.iter().enumerate().all(is_next) {
            let names: Vec<_> = parts.iter().map(|(name, _)| format!("`{name}`")).collect();
            return Err(format!(
                "its outputs {} are not all {width} columns of a layer in their order",
                names.join(", ")
            ));
        }
        let names = parts.iter().map(|(name, _)| name.to_string()).collect();
        Ok(Self { rows: whole, names: (parts.len() > 1).then_some(names) })
    }
}

/// The loss that goes with what comes last.
fn told(end: &Rows, known: Known) -> Result<Option<Loss>, String> {
    match (end.ending, known.kind) {
        (Some(Ending::Softmax), _) => Ok(Some(Loss::SoftmaxCrossEntropy)),
        (Some(Ending::Pair), Kind::Activation(Activation::Sigmoid)) if known.outer == UNCHANGED => {
            Ok(Some(Loss::BinaryCrossEntropy))
        }
        (Some(Ending::Pair), _) => Err("its output joins 1 − p and p, and p is not a sigmoid".into()),
        (None, Kind::Activation(Activation::Sigmoid)) if known.outer == UNCHANGED => Ok(Some(Loss::BinaryCrossEntropy)),
        (None, Kind::Exp) => Ok(Some(Loss::Poisson)),
        (None, Kind::Activation(_)) => Ok(None),
    }
}

/// What the last layer makes of its product.
struct Last {
    activation: Activation,
    /// Goes into its parameters.
    fold: (f64, f64),
    /// Scales a regression's only output back.
    scale: Scale,
}

impl Last {
    fn of(end: &Rows, known: Known, loss: Loss, width: Option<usize>) -> Result<Self, String> {
        let activation = match known.kind {
            Kind::Exp => Activation::Identity,
            Kind::Activation(Activation::Sigmoid) if loss == Loss::BinaryCrossEntropy => Activation::Identity,
            Kind::Activation(activation) => activation,
        };
        let takes_scale = !loss.classifies() && loss != Loss::Poisson && width == Some(1);
        let plain = Self { activation, fold: known.inner, scale: Scale::NONE };
        let behind = match &end.after {
            Some((after, _)) if after.factors.len() == 1 => {
                let (factor, shift) = (after.factors[0], after.shifts[0]);
                (known.outer.0 * factor, known.outer.1 * factor + shift)
            }
            Some((_, node)) => {
                return Err(format!("node {node} scales the output column by column after {activation}"));
            }
            None => known.outer,
        };
        let is_linear = known.kind == Kind::Activation(Activation::Identity);
        let (scale, fold) = if is_linear { (known.inner, UNCHANGED) } else { (behind, known.inner) };
        match scale {
            UNCHANGED => Ok(plain),
            (factor, shift) if factor > 0.0 && takes_scale => {
                Ok(Self { activation, fold, scale: Scale { mean: shift, scale: factor } })
            }
            _ if is_linear => Ok(plain),
            (factor, shift) => Err(format!(
                "its output is {activation} times {factor} plus {shift}: mlp supports this for a single output and a \
                positive factor"
            )),
        }
    }
}
