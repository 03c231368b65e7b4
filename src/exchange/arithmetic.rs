//! Sums, products and the like, of rows with constants and of rows with rows that belong together.

use std::rc::Rc;

use super::call::Call;
use super::chain::{Chain, Gemm, Value};
use super::function::{Function, Kind};
use super::proto::{INT32, INT64, is_half};
use super::rows::Rows;
use super::tensor::Tensor;
use crate::math::Activation;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Binary {
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

    /// Factor and shift of `z op constant`, or of `constant op z` if swapped.
    fn scale(self, constant: f64, swapped: bool) -> Option<(f64, f64)> {
        match self {
            Self::Add => Some((1.0, constant)),
            Self::Sub if swapped => Some((-1.0, constant)),
            Self::Sub => Some((1.0, -constant)),
            Self::Mul => Some((constant, 0.0)),
            Self::Div => (!swapped).then_some((1.0 / constant, 0.0)),
        }
    }
}

/// Arithmetic. A row of constants scales or shifts the columns, each in its own way: a bias, or a standardisation.
pub fn binary(chain: &mut Chain, call: &Call<'_>, op: Binary) -> Result<Value, String> {
    let (rows, constants, swapped) = match call.inputs {
        [Some(Value::Rows(rows)), Some(Value::Constant(constants))] => (rows, constants, false),
        [Some(Value::Constant(constants)), Some(Value::Rows(rows))] => (rows, constants, true),
        _ => return pointwise(call, |a, b| op.of(a, b)),
    };
    if op == Binary::Div && [INT32, INT64].contains(&rows.element) {
        return Err("divides whole numbers, which cuts off fractions: mlp has no such step".into());
    }
    // In front of an activation, what is added to the only column of a product is its bias.
    let is_bias = op.is_sum() && rows.function.is_identity() && chain.bases.width(rows.base) == Some(1);
    match constants.row() {
        Some(1) if !is_bias && rows.after.is_none() => pointwise(call, |a, b| op.of(a, b)),
        Some(0) | None => Err(format!("takes a constant of the shape {:?}: expected one row", constants.shape)),
        Some(width) => {
            let by: Option<Vec<_>> = (0..width).map(|at| op.scale(constants.at(at), swapped)).collect();
            let by = by.ok_or("divides by rows of the network")?;
            Ok(Value::Rows(rows.clone().scale(&mut chain.bases, call.label, &by)?))
        }
    }
}

/// Batch normalisation as it is at inference: by the means and variances that training has left.
pub fn normalise(chain: &mut Chain, call: &Call<'_>) -> Result<Value, String> {
    let more = call.node.output.iter().skip(1).any(|name| !name.is_empty());
    if call.whole("training_mode", 0) != 0 || more {
        return Err("uses the mean of its rows, as in training: export the model for inference (eval mode)".into());
    }
    let [scale, shift, mean, variance] = [1, 2, 3, 4].map(|at| call.tensor(at));
    let (scale, shift, mean, variance): (Rc<Tensor>, _, _, _) = (scale?, shift?, mean?, variance?);
    let width = scale.values.len();
    if width == 0 || [&shift, &mean, &variance].iter().any(|other| other.values.len() != width) {
        return Err("has lists of different lengths: expected scale, shift, mean and variance of each column".into());
    }
    let epsilon = call.number("epsilon", 1e-5);
    let by = |at: usize| {
        let factor = scale.at(at) / (variance.at(at) + epsilon).sqrt();
        let shift = shift.at(at) - mean.at(at) * factor;
        (factor.is_finite() && shift.is_finite()).then_some((factor, shift))
    };
    let by: Option<Vec<_>> = (0..width).map(by).collect();
    let by = by.ok_or("divides by the root of a variance that is not positive, or has a value that is not finite")?;
    let rows = call.rows(0)?;
    if rows.width(&chain.bases).is_some_and(|columns| columns != width) {
        return Err(format!("has {width} columns: expected {}", rows.width(&chain.bases).unwrap_or(0)));
    }
    Ok(Value::Rows(rows.scale(&mut chain.bases, call.label, &by)?))
}

/// A function of rows that belong together and of single constants.
pub fn pointwise(call: &Call<'_>, f: impl Fn(f64, f64) -> f64) -> Result<Value, String> {
    let (first, functions) = functions(call)?;
    let count = functions.len();
    let Ok([a, b]) = <[Function; 2]>::try_from(functions) else {
        return Err(format!("has {count} inputs: expected 2"));
    };
    made(first, call, a.zip(b, f))
}

/// The second input where the first one is not 0, else the third.
pub fn choose(call: &Call<'_>) -> Result<Value, String> {
    let (first, functions) = functions(call)?;
    let count = functions.len();
    let Ok([condition, a, b]) = <[Function; 3]>::try_from(functions) else {
        return Err(format!("has {count} inputs: expected 3"));
    };
    let kept = condition.clone().zip(a, |condition, a| if condition != 0.0 { a } else { f64::NAN });
    let other = condition.zip(b, |condition, b| if condition != 0.0 { f64::NAN } else { b });
    made(first, call, kept.zip(other, |a, b| if a.is_nan() { b } else { a }))
}

fn made(rows: Rows, call: &Call<'_>, function: Function) -> Result<Value, String> {
    let maker = rows.maker.or(Some(call.label.clone()));
    Ok(Value::Rows(Rows { function, maker, ..rows }))
}

/// The inputs as functions of the same rows, with the node that made the first of them that is none of ours.
pub fn functions(call: &Call<'_>) -> Result<(Rows, Vec<Function>), String> {
    let mut all = call.inputs.iter().filter_map(|value| match value {
        Some(Value::Rows(rows)) => Some(rows),
        _ => None,
    });
    let mut first = all.next().ok_or("has no rows of the network among its inputs")?.clone().open()?;
    first.forget_maker();
    let place = |rows: &Rows| {
        let columns = rows.columns.as_ref().map(|columns| columns.as_ptr());
        (rows.base, columns, rows.affine.as_ref().map(Rc::as_ptr))
    };
    let same = |rows: &Rows| place(rows) == place(&first) && rows.after.is_none() && rows.ending.is_none();
    let others: Vec<&Rows> = all.collect();
    if !others.iter().all(|rows| same(rows)) {
        return Err("combines values from different layers (skip connections are not supported)".into());
    }
    for mut other in others.into_iter().cloned() {
        other.forget_maker();
        first.maker = first.maker.or(other.maker);
    }
    let function = |value: &Option<Value>| match value {
        Some(Value::Rows(rows)) => Ok(rows.function.clone()),
        Some(Value::Constant(tensor)) => match tensor.single() {
            Some(value) => Ok(Function::Constant(value)),
            None => Err(format!("has a constant of the shape {:?}: expected a single number", tensor.shape)),
        },
        _ => Err("lacks an input".into()),
    };
    let functions = call.inputs.iter().map(function).collect::<Result<_, String>>()?;
    Ok((first, functions))
}

impl Gemm {
    /// Whether it is a layer behind what it takes.
    pub fn check(&self, chain: &Chain) -> Result<(), String> {
        let Self { source, weight, bias, .. } = self;
        let (inputs, outputs) = self.shape();
        let expected = source.width(&chain.bases);
        if expected.is_some_and(|expected| expected != inputs) || source.ending.is_some() {
            return Err(format!("has a weight for {inputs} columns: expected {}", expected.unwrap_or(0)));
        }
        if source.base > 0 && source.columns.is_some() {
            return Err("takes only some of a layer's columns".into());
        }
        if let Some(bias) = bias.as_ref().filter(|bias| ![Some(1), Some(outputs)].contains(&bias.row())) {
            return Err(format!("has a bias of the shape {:?}: expected {outputs} values", bias.shape));
        }
        if let Some(node) = source.rounded.as_ref().filter(|_| !is_half(weight.element)) {
            return Err(format!("takes values that node {node} rounds: mlp does not round between layers"));
        }
        let known = source.known().map_err(|problem| format!("takes {problem}"))?;
        match known.kind {
            Kind::Activation(Activation::Identity) => Ok(()),
            Kind::Activation(_) if source.base > 0 => Ok(()),
            _ => Err("takes rows that are neither the (scaled) inputs nor an activation".into()),
        }
    }
}
