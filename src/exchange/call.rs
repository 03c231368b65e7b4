//! A node with its inputs.

use std::rc::Rc;

use super::chain::Value;
use super::proto::{Attribute, Node};
use super::rows::Rows;
use super::tensor::Tensor;

/// A node on its way through a graph.
pub struct Call<'a> {
    pub node: &'a Node,
    /// Its kind and its name, or that of its output.
    pub label: &'a Rc<str>,
    pub inputs: &'a [Option<Value>],
}

impl Call<'_> {
    pub fn foreign(&self) -> String {
        let domain = &self.node.domain;
        let of = if domain.is_empty() { String::new() } else { format!("of {domain} ") };
        format!("{of}is not a part of a multilayer perceptron that mlp has")
    }

    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.node.attribute.iter().find(|attribute| attribute.name == name)
    }

    pub fn number(&self, name: &str, default: f32) -> f64 {
        self.attribute(name).map_or(default, |Attribute { f, .. }| *f).into()
    }

    pub fn whole(&self, name: &str, default: i64) -> i64 {
        self.attribute(name).map_or(default, |Attribute { i, .. }| *i)
    }

    pub fn input(&self, at: usize) -> Option<&Value> {
        self.inputs.get(at).and_then(Option::as_ref)
    }

    pub fn rows(&self, at: usize) -> Result<Rows, String> {
        match self.input(at) {
            Some(Value::Rows(rows)) => Ok(rows.clone()),
            _ => Err(format!("has an input {at} that is not an activation of the network")),
        }
    }

    pub fn tensor(&self, at: usize) -> Result<Rc<Tensor>, String> {
        match self.input(at) {
            Some(Value::Constant(tensor)) => Ok(tensor.clone()),
            _ => Err(format!("has an input {at} that is not a constant")),
        }
    }

    /// Nodes that do nothing to rows of a network that predicts.
    pub fn pass(&self) -> Result<Value, String> {
        self.input(0).cloned().ok_or("has no input".into())
    }
}
