//! What the values of a graph are: constants, and rows at the end of a chain of products.

use std::rc::Rc;

use super::bases::Bases;
use super::rows::Rows;
use super::tensor::Tensor;

/// What a name of the graph stands for.
#[derive(Clone, Debug)]
pub enum Value {
    Constant(Rc<Tensor>),
    Rows(Rows),
    /// The number of a row's class, or its label.
    Labels,
    /// None of these; says why.
    Other(Rc<str>),
}

/// A product of rows with a matrix: alpha · source · weight + beta · bias.
#[derive(Clone, Debug)]
pub struct Gemm {
    pub source: Rows,
    /// [inputs, outputs], or [outputs, inputs] where `by_outputs`.
    pub weight: Rc<Tensor>,
    pub by_outputs: bool,
    pub alpha: f64,
    pub bias: Option<Rc<Tensor>>,
    pub beta: f64,
}

impl Gemm {
    /// Inputs and outputs.
    pub fn shape(&self) -> (usize, usize) {
        let (first, second) = (self.weight.shape[0], self.weight.shape[1]);
        if self.by_outputs { (second, first) } else { (first, second) }
    }
}

/// Labels of classes, and whether they are texts.
#[derive(Clone, Debug)]
pub struct Classes {
    pub labels: Vec<String>,
    pub are_texts: bool,
}

/// The products of a graph, each with its base behind those before it.
pub struct Chain {
    pub bases: Bases,
    /// Base i + 1 is product i.
    pub products: Vec<Gemm>,
    /// What a node says of classes.
    pub classes: Option<Classes>,
}

impl Chain {
    /// Adds a product; the number of its base.
    pub fn push(&mut self, product: Gemm) -> usize {
        self.bases.add(Some(product.shape().1));
        self.products.push(product);
        self.products.len()
    }

    /// Labels of classes that a node has. Texts say more than numbers do.
    pub fn name_classes(&mut self, found: Classes) {
        let knows_more = self.classes.as_ref().is_some_and(|known| known.are_texts || !found.are_texts);
        if !knows_more && !found.labels.is_empty() {
            self.classes = Some(found);
        }
    }
}

pub fn constant(tensor: Tensor) -> Value {
    Value::Constant(Rc::new(tensor))
}
