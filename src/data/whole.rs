//! Whole numbers of formats that have types for them. In: these, or none where one is missing. Out: cells that tell all of
//! them apart.

use super::column::{Cells, Texts};
use super::parse::ReadAs;

/// Whether a number of f64 is this very number.
pub(super) fn is_exact(value: i128) -> bool {
    value as f64 as i128 == value
}

/// The cells of a column that is read so: numbers where f64 holds each of them, or numbers are asked for, else texts of
/// their digits. Beyond 2⁵³ f64 has not every whole number, so that numbers that differ would be the same.
pub(super) fn exact(values: impl Iterator<Item = Option<i128>> + Clone, how: ReadAs) -> Cells {
    if how == ReadAs::Number || values.clone().flatten().all(is_exact) {
        return Cells::Number(values.map(|value| value.map_or(f64::NAN, |value| value as f64)).collect());
    }
    Cells::Text(values.map(|value| value.map(|value| value.to_string())).collect::<Texts>())
}
