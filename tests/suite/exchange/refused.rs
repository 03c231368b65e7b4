//! What is no multilayer perceptron of another program: graphs by hand, and tensors alone.

use std::fs;

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use tempfile::TempDir;
use wgpu_mlp::Error;
use wgpu_mlp::exchange::{self, Assumed};
use wgpu_mlp::math::{Activation, Loss};

use crate::exchange::round_trip::import;

/// A field of a protocol buffer with bytes in it.
pub fn field(number: u8, content: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2][..], &varint(content.len() as u64), content].concat()
}

/// A field with a whole number.
pub fn field_number(number: u8, value: u64) -> Vec<u8> {
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
    /// `Op x, w > y`, or with a name, `name: Op x, w > y`.
    pub fn node(self, text: &str) -> Self {
        self.node_with(text, &[])
    }

    /// With attributes that are whole numbers.
    pub fn node_with(mut self, text: &str, attributes: &[(&str, u64)]) -> Self {
        let (name, text) = text.split_once(": ").unwrap_or(("", text));
        let (op, rest) = text.split_once(' ').unwrap();
        let (inputs, outputs) = rest.split_once(" > ").unwrap();
        let names =
            |number, names: &str| names.split(", ").flat_map(|name| field(number, name.as_bytes())).collect::<Vec<_>>();
        let attribute = |&(name, value): &(&str, u64)| {
            field(5, &[field(1, name.as_bytes()), field_number(3, value), vec![0xa0, 1, 2]].concat())
        };
        let attributes = attributes.iter().flat_map(attribute).collect();
        let name = field(3, name.as_bytes());
        let parts = [names(1, inputs), names(2, outputs), name, field(4, op.as_bytes()), attributes];
        self.0.extend(field(1, &parts.concat()));
        self
    }

    /// A constant of f32 with its raw bytes.
    pub fn constant(self, name: &str, shape: &[u64], bytes: &[u8]) -> Self {
        self.tensor(name, shape, &field(9, bytes))
    }

    pub fn tensor(self, name: &str, shape: &[u64], rest: &[u8]) -> Self {
        self.typed(name, shape, 1, rest)
    }

    /// A constant of a data type by its number.
    pub fn typed(mut self, name: &str, shape: &[u64], kind: u64, rest: &[u8]) -> Self {
        let dims: Vec<u8> = shape.iter().flat_map(|&dim| field_number(1, dim)).collect();
        self.0.extend(field(5, &[&dims, &field_number(2, kind)[..], &field(8, name.as_bytes()), rest].concat()));
        self
    }

    pub fn ones(self, name: &str, shape: &[u64]) -> Self {
        let bytes: Vec<u8> = (0..shape.iter().product()).flat_map(|_| 1_f32.to_le_bytes()).collect();
        self.constant(name, shape, &bytes)
    }

    pub fn bytes(self) -> Vec<u8> {
        self.bytes_of(&[field(1, b"x")], &["y"])
    }

    /// With other inputs (see [`input`]) and outputs.
    pub fn bytes_of(self, inputs: &[Vec<u8>], outputs: &[&str]) -> Vec<u8> {
        let inputs = inputs.iter().flat_map(|input| field(11, input));
        let outputs = outputs.iter().flat_map(|name| field(12, &field(1, name.as_bytes())));
        field(7, &self.0.into_iter().chain(inputs).chain(outputs).collect::<Vec<_>>())
    }
}

/// An input of a graph: name, data type by its number, and columns, where there are any.
pub fn input(name: &str, kind: u64, columns: Option<u64>) -> Vec<u8> {
    let dim = |value| field(1, &field_number(1, value));
    let shape = field(2, &[dim(9), columns.map(dim).unwrap_or_default()].concat());
    let tensor = [field_number(1, kind), shape].concat();
    [field(1, name.as_bytes()), field(2, &field(1, &tensor))].concat()
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
    assert!(told.contains("loss"), "{told}");
    let inner = |op: &str| graph().node("MatMul x, w > a").node(&format!("{op} > h")).node("MatMul h, v > y");
    let cases = [
        ("node Conv `h` is not a part", inner("Conv a, w")),
        ("its output is a function that is not one of", inner("Pow a, one").node("Erf y > z")),
        ("takes `loop`, which no earlier node computes", graph().node("Add loop, x > y").node("Add y, x > loop")),
        ("takes `y`, which no earlier node computes", graph().node("MatMul y, w > y")),
        ("`y` is computed twice", sound.clone().node("Tanh h > y")),
        ("has a weight for 3 columns: expected 1", sound.clone().node("MatMul y, v > z")),
        ("has 2 constants: expected 3", graph().ones("c", &[2]).node("MatMul x, w > a").node("Add a, c > y")),
        ("has the shape [3] for a weight", graph().node("MatMul x, b > y")),
        ("has the shape [0, 8] for a weight", graph().constant("c", &[0, 8], &[]).node("MatMul x, c > y")),
        ("an input 1 that is not a constant", graph().node("MatMul x, x > y")),
        ("combines values from different layers", inner("Add a, x")),
        (
            "node Add `y` scales the output column by column after tanh",
            graph().node("MatMul x, w > a").node("Tanh a > h").node("Add h, b > y"),
        ),
        (
            "node Relu `y` comes after an activation that node Add `g` scales column by column",
            graph().node("MatMul x, w > a").node("Tanh a > h").node("Add h, b > g").node("Relu g > y"),
        ),
        ("neither the (scaled) inputs", graph().node("Relu x > h").node("MatMul h, w > y")),
        (
            "of the shape [4294967296, 4294967296]",
            graph().constant("c", &[1 << 32, 1 << 32], &[]).node("MatMul x, c > y"),
        ),
        ("of the shape [-1, 3]", graph().constant("c", &[u64::MAX, 3], &[0; 12]).node("MatMul x, c > y")),
        ("`c` has 5 bytes", graph().constant("c", &[1, 1], &[0; 5]).node("MatMul x, c > y")),
        ("has the parameter NaN", graph().constant("c", &[1, 1], &f32::NAN.to_le_bytes()).node("MatMul x, c > y")),
        (
            "takes a function that is not one of identity",
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
            bytes = graph.bytes_of(&[field(1, b"x")], &["z"]);
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
        ("has more numbers than the file", shifts.node("MatMul x3000, w > y")),
        ("has more numbers than the file", turns),
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
        ("tensor `1.running_mean` is not a weight or bias", &[("0.weight", &[3, 2]), ("1.running_mean", &[3])]),
        ("tensor `1.weight` is [3]: expected [outputs, inputs]", &[("0.weight", &[3, 2]), ("1.weight", &[3])]),
        ("tensor `0.weight` is [0, 2]", &[("0.weight", &[0, 2])]),
        ("tensor `0.bias` is [2]: expected [3]", &[("0.weight", &[3, 2]), ("0.bias", &[2])]),
        ("tensor `0.weight` is missing", &[("0.bias", &[2])]),
        ("the order of `first` and `second`", &[("second.weight", &[3, 2]), ("first.weight", &[3, 2])]),
        ("the order of `a.0` and `b.0`", &[("b.0.weight", &[3, 2]), ("a.0.weight", &[3, 2])]),
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
    assert!(told.contains("activation") && told.contains("loss"), "{told}");
}

/// Numbers of other sizes become f32; what f32 does not hold is named.
#[test]
fn tensors_of_other_floats_are_converted() {
    let values = [1.5, -2.0, 0.25, 3.0, -0.5, 1.0];
    let bits = |value: f64| (value as f32).to_bits();
    // Exact in 8 bits of fraction, so that the upper half of f32 is bfloat16.
    let half = |value: f64| {
        let bits = bits(value);
        ((bits >> 16 & 0x8000) | ((bits >> 23 & 0xff) + 15 - 127) << 10 | bits >> 13 & 0x3ff) as u16
    };
    let bytes: [(Dtype, Vec<u8>); 4] = [
        (Dtype::F16, values.iter().flat_map(|&value| half(value).to_le_bytes()).collect()),
        (Dtype::BF16, values.iter().flat_map(|&value| ((bits(value) >> 16) as u16).to_le_bytes()).collect()),
        (Dtype::F64, values.iter().flat_map(|value| value.to_le_bytes()).collect()),
        (Dtype::F32, values.iter().flat_map(|&value| (value as f32).to_le_bytes()).collect()),
    ];
    let file = |dtype, bytes: &[u8], width| {
        let view = TensorView::new(dtype, vec![1, width], bytes).unwrap();
        safetensors::serialize([("out.weight", view)], None).unwrap()
    };
    let assumed = Assumed { activation: Some(Activation::Relu), loss: Some(Loss::MeanSquaredError) };
    for (dtype, bytes) in &bytes {
        let foreign = import(&file(*dtype, bytes, 6), assumed).unwrap();
        assert_eq!(foreign.parameters, [1.5, -2.0, 0.25, 3.0, -0.5, 1.0, 0.0], "{dtype:?}");
    }
    let beyond = problem(&file(Dtype::F64, &1e300_f64.to_le_bytes(), 1));
    assert!(beyond.contains("tensor `out.weight` holds 1e300"), "{beyond}");
    let whole = problem(&file(Dtype::I32, &[0; 4], 1));
    assert!(whole.contains("tensor `out.weight` is I32: expected F32, F16, BF16 or F64"), "{whole}");
}

/// A layer without a number is the last one, or the first where only then the widths fit; messages say so.
#[test]
fn the_order_that_is_assumed_is_said() {
    let file = |shapes: [(&str, [usize; 2]); 3]| {
        let zeros = vec![0; 4 * 64];
        let view = |(name, shape): (&str, [usize; 2])| {
            let bytes = &zeros[..4 * shape[0] * shape[1]];
            (format!("{name}.weight"), TensorView::new(Dtype::F32, shape.to_vec(), bytes).unwrap())
        };
        safetensors::serialize(shapes.map(view), None).unwrap()
    };
    let assumed = Assumed { activation: Some(Activation::Relu), loss: Some(Loss::MeanSquaredError) };
    let read = |shapes| import(&file(shapes), assumed);
    let first = read([("input_layer", [8, 3]), ("fc1", [8, 8]), ("fc2", [1, 8])]).unwrap();
    assert_eq!(first.spec.to_string(), "3→8 relu→8 relu→1, mean_squared_error");
    assert!(first.notes[0].contains("in the order `input_layer`, `fc1`, `fc2`"), "{:?}", first.notes);
    // Both orders fit: as it says.
    let last = read([("input_layer", [4, 3]), ("fc1", [4, 4]), ("fc2", [3, 4])]).unwrap();
    assert_eq!(last.spec.to_string(), "4→4 relu→3 relu→4, mean_squared_error");
    assert!(last.notes[0].contains("in the order `fc1`, `fc2`, `input_layer`"), "{:?}", last.notes);
    let names = ["a", "b", "c"].map(String::from).to_vec();
    let other = read([("out", [1, 3]), ("fc1", [4, 4]), ("fc2", [3, 4])]).unwrap();
    assert!(other.notes.is_empty(), "{:?}", other.notes);
    for told in [
        last.with_columns(names, "y".into()).unwrap_err().to_string(),
        read([("input_layer", [8, 3]), ("fc1", [5, 8]), ("fc2", [1, 7])]).unwrap_err().to_string(),
    ] {
        assert!(told.contains("in the order `fc1`, `fc2`, `input_layer`"), "{told}");
    }
}
