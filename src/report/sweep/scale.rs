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

    /// The name of a place; none where it has none: between words, and between decades where there are several.
    pub fn mark(&self, place: f64) -> String {
        let whole = (place - place.round()).abs() < 1e-6;
        match self {
            Self::Linear(_) => brief(place, 3),
            Self::Log(range) if !whole && has_decades(range) => String::new(),
            Self::Log(_) => brief(10_f64.powf(place), 3),
            Self::Words(words) => {
                let word = (whole && place > -0.5).then(|| words.get(place.round() as usize)).flatten();
                word.map_or_else(String::new, |word| short(word, WORD))
            }
        }
    }

    /// Places with names, at most about so many.
    pub fn ticks(&self, most: usize) -> Vec<f64> {
        let range = self.range();
        match self {
            Self::Log(_) if has_decades(&range) => {
                let decades = (range.start.ceil() as i64..=range.end.floor() as i64).collect::<Vec<_>>();
                decades.iter().step_by(decades.len().div_ceil(most).max(1)).map(|&decade| decade as f64).collect()
            }
            Self::Linear(_) | Self::Log(_) => evenly(&range, most),
            Self::Words(words) => {
                (0..words.len()).step_by(words.len().div_ceil(most).max(1)).map(|at| at as f64).collect()
            }
        }
    }

    /// Most marks of the axis: for words one on each and one between.
    pub fn marks(&self) -> usize {
        if let Self::Words(words) = self { 2 * words.len() + 1 } else { 6 }
    }

    /// How far a trial is moved beside its place, so that trials of one word lie side by side.
    pub fn aside(&self, trial: usize) -> f64 {
        /// The golden ratio's fraction: its multiples are spread evenly.
        const GOLDEN: f64 = 0.618_033_988_749_895;
        if let Self::Words(_) = self { 0.5 * ((trial as f64 * GOLDEN).fract() - 0.5) } else { 0.0 }
    }
}

/// Whether decades are names enough for an axis of logarithms.
fn has_decades(range: &Range<f64>) -> bool {
    range.end - range.start >= 2.0
}

/// So many places, evenly spaced.
pub fn evenly(range: &Range<f64>, places: usize) -> Vec<f64> {
    let place = |at: usize| range.start + (at as f64 + 0.5) / places as f64 * (range.end - range.start);
    (0..places).map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_named_where_there_is_something() {
        let scale = |values| Scale::new(&Axis::parse("x", values, true).unwrap()).unwrap();
        let names = |scale: &Scale, most| scale.ticks(most).iter().map(|&place| scale.mark(place)).collect::<Vec<_>>();
        let decades = scale("1e-4..1e-1:log");
        assert_eq!(names(&decades, 5), ["0.0001", "0.001", "0.01", "0.1"]);
        assert_eq!(names(&decades, 2), ["0.0001", "0.01"]);
        assert_eq!((decades.place("0.01"), decades.mark(-2.5)), (Some(-2.0), String::new()));
        let words = scale("32,32;64;128,128,128,128");
        assert_eq!(names(&words, 9), ["32,32", "64", "128,128,128…"]);
        assert_eq!((words.place("64"), words.place("65"), words.mark(0.5)), (Some(1.0), None, String::new()));
        assert_eq!((words.range(), words.mark(-1.0), words.mark(3.0)), (-0.5..2.5, String::new(), String::new()));
        assert!((1..1000).all(|trial| words.aside(trial).abs() <= 0.25 && decades.aside(trial) == 0.0));
        let numbers = scale("0..1000");
        assert_eq!((numbers.ticks(4).len(), numbers.place("250"), numbers.mark(250.0)), (4, Some(250.0), "250".into()));
        assert_eq!(names(&scale("1..10:log"), 3).len(), 3);
    }
}
