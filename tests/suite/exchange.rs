//! Models of other programs: what PyTorch, scikit-learn and Keras wrote is read, what is written is run by another
//! runtime, and files that are none are refused. `tests/fixtures/exchange.py` makes the files.

use std::fs;
use std::path::{Path, PathBuf};

use rand::rngs::ChaCha8Rng;
use rand::{Rng, RngExt, SeedableRng};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use tempfile::TempDir;
use wgpu_mlp::backend::{CpuDevice, Device};
use wgpu_mlp::data::{Encoder, Feature, FeatureKind, Target, TargetKind};
use wgpu_mlp::exchange::{self, Assumed, Foreign, Onnx, Scale, save_onnx};
use wgpu_mlp::infer::Predictor;
use wgpu_mlp::math::{Activation, Loss};
use wgpu_mlp::params::Init;
use wgpu_mlp::spec::{Layer, MlpSpec};
use wgpu_mlp::{Error, Model};

use super::gradients::bits;
use super::support::wait;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/exchange.safetensors");

/// A file of another program, rows, and what that program predicts for them.
pub struct Case {
    pub name: String,
    pub file: Vec<u8>,
    pub x: Vec<f32>,
    pub y: Vec<f32>,
}

impl Case {
    /// What its file does not say: `state/ACTIVATION/ENDING` has tensors alone.
    pub fn assumed(&self) -> Assumed {
        let activation = self.name.rsplit('/').nth(1).unwrap().parse().unwrap();
        let loss = match self.name.rsplit('/').next().unwrap() {
            "sigmoid" => Loss::BinaryCrossEntropy,
            "numbers" => Loss::MeanSquaredError,
            _ => Loss::SoftmaxCrossEntropy,
        };
        Assumed { activation: Some(activation), loss: Some(loss) }
    }
}

pub fn cases() -> Vec<Case> {
    let bytes = fs::read(CASES).unwrap();
    let all = SafeTensors::deserialize(&bytes).unwrap();
    let floats = |name: &str| -> Vec<f32> {
        all.tensor(name).unwrap().data().as_chunks().0.iter().map(|&word| f32::from_le_bytes(word)).collect()
    };
    let mut names: Vec<_> = all.names().into_iter().filter_map(|name| name.strip_suffix("/file")).collect();
    names.sort();
    let case = |name: &str| {
        let file = all.tensor(&format!("{name}/file")).unwrap().data().to_vec();
        Case { name: name.into(), file, x: floats(&format!("{name}/x")), y: floats(&format!("{name}/y")) }
    };
    names.into_iter().map(case).collect()
}

fn import(bytes: &[u8], assumed: Assumed) -> Result<Foreign, Error> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, bytes).unwrap();
    exchange::import(&path, assumed)
}

/// The predictions for raw rows of a network whose inputs and output are scaled.
fn predictions(spec: &MlpSpec, parameters: &[f32], inputs: &[Scale], output: Scale, x: &[f32]) -> Vec<f64> {
    let scaled = |(&x, scale): (&f32, &Scale)| ((f64::from(x) - scale.mean) / scale.scale) as f32;
    let rows: Vec<f32> = x.chunks(inputs.len()).flat_map(|row| row.iter().zip(inputs).map(scaled)).collect();
    let device = Device::Cpu(CpuDevice::new(1).unwrap());
    let mut predictor = wait(Predictor::new(&device, spec, parameters, 8)).unwrap();
    let outputs = wait(predictor.outputs(&rows)).unwrap();
    let row = |row: &[f32]| {
        let mut row: Vec<f64> = row.iter().map(|&z| z.into()).collect();
        spec.loss().predictions(&mut row);
        row.into_iter().map(|value| value * output.scale + output.mean)
    };
    outputs.chunks(spec.outputs()).flat_map(row).collect()
}

fn assert_near(name: &str, found: &[f64], expected: &[f64], size: f64) {
    assert_eq!(found.len(), expected.len(), "{name}");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let limit = 1e-5 * expected.abs().max(size);
        assert!((found - expected).abs() <= limit, "{name}: value {i} is {found}, expected {expected} ± {limit:e}");
    }
}

/// Every activation from both of PyTorch's exporters and as tensors alone, scikit-learn's pipelines, a graph as Keras's.
#[test]
fn other_programs_models_predict_the_same() {
    let cases = cases();
    assert_eq!(cases.len(), 3 * Activation::ALL.len() + 4);
    for case in &cases {
        // ONNX says its activations, and all but plain numbers.
        let is_onnx = !case.name.starts_with("state");
        let loss = case.assumed().loss.filter(|_| !is_onnx || case.name.ends_with("numbers"));
        let assumed = Assumed { activation: case.assumed().activation.filter(|_| !is_onnx), loss };
        let foreign = import(&case.file, assumed).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let layers = foreign.spec.layers();
        let (last, hidden) = layers.split_last().unwrap();
        assert!(hidden.iter().all(|layer| Some(layer.activation) == case.assumed().activation), "{}", foreign.spec);
        assert_eq!(last.activation, Activation::Identity, "{}: {}", case.name, foreign.spec);
        let inputs = foreign.inputs.clone().unwrap_or(vec![Scale::NONE; foreign.spec.inputs()]);
        assert_eq!(foreign.inputs.is_some(), case.name.starts_with("sklearn"), "{}", case.name);
        let found = predictions(&foreign.spec, &foreign.parameters, &inputs, foreign.output, &case.x);
        let expected: Vec<f64> = case.y.iter().map(|&y| y.into()).collect();
        assert_near(&case.name, &found, &expected, 1.0);
    }
    let classes = |name: &str| {
        let case = cases.iter().find(|case| case.name == name).unwrap();
        import(&case.file, Assumed::default()).unwrap().classes.unwrap()
    };
    assert_eq!(classes("sklearn/relu/softmax"), ["0", "1", "2"]);
    assert_eq!(classes("sklearn/sigmoid/sigmoid"), ["no", "yes"]);
}

fn number(name: &str, mean: f64, scale: f64) -> Feature {
    Feature { name: name.into(), kind: FeatureKind::Number { mean, scale, fill: None }, indicator: false }
}

/// Columns like a year, an amount and a share.
fn features() -> Vec<Feature> {
    let feature = |(name, mean, scale)| number(name, mean, scale);
    [("year", 2012.3, 8.7), ("amount", 3.1e4, 2.2e4), ("a \"share\", ü", 0.0123, 0.0045)].map(feature).into()
}

/// A model with every part that an ONNX file can have.
fn model(activation: Activation, loss: Loss, outputs: usize) -> Model {
    let layer = |inputs, outputs, activation| Layer { inputs, outputs, activation };
    let last = if (loss, outputs) == (Loss::MeanSquaredError, 2) { Activation::Tanh } else { Activation::Identity };
    let layers = vec![layer(3, 9, activation), layer(9, 5, activation), layer(5, outputs, last)];
    let spec = MlpSpec::from_layers(layers, loss).unwrap();
    let spec = if loss == Loss::Huber { spec.with_loss_parameter(1.5).unwrap() } else { spec };
    let mut parameters = Init::Xavier.draw(&spec, 5).unwrap();
    parameters.iter_mut().enumerate().for_each(|(i, value)| *value += 0.01 * (i % 7) as f32);
    let labels = |count| (0..count).map(|class| format!("class {class}")).collect::<Vec<_>>();
    let kind = match loss {
        Loss::BinaryCrossEntropy => TargetKind::Binary { classes: labels(2).try_into().unwrap() },
        Loss::SoftmaxCrossEntropy => TargetKind::Multiclass { classes: labels(outputs) },
        Loss::Poisson => TargetKind::Regression { mean: 0.0, scale: 1.0 },
        _ => TargetKind::Regression { mean: 1e3, scale: 250.0 },
    };
    let encoder = Encoder::new(features(), Target { name: "what".into(), kind });
    // An encoder has one target.
    let encoder = (outputs == 1 || loss == Loss::SoftmaxCrossEntropy).then_some(encoder);
    Model { spec, parameters, encoder, training: None }
}

fn models() -> Vec<Model> {
    let mut all = Vec::new();
    for &activation in Activation::ALL {
        for &loss in Loss::ALL {
            all.push(model(activation, loss, if loss == Loss::SoftmaxCrossEntropy { 4 } else { 1 }));
        }
        // Without an encoder: several labels, and several numbers with an activation at the end.
        all.push(model(activation, Loss::BinaryCrossEntropy, 2));
        all.push(model(activation, Loss::MeanSquaredError, 2));
    }
    all
}

fn exported(model: &Model) -> (TempDir, PathBuf, Onnx) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("net.onnx");
    let onnx = save_onnx(model, &path).unwrap();
    (folder, path, onnx)
}

/// An exported model that is imported is the model, to the bit, but for scales, which the file has as f32.
#[test]
fn an_exported_model_comes_back() {
    for model in models() {
        let (_folder, path, _) = exported(&model);
        let assumed = Assumed { loss: Some(model.spec.loss()), ..Assumed::default() };
        let Model { spec, parameters, encoder, .. } = exchange::load(&path, assumed).unwrap();
        assert_eq!(spec, model.spec);
        assert_eq!(bits(&parameters), bits(&model.parameters), "{spec}");
        assert_eq!(encoder.is_some(), model.encoder.is_some(), "{spec}");
        let (Some(found), Some(expected)) = (encoder, model.encoder) else { continue };
        for (found, expected) in found.features().iter().zip(expected.features()) {
            assert_eq!(found.name, expected.name);
            let [(mean, scale), (expected_mean, expected_scale)] = [found, expected].map(|of| of.scaling().unwrap());
            assert!((mean - expected_mean).abs() <= 1e-9 * expected_scale, "{spec}: {found:?}");
            assert!((scale / expected_scale - 1.0).abs() <= 1e-7, "{spec}: {found:?}");
        }
        assert_eq!(found.target(), expected.target(), "{spec}");
    }
}

/// The file says what it is, whoever looks into it.
#[test]
fn an_exported_file_says_what_it_is() {
    let (_folder, path, _) = exported(&model(Activation::Gelu, Loss::SoftmaxCrossEntropy, 4));
    let bytes = fs::read(path).unwrap();
    let has = |words: &str| bytes.windows(words.len()).any(|window| window == words.as_bytes());
    let opset = [field(8, &field_number(2, 13)), field(1, b"\x08\x07")];
    assert!(bytes.windows(opset[0].len()).any(|window| window == opset[0]) && bytes.starts_with(&[8, 7]), "opset, IR");
    for words in
        ["mlp.features", r#"["year","amount","a \"share\", ü"]"#, "mlp.classes", "mlp.target", "layers.2.weight"]
    {
        assert!(has(words), "{words}");
    }
}

/// Categories are inputs of their own, which the graph leaves as they are.
#[test]
fn categories_are_inputs_of_the_graph() {
    let mut model = model(Activation::Relu, Loss::MeanSquaredError, 1);
    let categories = vec!["Fair".into(), "Ideal".into()];
    let kind = FeatureKind::Category { categories, other: false, fill: None };
    let cut = Feature { name: "cut".into(), kind, indicator: false };
    let target = model.encoder.as_ref().unwrap().target().clone();
    model.encoder = Some(Encoder::new(vec![features().remove(0), cut], target));
    let (_folder, path, onnx) = exported(&model);
    assert_eq!(onnx.input, ("features", 3));
    let assumed = Assumed { loss: Some(model.spec.loss()), ..Assumed::default() };
    let encoder = exchange::load(&path, assumed).unwrap().encoder.unwrap();
    let found: Vec<_> = encoder.features().iter().map(|of| (of.name.as_str(), of.scaling().unwrap())).collect();
    assert_eq!(found[1..], [("cut=Fair", (0.0, 1.0)), ("cut=Ideal", (0.0, 1.0))]);
    assert_eq!(found[0].0, "year");
}

#[test]
fn what_onnx_cannot_hold_is_refused() {
    let folder = TempDir::new().unwrap();
    let mut model = model(Activation::Relu, Loss::MeanSquaredError, 1);
    for (mean, scale) in [(1e39, 1.0), (0.0, 1e-50)] {
        let mut columns = features();
        columns[1] = number("wide", mean, scale);
        model.encoder = Some(Encoder::new(columns, model.encoder.as_ref().unwrap().target().clone()));
        let error = save_onnx(&model, &folder.path().join("net.onnx")).unwrap_err();
        assert!(matches!(error, Error::Setting { .. }) && error.to_string().contains("`wide`"), "{error}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// A field of a protocol buffer with bytes in it.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2][..], &varint(content.len() as u64), content].concat()
}

/// A field with a whole number.
fn field_number(number: u8, value: u64) -> Vec<u8> {
    [&[number << 3][..], &varint(value)].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 128 {
        bytes.push(value as u8 | 128);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// A graph by hand, from `x` to `y`.
#[derive(Clone, Default)]
pub struct Graph(Vec<u8>);

impl Graph {
    /// `Op x, w > y`.
    pub fn node(mut self, text: &str) -> Self {
        let (op, rest) = text.split_once(' ').unwrap();
        let (inputs, outputs) = rest.split_once(" > ").unwrap();
        let names =
            |number, names: &str| names.split(", ").flat_map(|name| field(number, name.as_bytes())).collect::<Vec<_>>();
        self.0.extend(field(1, &[names(1, inputs), names(2, outputs), field(4, op.as_bytes())].concat()));
        self
    }

    /// A constant of f32 with its raw bytes.
    pub fn constant(self, name: &str, shape: &[u64], bytes: &[u8]) -> Self {
        self.tensor(name, shape, &field(9, bytes))
    }

    pub fn tensor(mut self, name: &str, shape: &[u64], rest: &[u8]) -> Self {
        let dims: Vec<u8> = shape.iter().flat_map(|&dim| field_number(1, dim)).collect();
        self.0.extend(field(5, &[&dims, &field_number(2, 1)[..], &field(8, name.as_bytes()), rest].concat()));
        self
    }

    pub fn ones(self, name: &str, shape: &[u64]) -> Self {
        let bytes: Vec<u8> = (0..shape.iter().product()).flat_map(|_| 1_f32.to_le_bytes()).collect();
        self.constant(name, shape, &bytes)
    }

    pub fn bytes(self) -> Vec<u8> {
        let ends = [field(11, &field(1, b"x")), field(12, &field(1, b"y"))].concat();
        field(7, &[self.0, ends].concat())
    }
}

/// The problem of a file that must be refused.
fn problem(bytes: &[u8]) -> String {
    let assumed = Assumed { activation: Some(Activation::Relu), loss: Some(Loss::MeanSquaredError) };
    match import(bytes, assumed) {
        Err(error @ Error::ForeignModel { .. }) if !error.to_string().contains('\n') => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn graphs_that_are_no_perceptrons_are_refused() {
    let graph = || Graph::default().ones("w", &[2, 3]).ones("v", &[3, 1]).ones("b", &[3]).ones("one", &[]);
    let sound = graph().node("MatMul x, w > a").node("Tanh a > h").node("MatMul h, v > y");
    let assumed = Assumed { activation: None, loss: Some(Loss::Huber) };
    assert_eq!(import(&sound.clone().bytes(), assumed).unwrap().spec.to_string(), "2→3 tanh→1, huber");
    let told = import(&sound.clone().bytes(), Assumed::default()).unwrap_err().to_string();
    assert!(told.contains("--loss"), "{told}");
    let inner = |op: &str| graph().node("MatMul x, w > a").node(&format!("{op} > h")).node("MatMul h, v > y");
    let cases = [
        ("node Conv is no part", inner("Conv a, w")),
        ("takes a function that is none of", inner("Pow a, one").node("Erf y > z")),
        ("takes `loop`, which nothing before it makes", graph().node("Add loop, x > y").node("Add y, x > loop")),
        ("takes `y`, which nothing before it makes", graph().node("MatMul y, w > y")),
        ("`y` is made twice", sound.clone().node("Tanh h > y")),
        ("has a weight for 3 columns: expected 1", sound.clone().node("MatMul y, v > z")),
        ("has 2 constants: expected 3", graph().ones("c", &[2]).node("MatMul x, w > a").node("Add a, c > y")),
        ("has the shape [3] for a weight", graph().node("MatMul x, b > y")),
        ("has the shape [0, 8] for a weight", graph().constant("c", &[0, 8], &[]).node("MatMul x, c > y")),
        ("another input 1 than a constant", graph().node("MatMul x, x > y")),
        ("brings together what lies apart", inner("Add a, x")),
        (
            "has constants for each column behind an activation",
            graph().node("MatMul x, w > a").node("Tanh a > h").node("Add h, b > y"),
        ),
        ("neither the inputs", graph().node("Relu x > h").node("MatMul h, w > y")),
        (
            "of the shape [4294967296, 4294967296]",
            graph().constant("c", &[1 << 32, 1 << 32], &[]).node("MatMul x, c > y"),
        ),
        ("of the shape [-1, 3]", graph().constant("c", &[u64::MAX, 3], &[0; 12]).node("MatMul x, c > y")),
        ("`c` has 5 bytes", graph().constant("c", &[1, 1], &[0; 5]).node("MatMul x, c > y")),
        ("has the parameter NaN", graph().constant("c", &[1, 1], &f32::NAN.to_le_bytes()).node("MatMul x, c > y")),
        (
            "takes a function that is none of identity",
            graph().constant("c", &[], &[0; 4]).node("Mul x, c > a").node("MatMul a, w > y"),
        ),
        ("no output of its graph", graph()),
        ("no output of its graph", graph().node("Tanh x > y")),
    ];
    for (words, graph) in cases {
        // The output of a graph with more than two products is `z` there.
        let mut bytes = graph.clone().bytes();
        let as_it_is = problem_or_none(&bytes);
        if !as_it_is.contains(words) {
            bytes = field(7, &[graph.0, field(11, &field(1, b"x")), field(12, &field(1, b"z"))].concat());
        }
        let found = problem_or_none(&bytes);
        assert!(found.contains(words), "expected `{words}`: {as_it_is}; and of z: {found}");
    }
}

fn problem_or_none(bytes: &[u8]) -> String {
    let assumed = Assumed { activation: Some(Activation::Relu), loss: Some(Loss::MeanSquaredError) };
    import(bytes, assumed).err().map(|error| error.to_string()).unwrap_or_default()
}

/// Values in another file: in the same folder, and no more of them than it has.
#[test]
fn external_values_are_read_from_beside_the_file() {
    let folder = TempDir::new().unwrap();
    let values: Vec<u8> = [1.0_f32, 2.0, 3.0, 4.0].into_iter().flat_map(f32::to_le_bytes).collect();
    fs::write(folder.path().join("values"), &values).unwrap();
    let path = folder.path().join("net.onnx");
    let entry =
        |(key, value): &(&str, &str)| field(13, &[field(1, key.as_bytes()), field(2, value.as_bytes())].concat());
    let read = |entries: &[&[(&str, &str)]]| {
        let mut graph = Graph::default();
        for (i, entries) in entries.iter().enumerate() {
            let rest: Vec<u8> = entries.iter().flat_map(entry).chain(field_number(14, 1)).collect();
            graph = graph.tensor(&format!("w{i}"), &[3, 1], &rest);
        }
        fs::write(&path, graph.node("MatMul x, w0 > y").bytes()).unwrap();
        exchange::import(&path, Assumed { activation: None, loss: Some(Loss::MeanSquaredError) })
    };
    let whole = &[("location", "values"), ("offset", "4"), ("length", "12")][..];
    assert_eq!(read(&[whole]).unwrap().parameters, [2.0, 3.0, 4.0, 0.0]);
    type Case<'a> = (&'a str, &'a [&'a [(&'a str, &'a str)]]);
    let cases: [Case<'_>; 8] = [
        ("`w1`: they are 12 bytes, of which", &[whole, whole]),
        ("expected a file in the same folder", &[&[("location", "../values")]]),
        ("expected a file in the same folder", &[&[("location", "/etc/hostname")]]),
        ("expected a file in the same folder", &[&[("location", "..")]]),
        ("they have no location", &[&[("length", "12")]]),
        ("their length is `-1`", &[&[("location", "values"), ("length", "-1")]]),
        ("cannot read", &[&[("location", "absent")]]),
        ("has 1 values", &[&[("location", "values"), ("offset", "12")]]),
    ];
    for (words, entries) in cases {
        let found = read(entries).unwrap_err().to_string();
        assert!(found.contains(words), "expected `{words}`: {found}");
    }
}

/// A few bytes that ask for much: many uses of one matrix, many shifts of wide rows, a matrix turned many times.
#[test]
fn a_small_file_cannot_ask_for_much() {
    let chain = |op: &dyn Fn(usize) -> String, graph: Graph| (0..3000).fold(graph, |graph, i| graph.node(&op(i)));
    let wide = Graph::default().ones("w", &[500, 500]).ones("b", &[200_000]);
    let products = chain(&|i| format!("MatMul x{i}, w > x{}", i + 1), wide.clone().node("Identity x > x0"));
    let shifts = chain(&|i| format!("Add x{i}, b > x{}", i + 1), wide.clone().node("Identity x > x0"));
    let turns = chain(&|i| format!("Transpose w > w{i}"), wide).node("MatMul x, w2999 > y");
    let cases = [
        ("uses weights several times", products.node("Identity x3000 > y")),
        ("makes more numbers than the file has", shifts.node("MatMul x3000, w > y")),
        ("makes more numbers than the file has", turns),
    ];
    for (words, graph) in cases {
        let found = problem(&graph.bytes());
        assert!(found.contains(words), "expected `{words}`: {found}");
    }
}

#[test]
fn tensors_that_are_no_perceptron_are_refused() {
    let file = |tensors: &[(&str, &[usize])]| {
        let zeros: Vec<_> = tensors.iter().map(|(_, shape)| vec![0; 4 * shape.iter().product::<usize>()]).collect();
        let view = |((name, shape), bytes): (&(&str, &[usize]), _)| {
            (name.to_string(), TensorView::new(Dtype::F32, shape.to_vec(), bytes).unwrap())
        };
        let views: Vec<_> = tensors.iter().zip(zeros.iter().map(Vec::as_slice)).map(view).collect();
        safetensors::serialize(views, None).unwrap()
    };
    type Case<'a> = (&'a str, &'a [(&'a str, &'a [usize])]);
    let cases: [Case<'_>; 9] = [
        ("it has no tensors", &[]),
        ("tensor `1.running_mean` is no weight or bias", &[("0.weight", &[3, 2]), ("1.running_mean", &[3])]),
        ("tensor `1.weight` is [3]: expected [outputs, inputs]", &[("0.weight", &[3, 2]), ("1.weight", &[3])]),
        ("tensor `0.weight` is [0, 2]", &[("0.weight", &[0, 2])]),
        ("tensor `0.bias` is [2]: expected [3]", &[("0.weight", &[3, 2]), ("0.bias", &[2])]),
        ("tensor `0.weight` is missing", &[("0.bias", &[2])]),
        ("which of `first` and `second`", &[("second.weight", &[3, 2]), ("first.weight", &[3, 2])]),
        ("which of `a.0` and `b.0`", &[("b.0.weight", &[3, 2]), ("a.0.weight", &[3, 2])]),
        ("the width of the layer before", &[("0.weight", &[3, 2]), ("1.weight", &[3, 2])]),
    ];
    for (words, tensors) in cases {
        let found = problem(&file(tensors));
        assert!(found.contains(words), "expected `{words}`: {found}");
    }
    // By number, not by letters; without biases.
    let names = [("net.10.weight", [1, 4]), ("net.9.weight", [4, 3]), ("net.0.weight", [3, 2])];
    let tensors: Vec<_> = names.iter().map(|(name, shape)| (*name, &shape[..])).collect();
    let assumed = Assumed { activation: Some(Activation::Elu), loss: Some(Loss::MeanSquaredError) };
    let foreign = import(&file(&tensors), assumed).unwrap();
    assert_eq!(foreign.spec.to_string(), "2→3 elu→4 elu→1, mean_squared_error");
    assert_eq!(foreign.parameters.len(), 9 + 16 + 5);
    let told = import(&file(&tensors), Assumed::default()).unwrap_err().to_string();
    assert!(told.contains("--activation") && told.contains("--loss"), "{told}");
}

/// Truncated anywhere, with any byte changed, or noise: an error of one line or a network, never a panic.
#[test]
fn damaged_files_are_refused() {
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let cases = cases();
    let (_folder, path, _) = exported(&model(Activation::GeluTanh, Loss::SoftmaxCrossEntropy, 4));
    let own =
        Case { name: "own/gelu_tanh/softmax".into(), file: fs::read(&path).unwrap(), x: Vec::new(), y: Vec::new() };
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("file");
    let mut refused = 0;
    let mut read = |bytes: &[u8], case: &Case, path: &Path| {
        fs::write(path, bytes).unwrap();
        if let Err(error) = exchange::load(path, case.assumed()) {
            assert!(matches!(error, Error::ForeignModel { .. }), "{}: {error}", case.name);
            assert!(!error.to_string().contains('\n'), "{}: {error}", case.name);
            refused += 1;
        }
    };
    for case in cases.iter().chain([&own]) {
        for end in (0..case.file.len()).step_by(13) {
            read(&case.file[..end], case, &path);
        }
        for _ in 0..200 {
            let mut damaged = case.file.clone();
            for _ in 0..random.random_range(1..4) {
                let at = random.random_range(0..damaged.len());
                damaged[at] = random.random_range(0..=255);
            }
            read(&damaged, case, &path);
        }
    }
    for length in 0..300 {
        let mut noise = vec![0; length];
        random.fill_bytes(&mut noise);
        read(&noise, &own, &path);
        let header = [&(length as u64).to_le_bytes()[..], b"{", &noise].concat();
        read(&header, &own, &path);
    }
    assert!(refused > 3000, "{refused} refused");
    for case in cases.iter().chain([&own]) {
        let half = &case.file[..case.file.len() / 2];
        fs::write(&path, half).unwrap();
        exchange::load(&path, case.assumed()).unwrap_err();
    }
}
