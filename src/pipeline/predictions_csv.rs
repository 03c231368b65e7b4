//! Predictions as CSV: `prediction`, for classes `p_<class>` for each, and for numbers `lower` and `upper` where an interval is asked for.

use std::io::Write;

use serde::Serialize;

use super::predict::Prediction;
use crate::data::Encoder;
use crate::model::Model;

/// The predictions of a table whole, with cells of one's own in front.
pub(crate) fn write_csv<T: Serialize>(
    mut out: impl Write,
    model: &Model,
    encoder: &Encoder,
    outputs: &[f32],
    interval: Option<u8>,
    front: &[&str],
    cells: impl Fn(usize) -> T,
) -> csv::Result<()> {
    write_heading(&mut out, encoder, front, interval, false)?;
    write_rows(out, model, encoder, outputs, interval, None, cells)
}

/// `prediction`, for classes `p_<class>` for each, and for an interval its ends; in front of them stand cells that `front` names, and behind
/// them `std` if the spread is told.
pub(crate) fn write_heading(
    out: impl Write,
    encoder: &Encoder,
    front: &[&str],
    interval: Option<u8>,
    spread: bool,
) -> csv::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    let names = encoder.classes().unwrap_or_default().iter().map(|class| format!("p_{class}"));
    let ends = interval.into_iter().flat_map(|_| ["lower", "upper"]);
    let names = names.chain(ends.chain(spread.then_some("std")).map(String::from));
    csv.write_record(front.iter().chain(&["prediction"]).map(ToString::to_string).chain(names))?;
    Ok(csv.flush()?)
}

/// A line for each row, in the table's order. In front of the predictions stands what `cells` gives for a row, and behind them the ends of the
/// interval of this coverage [%], which the model has, and its spread.
pub(crate) fn write_rows<T: Serialize>(
    out: impl Write,
    model: &Model,
    encoder: &Encoder,
    outputs: &[f32],
    interval: Option<u8>,
    spread: Option<&[f64]>,
    cells: impl Fn(usize) -> T,
) -> csv::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    // A list is as many cells as it has elements.
    let spread = |row: usize| spread.map_or(&[][..], |spread| &spread[row..=row]);
    for (row, z) in outputs.chunks(encoder.outputs()).enumerate() {
        match Prediction::of_outputs(model, encoder, z) {
            Prediction::Class { label, probabilities } => {
                csv.serialize((cells(row), label, probabilities, spread(row)))?;
            }
            Prediction::Number(number) => {
                let ends = interval.map(|percent| model.interval(number, percent)).transpose();
                let ends = ends.map_err(std::io::Error::other)?.map_or(Vec::new(), Vec::from);
                csv.serialize((cells(row), number, ends, spread(row)))?;
            }
        }
    }
    Ok(csv.flush()?)
}
