//! Whole numbers of formats that have types for them. In: these, or none where one is missing. Out: cells, and what tells all of
//! them apart.

use crate::data::column::{Categorical, Cells};

/// Cells, and the digits of whole numbers of which f64 loses some.
pub(in crate::data) type Exact = (Cells, Option<Categorical>);

/// Whether a number of f64 is this very number.
pub(in crate::data) fn is_exact(value: i128) -> bool {
    value as f64 as i128 == value
}

/// The cells of whole numbers. Beyond 2⁵³ f64 has not every one, so that numbers that differ would be the same: then their digits stand
/// beside them.
pub(in crate::data) fn exact(values: impl Iterator<Item = Option<i128>> + Clone) -> Exact {
    let digits = || values.clone().map(|value| value.map(|value| value.to_string())).collect();
    let digits = (!values.clone().flatten().all(is_exact)).then(digits);
    (Cells::Number(values.map(|value| value.map_or(f64::NAN, |value| value as f64)).collect()), digits)
}
