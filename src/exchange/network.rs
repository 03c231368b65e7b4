//! From the products of a graph to layers. Scales and shifts before an activation become part of the layer's own
//! parameters, those behind it of the next layer's, in f64; those of the inputs, of the encoder that stands in front.

use std::collections::BTreeSet;

use super::chain::Gemm;
use super::foreign::Scale;
use super::function::{Kind, Known, UNCHANGED};
use super::graph::Walk;
use super::rows::{Affine, Rows};
use crate::math::Activation;
use crate::model::transpose;
use crate::spec::{Layer, MAX_LAYERS};

/// Most parameters of inputs that a network does not take, beyond those that the file justifies.
const MOST_UNUSED: usize = 1 << 22;

/// The layers of a walk, with the identity as the last one's activation.
pub struct ImportedNetwork {
    pub layers: Vec<Layer>,
    pub parameters: Vec<f32>,
    /// How each input is scaled, if any is.
    pub inputs: Option<Vec<Scale>>,
    /// The names of inputs that have one column each, if all have.
    pub names: Option<Vec<String>>,
}

impl ImportedNetwork {
    /// The layers up to `end`; `fold` goes into the last one, besides what its columns have of their own.
    pub fn read(walk: &Walk, end: &Rows, fold: (f64, f64), bytes: usize) -> Result<Self, String> {
        // From the output back to the input: each product with what lies behind it.
        let (mut chain, mut rows, mut weights) = (Vec::new(), end, 0_usize);
        while let Some(at) = rows.base.checked_sub(1) {
            let product = &walk.chain.products[at];
            weights += product.weight.values.len();
            if chain.len() == MAX_LAYERS || 2 * weights > bytes {
                return Err("it uses weights several times, or has too many layers for mlp".into());
            }
            chain.push((product, rows));
            rows = &product.source;
        }
        chain.reverse();
        let Some((first, _)) = chain.first() else { return Err("no output of its graph comes from layers".into()) };
        let inputs = Inputs::read(walk, rows, first)?;
        let (mut layers, mut parameters) = (Vec::with_capacity(chain.len()), Vec::with_capacity(weights));
        for (at, (product, rows)) in chain.iter().enumerate() {
            let (width, outputs) = product.shape();
            let known = rows.known().map_err(|problem| format!("its output is {problem}"))?;
            let before = match at {
                0 => inputs.before.clone(),
                _ => behind(&product.source)?,
            };
            let own = if at + 1 == chain.len() { fold } else { known.inner };
            let place = if at == 0 { inputs.place.as_deref() } else { None };
            let layer = Folded { product, before: before.as_ref(), affine: rows.affine.as_deref(), own, place };
            let first = parameters.len();
            let width = inputs.width.filter(|_| at == 0).unwrap_or(width);
            layer.append(width, &mut parameters);
            if let Some(value) = parameters[first..].iter().find(|value| !value.is_finite()) {
                return Err(format!("layer {at} (from 0) has the parameter {value}: expected finite numbers"));
            }
            layers.push(Layer { inputs: width, outputs, activation: activation(known) });
        }
        Ok(Self { layers, parameters, inputs: inputs.scales, names: inputs.names })
    }
}

fn activation(known: Known) -> Activation {
    match known.kind {
        Kind::Activation(activation) => activation,
        Kind::Exp => Activation::Identity,
    }
}

/// Scale and shift of each column behind its activation.
fn behind(rows: &Rows) -> Result<Option<Affine>, String> {
    let outer = rows.known()?.outer;
    let mut after = match &rows.after {
        Some((after, _)) => (**after).clone(),
        None if outer == UNCHANGED => return Ok(None),
        None => Affine::identity(1),
    };
    // What all columns have in common comes first.
    for column in 0..after.factors.len() {
        let (factor, shift) = (after.factors[column], after.shifts[column]);
        (after.factors[column], after.shifts[column]) = (outer.0 * factor, outer.1 * factor + shift);
    }
    Ok(Some(after))
}

/// A product with all that becomes part of its parameters.
struct Folded<'a> {
    product: &'a Gemm,
    /// Of each column that it takes, or of all.
    before: Option<&'a Affine>,
    /// Of each column that it gives.
    affine: Option<&'a Affine>,
    /// Of all columns that it gives, behind that.
    own: (f64, f64),
    /// The layer's input that each column is; several may be one.
    place: Option<&'a [usize]>,
}

impl Folded<'_> {
    /// Weight [inputs, outputs] and bias.
    fn append(&self, width: usize, parameters: &mut Vec<f32>) {
        let Gemm { weight, by_outputs, alpha, bias, beta, .. } = self.product;
        let (inputs, outputs) = self.product.shape();
        let constant = |column: usize| match bias {
            // One for all columns, too.
            Some(bias) => bias.at(column.min(bias.values.len() - 1)),
            None => 0.0,
        };
        let is_plain = self.before.is_none() && self.affine.is_none() && self.own == UNCHANGED;
        if is_plain && self.place.is_none() && (*alpha, *beta) == (1.0, 1.0) {
            match by_outputs {
                true => parameters.extend(transpose(&weight.values, outputs, inputs)),
                false => parameters.extend(&weight.values),
            }
            parameters.extend((0..outputs).map(|column| constant(column) as f32));
            return;
        }
        let at = |row: usize, column: usize| {
            alpha * weight.at(if *by_outputs { column * inputs + row } else { row * outputs + column })
        };
        let of = |list: &[f64], at: usize| list[at.min(list.len() - 1)];
        let own = |column: usize| {
            let (factor, shift) = match self.affine {
                Some(affine) => (affine.factors[column], affine.shifts[column]),
                None => UNCHANGED,
            };
            (factor * self.own.0, shift * self.own.0 + self.own.1)
        };
        let first = parameters.len();
        parameters.resize(first + width * outputs, 0.0);
        for column in 0..outputs {
            let mut bias = beta * constant(column);
            let (factor, shift) = own(column);
            let mut sums = vec![0.0; if self.place.is_some() { width } else { 0 }];
            for row in 0..inputs {
                let before = self.before.map_or(UNCHANGED, |all| (of(&all.factors, row), of(&all.shifts, row)));
                let value = at(row, column);
                if before.1 != 0.0 {
                    bias += before.1 * value;
                }
                let value = before.0 * value * factor;
                match self.place {
                    Some(place) => sums[place[row]] += value,
                    None => parameters[first + row * outputs + column] = value as f32,
                }
            }
            for (row, value) in sums.into_iter().enumerate() {
                parameters[first + row * outputs + column] = value as f32;
            }
            parameters.push((bias * factor + shift) as f32);
        }
    }
}

/// What stands in front of the first layer.
struct Inputs {
    scales: Option<Vec<Scale>>,
    names: Option<Vec<String>>,
    /// What no encoder has of the columns that the first product takes.
    before: Option<Affine>,
    /// The network's input that each of these columns is, and how many there are, where they are not the same.
    place: Option<Vec<usize>>,
    width: Option<usize>,
}

impl Inputs {
    fn read(walk: &Walk, rows: &Rows, first: &Gemm) -> Result<Self, String> {
        let (count, outputs) = first.shape();
        let mut all = rows.affine.as_deref().cloned().unwrap_or_else(|| Affine::identity(count));
        let (factor, shift) = rows.known()?.inner;
        (0..count).for_each(|column| all.then(column, factor, shift));
        let (place, width, names) = match &rows.columns {
            Some(columns) => places(walk, columns, outputs)?,
            None => (None, count, None),
        };
        let mut uses = vec![0_usize; width];
        let position = |column: usize| place.as_ref().map_or(column, |place| place[column]);
        (0..count).for_each(|column| uses[position(column)] += 1);
        let mut scales = vec![Scale::NONE; width];
        for column in 0..count {
            let (factor, shift) = (all.factors[column], all.shifts[column]);
            if !factor.is_finite() || !shift.is_finite() {
                return Err(format!("input {column} (from 0) is multiplied by {factor}: expected a finite number"));
            }
            // A column that is turned into a constant, or taken twice, has no scale of its own.
            if factor == 0.0 || uses[position(column)] > 1 {
                continue;
            }
            // What is left of a mean where nothing is subtracted is 0, not −0.
            let scale = Scale { mean: -shift / factor + 0.0, scale: 1.0 / factor.abs() };
            if !scale.mean.is_finite() || !scale.scale.is_finite() {
                return Err(format!("input {column} (from 0) is multiplied by {factor:e}: expected a larger factor"));
            }
            scales[position(column)] = scale;
            (all.factors[column], all.shifts[column]) = (factor.signum(), 0.0);
        }
        let scales = scales.iter().any(|scale| *scale != Scale::NONE).then_some(scales);
        let before = (all != Affine::identity(count)).then_some(all);
        let width = place.as_ref().map(|_| width);
        Ok(Self { scales, names, before, place, width })
    }
}

/// The network's input that each listed column of the graph is, how many inputs there are, and their names.
type Places = (Option<Vec<usize>>, usize, Option<Vec<String>>);

fn places(walk: &Walk, columns: &[usize], outputs: usize) -> Result<Places, String> {
    let is_each_its_own = walk.inputs.len() > 1 && walk.inputs.iter().all(|input| input.width == Some(1));
    let (known, names): (Vec<usize>, _) = if is_each_its_own {
        // Of inputs by name, those that are used.
        let used: BTreeSet<usize> = columns.iter().copied().collect();
        let names = used.iter().map(|&column| walk.inputs[column].name.clone()).collect();
        (used.into_iter().collect(), Some(names))
    } else {
        let width = walk.chain.bases.width(0).unwrap_or(columns.len());
        if width.saturating_sub(columns.len()).saturating_mul(outputs) > MOST_UNUSED {
            return Err(format!("its layers take {} of {width} columns", columns.len()));
        }
        ((0..width).collect(), None)
    };
    let place: Vec<usize> = columns.iter().map(|column| known.binary_search(column).unwrap_or(0)).collect();
    let is_same = place.len() == known.len() && place.iter().enumerate().all(|(at, &of)| at == of);
    Ok(((!is_same).then_some(place), known.len(), names))
}
