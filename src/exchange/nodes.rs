//! What each kind of node does to rows and constants.

use std::rc::Rc;

use super::arithmetic::{Binary, binary, choose, normalise, pointwise};
use super::call::Call;
use super::cast::cast;
use super::chain::{Chain, Classes, Gemm, Value, constant};
use super::columns;
use super::proto::{self, Attribute, Node};
use super::rows::{Ending, Rows};
use super::tensor::Tensor;
use crate::math::Activation;

/// The values of a node's outputs, or what is the matter with it, as the end of a sentence that begins with its name.
pub fn values(chain: &mut Chain, node: &Node, label: &Rc<str>, inputs: &[Option<Value>]) -> Result<Vec<Value>, String> {
    let call = Call { node, label, inputs };
    match (node.domain.as_str(), node.op_type.as_str()) {
        ("" | "ai.onnx", "Split") => columns::split(chain, &call),
        ("" | "ai.onnx", op) => call.value(chain, op).map(|value| vec![value]),
        ("ai.onnx.ml", op) => call.value_ml(chain, op).map(|value| vec![value]),
        _ => Err(call.foreign()),
    }
}

impl Call<'_> {
    fn value(&self, chain: &mut Chain, op: &str) -> Result<Value, String> {
        let inputs = self.inputs;
        let map =
            |f: &dyn Fn(f64) -> f64| Ok(Value::Rows(self.rows(0)?.apply(self.label, |function| function.map(f))?));
        let apply = |of: Activation| Ok(Value::Rows(self.rows(0)?.apply(self.label, |function| function.then(of))?));
        match op {
            "Constant" => Ok(constant(constant_of(self.node)?)),
            "Identity" | "Dropout" | "Unsqueeze" => self.pass(),
            "Cast" | "CastLike" => cast(chain, self),
            "Flatten" | "Reshape" | "Squeeze" => self.reshape(chain),
            "MatMul" => self.product(chain, None),
            "Gemm" => {
                if self.whole("transA", 0) != 0 {
                    return Err("transposes its first factor: expected alpha · x · W + beta · b".into());
                }
                let bias = if inputs.get(2).is_some_and(Option::is_some) { Some(self.tensor(2)?) } else { None };
                self.product(chain, bias)
            }
            "Transpose" => {
                let matrix = self.tensor(0)?;
                chain.bases.spend(matrix.values.len())?;
                matrix
                    .transposed()
                    .map(constant)
                    .ok_or_else(|| format!("turns a tensor of the shape {:?}", matrix.shape))
            }
            "BatchNormalization" => normalise(chain, self),
            "Softmax" | "LogSoftmax" => self.softmax(),
            "Concat" => columns::concat(chain, self),
            "Slice" => columns::slice(chain, self),
            "Gather" => columns::gather(chain, self),
            "ArgMax" if self.rows(0)?.base > 0 => Ok(Value::Labels),
            "Add" => binary(chain, self, Binary::Add),
            "Sum" if inputs.len() == 2 => binary(chain, self, Binary::Add),
            "Sub" => binary(chain, self, Binary::Sub),
            "Mul" => binary(chain, self, Binary::Mul),
            "Div" => binary(chain, self, Binary::Div),
            "Pow" => pointwise(self, f64::powf),
            "Max" => pointwise(self, f64::max),
            "Min" => pointwise(self, f64::min),
            "Greater" => self.condition(|a, b| a > b),
            "Less" => self.condition(|a, b| a < b),
            "PRelu" => pointwise(self, |z, slope| if z < 0.0 { slope * z } else { z }),
            "Where" => choose(self),
            "Clip" => self.clip(),
            "Relu" => apply(Activation::Relu),
            "Sigmoid" => apply(Activation::Sigmoid),
            "Tanh" => apply(Activation::Tanh),
            "Softplus" => apply(Activation::Softplus),
            "Softsign" => apply(Activation::Softsign),
            "Mish" => apply(Activation::Mish),
            "Gelu" => match self.attribute("approximate").map_or(&b"none"[..], |Attribute { s, .. }| s) {
                b"tanh" => apply(Activation::GeluTanh),
                _ => apply(Activation::Gelu),
            },
            "Swish" => {
                let alpha = self.number("alpha", 1.0);
                map(&|z| z / (1.0 + (-alpha * z).exp()))
            }
            "LeakyRelu" => {
                let alpha = self.number("alpha", 0.01);
                map(&|z| if z < 0.0 { alpha * z } else { z })
            }
            "Elu" => {
                let alpha = self.number("alpha", 1.0);
                map(&|z| if z < 0.0 { alpha * z.exp_m1() } else { z })
            }
            "Selu" => {
                let (alpha, gamma) = (self.number("alpha", 1.673_263_2), self.number("gamma", 1.050_701));
                map(&|z| gamma * if z < 0.0 { alpha * z.exp_m1() } else { z })
            }
            "Erf" => map(&libm::erf),
            "Exp" => map(&f64::exp),
            "Log" => map(&f64::ln),
            "Sqrt" => map(&f64::sqrt),
            "Abs" => map(&f64::abs),
            "Neg" => map(&|z| -z),
            "Reciprocal" => map(&|z| 1.0 / z),
            _ => Err(self.foreign()),
        }
    }

    fn value_ml(&self, chain: &mut Chain, op: &str) -> Result<Value, String> {
        match op {
            "Scaler" => {
                let list = |name| self.attribute(name).map_or(&[][..], |Attribute { floats, .. }| floats);
                let mut scale = |rows: Rows, values: &[f32], of: &dyn Fn(f64) -> (f64, f64)| match *values {
                    [] => Ok(rows),
                    [value] => {
                        let (factor, shift) = of(value.into());
                        rows.apply(self.label, |function| function.map(|z| z * factor + shift))
                    }
                    _ => {
                        let by: Vec<_> = values.iter().map(|&value| of(value.into())).collect();
                        rows.scale(&mut chain.bases, self.label, &by)
                    }
                };
                let shifted = scale(self.rows(0)?, list("offset"), &|offset| (1.0, -offset))?;
                let scaled = scale(shifted, list("scale"), &|scale| (scale, 0.0))?;
                Ok(Value::Rows(Rows { element: proto::FLOAT, ..scaled }))
            }
            "ZipMap" => {
                let list = |name| self.attribute(name);
                let texts = list("classlabels_strings").into_iter().flat_map(|Attribute { strings, .. }| strings);
                let texts: Vec<_> = texts.map(|label| String::from_utf8_lossy(label).into_owned()).collect();
                let numbers = list("classlabels_int64s").into_iter().flat_map(|Attribute { ints, .. }| ints);
                let are_texts = !texts.is_empty();
                let labels = texts.into_iter().chain(numbers.map(ToString::to_string)).collect();
                chain.name_classes(Classes { labels, are_texts });
                self.pass()
            }
            "FeatureVectorizer" => columns::concat(chain, self),
            "ArrayFeatureExtractor" => columns::extract(chain, self),
            _ => Err(self.foreign()),
        }
    }

    fn condition(&self, holds: impl Fn(f64, f64) -> bool) -> Result<Value, String> {
        match pointwise(self, |a, b| f64::from(u8::from(holds(a, b))))? {
            Value::Rows(rows) => Ok(Value::Rows(Rows { element: proto::BOOL, ..rows })),
            other => Ok(other),
        }
    }

    /// Another shape of rows, which may not break them.
    fn reshape(&self, chain: &Chain) -> Result<Value, String> {
        let (Some(Value::Rows(rows)), Some(Value::Constant(shape))) = (self.input(0), self.input(1)) else {
            return self.pass();
        };
        let last = shape.whole().last().filter(|_| self.node.op_type == "Reshape");
        let columns = match last {
            Some(last) if last > 0 => Some(last),
            Some(-1) if shape.values.len() == 1 => Some(1),
            _ => None,
        };
        match (rows.width(&chain.bases), columns) {
            (Some(width), Some(columns)) if width as i64 != columns => {
                Err(format!("turns rows of {width} columns into rows of {columns}"))
            }
            _ => self.pass(),
        }
    }

    fn softmax(&self) -> Result<Value, String> {
        let rows = self.rows(0)?;
        let axis = self.whole("axis", -1);
        if ![-1, 1].contains(&axis) || rows.ending.is_some() {
            return Err(format!("with the axis {axis} is not a softmax over the outputs"));
        }
        rows.known().map_err(|problem| format!("takes {problem}"))?;
        Ok(Value::Rows(Rows { ending: Some(Ending::Softmax), ..rows.open()? }))
    }

    /// Numbers kept within two bounds, either of which may be left out.
    fn clip(&self) -> Result<Value, String> {
        let bound = |at, name, default: f32| match self.input(at) {
            Some(_) => self.tensor(at)?.single().ok_or("has bounds for each column".to_string()),
            None => Ok(self.number(name, default)),
        };
        let (low, high) = (bound(1, "min", f32::NEG_INFINITY)?, bound(2, "max", f32::INFINITY)?);
        let label = format!("{} with the bounds {low} and {high}", self.label).into();
        Ok(Value::Rows(self.rows(0)?.apply(&label, |function| function.map(|z| z.max(low).min(high)))?))
    }

    fn product(&self, chain: &mut Chain, bias: Option<Rc<Tensor>>) -> Result<Value, String> {
        let (source, weight) = (self.rows(0)?, self.tensor(1)?);
        let is_gemm = self.node.op_type == "Gemm";
        let (alpha, beta) = if is_gemm { (self.number("alpha", 1.0), self.number("beta", 1.0)) } else { (1.0, 1.0) };
        if weight.shape.len() != 2 || weight.values.is_empty() || !weight.is_float() {
            return Err(format!("has the shape {:?} for a weight: expected a matrix of float", weight.shape));
        }
        for tensor in [Some(&weight), bias.as_ref()].into_iter().flatten() {
            if let Some(value) = tensor.beyond_f32() {
                return Err(format!("has {value:e} in `{}`: expected numbers that fit float32", tensor.name));
            }
        }
        let by_outputs = is_gemm && self.whole("transB", 0) != 0;
        let element = weight.element;
        let product = Gemm { source, weight, by_outputs, alpha, bias, beta };
        product.check(chain)?;
        Ok(Value::Rows(Rows::base(chain.push(product), element)))
    }
}

fn constant_of(node: &Node) -> Result<Tensor, String> {
    let [attribute] = &node.attribute[..] else { return Err("has no value".into()) };
    let list = |values: Vec<f32>, element| {
        let shape = vec![values.len()];
        Ok(Tensor::list(values, element, shape))
    };
    match attribute.name.as_str() {
        "value" => Tensor::new(attribute.t.clone().unwrap_or_default()),
        "value_float" => Ok(Tensor::scalar(attribute.f)),
        "value_floats" => list(attribute.floats.clone(), proto::FLOAT),
        "value_int" => Ok(Tensor::list(vec![attribute.i as f32], proto::INT64, Vec::new())),
        "value_ints" => list(attribute.ints.iter().map(|&value| value as f32).collect(), proto::INT64),
        other => Err(format!("has a {other}: expected a value or a value_float")),
    }
}
