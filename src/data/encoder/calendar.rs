//! Dates as inputs. In: seconds since the start of 1970, of the training rows. Out: which of days, month, weekday and hour vary,
//! with mean and scale of each.

use serde::{Deserialize, Serialize};

use crate::data::date;
use crate::data::encoder::left_out::Why;
use crate::data::statistics::{mean_and_scale, median, present};
use crate::data::table::Table;
use crate::error::Result;

/// Seconds of a day.
const DAY: f64 = 86_400.0;

/// What a network is told of a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DatePart {
    /// Whole days since 1970-01-01.
    Days,
    /// The month, from 1.
    Month,
    /// The day of the week, from 1 for Monday.
    Weekday,
    /// The hour, from 0.
    Hour,
}

impl DatePart {
    /// All of them, in the order of their inputs.
    pub const ALL: [Self; 4] = [Self::Days, Self::Month, Self::Weekday, Self::Hour];

    /// Its name, behind the column's: `when=days`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Days => "days",
            Self::Month => "month",
            Self::Weekday => "weekday",
            Self::Hour => "hour",
        }
    }

    /// This part of a date, of the seconds since the start of 1970.
    pub(in crate::data) fn of(self, seconds: f64) -> f64 {
        date::parts(seconds)[self as usize]
    }
}

/// An input of a date: the network sees `(part − mean) / scale`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DateInput {
    /// Which part of the date it is.
    pub part: DatePart,
    /// What is subtracted; 0 without standardisation.
    pub mean: f64,
    /// What the difference is divided by, above 0; 1 without standardisation.
    pub scale: f64,
}

/// The inputs of dates and what stands for a missing one, or why there are none.
type DatesFound = std::result::Result<(Vec<DateInput>, String), Why>;

/// What the dates of training rows tell; `all` are those of the whole column. Parts that are the same in all of them
/// are not inputs.
pub(in crate::data) fn fit(
    table: &Table,
    name: &str,
    all: &[f64],
    rows: &[usize],
    standardize: bool,
) -> Result<DatesFound> {
    let mut seconds: Vec<f64> = rows.iter().map(|&row| all[row]).collect();
    let there = present(&seconds);
    let days_only = there.iter().all(|seconds| seconds % DAY == 0.0);
    let Some(middle) = median(&mut there.clone()) else { return Ok(Err(Why::Constant { value: None })) };
    // Between two days there is a time that no date has.
    let fill = if days_only { (middle / DAY).floor() * DAY } else { middle.floor() };
    seconds.iter_mut().filter(|seconds| seconds.is_nan()).for_each(|seconds| *seconds = fill);
    let parts = |of: &[f64]| -> Vec<[f64; 4]> { of.iter().map(|&seconds| date::parts(seconds)).collect() };
    let (there, filled) = (parts(&there), parts(&seconds));
    let mut inputs = Vec::new();
    for (at, part) in DatePart::ALL.into_iter().enumerate() {
        if there.iter().all(|parts| parts[at] == there[0][at]) {
            continue;
        }
        let (mean, scale) = if standardize {
            mean_and_scale(table, name, rows, &filled.iter().map(|parts| parts[at]).collect::<Vec<_>>())?
        } else {
            (0.0, 1.0)
        };
        inputs.push(DateInput { part, mean, scale });
    }
    let fill = date::write(fill, !days_only);
    Ok(match inputs[..] {
        [] => Err(Why::Constant { value: Some(fill) }),
        _ => Ok((inputs, fill)),
    })
}

/// What is wrong with the inputs of dates that were read from a file.
pub(in crate::data) fn validate(name: &str, parts: &[DateInput], fill: &str) -> std::result::Result<(), String> {
    let in_order = parts.windows(2).all(|pair| (pair[0].part as usize) < pair[1].part as usize);
    if parts.is_empty() || !in_order {
        return Err(format!("the encoder's column `{name}` does not have days, month, weekday and hour in this order"));
    }
    match date::parse(fill) {
        Some(_) => Ok(()),
        None => Err(format!("the encoder's column `{name}` has `{fill}` for missing dates")),
    }
}
