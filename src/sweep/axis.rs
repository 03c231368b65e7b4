//! One setting that a sweep varies, and its values.

use std::fmt;

use super::range::ValueRange;
use crate::error::{Error, Result, shorten};

/// A setting and the values that it may take.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Axis {
    /// The setting's name, as the program calls it.
    pub name: String,
    /// Its values.
    pub values: Values,
}

/// Values of a setting.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Values {
    /// These texts.
    List(Vec<String>),
    /// Numbers.
    Range(ValueRange),
}

impl Axis {
    /// A setting with a list of values.
    ///
    /// # Errors
    /// [`Error::Setting`] for fewer than two values, an empty one, or one that is there twice.
    pub fn list(name: impl Into<String>, values: Vec<String>) -> Result<Self> {
        let name = name.into();
        let refused = |found: String, expected: &str| Err(refused(&name, &found, expected));
        if let Some(empty) = values.iter().position(|value| value.is_empty()) {
            return refused(format!("a list whose value {} is empty", empty + 1), "a text for each value");
        }
        if let Some(at) = (1..values.len()).find(|&at| values[..at].contains(&values[at])) {
            return refused(format!("a list with `{}` twice", shorten(&values[at])), "each value once");
        }
        match values.as_slice() {
            [] => refused("an empty list".into(), "at least two values"),
            [single] => refused(
                format!("the single value `{}`", shorten(single)),
                "at least two values, or the setting itself instead of a value to vary",
            ),
            _ => Ok(Self { name, values: Values::List(values) }),
        }
    }

    /// Reads the values of a setting: a range, `1e-4..1e-1:log`, or a list with `;` between its values. Where no value has commas,
    /// `has_commas` is false, and they may stand between values, too.
    ///
    /// # Errors
    /// Those of [`list`](Self::list); [`Error::Setting`] for a range that is empty or not one of numbers.
    pub fn parse(name: impl Into<String>, text: &str, has_commas: bool) -> Result<Self> {
        let (name, text) = (name.into(), text.trim());
        let separator = if has_commas || text.contains(';') { ';' } else { ',' };
        if text.contains("..") && !text.contains(separator) {
            let range = ValueRange::parse(text).map_err(|problem| {
                let (found, expected) = problem.split_once(": expected ").unwrap_or((&problem, "a range"));
                refused(&name, found, expected)
            })?;
            return Ok(Self { name, values: Values::Range(range) });
        }
        if text.is_empty() {
            return Err(refused(&name, "empty", "values, as in `lr=0.01;0.1` or `lr=1e-4..1e-1:log`"));
        }
        let values: Vec<String> = text.split(separator).map(|value| value.trim().to_string()).collect();
        if let [single] = values.as_slice()
            && single.contains(',')
        {
            let found = format!("the single value `{}`", shorten(single));
            return Err(refused(&name, &found, "`;` between values, since a value of this setting may have commas"));
        }
        Self::list(name, values)
    }

    /// Number of values; none for a range of fractions.
    #[must_use]
    pub fn len(&self) -> Option<u64> {
        match &self.values {
            Values::List(values) => Some(values.len() as u64),
            Values::Range(range) => range.len(),
        }
    }

    /// Never: an axis without values is refused.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        false
    }
}

/// An error about the values of a setting.
fn refused(name: &str, found: &str, expected: &str) -> Error {
    Error::Setting { what: "vary", found: format!("`{}` with {found}", shorten(name)), expected: expected.into() }
}

impl fmt::Display for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(values) => f.write_str(&values.join(";")),
            Self::Range(range) => range.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_lists_or_ranges() {
        let parse = |text, commas| Axis::parse("x", text, commas).unwrap().values;
        let list = |values: &[&str]| Values::List(values.iter().map(ToString::to_string).collect());
        assert_eq!(parse("0.1;0.01", false), list(&["0.1", "0.01"]));
        assert_eq!(parse("0.1,0.01", false), list(&["0.1", "0.01"]));
        assert_eq!(parse("32,32; 64,64", true), list(&["32,32", "64,64"]));
        for (text, lens) in [("1e-4..1e-1:log", None), ("0..0.5", None), ("16..256", Some(241)), ("1..8:log", Some(8))]
        {
            let axis = Axis::parse("x", text, true).unwrap();
            assert_eq!(axis.len(), lens, "{text}");
            // What is written is read again.
            assert_eq!(Axis::parse("x", &axis.values.to_string(), true).unwrap(), axis, "{text}");
        }
    }

    #[test]
    fn what_is_no_space_is_refused() {
        for (text, commas, words) in [
            ("", false, "empty"),
            ("0.1", false, "the single value `0.1`"),
            ("0.1;", false, "value 2 is empty"),
            ("0.1;0.1", false, "`0.1` twice"),
            ("0,0.2", true, "`;` between values"),
            ("3..3", false, "an empty range"),
            ("4..3", false, "an empty range"),
            ("0..1:log", false, "from 0 or less"),
            ("1..2:lin", false, "`:lin`"),
            ("a..2", false, "`a`"),
            ("1..", false, "the end ``"),
            ("1..inf", false, "`inf`"),
        ] {
            let error = Axis::parse("x", text, commas).unwrap_err().to_string();
            assert!(error.contains(words) && error.contains("`x`"), "{text}: {error}");
        }
    }
}
