//! What each kind of node does to rows and constants.

use std::rc::Rc;

use super::function::{Function, Known};
use super::graph::{Affine, Product, Rows, Value, Walk, constant};
use super::proto::{Attribute, Node};
use super::tensor::Tensor;
use crate::math::Activation;

/// The value of a node's outputs, or what is the matter with it, as the end of a sentence that begins with its name.
pub fn value(walk: &mut Walk, node: &Node, inputs: &[Option<Value>]) -> Result<Value, String> {
    let attribute = |name| node.attribute.iter().find(|attribute| attribute.name == name);
    let number = |name, default: f32| attribute(name).map_or(default, |Attribute { f, .. }| *f).into();
    let whole = |name, default| attribute(name).map_or(default, |Attribute { i, .. }| *i);
    let foreign = || format!("{}is no part of a multilayer perceptron that mlp knows", of(node));
    let map = |f: &dyn Fn(f64) -> f64| Ok(Value::Rows(rows(inputs, 0)?.apply(|function| function.map(f))?));
    let apply = |activation| Ok(Value::Rows(rows(inputs, 0)?.apply(|function| function.then(activation))?));
    match (node.domain.as_str(), node.op_type.as_str()) {
        ("" | "ai.onnx", op) => match op {
            "Constant" => Ok(constant(constant_of(node)?)),
            "Identity" | "Dropout" | "Cast" | "CastLike" => pass(inputs),
            "Flatten" | "Reshape" | "Squeeze" => Ok(Value::Rows(rows(inputs, 0)?)),
            "MatMul" => product(walk, rows(inputs, 0)?, tensor(inputs, 1)?, false, None),
            "Gemm" => {
                let (alpha, beta): (f64, f64) = (number("alpha", 1.0), number("beta", 1.0));
                let bias = if inputs.len() > 2 { Some(tensor(inputs, 2)?) } else { None };
                if (alpha, beta, whole("transA", 0)) != (1.0, 1.0, 0) {
                    return Err("has an alpha, a beta or a transposed first factor: expected x · W + b".into());
                }
                product(walk, rows(inputs, 0)?, tensor(inputs, 1)?, whole("transB", 0) != 0, bias)
            }
            "Transpose" => {
                let matrix = tensor(inputs, 0)?;
                walk.spend(matrix.values.len())?;
                matrix
                    .transposed()
                    .map(constant)
                    .ok_or_else(|| format!("turns a tensor of the shape {:?}", matrix.shape))
            }
            "Softmax" | "LogSoftmax" => {
                let rows = rows(inputs, 0)?;
                match whole("axis", -1) {
                    -1 | 1 if !rows.softmax && matches!(rows.known()?, Known::Activation(_)) => {
                        Ok(Value::Rows(Rows { softmax: true, ..rows }))
                    }
                    axis => Err(format!("with the axis {axis} is no softmax over a network's outputs")),
                }
            }
            "Concat" => pair(walk, inputs),
            "Add" => binary(walk, inputs, Binary::Add),
            "Sub" => binary(walk, inputs, Binary::Sub),
            "Mul" => binary(walk, inputs, Binary::Mul),
            "Div" => binary(walk, inputs, Binary::Div),
            "Pow" => pointwise(inputs, f64::powf),
            "Max" => pointwise(inputs, f64::max),
            "Min" => pointwise(inputs, f64::min),
            "Greater" => pointwise(inputs, |a, b| f64::from(u8::from(a > b))),
            "Less" => pointwise(inputs, |a, b| f64::from(u8::from(a < b))),
            "PRelu" => pointwise(inputs, |z, slope| if z < 0.0 { slope * z } else { z }),
            "Where" => choose(inputs),
            "Clip" => {
                let bound = |at, name, default: f32| match inputs.get(at).cloned().flatten() {
                    Some(_) => {
                        tensor(inputs, at)?.single().map(f64::from).ok_or("has bounds for each column".to_string())
                    }
                    None => Ok(number(name, default)),
                };
                let (low, high) = (bound(1, "min", f32::NEG_INFINITY)?, bound(2, "max", f32::INFINITY)?);
                map(&|z| z.max(low).min(high))
            }
            "Relu" => apply(Activation::Relu),
            "Sigmoid" => apply(Activation::Sigmoid),
            "Tanh" => apply(Activation::Tanh),
            "Softplus" => apply(Activation::Softplus),
            "Softsign" => apply(Activation::Softsign),
            "Gelu" => match attribute("approximate").map_or(&b"none"[..], |Attribute { s, .. }| s) {
                b"tanh" => apply(Activation::GeluTanh),
                _ => apply(Activation::Gelu),
            },
            "Swish" => {
                let alpha: f64 = number("alpha", 1.0);
                map(&|z| z / (1.0 + (-alpha * z).exp()))
            }
            "LeakyRelu" => {
                let alpha: f64 = number("alpha", 0.01);
                map(&|z| if z < 0.0 { alpha * z } else { z })
            }
            "Elu" => {
                let alpha: f64 = number("alpha", 1.0);
                map(&|z| if z < 0.0 { alpha * z.exp_m1() } else { z })
            }
            "Selu" => {
                let (alpha, gamma): (f64, f64) = (number("alpha", 1.673_263_2), number("gamma", 1.050_701));
                map(&|z| gamma * if z < 0.0 { alpha * z.exp_m1() } else { z })
            }
            "Erf" => map(&libm::erf),
            "Exp" => map(&f64::exp),
            "Log" => map(&f64::ln),
            "Sqrt" => map(&f64::sqrt),
            "Abs" => map(&f64::abs),
            "Neg" => map(&|z| -z),
            "Reciprocal" => map(&|z| 1.0 / z),
            _ => Err(foreign()),
        },
        ("ai.onnx.ml", "Scaler") => {
            let list = |name| attribute(name).map_or(&[][..], |Attribute { floats, .. }| floats);
            let row = |values: &[f32]| Tensor { shape: vec![values.len()], values: values.to_vec(), is_float: true };
            let shifted = affine(walk, rows(inputs, 0)?, &row(list("offset")), Binary::Sub, false)?;
            Ok(Value::Rows(affine(walk, shifted, &row(list("scale")), Binary::Mul, false)?))
        }
        ("ai.onnx.ml", "ZipMap") => {
            let texts = attribute("classlabels_strings").into_iter().flat_map(|Attribute { strings, .. }| strings);
            let texts = texts.map(|label| String::from_utf8_lossy(label).into_owned());
            let numbers = attribute("classlabels_int64s").into_iter().flat_map(|Attribute { ints, .. }| ints);
            walk.classes = Some(texts.chain(numbers.map(ToString::to_string)).collect());
            pass(inputs)
        }
        _ => Err(foreign()),
    }
}

fn of(node: &Node) -> String {
    if node.domain.is_empty() { String::new() } else { format!("of {} ", node.domain) }
}

fn rows(inputs: &[Option<Value>], at: usize) -> Result<Rows, String> {
    match inputs.get(at).cloned().flatten() {
        Some(Value::Rows(rows)) => Ok(rows),
        _ => Err(format!("has another input {at} than rows of the network")),
    }
}

fn tensor(inputs: &[Option<Value>], at: usize) -> Result<Rc<Tensor>, String> {
    match inputs.get(at).cloned().flatten() {
        Some(Value::Constant(tensor)) => Ok(tensor),
        _ => Err(format!("has another input {at} than a constant")),
    }
}

/// Nodes that do nothing to rows of a network that predicts.
fn pass(inputs: &[Option<Value>]) -> Result<Value, String> {
    inputs.first().cloned().flatten().ok_or("has no input".into())
}

fn constant_of(node: &Node) -> Result<Tensor, String> {
    let [attribute] = &node.attribute[..] else { return Err("has no value".into()) };
    match attribute.name.as_str() {
        "value" => Tensor::new(attribute.t.clone().unwrap_or_default()),
        "value_float" => Ok(Tensor::scalar(attribute.f)),
        "value_int" => Ok(Tensor { is_float: false, ..Tensor::scalar(attribute.i as f32) }),
        "value_ints" => {
            let values: Vec<f32> = attribute.ints.iter().map(|&value| value as f32).collect();
            Ok(Tensor { shape: vec![values.len()], values, is_float: false })
        }
        other => Err(format!("has a {other}: expected a value or a value_float")),
    }
}

fn product(
    walk: &mut Walk,
    source: Rows,
    weight: Rc<Tensor>,
    by_outputs: bool,
    bias: Option<Rc<Tensor>>,
) -> Result<Value, String> {
    if weight.shape.len() != 2 || weight.values.is_empty() || !weight.is_float {
        return Err(format!("has the shape {:?} for a weight: expected a matrix of float", weight.shape));
    }
    let product = Product { source, weight, by_outputs, bias };
    let (inputs, outputs) = product.shape();
    let expected = walk.width(product.source.base).or(product.source.affine.as_ref().map(|affine| affine.shifts.len()));
    if expected.is_some_and(|expected| expected != inputs) || product.source.softmax {
        return Err(format!("has a weight for {inputs} columns: expected {}", expected.unwrap_or(0)));
    }
    if let Some(bias) = product.bias.as_ref().filter(|bias| bias.row() != Some(outputs)) {
        return Err(format!("has a bias of the shape {:?}: expected {outputs} values", bias.shape));
    }
    match product.source.known()? {
        Known::Activation(Activation::Identity) => {}
        Known::Activation(_) if product.source.base > 0 => {}
        Known::Affine { .. } if product.source.base == 0 => {}
        _ => return Err("takes rows that are neither the inputs, scaled or not, nor those of an activation".into()),
    }
    walk.products.push(product);
    Ok(Value::Rows(Rows::base(walk.products.len())))
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Binary {
    Add,
    Sub,
    Mul,
    Div,
}

impl Binary {
    fn of(self, a: f64, b: f64) -> f64 {
        match self {
            Self::Add => a + b,
            Self::Sub => a - b,
            Self::Mul => a * b,
            Self::Div => a / b,
        }
    }

    fn is_sum(self) -> bool {
        matches!(self, Self::Add | Self::Sub)
    }
}

/// Arithmetic. A row of constants scales or shifts the columns, each in its own way: a bias, or a standardisation.
fn binary(walk: &mut Walk, inputs: &[Option<Value>], op: Binary) -> Result<Value, String> {
    let (rows, constants, swapped) = match inputs {
        [Some(Value::Rows(rows)), Some(Value::Constant(constants))] => (rows, constants, false),
        [Some(Value::Constant(constants)), Some(Value::Rows(rows))] => (rows, constants, true),
        _ => return pointwise(inputs, |a, b| op.of(a, b)),
    };
    // In front of an activation, what is added to the only column of a product is its bias.
    let is_bias = op.is_sum() && rows.function.is_identity() && walk.width(rows.base) == Some(1);
    match constants.row() {
        Some(1) if !is_bias => pointwise(inputs, |a, b| op.of(a, b)),
        Some(_) => Ok(Value::Rows(affine(walk, rows.clone(), constants, op, swapped)?)),
        None => Err(format!("takes a constant of the shape {:?}: expected one row", constants.shape)),
    }
}

/// `rows op constants`, or the other way round if swapped, column by column.
fn affine(walk: &mut Walk, rows: Rows, constants: &Tensor, op: Binary, swapped: bool) -> Result<Rows, String> {
    let width = constants.values.len();
    let before = match rows.known()? {
        _ if rows.softmax => return Err("comes behind a softmax".into()),
        Known::Activation(Activation::Identity) => (1.0, 0.0),
        Known::Affine { factor, shift } => (factor, shift),
        _ => return Err("has constants for each column behind an activation".into()),
    };
    let expected = walk.width(rows.base).or(rows.affine.as_ref().map(|affine| affine.shifts.len()));
    if expected.is_some_and(|expected| expected != width) {
        return Err(format!("has {width} constants: expected {}", expected.unwrap_or(0)));
    }
    if swapped && op == Binary::Div {
        return Err("divides by rows of the network".into());
    }
    walk.spend(2 * width)?;
    let mut all = rows.affine.as_ref().map_or_else(|| Affine::identity(width), |affine| (**affine).clone());
    for (column, &constant) in constants.values.iter().enumerate() {
        let constant = f64::from(constant);
        all.then(column, before.0, before.1);
        match op {
            Binary::Add => all.then(column, 1.0, constant),
            Binary::Sub if swapped => all.then(column, -1.0, constant),
            Binary::Sub => all.then(column, 1.0, -constant),
            Binary::Mul => all.then(column, constant, 0.0),
            Binary::Div => {
                all.factors[column] /= constant;
                all.shifts[column] /= constant;
            }
        }
    }
    Ok(Rows { affine: Some(Rc::new(all)), function: Function::IDENTITY, ..rows })
}

/// A function of rows that belong together and of single constants.
fn pointwise(inputs: &[Option<Value>], f: impl Fn(f64, f64) -> f64) -> Result<Value, String> {
    let (first, functions) = functions(inputs)?;
    let [a, b] = functions[..] else { return Err(format!("has {} inputs: expected 2", functions.len())) };
    Ok(Value::Rows(Rows { function: a.zip(b, f), ..first }))
}

/// The second input where the first one is not 0, else the third.
fn choose(inputs: &[Option<Value>]) -> Result<Value, String> {
    let (first, functions) = functions(inputs)?;
    let [condition, a, b] = functions[..] else {
        return Err(format!("has {} inputs: expected 3", functions.len()));
    };
    let kept = condition.zip(a, |condition, a| if condition != 0.0 { a } else { f64::NAN });
    let other = condition.zip(b, |condition, b| if condition != 0.0 { f64::NAN } else { b });
    Ok(Value::Rows(Rows { function: kept.zip(other, |a, b| if a.is_nan() { b } else { a }), ..first }))
}

/// The inputs as functions of the same rows.
fn functions(inputs: &[Option<Value>]) -> Result<(Rows, Vec<Function>), String> {
    let mut all = inputs.iter().filter_map(|value| match value {
        Some(Value::Rows(rows)) => Some(rows),
        _ => None,
    });
    let first = all.next().ok_or("has no rows of the network among its inputs")?;
    let place = |rows: &Rows| (rows.base, rows.affine.as_ref().map(Rc::as_ptr));
    let same = |rows: &Rows| place(rows) == place(first);
    if first.softmax || !all.all(|rows| same(rows) && !rows.softmax) {
        return Err("brings together what lies apart in a multilayer perceptron".into());
    }
    let function = |value: &Option<Value>| match value {
        Some(Value::Rows(rows)) => Ok(rows.function),
        Some(Value::Constant(tensor)) => match tensor.single() {
            Some(value) => Ok(Function::constant(value.into())),
            None => Err(format!("has a constant of the shape {:?}: expected a single number", tensor.shape)),
        },
        _ => Err("lacks an input".into()),
    };
    Ok((first.clone(), inputs.iter().map(function).collect::<Result<_, String>>()?))
}

/// [1 − p, p] of the only column of a network: p itself, of two classes.
fn pair(walk: &Walk, inputs: &[Option<Value>]) -> Result<Value, String> {
    let (first, functions) = functions(inputs)?;
    let one = Function::constant(1.0);
    match functions[..] {
        [no, yes] if walk.width(first.base) == Some(1) && no.zip(yes, |a, b| a + b).is(one) => {
            Ok(Value::Rows(Rows { function: yes, ..first }))
        }
        _ => Err("brings together other columns than 1 − p and p".into()),
    }
}

impl Rows {
    fn apply(self, f: impl FnOnce(Function) -> Function) -> Result<Self, String> {
        match self.softmax {
            true => Err("comes behind a softmax".into()),
            false => Ok(Self { function: f(self.function), ..self }),
        }
    }
}
