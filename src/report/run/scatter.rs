//! Two classes: the ROC curve and calibration. Numbers: predictions and their errors.

use plotters::prelude::*;

use super::canvas::{COLOURS, Drawn, INK, MUTED, axes, picture, short, span};
use super::{Findings, Picture};
use crate::error::{Result, shorten};
use crate::metrics::CalibrationBin;
use crate::report::{count, score};

const BLUE: RGBColor = COLOURS[0];
const ORANGE: RGBColor = COLOURS[1];
/// Just outside of 0 to 1, so that what lies at the ends is whole.
const SHARES: std::ops::Range<f64> = -0.02..1.02;

/// True positive rate against false positive rate.
pub fn roc(findings: &Findings, curve: &[[f64; 2]]) -> Result<Picture> {
    let area = findings.roc_auc.map_or_else(String::new, |area| format!(", area {}", score(area)));
    let svg = picture(720, &format!("ROC curve{area}"), &[], |area| {
        let names = ["false positive rate", "true positive rate"];
        let mut chart = axes(area, [SHARES, SHARES], names, None)?;
        chart.draw_series(LineSeries::new([(0.0, 0.0), (1.0, 1.0)], MUTED.stroke_width(2)))?;
        chart.draw_series(LineSeries::new(curve.iter().map(|&[x, y]| (x, y)), BLUE.stroke_width(4)))?;
        Drawn::Ok(())
    })?;
    let caption = format!(
        "True positive rate of `{}` against the false positive rate as the threshold falls; {}. The diagonal is random guessing.",
        shorten(positive(findings)),
        rows(findings)
    );
    Ok(Picture { name: "roc", svg, caption })
}

/// Whether what is predicted to be so likely is so frequent.
pub fn calibration(findings: &Findings, bins: &[CalibrationBin]) -> Result<Picture> {
    let most = bins.iter().map(|bin| bin.rows).max().unwrap_or(1).max(1) as f64;
    let svg = picture(720, "Calibration", &[], |area| {
        let positive = short(positive(findings), 14);
        let names = [format!("predicted probability of {positive}"), format!("frequency of {positive}")];
        let mut chart = axes(area, [SHARES, SHARES], [&names[0], &names[1]], None)?;
        chart.draw_series(LineSeries::new([(0.0, 0.0), (1.0, 1.0)], MUTED.stroke_width(2)))?;
        chart
            .draw_series(LineSeries::new(bins.iter().map(|bin| (bin.predicted, bin.observed)), BLUE.stroke_width(3)))?;
        chart.draw_series(bins.iter().map(|bin| {
            let radius = 5.0 + 15.0 * (bin.rows as f64 / most).sqrt();
            Circle::new((bin.predicted, bin.observed), radius as i32, BLUE.filled())
        }))?;
        Drawn::Ok(())
    })?;
    let caption = format!(
        "A point is a tenth of the probability range, and its size shows its rows; {}. On the diagonal the predicted \
         probability is the observed frequency.",
        rows(findings)
    );
    Ok(Picture { name: "calibration", svg, caption })
}

/// Predictions over the truth.
pub fn predictions(findings: &Findings, points: &[[f64; 2]]) -> Result<Picture> {
    let svg = picture(720, "Prediction and truth", &[], |area| {
        let all = span(points.iter().flatten().copied(), 0.04)?;
        let (start, end) = (all.start, all.end);
        let names = [format!("true {}", findings.target), format!("predicted {}", findings.target)];
        let mut chart = axes(area, [all.clone(), all], [&names[0], &names[1]], None)?;
        let dots = points.iter().map(|&[truth, found]| Circle::new((truth, found), 5, BLUE.mix(0.5).filled()));
        chart.draw_series(dots)?;
        chart.draw_series(LineSeries::new([(start, start), (end, end)], ORANGE.stroke_width(3)))?;
        Drawn::Ok(())
    })?;
    let caption = format!("On the line the prediction is the true value; {}.", some_rows(findings, points.len()));
    Ok(Picture { name: "predictions", svg, caption })
}

/// Errors over predictions.
pub fn residuals(findings: &Findings, points: &[[f64; 2]]) -> Result<Picture> {
    let residual = |[truth, found]: [f64; 2]| (found, found - truth);
    let svg = picture(720, "Residuals", &[], |area| {
        let x = span(points.iter().map(|point| point[1]), 0.04)?;
        let y = span(points.iter().map(|&point| residual(point).1).chain([0.0]), 0.06)?;
        let (start, end) = (x.start, x.end);
        let name = format!("predicted {}", findings.target);
        let mut chart = axes(area, [x, y], [&name, "predicted − true"], None)?;
        let dots = points.iter().map(|&point| Circle::new(residual(point), 5, BLUE.mix(0.5).filled()));
        chart.draw_series(dots)?;
        chart.draw_series(LineSeries::new([(start, 0.0), (end, 0.0)], INK.stroke_width(3)))?;
        Drawn::Ok(())
    })?;
    let caption = format!(
        "Errors of the predictions; {}. A slope, a bend or a funnel is a pattern that the model has not learned.",
        some_rows(findings, points.len())
    );
    Ok(Picture { name: "residuals", svg, caption })
}

fn positive(findings: &Findings) -> &str {
    findings.positive.as_deref().unwrap_or("yes")
}

/// "100 test rows"
pub fn rows(findings: &Findings) -> String {
    format!("{} {} rows", count(findings.rows as u64), findings.part)
}

/// "1,000 of 5,000 test rows, evenly spaced"
pub fn some_rows(findings: &Findings, shown: usize) -> String {
    if shown >= findings.rows {
        rows(findings)
    } else {
        format!("{} of {}, evenly spaced", count(shown as u64), rows(findings))
    }
}
