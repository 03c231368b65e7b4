//! Models of other programs: what PyTorch, scikit-learn and Keras wrote is read, what is written is run by another
//! runtime, and damaged files are refused. `tests/fixtures/exchange.py` makes the files.

use std::fs;
use std::path::{Path, PathBuf};

use rand::rngs::ChaCha8Rng;
use rand::{Rng, RngExt, SeedableRng};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, Tensor};
use safetensors::SafeTensors;
use tempfile::TempDir;
use wgpu_mlp::backend::{CpuDevice, Device};
use wgpu_mlp::data::{
    Cells, Column, Encoder, Feature, FeatureKind, FeatureScaling, NumericEncoding, Scaling, Table, Target, TargetKind,
};
use wgpu_mlp::exchange::{self, Assumed, Foreign, Onnx, Scale, save_onnx};
use wgpu_mlp::infer::Predictor;
use wgpu_mlp::math::{Activation, Loss};
use wgpu_mlp::params::Init;
use wgpu_mlp::spec::{Layer, MlpSpec};
use wgpu_mlp::{Error, Model};

use crate::exchange::refused::{Graph, field, field_number};
use crate::train::gradients::bits;

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

pub fn import(bytes: &[u8], assumed: Assumed) -> Result<Foreign, Error> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, bytes).unwrap();
    exchange::import(&path, assumed)
}

/// The predictions for raw rows of a network whose inputs and output are scaled.
pub fn predictions(spec: &MlpSpec, parameters: &[f32], inputs: &[Scale], output: Scale, x: &[f32]) -> Vec<f64> {
    let scaled = |(&x, scale): (&f32, &Scale)| ((f64::from(x) - scale.mean) / scale.scale) as f32;
    let rows: Vec<f32> = x.chunks(inputs.len()).flat_map(|row| row.iter().zip(inputs).map(scaled)).collect();
    let device = Device::Cpu(CpuDevice::new(1).unwrap());
    let predictor = Predictor::new(&device, spec, parameters, 8).unwrap();
    let outputs = predictor.outputs(&rows).unwrap();
    let row = |row: &[f32]| {
        let mut row: Vec<f64> = row.iter().map(|&z| z.into()).collect();
        spec.loss().predictions(&mut row);
        row.into_iter().map(|value| value * output.scale + output.mean)
    };
    outputs.chunks(spec.outputs()).flat_map(row).collect()
}

pub fn assert_near(name: &str, found: &[f64], expected: &[f64], size: f64) {
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
    Feature {
        name: name.into(),
        kind: FeatureKind::Number { mean, scale, fill: None, clip: None, edges: Vec::new() },
        indicator: false,
    }
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
        Loss::Poisson => TargetKind::Regression { mean: 0.0, scale: 1.0, range: None },
        _ => TargetKind::Regression { mean: 1e3, scale: 250.0, range: None },
    };
    let encoder = Encoder::new(features(), Target { name: "what".into(), kind });
    // An encoder has one target.
    let encoder = (outputs == 1 || loss == Loss::SoftmaxCrossEntropy).then_some(encoder);
    let bare = Model::new(spec, parameters).unwrap();
    encoder.map_or(bare.clone(), |encoder| bare.with_encoder(encoder))
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

/// How a model's inputs and output are scaled.
fn scales(model: &Model) -> (Vec<Scale>, Scale) {
    let Some(encoder) = &model.encoder else { return (vec![Scale::NONE; 3], Scale::NONE) };
    let scale = |(mean, scale)| Scale { mean, scale };
    let inputs = encoder.features().iter().map(|feature| scale(feature.scaling().unwrap())).collect();
    match encoder.target().kind {
        TargetKind::Regression { mean, scale, .. } => (inputs, Scale { mean, scale }),
        _ => (inputs, Scale::NONE),
    }
}

/// Every activation on every task, as a runtime of ONNX by others runs the file.
#[test]
fn an_exported_model_predicts_the_same_in_another_runtime() {
    const ROWS: usize = 17;
    let mut random = ChaCha8Rng::seed_from_u64(3);
    for model in models() {
        let (_folder, path, onnx) = exported(&model);
        let (inputs, output) = scales(&model);
        let rows = (0..ROWS).flat_map(|_| &inputs);
        let x: Vec<f32> = rows.map(|of| (of.mean + of.scale * random.random_range(-3.0..3.0)) as f32).collect();
        let runtime = rten::Model::load(fs::read(&path).unwrap()).unwrap();
        let name = |id| runtime.node_info(id).unwrap().name().unwrap().to_string();
        assert_eq!([name(runtime.input_ids()[0]), name(runtime.output_ids()[0])], [onnx.input.0, onnx.output.0]);
        let rows = NdTensor::from_data([ROWS, onnx.input.1], x.clone());
        let found: Tensor<f32> = runtime.run_one(rows.into(), None).unwrap().try_into().unwrap();
        assert_eq!(found.shape(), [ROWS, onnx.output.1]);
        let mut expected = predictions(&model.spec, &model.parameters, &inputs, output, &x);
        if model.spec.loss() == Loss::BinaryCrossEntropy && model.spec.outputs() == 1 {
            expected = expected.into_iter().flat_map(|p| [1.0 - p, p]).collect();
        }
        let found: Vec<f64> = found.to_vec().into_iter().map(f64::from).collect();
        let size = if model.spec.loss().classifies() { 1.0 } else { output.scale };
        assert_near(&model.spec.to_string(), &found, &expected, size);
    }
}

/// The model with its predictions kept within a range.
fn clipped(mut model: Model, range: [f64; 2]) -> Model {
    let mut target = model.encoder.as_ref().unwrap().target().clone();
    let TargetKind::Regression { range: of_target, .. } = &mut target.kind else { panic!("{target:?}") };
    *of_target = Some(range);
    model.encoder = Some(Encoder::new(features(), target));
    model
}

/// Numbers are kept within the target's range by the graph's last node: another runtime clips as the model does, of several networks once,
/// and the file that is read again has the range.
#[test]
fn predictions_are_clipped_in_the_graph() {
    const ROWS: usize = 17;
    let device = Device::Cpu(CpuDevice::new(1).unwrap());
    let mut random = ChaCha8Rng::seed_from_u64(4);
    for (loss, range, networks) in [
        (Loss::MeanSquaredError, [990.0, 1010.5], 1),
        (Loss::MeanAbsoluteError, [0.0, 1001.0], 3),
        (Loss::Huber, [-1e300, 1e300], 1),
        (Loss::Poisson, [0.9, 1.1], 1),
        (Loss::Poisson, [0.9, 1.1], 2),
    ] {
        let mut model = clipped(model(Activation::Tanh, loss, 1), range);
        let one = model.parameters.clone();
        for network in 1..networks {
            model.parameters.extend(one.iter().map(|value| value * (1.0 + 0.5 * network as f32)));
        }
        let (_folder, path, onnx) = exported(&model);
        let (inputs, _) = scales(&model);
        let rows = (0..ROWS).flat_map(|_| &inputs);
        let x: Vec<f32> = rows.map(|of| (of.mean + of.scale * random.random_range(-9.0..9.0)) as f32).collect();
        let wide: Vec<f64> = x.iter().map(|&x| x.into()).collect();
        let of = |model: &Model| -> Vec<f64> {
            let all = model.predict_rows(&wide, &device).unwrap();
            all.iter().map(|one| one.number().unwrap()).collect()
        };
        let expected = of(&model);
        let at_bounds = expected.iter().filter(|number| range.contains(number)).count();
        assert!(at_bounds > 0 || range[1] == 1e300, "{loss}: {expected:?}");
        assert!(expected.iter().all(|number| (range[0]..=range[1]).contains(number)), "{loss}: {expected:?}");
        let runtime = rten::Model::load(fs::read(&path).unwrap()).unwrap();
        let rows = NdTensor::from_data([ROWS, onnx.input.1], x);
        let found: Tensor<f32> = runtime.run_one(rows.into(), None).unwrap().try_into().unwrap();
        let found: Vec<f64> = found.to_vec().into_iter().map(f64::from).collect();
        assert_near(&loss.to_string(), &found, &expected, if loss == Loss::Poisson { 1.0 } else { 250.0 });
        if networks > 1 {
            continue; // several networks in one graph are not read
        }
        let read = exchange::load(&path, Assumed::default()).unwrap();
        assert_near(&loss.to_string(), &of(&read), &expected, 250.0);
        let [least, most] = read.encoder.unwrap().target().kind.range().unwrap();
        let in_f32 = |bound: f64| f64::from((bound as f32).clamp(f32::MIN, f32::MAX));
        assert_eq!([least, most], range.map(in_f32), "{loss}");
    }
}

/// A range that only looks like an activation's comes back as that, and a range of anything but numbers is refused.
#[test]
fn ranges_are_those_of_numbers() {
    let device = Device::Cpu(CpuDevice::new(1).unwrap());
    let mut model = clipped(model(Activation::Tanh, Loss::MeanSquaredError, 1), [0.0, 6.0]);
    let kind = TargetKind::Regression { mean: 0.0, scale: 1.0, range: Some([0.0, 6.0]) };
    model.encoder = Some(Encoder::new(features(), Target { name: "what".into(), kind }));
    let (_folder, path, _) = exported(&model);
    let read = exchange::load(&path, Assumed::default()).unwrap();
    assert_eq!(read.spec.layers()[2].activation, Activation::Relu6);
    let row = [1990.0, 1e4, 0.02];
    assert_eq!(read.predict_rows(&row, &device).unwrap(), model.predict_rows(&row, &device).unwrap());

    let number = |name: &str, value: f32, graph: Graph| graph.constant(name, &[], &value.to_le_bytes());
    let graph = number("low", -0.5, number("high", 0.5, Graph::default().ones("w", &[2, 3]).ones("v", &[3, 1])));
    let graph = graph.node("MatMul x, w > z").node("Tanh z > a");
    let read = |graph: Graph, loss| import(&graph.bytes(), Assumed { activation: None, loss: Some(loss) });
    let one = graph.clone().node("MatMul a, v > logit").node("Clip logit, low, high > y");
    let foreign = read(one.clone(), Loss::MeanSquaredError).unwrap();
    assert_eq!((foreign.range, foreign.output), (Some([-0.5, 0.5]), Scale::NONE));
    let error = foreign.clone().into_model().unwrap_err().to_string();
    assert!(error.contains("or clips it") && error.contains("TABLE"), "{error}");
    let named = foreign.with_columns(vec!["a".into(), "b".into()], "y".into()).unwrap();
    assert_eq!(named.encoder.unwrap().target().kind.range(), Some([-0.5, 0.5]));
    for (graph, loss, problem) in [
        (one, Loss::BinaryCrossEntropy, "clipped to a range, which no output of binary_cross_entropy is"),
        (
            graph.clone().node("Clip a, low, high > y"),
            Loss::MeanSquaredError,
            "node Clip `y` with the bounds -0.5 and 0.5",
        ),
        (
            graph.node("MatMul a, v > b").node("Clip b, low, high > c").node("Add c, high > y"),
            Loss::MeanSquaredError,
            "node Clip `c` with the bounds -0.5 and 0.5",
        ),
    ] {
        let error = read(graph, loss).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
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
    let kind = FeatureKind::Category {
        categories,
        other: false,
        fill: None,
        rare: None,
        scaling: Vec::new(),
        target_means: Vec::new(),
    };
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

/// Inputs of categories that are scaled, and numbers that are clipped, are so in the graph: another runtime makes of numbers and of 0 and
/// 1 what the model makes of the table.
#[test]
fn scaled_categories_are_scaled_in_the_graph() {
    let column = |name: &str, cells: Cells| Column::new(name, cells);
    let texts = ["a", "b", "b", "a", "b", "b", "c", "b"];
    let amounts = [1.5, 2.0, 7.0, 4.0, 1e4, -3.0, 0.5, 2.5];
    let years = [2001.0, 2003.0, 2007.0, 2002.0, 2030.0, 1990.0, 2004.0, 2005.0];
    let columns = vec![
        column("amount", Cells::Number(amounts.to_vec())),
        column("kind", Cells::Text(texts.into_iter().map(Some).collect())),
        column("y", Cells::Number(years.to_vec())),
    ];
    let table = Table::new("table", columns).unwrap();
    let scaling = Scaling { features: FeatureScaling::RobustAll, ..Scaling::ALL };
    let encoder = Encoder::fit(&table, "y", &(0..8).collect::<Vec<_>>(), None, scaling).unwrap();
    let spec = MlpSpec::new(&[4, 6, 1], Activation::Mish, Loss::MeanSquaredError).unwrap();
    let parameters = Init::Xavier.draw(&spec, 5).unwrap();
    let model = Model::new(spec.clone(), parameters.clone()).unwrap().with_encoder(encoder.clone());
    let (_folder, path, _) = exported(&model);
    let (rows, _) = encoder.encode_features(&table).unwrap();
    let TargetKind::Regression { mean, scale, .. } = encoder.target().kind else { panic!("{encoder:?}") };
    let expected = predictions(&spec, &parameters, &[Scale::NONE; 4], Scale { mean, scale }, &rows);
    let one = |is: bool| f32::from(u8::from(is));
    let raw = amounts
        .iter()
        .zip(texts)
        .flat_map(|(&amount, text)| [amount as f32, one(text == "a"), one(text == "b"), one(text == "c")]);
    let runtime = rten::Model::load(fs::read(&path).unwrap()).unwrap();
    let raw = NdTensor::from_data([8, 4], raw.collect::<Vec<_>>());
    let found: Tensor<f32> = runtime.run_one(raw.into(), None).unwrap().try_into().unwrap();
    let found: Vec<f64> = found.to_vec().into_iter().map(f64::from).collect();
    assert_near("scaled categories", &found, &expected, scale);
    assert!(rows.iter().all(|&input| input != 1.0) && rows.iter().all(|input| input.abs() < 3.0), "{rows:?}");
}

/// A number with bins is one column of the graph, which makes its inputs of it: another runtime makes of raw numbers what the model makes
/// of the table, also of cells beyond the edges.
#[test]
fn numbers_with_bins_have_them_in_the_graph() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    // Exact in f32, in which the graph takes them: a year, an amount over a wide range, something tiny, two values.
    let mut number = |row: usize| {
        let amount = 10_f32.powf(random.random_range(-2.0..5.0));
        [2000.0 + random.random_range(0..25) as f32, amount, random.random_range(-1e-3..1e-3), (row % 2) as f32]
    };
    let rows: Vec<[f32; 4]> = (0..60).map(&mut number).collect();
    let later: Vec<[f32; 4]> = rows.iter().copied().chain([[1e9, -1e9, 1.0, 7.0], [-5.0, 1e30, -1e30, -7.0]]).collect();
    let table = |rows: &[[f32; 4]]| {
        let column = |at: usize| Cells::Number(rows.iter().map(|row| row[at].into()).collect());
        let texts = ["a", "b", "b"].into_iter().cycle().take(rows.len()).map(Some).collect();
        let columns = vec![
            Column::new("year", column(0)),
            Column::new("amount", column(1)),
            Column::new("kind", Cells::Text(texts)),
            Column::new("tiny", column(2)),
            Column::new("flag", column(3)),
            Column::new("y", column(1)),
        ];
        Table::new("table", columns).unwrap()
    };
    for scaling in [FeatureScaling::RobustAll, FeatureScaling::Standard, FeatureScaling::None] {
        let scaling = Scaling { features: scaling, numbers: NumericEncoding::Piecewise { bins: 5 }, ..Scaling::ALL };
        let encoder = Encoder::fit(&table(&rows), "y", &(0..60).collect::<Vec<_>>(), None, scaling).unwrap();
        let widths: Vec<_> = encoder.features().iter().map(Feature::width).collect();
        assert_eq!(widths, [6, 6, 2, 6, 1]);
        let spec = MlpSpec::new(&[21, 6, 1], Activation::Mish, Loss::MeanSquaredError).unwrap();
        let parameters = Init::Xavier.draw(&spec, 5).unwrap();
        let model = Model::new(spec.clone(), parameters.clone()).unwrap().with_encoder(encoder.clone());
        let (_folder, path, onnx) = exported(&model);
        assert_eq!(onnx.input, ("features", 6));
        // Beyond the edges numbers that are not clipped drown all others in f32.
        let clipped = scaling.features == FeatureScaling::RobustAll;
        let cells = if clipped { &later } else { &rows };
        let (inputs, _) = encoder.encode_features(&table(cells)).unwrap();
        let TargetKind::Regression { mean, scale, .. } = encoder.target().kind else { panic!("{encoder:?}") };
        let expected = predictions(&spec, &parameters, &[Scale::NONE; 21], Scale { mean, scale }, &inputs);
        let raw = cells.iter().enumerate().flat_map(|(at, &[year, amount, tiny, flag])| {
            let [a, b] = if at % 3 == 0 { [1.0, 0.0] } else { [0.0, 1.0] };
            [year, amount, a, b, tiny, flag]
        });
        let runtime = rten::Model::load(fs::read(&path).unwrap()).unwrap();
        let raw = NdTensor::from_data([cells.len(), 6], raw.collect::<Vec<_>>());
        let found: Tensor<f32> = runtime.run_one(raw.into(), None).unwrap().try_into().unwrap();
        let found: Vec<f64> = found.to_vec().into_iter().map(f64::from).collect();
        assert_near("bins", &found, &expected, scale);
        let error = exchange::load(&path, Assumed { loss: Some(Loss::MeanSquaredError), ..Assumed::default() });
        let error = error.unwrap_err();
        assert!(matches!(error, Error::ForeignModel { .. }) && !error.to_string().contains('\n'), "{error}");
        let bytes = fs::read(&path).unwrap();
        let names = br#"["year","amount","kind=a","kind=b","tiny","flag"]"#;
        assert!(bytes.windows(names.len()).any(|window| window == names));
    }
}

/// The target's mean in a category is one column of the graph, with its scale and its bins.
#[test]
fn means_of_categories_are_columns_of_the_graph() {
    const ZIPS: usize = 200;
    let zips: Vec<String> = (0..5 * ZIPS).map(|row| format!("zip {}", row % ZIPS)).collect();
    let y = (0..5 * ZIPS).map(|row| (row % ZIPS * 37 % ZIPS) as f64 + (row * 7 % 11) as f64).collect();
    let texts = zips.iter().map(|zip| Some(zip.as_str())).collect();
    let columns = vec![Column::new("zip", Cells::Text(texts)), Column::new("y", Cells::Number(y))];
    let table = Table::new("table", columns).unwrap();
    let numbers = NumericEncoding::Piecewise { bins: 5 };
    let scaling = Scaling { features: FeatureScaling::RobustAll, numbers, target_means: true, ..Scaling::ALL };
    let encoder = Encoder::fit(&table, "y", &(0..5 * ZIPS).collect::<Vec<_>>(), None, scaling).unwrap();
    let FeatureKind::Category { categories, rare: Some(rare), target_means, .. } = &encoder.features()[0].kind else {
        panic!("{encoder:?}")
    };
    let mean = &target_means[0];
    assert!(categories.is_empty() && encoder.inputs() == 7);
    let spec = MlpSpec::new(&[7, 6, 1], Activation::Mish, Loss::MeanSquaredError).unwrap();
    let parameters = Init::Xavier.draw(&spec, 5).unwrap();
    let model = Model::new(spec.clone(), parameters.clone()).unwrap().with_encoder(encoder.clone());
    let (_folder, path, onnx) = exported(&model);
    assert_eq!(onnx.input, ("features", 2));
    let (inputs, _) = encoder.encode_features(&table).unwrap();
    let TargetKind::Regression { mean: middle, scale, .. } = encoder.target().kind else { panic!("{encoder:?}") };
    let expected = predictions(&spec, &parameters, &[Scale::NONE; 7], Scale { mean: middle, scale }, &inputs);
    let place = |zip: &String| rare.iter().position(|known| known == zip).unwrap();
    let raw = zips.iter().flat_map(|zip| [1.0, mean.means[place(zip)] as f32]);
    let runtime = rten::Model::load(fs::read(&path).unwrap()).unwrap();
    let raw = NdTensor::from_data([zips.len(), 2], raw.collect::<Vec<_>>());
    let found: Tensor<f32> = runtime.run_one(raw.into(), None).unwrap().try_into().unwrap();
    let found: Vec<f64> = found.to_vec().into_iter().map(f64::from).collect();
    assert_near("means", &found, &expected, scale);
}

#[test]
fn what_onnx_cannot_hold_is_refused() {
    let folder = TempDir::new().unwrap();
    let mut model = model(Activation::Relu, Loss::MeanSquaredError, 1);
    for (mean, scale) in [(1e39, 1.0), (0.0, 1e-50)] {
        let mut columns = features();
        columns[1] = number("wide", mean, scale);
        model.encoder = Some(Encoder::new(columns, model.encoder.as_ref().unwrap().target().clone()));
        let error = save_onnx(&model, folder.path().join("net.onnx")).unwrap_err();
        assert!(matches!(error, Error::Setting { .. }) && error.to_string().contains("`wide`"), "{error}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
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
