//! A range of numbers that trials draw from.

use std::fmt;

use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, Uniform};

/// Digits of a drawn number that count.
const DIGITS: usize = 6;
/// Whole numbers up to here are exact as f64.
const WHOLE: f64 = 9_007_199_254_740_992.0;

/// Numbers from one end to the other, both included: `1e-4..1e-1:log`, `16..256`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ValueRange {
    from: f64,
    to: f64,
    /// Whether the logarithm is uniform.
    log: bool,
    /// Whether only whole numbers are in it.
    whole: bool,
}

impl ValueRange {
    /// Reads `FROM..TO` or `FROM..TO:log`. It has whole numbers only if both ends are written as such.
    ///
    /// # Errors
    /// What is wrong, as a phrase behind "is": an end that is no number, ends in the wrong order, a logarithm of 0 or less.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (ends, log) = match text.rsplit_once(':') {
            Some((ends, "log")) => (ends, true),
            Some((_, word)) => return Err(format!("a range with `:{word}`: expected `:log` or nothing behind it")),
            None => (text, false),
        };
        let (from, to) = ends.split_once("..").unwrap_or((ends, ""));
        let end = |word: &str| {
            let number: Option<f64> = word.trim().parse().ok().filter(|number: &f64| number.is_finite());
            number.ok_or_else(|| format!("a range with the end `{}`: expected a number", word.trim()))
        };
        let whole = |word: &str| word.trim().parse::<i64>().is_ok_and(|number| number.unsigned_abs() <= WHOLE as u64);
        let range = Self { from: end(from)?, to: end(to)?, log, whole: whole(from) && whole(to) };
        if range.from >= range.to {
            return Err("an empty range: expected the smaller number in front of the larger one".into());
        }
        if log && range.from <= 0.0 {
            return Err("a range of logarithms from 0 or less: expected a number above 0".into());
        }
        Ok(range)
    }

    /// How many numbers are in it; none where they cannot be counted.
    #[must_use]
    pub fn len(&self) -> Option<u64> {
        self.whole.then(|| (self.to - self.from) as u64 + 1)
    }

    /// Never: an empty range is refused.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The smallest one.
    #[must_use]
    pub fn from(&self) -> f64 {
        self.from
    }

    /// The largest one.
    #[must_use]
    pub fn to(&self) -> f64 {
        self.to
    }

    /// Whether the logarithm is uniform.
    #[must_use]
    pub fn is_log(&self) -> bool {
        self.log
    }

    /// A drawn number as a flag takes it: a whole one, or one with six digits that count.
    pub(super) fn draw(&self, random: &mut ChaCha8Rng) -> String {
        // Ranges are not empty, so the distribution exists.
        let share = Uniform::new(0.0, 1.0).map_or(0.5, |uniform| uniform.sample(random));
        let Self { from, to, log, whole } = *self;
        // A whole number has the room up to the next one.
        let end = if whole { to + 1.0 } else { to };
        let value = if log { (from.ln() + share * (end.ln() - from.ln())).exp() } else { from + share * (end - from) };
        if whole {
            return format!("{}", value.floor().clamp(from, to));
        }
        let rounded: f64 = format!("{value:.*e}", DIGITS - 1).parse().unwrap_or(value);
        let text = format!("{:?}", rounded.clamp(from, to));
        text.strip_suffix(".0").map_or(text.clone(), String::from)
    }
}

impl fmt::Display for ValueRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, log, whole } = self;
        let end = if *log { ":log" } else { "" };
        if *whole { write!(f, "{from}..{to}{end}") } else { write!(f, "{from:?}..{to:?}{end}") }
    }
}
