//! What training rows tell of a column: the feature that it makes, or why it makes none.

use crate::data::cell::of_number;
use crate::data::column::{Categorical, Cells, Column};
use crate::data::encoder::calendar;
use crate::data::encoder::category;
use crate::data::encoder::feature::{Feature, FeatureKind, Holds};
use crate::data::encoder::left_out::{LeftOut, Why};
use crate::data::encoder::scaling::{FeatureScaling, InputScaling};
use crate::data::statistics::{mean_and_scale, median, median_and_scale, present, robust};
use crate::data::table::Table;
use crate::error::Result;

/// What no number reaches that is scaled robustly: RealMLP's.
const CLIP: f64 = 3.0;

/// A kind of feature, or why the column makes none.
type Found = std::result::Result<FeatureKind, Why>;

/// What becomes of a column: a feature, one that is left out, or both where its presence alone is kept.
pub(in crate::data) struct Fitted {
    pub feature: Option<Feature>,
    pub left_out: Option<LeftOut>,
}

impl Feature {
    /// What training rows tell of a column.
    pub(in crate::data) fn fit(
        table: &Table,
        column: &Column,
        rows: &[usize],
        scaling: FeatureScaling,
    ) -> Result<Fitted> {
        let name = &column.name;
        let missing = rows.iter().filter(|&&row| column.cells.is_missing(row)).count();
        let (found, cells) = match &column.cells {
            Cells::Number(values) => {
                let values = rows.iter().map(|&row| values[row]).collect();
                (numbers(table, name, rows, values, missing, scaling)?, Holds::Numbers)
            }
            Cells::Text(texts) => {
                let found = category::fit(texts, rows);
                let is_scaled = scaling == FeatureScaling::RobustAll;
                (if is_scaled { found.map(|kind| scaled(kind, texts, rows)) } else { found }, Holds::Categorical)
            }
            Cells::Date(dates) => (
                calendar::fit(table, name, &dates.seconds, rows, scaling != FeatureScaling::None)?
                    .map(|(parts, fill)| FeatureKind::Date { parts, fill }),
                Holds::Dates,
            ),
        };
        let indicator = (1..rows.len()).contains(&missing);
        let feature = |kind| Self { name: name.clone(), kind, indicator };
        Ok(match found {
            Ok(kind) => Fitted { feature: Some(feature(kind)), left_out: None },
            Err(why) => Fitted {
                feature: indicator.then(|| feature(FeatureKind::Presence { cells })),
                left_out: Some(LeftOut { name: name.clone(), why }),
            },
        })
    }
}

/// Categories whose inputs are scaled as numbers of training rows are.
fn scaled(kind: FeatureKind, texts: &Categorical, rows: &[usize]) -> FeatureKind {
    let ones = category::counts(&kind, texts, rows);
    match kind {
        FeatureKind::Category { categories, other, fill, rare, .. } => {
            let scaling = ones.into_iter().map(|ones| {
                let sorted = |at: usize| if at < rows.len() - ones { 0.0 } else { 1.0 };
                let (mean, scale) = robust(rows.len(), sorted);
                InputScaling { mean, scale, clip: CLIP }
            });
            FeatureKind::Category { categories, other, fill, rare, scaling: scaling.collect() }
        }
        other => other,
    }
}

/// What numbers of training rows tell, of which some may be missing.
fn numbers(
    table: &Table,
    name: &str,
    rows: &[usize],
    mut values: Vec<f64>,
    missing: usize,
    scaling: FeatureScaling,
) -> Result<Found> {
    let Some(first) = values.iter().copied().find(|value| !value.is_nan()) else {
        return Ok(Err(Why::Constant { value: None }));
    };
    if values.iter().all(|&value| value == first || value.is_nan()) {
        return Ok(Err(Why::Constant { value: Some(of_number(first)) }));
    }
    // A second copy only where cells are missing: of large columns it is a tenth of the time and of the memory.
    let given = if missing == 0 { None } else { Some(median(&mut present(&values)).unwrap_or(0.0)) };
    // Missing cells count as if they held the median: that is what the network sees.
    if let Some(fill) = given {
        values.iter_mut().filter(|value| value.is_nan()).for_each(|value| *value = fill);
    }
    let (mean, scale) = match scaling {
        FeatureScaling::None => (0.0, 1.0),
        FeatureScaling::Standard => mean_and_scale(table, name, rows, &values)?,
        FeatureScaling::Robust | FeatureScaling::RobustAll => median_and_scale(table, name, rows, &values)?,
    };
    let clip = matches!(scaling, FeatureScaling::Robust | FeatureScaling::RobustAll).then_some(CLIP);
    let fill = given.or_else(|| median(&mut values)); // whose order is of no more use
    Ok(Ok(FeatureKind::Number { mean, scale, fill: Some(fill.unwrap_or(0.0)), clip }))
}
