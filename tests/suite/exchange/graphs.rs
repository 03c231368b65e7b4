//! ONNX graphs with what stands around layers (scales, normalisations, casts, other data types, an input for each
//! column): what ONNX Runtime predicts, or refused by a node's name. `tests/fixtures/graphs.py` makes the files.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use safetensors::SafeTensors;
use wgpu_mlp::Error;
use wgpu_mlp::exchange::{Assumed, Foreign, Scale};
use wgpu_mlp::math::{Activation, Loss};

use crate::exchange::refused::{Graph, field, field_number, input};
use crate::exchange::round_trip::{assert_near, import, predictions};

const GRAPHS: &[u8] = include_bytes!("../../fixtures/graphs.safetensors");
/// The inputs' names, where they have some, in the order of the columns of x.
const NAMES: [&[&str]; 2] =
    [&["age", "income", "score"], &["sepal_length", "sepal_width", "petal_length", "petal_width"]];

/// The bytes of a fixture's ONNX file, x and y.
pub fn case(name: &str) -> (Vec<u8>, Vec<f32>, Vec<f32>) {
    let all = SafeTensors::deserialize(GRAPHS).unwrap();
    let bytes = |key: &str| all.tensor(&format!("{name}/{key}")).unwrap().data().to_vec();
    let floats = |key| bytes(key).as_chunks().0.iter().map(|&word| f32::from_le_bytes(word)).collect();
    (bytes("file"), floats("x"), floats("y"))
}

fn names() -> Vec<String> {
    let all = SafeTensors::deserialize(GRAPHS).unwrap();
    let mut names: Vec<_> = all.names().into_iter().filter_map(|name| name.strip_suffix("/file")).collect();
    names.sort_unstable();
    names.into_iter().map(String::from).collect()
}

fn foreign(bytes: &[u8]) -> Foreign {
    import(bytes, Assumed { activation: None, loss: Some(Loss::MeanSquaredError) }).unwrap()
}

#[test]
fn what_stands_around_layers_is_part_of_them() {
    let names = names();
    assert_eq!(names.len(), 47);
    for name in &names {
        let (file, x, y) = case(name);
        let assumed = Assumed { activation: None, loss: Some(Loss::MeanSquaredError) };
        let foreign = import(&file, assumed).unwrap_or_else(|error| panic!("{name}: {error}"));
        let rows = SafeTensors::deserialize(GRAPHS).unwrap().tensor(&format!("{name}/x")).unwrap().shape()[0];
        // Columns by name, those that the network takes.
        let x: Vec<f32> = match &foreign.features {
            None => x,
            Some(features) => {
                let all = NAMES.into_iter().find(|all| all.contains(&features[0].as_str())).unwrap();
                let at: Vec<_> = features.iter().map(|of| all.iter().position(|name| name == of).unwrap()).collect();
                x.chunks(all.len()).flat_map(|row| at.iter().map(|&at| row[at])).collect()
            }
        };
        let by_name = name.contains("columns") && !["gather", "slice", "wide"].iter().any(|end| name.ends_with(end));
        assert_eq!(foreign.features.is_some(), by_name, "{name}");
        let inputs = foreign.inputs.clone().unwrap_or(vec![Scale::NONE; foreign.spec.inputs()]);
        let found = predictions(&foreign.spec, &foreign.parameters, &inputs, foreign.output, &x);
        let expected: Vec<f64> = y.iter().map(|&y| y.into()).collect();
        assert_eq!(x.len(), rows * foreign.spec.inputs(), "{name}");
        // Half precision has three digits.
        let is_half = ["types/f16", "types/f16/typed"].contains(&name.as_str());
        assert_near(name, &found, &expected, if is_half { 300.0 } else { 1.0 });
        assert_eq!(foreign.notes.len(), usize::from(is_half), "{name}: {:?}", foreign.notes);
    }
}

#[test]
fn activations_and_classes_are_those_of_the_graph() {
    for (name, spec) in [
        ("clip", "3→4 relu6→3, softmax_cross_entropy"),
        ("clip/attribute", "3→4 relu6→3, softmax_cross_entropy"),
        ("clip/relu", "3→4 relu→3, softmax_cross_entropy"),
        ("between/Gelu", "3→4 gelu→3, softmax_cross_entropy"),
        ("between/Silu", "3→4 silu→3, softmax_cross_entropy"),
        ("temperature/sigmoid", "3→4 tanh→1, binary_cross_entropy"),
        ("columns/twice", "2→4 relu→3, softmax_cross_entropy"),
        ("sklearn/some", "4→5 relu→1, mean_squared_error"),
    ] {
        assert_eq!(foreign(&case(name).0).spec.to_string(), spec, "{name}");
    }
    for (name, classes) in [
        ("sklearn/zipmap/texts", &["setosa", "versicolor", "virginica"][..]),
        ("sklearn/zipmap/numbers", &["0", "1", "2"]),
        ("sklearn/zipmap/two", &["no", "yes"]),
        ("sklearn/zipmap/bool", &["0", "1"]),
        ("sklearn/zipmap/none", &["setosa", "versicolor", "virginica"]),
    ] {
        assert_eq!(foreign(&case(name).0).classes.unwrap(), classes, "{name}");
    }
    let order = foreign(&case("columns/order").0).features.unwrap();
    assert_eq!(order, ["age", "income", "score"]);
    assert_eq!(foreign(&case("columns/twice").0).features.unwrap(), ["age", "score"]);
    // A factor that is not above 0 is the layer's, not the encoder's.
    let scales = foreign(&case("bn/signs").0).inputs.unwrap();
    assert!(scales.iter().all(|scale| scale.scale > 0.0) && scales[2] == Scale::NONE, "{scales:?}");
}

fn problem(bytes: &[u8]) -> String {
    let assumed = Assumed { activation: Some(Activation::Relu), loss: Some(Loss::MeanSquaredError) };
    import(bytes, assumed).map(|foreign| panic!("{}", foreign.spec)).unwrap_err().to_string()
}

#[test]
fn nodes_that_change_values_are_refused_by_name() {
    const FLOAT: u64 = 1;
    const INT64: u64 = 7;
    const BOOL: u64 = 9;
    const HALF: u64 = 10;
    let number = |name: &str, value: f32, graph: Graph| graph.constant(name, &[], &value.to_le_bytes());
    let graph = || Graph::default().ones("w", &[2, 3]).ones("v", &[3, 1]).ones("b", &[3]);
    let graph = || number("low", -1.0, number("high", 1.0, graph()));
    let to = |kind| [("to", kind)];
    let half = graph().typed("h", &[2, 3], HALF, &field(9, &[0; 12]));
    let behind = |text: &str| graph().node("MatMul x, w > z").node("Relu z > r").node(text);
    let inside = |graph: Graph| graph.node("Relu a > inner").node("MatMul inner, v > y");
    let cases = [
        (
            "node Cast `cut` cuts off fractions (to int64)",
            graph()
                .node_with("cut: Cast x > i", &to(INT64))
                .node_with("Cast i > f", &to(FLOAT))
                .node("MatMul f, w > y"),
        ),
        // Without a name, by its output.
        (
            "node Cast `i` cuts off",
            inside(graph().node("MatMul x, w > z").node_with("Cast z > i", &to(6)).node_with("Cast i > a", &to(FLOAT))),
        ),
        ("node Cast `is` makes booleans", inside(behind("Neg r > n").node_with("is: Cast n > a", &to(BOOL)))),
        (
            "node Cast `back` continues with values that node Cast `half` rounds",
            graph()
                .node_with("half: Cast x > i", &to(HALF))
                .node_with("back: Cast i > f", &to(FLOAT))
                .node("MatMul f, w > y"),
        ),
        (
            "takes values that node Cast `half` rounds",
            graph().node_with("half: Cast x > i", &to(HALF)).node("MatMul i, w > y"),
        ),
        (
            "values that node Cast `half` rounds",
            half.node_with("Cast x > i", &to(HALF))
                .node("MatMul i, h > z")
                .node_with("Cast z > f", &to(FLOAT))
                .node_with("half: Cast f > g", &to(HALF))
                .node_with("Cast g > a", &to(FLOAT))
                .node("MatMul a, v > y"),
        ),
        (
            "that of node Clip `c` with the bounds -1 and 1",
            inside(graph().node("MatMul x, w > z").node("c: Clip z, low, high > a")),
        ),
        (
            "that of node Clip `c` with the bounds -1 and inf",
            inside(graph().node("MatMul x, w > z").node("c: Clip z, low > q").node("Mul q, z > a")),
        ),
        (
            "node BatchNormalization `bn` uses the mean of its rows",
            inside(
                graph()
                    .node("MatMul x, w > z")
                    .node_with("bn: BatchNormalization z, b, b, b, b > a", &[("training_mode", 1)]),
            ),
        ),
        (
            "node BatchNormalization `bn` uses the mean of its rows",
            inside(graph().node("MatMul x, w > z").node("bn: BatchNormalization z, b, b, b, b > a, m, s")),
        ),
        (
            "node Relu `r2` comes after an activation that node BatchNormalization `bn` scales",
            behind("bn: BatchNormalization r, b, b, b, b > n").node("r2: Relu n > a").node("MatMul a, v > y"),
        ),
        (
            "node BatchNormalization `a` has 2 columns: expected 3",
            inside(graph().ones("c", &[2]).node("MatMul x, w > z").node("BatchNormalization z, c, c, c, c > a")),
        ),
        ("node Gemm `g` transposes its first factor", graph().node_with("g: Gemm x, w > y", &[("transA", 1)])),
        (
            "node Reshape `y` turns rows of 3 columns into rows of 1",
            graph()
                .typed("s", &[2], INT64, &field(9, &[[255; 8], [1, 0, 0, 0, 0, 0, 0, 0]].concat()))
                .node("MatMul x, w > z")
                .node("Reshape z, s > y"),
        ),
        (
            "has 1e300 in `wide`",
            graph().typed("wide", &[1, 1], 11, &field(9, &1e300_f64.to_le_bytes())).node("MatMul x, wide > y"),
        ),
    ];
    for (words, graph) in cases {
        let found = problem(&graph.bytes());
        assert!(found.contains(words) && found.len() < 600, "expected `{words}`: {found}");
    }
    let whole = graph().node("d: Div x, high > f").node_with("Cast f > i", &to(FLOAT)).node("MatMul i, w > y");
    let found = problem(&whole.bytes_of(&[input("x", INT64, Some(2))], &["y"]));
    assert!(found.contains("node Div `d` divides whole numbers"), "{found}");
}

/// What a graph casts to keep steps is none of the network's, and labels are no output.
#[test]
fn casts_that_change_nothing_are_passed() {
    let graph = || Graph::default().ones("w", &[2, 3]).ones("v", &[3, 1]).constant("zero", &[], &[0; 4]);
    // relu as z times whether z is above 0.
    let relu = graph()
        .node("MatMul x, w > z")
        .node("Greater z, zero > p")
        .node_with("Cast p > q", &[("to", 7)])
        .node_with("Cast q > r", &[("to", 1)])
        .node("Mul z, r > a")
        .node("MatMul a, v > l")
        .node("Sigmoid l > y");
    let labels = relu.clone().node("Greater y, zero > k").node_with("Cast k > label", &[("to", 7)]);
    for (graph, outputs) in [(relu, &["y"][..]), (labels, &["label", "y"])] {
        let file = graph.bytes_of(&[field(1, b"x")], outputs);
        assert_eq!(foreign(&file).spec.to_string(), "2→3 relu→1, binary_cross_entropy");
    }
}

#[test]
fn inputs_that_are_no_columns_of_numbers_are_refused() {
    let graph = || Graph::default().ones("w", &[2, 3]);
    let joined = || graph().node_with("Concat a, b > x", &[("axis", 1)]).node("MatMul x, w > y");
    let cases = [
        ("the number of columns of its input `b`", joined(), vec![input("a", 1, Some(1)), field(1, b"b")]),
        ("its input `b` takes texts", joined(), vec![input("a", 1, Some(1)), input("b", 8, Some(1))]),
        ("has a weight for 2 columns: expected 3", joined(), vec![input("a", 1, Some(2)), input("b", 1, Some(1))]),
        ("`a` is computed twice", joined(), vec![input("a", 1, Some(1)), input("a", 1, Some(1))]),
        ("has more numbers than the file", joined(), vec![input("a", 1, Some(1 << 40)), input("b", 1, Some(1))]),
        ("its graph has no input", graph(), Vec::new()),
        (
            "takes a column that does not exist",
            graph().typed("at", &[1], 7, &field(7, &[9])).node_with("Gather x, at > y", &[("axis", 1)]),
            vec![input("x", 1, Some(2))],
        ),
    ];
    for (words, graph, inputs) in cases {
        let found = problem(&graph.bytes_of(&inputs, &["y"]));
        assert!(found.contains(words), "expected `{words}`: {found}");
    }
    // Some of a network's columns are no network.
    let some = graph()
        .typed("at", &[1], 7, &[field_number(1, 0), field(7, &[1])].concat()[2..])
        .node("MatMul x, w > z")
        .node_with("Gather z, at > y", &[("axis", 1)]);
    let found = problem(&some.bytes_of(&[input("x", 1, Some(2))], &["y"]));
    assert!(found.contains("are not all 3 columns"), "{found}");
}

/// A text among the inputs, which the network does not take, leaves the names of the others as they are.
#[test]
fn names_are_those_of_the_columns_that_are_used() {
    let graph =
        Graph::default().ones("w", &[2, 1]).node_with("Concat b, c > x", &[("axis", 1)]).node("MatMul x, w > y");
    let inputs = [input("a", 8, Some(1)), input("b", 1, Some(1)), input("c", 7, Some(1)), input("d", 1, Some(1))];
    assert_eq!(foreign(&graph.bytes_of(&inputs, &["y"])).features.unwrap(), ["b", "c"]);
}

/// With any bytes changed: an error of one line or a network, never a panic.
#[test]
fn damaged_graphs_are_refused() {
    let mut random = ChaCha8Rng::seed_from_u64(17);
    let mut refused = 0;
    for name in names() {
        let (file, ..) = case(&name);
        for _ in 0..60 {
            let mut damaged = file.clone();
            for _ in 0..random.random_range(1..4) {
                let at = random.random_range(0..damaged.len());
                damaged[at] = random.random_range(0..=255);
            }
            match import(&damaged, Assumed { activation: None, loss: Some(Loss::MeanSquaredError) }) {
                Ok(_) => {}
                Err(error @ Error::ForeignModel { .. }) if !error.to_string().contains('\n') => refused += 1,
                Err(error) => panic!("{name}: {error}"),
            }
        }
    }
    assert!(refused > 500, "{refused} refused");
}
