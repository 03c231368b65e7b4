//! The values of a setting as places on an axis: numbers, logarithms of numbers, or texts one beside the other.

use std::ops::Range;

use crate::report::digits::brief;
use crate::report::run::canvas::{Drawn, short, span};
use crate::sweep::{Axis, Values};

/// Characters of a text below an axis.
const WORD: usize = 12;

/// How a setting's values lie on an axis.
#[derive(Debug)]
pub enum Scale {
    /// By their value.
    Linear(Range<f64>),
    /// By their decimal logarithm.
    Log(Range<f64>),
    /// In their order.
    Words(Vec<String>),
}

impl Scale {
    /// The scale of a setting.
    pub fn new(axis: &Axis) -> Drawn<Self> {
        match &axis.values {
            Values::Range(range) if range.is_log() => {
                Ok(Self::Log(span([range.from(), range.to()].into_iter().map(f64::log10), 0.04)?))
            }
            Values::Range(range) => Ok(Self::Linear(span([range.from(), range.to()].into_iter(), 0.04)?)),
            Values::List(values) => Ok(Self::Words(values.clone())),
        }
    }

    /// The ends of the axis.
    pub fn range(&self) -> Range<f64> {
        match self {
            Self::Linear(range) | Self::Log(range) => range.clone(),
            Self::Words(words) => -0.5..words.len() as f64 - 0.5,
        }
    }

    /// Where a value lies.
    pub fn place(&self, value: &str) -> Option<f64> {
        match self {
            Self::Linear(_) => value.parse().ok(),
            Self::Log(_) => value.parse::<f64>().ok().map(f64::log10),
            Self::Words(words) => words.iter().position(|word| word == value).map(|at| at as f64),
        }
    }

    /// The name of a place; none where it has none.
    pub fn mark(&self, place: f64) -> String {
        match self {
            Self::Linear(_) => brief(place, 3),
            Self::Log(_) => brief(10_f64.powf(place), 3),
            Self::Words(words) => {
                let at = place.round();
                let word = ((place - at).abs() < 1e-6 && at >= 0.0).then(|| words.get(at as usize)).flatten();
                word.map_or_else(String::new, |word| short(word, WORD))
            }
        }
    }

    /// Most marks of the axis: for words one on each and one between.
    pub fn marks(&self) -> usize {
        if let Self::Words(words) = self { 2 * words.len() + 1 } else { 6 }
    }
}
