//! From an ONNX graph to layers. In: the graph. Out: what the values of its output are, as a chain of products back to
//! its inputs. Nodes are followed in their order; one that is no part of a multilayer perceptron spoils its own outputs
//! alone, so that a graph may compute other things besides, as labels from probabilities.

use std::collections::HashMap;
use std::rc::Rc;

use super::bases::Bases;
use super::chain::{Chain, Value, constant};
use super::nodes;
use super::proto::{self, Node, ValueInfo};
use super::rows::Rows;
use super::tensor::Tensor;

/// An input of a graph.
#[derive(Clone, Debug)]
pub struct Input {
    pub name: String,
    /// Columns, where the file says them.
    pub width: Option<usize>,
}

/// A graph as far as it has been followed: what its names stand for.
pub struct Walk {
    values: HashMap<String, Value>,
    /// The inputs, whose columns lie one beside the other.
    pub inputs: Vec<Input>,
    pub chain: Chain,
}

impl Walk {
    /// Follows all nodes of a graph that comes from a file of so many bytes.
    pub fn new(graph: proto::Graph, bytes: usize) -> Result<Self, String> {
        let chain = Chain { bases: Bases::new(bytes), products: Vec::new(), classes: None };
        let mut walk = Self { values: HashMap::new(), inputs: Vec::new(), chain };
        for tensor in graph.initializer {
            let name = tensor.name.clone();
            let value = Tensor::new(tensor).map_or_else(|problem| Value::Other(problem.into()), constant);
            walk.values.insert(name, value);
        }
        let inputs: Vec<_> = graph.input.iter().filter(|input| !walk.values.contains_key(&input.name)).collect();
        walk.take_inputs(&inputs)?;
        for node in graph.node {
            walk.follow(node)?;
        }
        Ok(walk)
    }

    /// One input with all columns, or several, whose columns are counted through.
    fn take_inputs(&mut self, inputs: &[&ValueInfo]) -> Result<(), String> {
        let mut first = 0_usize;
        for info in inputs {
            let (name, element) = (info.name.clone(), info.element());
            let columns = match (inputs.len(), info.columns()) {
                (1, _) => None,
                (_, None) => return Err(format!("the number of columns of its input `{name}` is not known")),
                (_, Some(width)) => {
                    self.chain.bases.spend(width)?;
                    first += width;
                    Some((first - width..first).collect())
                }
            };
            let value = match element {
                Some(proto::STRING) => Value::Other(format!("its input `{name}` takes texts: expected numbers").into()),
                _ => Value::Rows(Rows { columns, ..Rows::base(0, element.unwrap_or(proto::FLOAT)) }),
            };
            // A single row as the only input has no columns to count.
            let width = info.columns().filter(|_| inputs.len() > 1 || info.has_rows());
            self.inputs.push(Input { name: name.clone(), width });
            if self.values.insert(name.clone(), value).is_some() {
                return Err(format!("`{name}` is computed twice"));
            }
        }
        let mut widths = self.inputs.iter().map(|input| input.width);
        self.chain.bases.add(widths.try_fold(0_usize, |all, width| all.checked_add(width?)));
        match inputs.is_empty() {
            true => Err("its graph has no input".into()),
            false => Ok(()),
        }
    }

    fn follow(&mut self, node: Node) -> Result<(), String> {
        let label = label_of(&node);
        let mut inputs = Vec::with_capacity(node.input.len());
        for name in &node.input {
            inputs.push(match self.values.get(name) {
                Some(value) => Some(value.clone()),
                None if name.is_empty() => None,
                None => return Err(format!("node {label} takes `{name}`, which no earlier node computes")),
            });
        }
        let spoilt = inputs.iter().flatten().find(|value| matches!(value, Value::Other(_)));
        let values = match spoilt {
            Some(spoilt) => vec![spoilt.clone(); node.output.len()],
            None => nodes::values(&mut self.chain, &node, &label, &inputs).unwrap_or_else(|problem| {
                vec![Value::Other(format!("node {label} {problem}").into()); node.output.len()]
            }),
        };
        let mut values = values.into_iter();
        for name in node.output {
            let beyond = || Value::Other(format!("node {label} has more outputs than mlp supports").into());
            let value = values.next().unwrap_or_else(beyond);
            if !name.is_empty() && self.values.insert(name.clone(), value).is_some() {
                return Err(format!("`{name}` is computed twice"));
            }
        }
        Ok(())
    }

    /// What a name stands for.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }
}

/// A node's kind and its name, or that of its output.
fn label_of(node: &Node) -> Rc<str> {
    let output = || node.output.iter().find(|name| !name.is_empty());
    match Some(&node.name).filter(|name| !name.is_empty()).or_else(output) {
        Some(name) => format!("{} `{name}`", node.op_type).into(),
        None => node.op_type.as_str().into(),
    }
}

impl ValueInfo {
    fn tensor(&self) -> Option<&proto::TensorType> {
        self.kind.as_ref()?.tensor.as_ref()
    }

    /// The data type, where the file says it.
    fn element(&self) -> Option<i32> {
        self.tensor().map(|tensor| tensor.element)
    }

    /// Whether it is [rows, columns].
    fn has_rows(&self) -> bool {
        self.tensor().and_then(|tensor| tensor.shape.as_ref()).is_some_and(|shape| shape.dim.len() == 2)
    }

    /// Columns of [rows, columns]; 1 of [rows].
    fn columns(&self) -> Option<usize> {
        match &self.tensor()?.shape.as_ref()?.dim[..] {
            [_] => Some(1),
            [_, columns] => columns.value.and_then(|value| usize::try_from(value).ok()).filter(|&value| value > 0),
            _ => None,
        }
    }
}
