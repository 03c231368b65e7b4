//! What training rows tell of a column: the feature that it makes, or why it makes none.

use crate::data::cell::of_number;
use crate::data::column::{Categorical, Cells, Column};
use crate::data::encoder::calendar;
use crate::data::encoder::category;
use crate::data::encoder::feature::{Feature, FeatureKind, Holds};
use crate::data::encoder::left_out::{LeftOut, Why};
use crate::data::encoder::piecewise::{self, NumericEncoding};
use crate::data::encoder::scaling::{FeatureScaling, InputScaling, Scaling};
use crate::data::encoder::target_mean::{RARE_PART, TargetMean, Targets};
use crate::data::statistics::{mean_and_scale, median, median_and_scale, present, robust, widest};
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
    /// `targets` are these rows', where categories are to have their means.
    pub(in crate::data) fn fit(
        table: &Table,
        column: &Column,
        rows: &[usize],
        targets: Option<&Targets>,
        scaling: Scaling,
    ) -> Result<Fitted> {
        let name = &column.name;
        let missing = rows.iter().filter(|&&row| column.cells.is_missing(row)).count();
        let (found, cells) = match &column.cells {
            Cells::Number(values) => {
                let values = rows.iter().map(|&row| values[row]).collect();
                (numbers(table, name, rows, values, missing, scaling)?, Holds::Numbers)
            }
            Cells::Text(texts) => {
                let found = category::fit(texts, rows, targets.is_some());
                let is_scaled = scaling.features == FeatureScaling::RobustAll;
                let found = if is_scaled { found.map(|kind| scaled(kind, texts, rows)) } else { found };
                let found = match (found, targets) {
                    (Ok(kind), Some(targets)) => with_means(table, name, kind, texts, (rows, targets), scaling)?,
                    (found, _) => found,
                };
                (found, Holds::Categorical)
            }
            Cells::Date(dates) => (
                calendar::fit(table, name, &dates.seconds, rows, scaling.features != FeatureScaling::None)?
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

/// The categories with the target's mean in each, if many rows have rare ones and it says something.
fn with_means(
    table: &Table,
    name: &str,
    mut kind: FeatureKind,
    texts: &Categorical,
    (rows, targets): (&[usize], &Targets),
    scaling: Scaling,
) -> Result<Found> {
    let FeatureKind::Category { categories, rare, other, target_means, .. } = &mut kind else { return Ok(Ok(kind)) };
    let (own, all) = (categories.len(), categories.len() + rare.as_ref().map_or(0, Vec::len));
    let numbers = category::numbers(categories, rare.as_deref(), *other, texts);
    let places: Vec<_> = rows.iter().map(|&row| texts.code(row).and_then(|code| numbers[code])).collect();
    let of_rare = places.iter().flatten().filter(|&&place| place >= own).count();
    let has_means = of_rare as f64 >= RARE_PART * rows.len() as f64;
    for class in has_means.then(|| targets.classes_for(all)).into_iter().flatten() {
        let Some(mean) = TargetMean::fit(&places, targets, class, all) else { continue };
        let (values, encoding) = match class {
            // What a rare class has hardly differs, so it is scaled as training rows have it; their folds are not known here.
            Some(_) => (mean.crossed(&places, targets, &[]), NumericEncoding::Scaled),
            None => (places.iter().map(|&place| mean.of(place)).collect(), scaling.numbers),
        };
        let number = self::numbers(table, name, rows, values, 0, Scaling { numbers: encoding, ..scaling })?;
        if let Ok(FeatureKind::Number { mean: middle, scale, clip, edges, .. }) = number {
            target_means.push(TargetMean { mean: middle, scale, clip, edges, ..mean });
        }
    }
    let says_nothing = own == 0 && target_means.is_empty();
    Ok(if says_nothing { Err(Why::Rare { categories: all }) } else { Ok(kind) })
}

/// Categories whose inputs are scaled as numbers of training rows are.
fn scaled(kind: FeatureKind, texts: &Categorical, rows: &[usize]) -> FeatureKind {
    let ones = category::counts(&kind, texts, rows);
    match kind {
        FeatureKind::Category { categories, other, fill, rare, target_means, .. } => {
            let scaling = ones.into_iter().map(|ones| {
                let sorted = |at: usize| if at < rows.len() - ones { 0.0 } else { 1.0 };
                let (mean, scale) = robust(rows.len(), sorted);
                InputScaling { mean, scale, clip: CLIP }
            });
            FeatureKind::Category { categories, other, fill, rare, scaling: scaling.collect(), target_means }
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
    scaling: Scaling,
) -> Result<Found> {
    let Some(first) = values.iter().copied().find(|value| !value.is_nan()) else {
        return Ok(Err(Why::Constant { value: None }));
    };
    if values.iter().all(|&value| value == first || value.is_nan()) {
        return Ok(Err(Why::Constant { value: Some(of_number(first)) }));
    }
    let edges = edges(table, name, rows, &values, scaling.numbers)?;
    // A second copy only where cells are missing: of large columns it is a tenth of the time and of the memory.
    let given = if missing == 0 { None } else { Some(median(&mut present(&values)).unwrap_or(0.0)) };
    // Missing cells count as if they held the median: that is what the network sees.
    if let Some(fill) = given {
        values.iter_mut().filter(|value| value.is_nan()).for_each(|value| *value = fill);
    }
    let (mean, scale) = match scaling.features {
        FeatureScaling::None => (0.0, 1.0),
        FeatureScaling::Standard => mean_and_scale(table, name, rows, &values)?,
        FeatureScaling::Robust | FeatureScaling::RobustAll => median_and_scale(table, name, rows, &values)?,
    };
    let clip = matches!(scaling.features, FeatureScaling::Robust | FeatureScaling::RobustAll).then_some(CLIP);
    let fill = given.or_else(|| median(&mut values)); // whose order is of no more use
    Ok(Ok(FeatureKind::Number { mean, scale, fill: Some(fill.unwrap_or(0.0)), clip, edges }))
}

/// The edges of the bins of numbers, of which some may be missing; none where no bins are wanted.
fn edges(table: &Table, name: &str, rows: &[usize], values: &[f64], numbers: NumericEncoding) -> Result<Vec<f64>> {
    let NumericEncoding::Piecewise { bins } = numbers else { return Ok(Vec::new()) };
    let mut sorted = present(values);
    sorted.sort_unstable_by(f64::total_cmp);
    let edges = piecewise::edges(&sorted, bins);
    if piecewise::are_ascending(&edges) {
        return Ok(edges);
    }
    let widest = widest(values);
    Err(table.not_finite(name, rows[widest], format_args!("{:e}, less another one,", values[widest])))
}
