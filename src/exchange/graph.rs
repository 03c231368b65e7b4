//! From an ONNX graph to layers. In: the graph. Out: what the values of its output are, as a chain of products back to
//! its input. Nodes are followed in their order; one that is no part of a multilayer perceptron spoils its own outputs
//! alone, so that a graph may compute other things besides, as labels from probabilities.

use std::collections::HashMap;
use std::rc::Rc;

use super::function::{Function, Known};
use super::nodes;
use super::proto::{self, Node};
use super::tensor::Tensor;

/// What a name of the graph stands for.
#[derive(Clone, Debug)]
pub enum Value {
    Constant(Rc<Tensor>),
    Rows(Rows),
    /// Neither; says why.
    Other(Rc<str>),
}

/// Rows of numbers: function(base · factor + shift), column by column, and maybe a softmax over the columns.
#[derive(Clone, Debug)]
pub struct Rows {
    /// The graph's input (0) or a product.
    pub base: usize,
    /// For each column of the base; None for base itself.
    pub affine: Option<Rc<Affine>>,
    pub function: Function,
    pub softmax: bool,
}

/// Column i times factors[i] plus shifts[i].
#[derive(Clone, Debug, PartialEq)]
pub struct Affine {
    pub factors: Vec<f64>,
    pub shifts: Vec<f64>,
}

impl Affine {
    pub fn identity(width: usize) -> Self {
        Self { factors: vec![1.0; width], shifts: vec![0.0; width] }
    }

    /// Another factor and shift behind it.
    pub fn then(&mut self, column: usize, factor: f64, shift: f64) {
        self.factors[column] *= factor;
        self.shifts[column] = self.shifts[column] * factor + shift;
    }
}

/// A product of rows with a matrix.
#[derive(Clone, Debug)]
pub struct Product {
    pub source: Rows,
    /// [inputs, outputs], or [outputs, inputs] where `by_outputs`.
    pub weight: Rc<Tensor>,
    pub by_outputs: bool,
    pub bias: Option<Rc<Tensor>>,
}

impl Product {
    /// Inputs and outputs.
    pub fn shape(&self) -> (usize, usize) {
        let (first, second) = (self.weight.shape[0], self.weight.shape[1]);
        if self.by_outputs { (second, first) } else { (first, second) }
    }
}

/// The products of a graph, and its names as far as they are known.
pub struct Walk {
    pub values: HashMap<String, Value>,
    /// Base i + 1 is product i.
    pub products: Vec<Product>,
    /// Labels of classes, where a node has some.
    pub classes: Option<Vec<String>>,
    /// Numbers that may still be made besides those of the file.
    budget: usize,
}

impl Walk {
    /// Follows all nodes of a graph that comes from a file of so many bytes.
    pub fn new(graph: proto::Graph, bytes: usize) -> Result<Self, String> {
        // A scale for each column takes two numbers of f64, where the file has at least one of four bytes.
        let mut walk = Self { values: HashMap::new(), products: Vec::new(), classes: None, budget: bytes };
        for tensor in graph.initializer {
            let name = tensor.name.clone();
            let value = Tensor::new(tensor).map_or_else(|problem| Value::Other(problem.into()), constant);
            walk.values.insert(name, value);
        }
        let inputs: Vec<_> = graph.input.iter().filter(|input| !walk.values.contains_key(&input.name)).collect();
        let [input] = inputs[..] else { return Err(format!("its graph has {} inputs: expected one", inputs.len())) };
        walk.values.insert(input.name.clone(), Value::Rows(Rows::base(0)));
        for node in graph.node {
            walk.follow(node)?;
        }
        Ok(walk)
    }

    fn follow(&mut self, node: Node) -> Result<(), String> {
        let place = if node.name.is_empty() { String::new() } else { format!(" `{}`", node.name) };
        let mut inputs = Vec::with_capacity(node.input.len());
        for name in &node.input {
            inputs.push(match self.values.get(name) {
                Some(value) => Some(value.clone()),
                None if name.is_empty() => None,
                None => {
                    return Err(format!("node {}{place} takes `{name}`, which nothing before it makes", node.op_type));
                }
            });
        }
        let spoilt = inputs.iter().flatten().find(|value| matches!(value, Value::Other(_)));
        let value = match spoilt {
            Some(spoilt) => spoilt.clone(),
            None => nodes::value(self, &node, &inputs)
                .unwrap_or_else(|problem| Value::Other(format!("node {}{place} {problem}", node.op_type).into())),
        };
        for name in node.output.into_iter().filter(|name| !name.is_empty()) {
            if self.values.insert(name.clone(), value.clone()).is_some() {
                return Err(format!("`{name}` is made twice"));
            }
        }
        Ok(())
    }

    /// Takes so many numbers from what the file may ask for.
    pub fn spend(&mut self, numbers: usize) -> Result<(), String> {
        self.budget = self.budget.checked_sub(numbers).ok_or("makes more numbers than the file has")?;
        Ok(())
    }

    /// Columns of a base, where that is known.
    pub fn width(&self, base: usize) -> Option<usize> {
        Some(self.products[base.checked_sub(1)?].shape().1)
    }

    /// The output that a network's rows are, and the products before it.
    pub fn output(&self, outputs: &[proto::ValueInfo]) -> Result<Rows, String> {
        let mut problem = None;
        for output in outputs {
            match self.values.get(&output.name) {
                Some(Value::Rows(rows)) if rows.base > 0 => return Ok(rows.clone()),
                Some(Value::Other(reason)) => problem = problem.or(Some(reason.to_string())),
                _ => {}
            }
        }
        Err(problem.unwrap_or("no output of its graph is that of a multilayer perceptron".into()))
    }
}

pub fn constant(tensor: Tensor) -> Value {
    Value::Constant(Rc::new(tensor))
}

impl Rows {
    pub fn base(base: usize) -> Self {
        Self { base, affine: None, function: Function::IDENTITY, softmax: false }
    }

    /// What the function is.
    pub fn known(&self) -> Result<Known, String> {
        self.function.known().ok_or_else(|| {
            let names: Vec<_> = crate::math::Activation::ALL.iter().map(|activation| activation.name()).collect();
            format!("takes a function that is none of {}", names.join(", "))
        })
    }
}
