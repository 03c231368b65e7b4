//! A model as an ONNX file: raw columns in, predictions out.

use std::path::Path;

use prost::Message;

use super::key;
use super::proto::{
    ATTRIBUTE_INT, Attribute, Dimension, Entry, FLOAT, Graph, INT64, Model as ModelProto, Node, OperatorSet, Shape,
    Tensor, TensorType, Type, ValueInfo,
};
use crate::data::{Encoder, Feature, Target, TargetKind};
use crate::error::{Error, Result, shorten};
use crate::files::AtomicFile;
use crate::math::{Formula, Loss};
use crate::model::{Model, member_prefix, transpose};
use crate::params::Layout;

/// The version of ONNX's operators that is written: the oldest with today's Softmax.
pub const OPSET: i64 = 13;
/// The version of the file format that goes with it.
const IR_VERSION: i64 = 7;
/// Name of the input, [rows, inputs]: the table's columns as they are, in the model's order.
const FEATURES: &str = "features";
/// Names of what a predicted number is kept within.
const LEAST: &str = "target.least";
const MOST: &str = "target.most";
/// So many times the clip, z / √(1 + (z / clip)²) is the clip in f32.
const FAR: f64 = 1e6;
/// A buffer of protocol buffers is shorter.
const MAX_BYTES: usize = 1 << 31;

/// What an ONNX file takes and gives.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Onnx {
    /// The input's name and its columns.
    pub input: (&'static str, usize),
    /// The output's name and its columns: `probabilities`, one for each class (for several yes or no questions, of
    /// yes), or `prediction` in the target's unit.
    pub output: (&'static str, usize),
}

/// Writes a model as an ONNX file: the encoder's standardisation, the layers, and what turns outputs into predictions.
///
/// # Errors
/// Those of [`Model::to_bytes`]; [`Error::Setting`] where the file would have 2 GiB or a column's
/// scale is beyond f32, [`Error::Io`] where it cannot be written.
pub fn save_onnx(model: &Model, path: impl AsRef<Path>) -> Result<Onnx> {
    let (bytes, onnx) = onnx_bytes(model)?;
    AtomicFile::create("write the ONNX model", path.as_ref())?.replace(&bytes)?;
    Ok(onnx)
}

/// The bytes of the file that [`save_onnx`] writes, and what is in it.
///
/// # Errors
/// Those of [`save_onnx`], but for the file's.
pub fn onnx_bytes(model: &Model) -> Result<(Vec<u8>, Onnx)> {
    let (file, onnx) = encode(model)?;
    if file.encoded_len() >= MAX_BYTES {
        let (found, expected) = (format!("a file of {} bytes", file.encoded_len()), "less than 2 GiB".into());
        return Err(Error::Setting { what: "the ONNX model", found, expected });
    }
    Ok((file.encode_to_vec(), onnx))
}

fn encode(model: &Model) -> Result<(ModelProto, Onnx)> {
    let Model { spec, encoder, .. } = model;
    let layout = Layout::new(spec);
    let networks = model.check()?;
    let mut graph = Builder(Graph { name: "mlp".into(), ..Graph::default() });
    let (inputs, columns) = match encoder {
        Some(encoder) => {
            let columns = Columns::of(encoder.features());
            (graph.standardise(encoder.features(), &columns)?, columns.names.len())
        }
        None => (FEATURES.into(), spec.inputs()),
    };
    let mut outputs = Vec::new();
    for (number, parameters) in model.members().enumerate() {
        let (prefix, mut rows) = (member_prefix(number, networks), inputs.clone());
        for (i, layer) in spec.layers().iter().enumerate() {
            let (weight, bias) = (layout.weight(i), layout.bias(i));
            let [weight_name, bias_name] = [weight, bias].map(|tensor| format!("{prefix}{}", tensor.name));
            let shape = [layer.outputs, layer.inputs];
            let values = transpose(&parameters[weight.range.clone()], layer.inputs, layer.outputs);
            graph.constant(&weight_name, &shape, values);
            graph.constant(&bias_name, &shape[..1], parameters[bias.range.clone()].to_vec());
            let z = format!("{prefix}layers.{i}.z");
            let z = graph.node("Gemm", &[&rows, &weight_name, &bias_name], z, &[("transB", 1)]);
            rows = graph.formula(layer.activation.formula(), &z, format!("{prefix}layers.{i}.a"));
        }
        outputs.push(rows);
    }
    let onnx = Onnx { input: (FEATURES, columns), output: graph.predictions(model, &outputs)? };
    let (graph, mut metadata) = (graph.finish(&onnx), vec![(key::LOSS, spec.loss().to_string())]);
    metadata.extend(spec.loss().parameter().map(|_| (key::LOSS_PARAMETER, spec.loss_parameter().to_string())));
    metadata.extend(encoder.iter().flat_map(described));
    let metadata = metadata.into_iter().map(|(key, value)| Entry { key: key.into(), value });
    let file = ModelProto {
        ir_version: IR_VERSION,
        producer_name: env!("CARGO_PKG_NAME").into(),
        producer_version: env!("CARGO_PKG_VERSION").into(),
        graph: Some(graph),
        opset_import: vec![OperatorSet { domain: String::new(), version: OPSET }],
        metadata_props: metadata.collect(),
    };
    Ok((file, onnx))
}

/// The columns' names, the target's and the classes' labels.
fn described(encoder: &Encoder) -> Vec<(&'static str, String)> {
    let list = |labels: Vec<&str>| serde_json::Value::from(labels).to_string();
    let Columns { names, .. } = Columns::of(encoder.features());
    let features = names.iter().map(String::as_str).collect();
    let mut all = vec![(key::FEATURES, list(features)), (key::TARGET, encoder.target().name.clone())];
    let classes = encoder.classes().map(|classes| classes.iter().map(String::as_str).collect());
    all.extend(classes.map(|classes| (key::CLASSES, list(classes))));
    all
}

/// The columns of the graph's input: the network's inputs, but a number with bins is one column.
struct Columns {
    names: Vec<String>,
    /// The column that each of the network's inputs is made of.
    sources: Vec<usize>,
}

impl Columns {
    fn of(features: &[Feature]) -> Self {
        let (mut names, mut sources) = (Vec::new(), Vec::new());
        for feature in features {
            let bins = feature.bin_inputs();
            for (input, name) in feature.input_names().into_iter().enumerate() {
                names.extend((!bins.contains(&input)).then_some(name));
                sources.push(names.len() - 1);
            }
        }
        Self { names, sources }
    }
}

/// A graph on its way. Its methods give the names of what they add.
struct Builder(Graph);

impl Builder {
    fn constant(&mut self, name: &str, shape: &[usize], values: Vec<f32>) {
        if self.0.initializer.iter().any(|known| known.name == name) {
            return; // the same number again
        }
        let raw_data = values.into_iter().flat_map(f32::to_le_bytes).collect();
        let dims = shape.iter().map(|&dim| dim as i64).collect();
        self.0.initializer.push(Tensor { dims, data_type: FLOAT, name: name.into(), raw_data, ..Tensor::default() });
    }

    /// Whole numbers as a constant.
    fn numbers_of(&mut self, name: &str, values: &[usize]) {
        let raw_data = values.iter().flat_map(|&value| (value as i64).to_le_bytes()).collect();
        let dims = vec![values.len() as i64];
        self.0.initializer.push(Tensor { dims, data_type: INT64, name: name.into(), raw_data, ..Tensor::default() });
    }

    fn number(&mut self, value: f64) -> String {
        let name = value.to_string();
        self.constant(&name, &[], vec![value as f32]);
        name
    }

    fn node(&mut self, kind: &str, inputs: &[&str], output: String, attributes: &[(&str, i64)]) -> String {
        let attribute = attributes
            .iter()
            .map(|&(name, i)| Attribute { name: name.into(), i, kind: ATTRIBUTE_INT, ..Attribute::default() })
            .collect();
        // Names of nodes and of values are apart in ONNX, but not in all programs that read it.
        self.0.node.push(Node {
            input: inputs.iter().map(ToString::to_string).collect(),
            output: vec![output.clone()],
            name: format!("{output}/{kind}"),
            op_type: kind.into(),
            attribute,
            ..Node::default()
        });
        output
    }

    /// A formula of `z`; `output` is the name of its last node.
    fn formula(&mut self, formula: &Formula, z: &str, output: String) -> String {
        match *formula {
            Formula::Z => z.into(),
            Formula::Number(value) => self.number(value),
            Formula::Call(kind, inputs) => {
                let name = |i| format!("{output}.{i}");
                let inputs: Vec<_> = inputs.iter().enumerate().map(|(i, f)| self.formula(f, z, name(i))).collect();
                self.node(kind, &inputs.iter().map(String::as_str).collect::<Vec<_>>(), output, &[])
            }
        }
    }

    /// z = (x − mean) / scale, cut off at its limits, and z / √(1 + (z / clip)²) where an input is clipped. The mean comes in two parts, so
    /// that f32 leaves no more of its rounding than the difference has: a year less 2012.5 is exact.
    fn standardise(&mut self, features: &[Feature], columns: &Columns) -> Result<String> {
        let inputs: Vec<_> = features.iter().flat_map(|of| of.scalings().into_iter().zip(of.input_names())).collect();
        let clips: Vec<Option<f64>> = features.iter().flat_map(Feature::clips).collect();
        // No square of z overflows, and nothing infinite is multiplied by 0.
        let far = |clip: f64| [-FAR * clip, FAR * clip];
        let limits = features.iter().flat_map(Feature::limits).zip(&clips);
        let limits: Vec<Option<[f64; 2]>> = limits.map(|(limits, clip)| limits.or(clip.map(far))).collect();
        let [is_clipped, is_limited] = [clips.iter().any(Option::is_some), limits.iter().any(Option::is_some)];
        if !is_limited && inputs.iter().all(|(scaling, _)| *scaling == (0.0, 1.0)) {
            return Ok(FEATURES.into());
        }
        let (mut high, mut low, mut scale) = (Vec::new(), Vec::new(), Vec::new());
        for ((mean, divisor), name) in &inputs {
            let rounded = single(*mean, name)?;
            high.push(rounded);
            low.push((mean - f64::from(rounded)) as f32);
            scale.push(single(*divisor, name)?);
        }
        let mut rows = FEATURES.to_string();
        if columns.sources.len() > columns.names.len() {
            self.numbers_of("column", &columns.sources);
            rows = self.node("Gather", &[&rows, "column"], format!("{FEATURES}.columns"), &[("axis", 1)]);
        }
        for (kind, name, values) in [("Sub", "mean", high), ("Sub", "mean.rest", low), ("Div", "scale", scale)] {
            self.constant(name, &[inputs.len()], values);
            rows = self.node(kind, &[&rows, name], format!("{FEATURES}.{name}"), &[]);
        }
        if is_limited {
            for (kind, name, at, unlimited) in [("Max", "least", 0, f32::MIN), ("Min", "most", 1, f32::MAX)] {
                let each = limits.iter().map(|limits| limits.map_or(unlimited, |limits| limits[at] as f32)).collect();
                self.constant(name, &[limits.len()], each);
                rows = self.node(kind, &[&rows, name], format!("{FEATURES}.{name}"), &[]);
            }
        }
        Ok(if is_clipped { self.clipped(&rows, &clips) } else { rows })
    }

    /// z / √(1 + (z / clip)²) where an input is clipped.
    fn clipped(&mut self, z: &str, clips: &[Option<f64>]) -> String {
        // Where nothing is clipped, z is divided by √(1 + 0).
        let inverse = clips.iter().map(|clip| clip.map_or(0.0, |clip| (1.0 / clip) as f32)).collect();
        self.constant("clip.inverse", &[clips.len()], inverse);
        self.constant("one", &[], vec![1.0]);
        let part = self.node("Mul", &[z, "clip.inverse"], format!("{FEATURES}.part"), &[]);
        let square = self.node("Mul", &[&part, &part], format!("{FEATURES}.square"), &[]);
        let sum = self.node("Add", &[&square, "one"], format!("{FEATURES}.sum"), &[]);
        let root = self.node("Sqrt", &[&sum], format!("{FEATURES}.root"), &[]);
        self.node("Div", &[z, &root], format!("{FEATURES}.clipped"), &[])
    }

    /// The mean over networks of what an operator makes of their outputs; `output` is the name of the last node.
    fn mean(&mut self, kind: &str, z: &[String], output: &str, attributes: &[(&str, i64)]) -> String {
        if let [z] = z {
            return self.node(kind, &[z], output.into(), attributes);
        }
        let each = z.iter().enumerate().map(|(i, z)| self.node(kind, &[z], format!("{output}.{i}"), attributes));
        let each: Vec<_> = each.collect();
        self.node("Mean", &each.iter().map(String::as_str).collect::<Vec<_>>(), output.into(), &[])
    }

    /// What `mlp predict` writes of the networks' outputs; gives name and columns.
    fn predictions(&mut self, model: &Model, z: &[String]) -> Result<(&'static str, usize)> {
        const PROBABILITIES: &str = "probabilities";
        const PREDICTION: &str = "prediction";
        let outputs = model.spec.outputs();
        match model.spec.loss() {
            Loss::BinaryCrossEntropy if outputs == 1 => {
                let negative = |at: usize| format!("{}no.z", member_prefix(at, z.len()));
                let no: Vec<_> =
                    z.iter().enumerate().map(|(at, z)| self.node("Neg", &[z], negative(at), &[])).collect();
                let [no, yes] = [(&no[..], "no"), (z, "yes")].map(|(z, name)| self.mean("Sigmoid", z, name, &[]));
                self.node("Concat", &[&no, &yes], PROBABILITIES.into(), &[("axis", 1)]);
                Ok((PROBABILITIES, 2))
            }
            Loss::BinaryCrossEntropy => {
                self.mean("Sigmoid", z, PROBABILITIES, &[]);
                Ok((PROBABILITIES, outputs))
            }
            Loss::SoftmaxCrossEntropy => {
                self.mean("Softmax", z, PROBABILITIES, &[("axis", 1)]);
                Ok((PROBABILITIES, outputs))
            }
            Loss::MeanSquaredError | Loss::MeanAbsoluteError | Loss::Huber | Loss::Poisson => {
                let mut rows = match (model.spec.loss(), z) {
                    (Loss::Poisson, _) => self.mean("Exp", z, "mean.count", &[]),
                    (_, [z]) => z.clone(),
                    _ => self.node("Mean", &z.iter().map(String::as_str).collect::<Vec<_>>(), "mean.z".into(), &[]),
                };
                let target = model.encoder.as_ref().map(Encoder::target);
                if let Some(target) = target {
                    rows = self.scaled_back(rows, target)?;
                }
                match target.and_then(|target| target.kind.range()) {
                    Some(range) => self.within(range, &rows, PREDICTION.into()),
                    None => self.node("Identity", &[&rows], PREDICTION.into(), &[]),
                };
                Ok((PREDICTION, outputs))
            }
        }
    }

    /// Outputs in the target's unit.
    fn scaled_back(&mut self, mut rows: String, target: &Target) -> Result<String> {
        if let TargetKind::Regression { mean, scale, .. } = target.kind
            && (mean, scale) != (0.0, 1.0)
        {
            for (kind, name, value) in [("Mul", "target.scale", scale), ("Add", "target.mean", mean)] {
                self.constant(name, &[], vec![single(value, &target.name)?]);
                rows = self.node(kind, &[&rows, name], format!("{name}d"), &[]);
            }
        }
        Ok(rows)
    }

    /// Numbers kept within two bounds. What is beyond f32 bounds no number of the graph.
    fn within(&mut self, range: [f64; 2], rows: &str, output: String) -> String {
        let bounds = range.map(|bound| (bound as f32).clamp(f32::MIN, f32::MAX));
        for (name, bound) in [LEAST, MOST].into_iter().zip(bounds) {
            self.constant(name, &[], vec![bound]);
        }
        self.node("Clip", &[rows, LEAST, MOST], output, &[])
    }

    fn finish(self, onnx: &Onnx) -> Graph {
        let info = |(name, columns): (&str, usize)| {
            let rows = Dimension { value: None, name: Some("rows".into()) };
            let shape = Shape { dim: vec![rows, Dimension { value: Some(columns as i64), name: None }] };
            let tensor = TensorType { element: FLOAT, shape: Some(shape) };
            ValueInfo { name: name.into(), kind: Some(Type { tensor: Some(tensor) }) }
        };
        Graph { input: vec![info(onnx.input)], output: vec![info(onnx.output)], ..self.0 }
    }
}

/// A mean or a scale as f32, which holds neither very large nor, for a scale, very small ones.
fn single(value: f64, column: &str) -> Result<f32> {
    let rounded = value as f32;
    if rounded.is_finite() && (rounded != 0.0) == (value != 0.0) {
        return Ok(rounded);
    }
    let (found, expected) =
        (format!("{value:e} of column `{}`", shorten(column)), "one that fits f32, which ONNX uses".into());
    Err(Error::Setting { what: "a mean or a scale", found, expected })
}
