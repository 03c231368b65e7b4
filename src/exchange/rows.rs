//! What a value of a graph is that depends on its input: rows of numbers, as far as a multilayer perceptron goes.

use std::rc::Rc;

use super::bases::Bases;
use super::function::{Function, Kind, Known, UNCHANGED};
use super::proto;
use crate::math::Activation;

/// Rows of numbers: after(function(base · factor + shift)), column by column, and maybe what turns the last ones into
/// probabilities.
#[derive(Clone, Debug)]
pub struct Rows {
    /// The graph's inputs, one beside the other (0), or a product.
    pub base: usize,
    /// Which columns of the base; None for all, in their order.
    pub columns: Option<Rc<[usize]>>,
    /// For each column of the rows; None for none scaled or shifted.
    pub affine: Option<Rc<Affine>>,
    pub function: Function,
    /// The same behind the function, where that is not the identity, with the node that made it.
    pub after: Option<(Rc<Affine>, Rc<str>)>,
    pub ending: Option<Ending>,
    /// The data type, as in [`proto`].
    pub element: i32,
    /// The node that has rounded these numbers, where no product has come since.
    pub rounded: Option<Rc<str>>,
    /// The node that made the function what it is.
    pub maker: Option<Rc<str>>,
}

/// What comes behind a network's last function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A softmax over the columns, or its logarithm.
    Softmax,
    /// 1 − p beside the only column p.
    Pair,
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

impl Rows {
    pub fn base(base: usize, element: i32) -> Self {
        Self {
            base,
            columns: None,
            affine: None,
            function: Function::identity(),
            after: None,
            ending: None,
            element,
            rounded: None,
            maker: None,
        }
    }

    /// The number of columns, where that is known.
    pub fn width(&self, bases: &Bases) -> Option<usize> {
        let listed = self.columns.as_ref().map(|columns| columns.len());
        let two = || (self.ending == Some(Ending::Pair)).then_some(2);
        let scaled = || self.affine.as_ref().or(self.after.as_ref().map(|(after, _)| after)).map(|of| of.factors.len());
        listed.or_else(two).or_else(|| bases.width(self.base)).or_else(scaled)
    }

    /// What the function is.
    pub fn known(&self) -> Result<Known, String> {
        self.function.known().ok_or_else(|| {
            let names: Vec<_> = Activation::ALL.iter().map(|activation| activation.name()).collect();
            let maker = self.maker.as_ref().map(|maker| format!(": that of node {maker}")).unwrap_or_default();
            format!("a function that is not one of {}{maker}", names.join(", "))
        })
    }

    /// Leaves out who made the function where that is one of ours: what comes then is another's.
    pub fn forget_maker(&mut self) {
        if self.function.known().is_some() {
            self.maker = None;
        }
    }

    /// Rows that may go through another function.
    pub fn open(self) -> Result<Self, String> {
        match (&self.after, self.ending, &self.columns) {
            (_, Some(Ending::Softmax), _) => Err("comes after a softmax".into()),
            (_, Some(Ending::Pair), _) => Err("comes after the probabilities of two classes".into()),
            (_, _, Some(_)) if self.base > 0 => Err("takes only some of a layer's columns".into()),
            (Some((_, maker)), ..) => Err(format!(
                "comes after an activation that node {maker} scales column by column: expected a linear layer there"
            )),
            _ => Ok(self),
        }
    }

    /// The rows behind another function, which a node has.
    pub fn apply(self, node: &Rc<str>, f: impl FnOnce(Function) -> Function) -> Result<Self, String> {
        let mut rows = self.open()?;
        rows.forget_maker();
        let maker = rows.maker.or(Some(node.clone()));
        Ok(Self { function: f(rows.function), maker, ..rows })
    }

    /// Each column times a factor, plus a shift; one pair for all columns or one for each.
    pub fn scale(mut self, bases: &mut Bases, node: &Rc<str>, by: &[(f64, f64)]) -> Result<Self, String> {
        let known = self.known().map_err(|problem| format!("takes {problem}"))?;
        let after = self.after.take();
        let mut rows = self.open()?;
        let width = rows.width(bases).or(after.as_ref().map(|(after, _)| after.factors.len())).unwrap_or(by.len());
        if by.len() != 1 && width != by.len() {
            return Err(format!("has {} constants: expected {width}", by.len()));
        }
        bases.spend(2 * width)?;
        let is_linear = known.kind == Kind::Activation(Activation::Identity);
        let (before, first) = match is_linear {
            true => (rows.affine.as_deref(), known.inner),
            false => (after.as_ref().map(|(after, _)| &**after), UNCHANGED),
        };
        let mut all = before.cloned().unwrap_or_else(|| Affine::identity(width));
        for column in 0..width {
            let (factor, shift) = by[column % by.len()];
            all.then(column, first.0, first.1);
            all.then(column, factor, shift);
        }
        if is_linear {
            rows.affine = Some(Rc::new(all));
            rows.function = Function::identity();
        } else {
            rows.after = Some((Rc::new(all), node.clone()));
        }
        Ok(rows)
    }

    /// Some of the columns, in the order of these positions.
    pub fn select(self, bases: &mut Bases, positions: &[i64]) -> Result<Self, String> {
        if self.after.is_some() {
            return self.open();
        }
        let width = self.width(bases).ok_or("takes some columns of an input without a known number of columns")?;
        bases.spend(3 * positions.len())?;
        let place = |&at: &i64| {
            let from_start = if at < 0 { at.checked_add(width as i64) } else { Some(at) };
            from_start.and_then(|at| usize::try_from(at).ok()).filter(|&at| at < width)
        };
        let kept: Option<Vec<usize>> = positions.iter().map(place).collect();
        let kept = kept
            .filter(|kept| !kept.is_empty())
            .ok_or_else(|| format!("takes a column that does not exist: there are {width}"))?;
        let affine = match self.affine {
            // What comes behind a layer's columns one by one is the layer's still.
            affine if self.base > 0 => affine,
            affine => affine.map(|affine| {
                let of = |values: &[f64]| kept.iter().map(|&at| values[at]).collect();
                Rc::new(Affine { factors: of(&affine.factors), shifts: of(&affine.shifts) })
            }),
        };
        let columns = kept.iter().map(|&at| self.columns.as_ref().map_or(at, |columns| columns[at])).collect();
        Ok(Self { columns: Some(columns), affine, ..self })
    }

    /// Columns of the graph's inputs beside each other.
    pub fn join(bases: &mut Bases, all: Vec<Self>) -> Result<Self, String> {
        let (mut columns, mut joined) = (Vec::new(), Affine::identity(0));
        let mut element = proto::FLOAT;
        for rows in all {
            let known = rows.known().map_err(|problem| format!("takes {problem}"))?;
            if rows.base > 0 || known.kind != Kind::Activation(Activation::Identity) {
                return Err("joins values that are not (scaled) columns of an input".into());
            }
            let width = rows.width(bases).ok_or("joins an input without a known number of columns")?;
            bases.spend(3 * width)?;
            let mut affine = rows.affine.as_deref().cloned().unwrap_or_else(|| Affine::identity(width));
            (0..width).for_each(|column| affine.then(column, known.inner.0, known.inner.1));
            joined.factors.extend(affine.factors);
            joined.shifts.extend(affine.shifts);
            match &rows.columns {
                Some(listed) => columns.extend(listed.iter()),
                None => columns.extend(0..width),
            }
            element = rows.element;
            if let Some(node) = rows.rounded {
                return Err(format!("joins values that node {node} rounds"));
            }
        }
        let affine = (joined != Affine::identity(columns.len())).then(|| Rc::new(joined));
        Ok(Self { columns: Some(columns.into()), affine, ..Self::base(0, element) })
    }
}
