//! Learning curves.

use plotters::prelude::*;

use super::Picture;
use super::canvas::{Drawn, axes, colour, picture, span};
use crate::error::Result;
use crate::report::count;
use crate::report::digits::brief;
use crate::train::Epoch;

/// Points of a curve.
const POINTS: usize = 400;
/// Ratio of the greatest to the least loss from which on the axis is logarithmic.
const WIDE: f64 = 20.0;

struct Curve {
    name: &'static str,
    points: Vec<(f64, f64)>,
}

/// The loss over the epochs; none without an epoch.
pub fn losses(epochs: &[Epoch]) -> Result<Option<Picture>> {
    let curves = curves(epochs, |epoch| Some(epoch.loss), |score| Some(score.loss));
    let all = || curves.iter().flat_map(|curve| &curve.points).map(|point| point.1);
    let (least, most) = (all().fold(f64::INFINITY, f64::min), all().fold(0.0, f64::max));
    let logarithmic = least > 0.0 && most / least > WIDE;
    draw("loss", epochs, &curves, logarithmic)
}

/// The accuracy over the epochs; none for a regression.
pub fn accuracies(epochs: &[Epoch]) -> Result<Option<Picture>> {
    let curves = curves(epochs, |epoch| epoch.accuracy, |score| score.accuracy);
    draw("accuracy", epochs, &curves, false)
}

fn curves(
    epochs: &[Epoch],
    training: fn(&Epoch) -> Option<f64>,
    validation: fn(&crate::train::ValidationScore) -> Option<f64>,
) -> Vec<Curve> {
    let points = |of: &dyn Fn(&Epoch) -> Option<f64>| {
        thinned(&epochs.iter().filter_map(|epoch| Some((epoch.epoch as f64, of(epoch)?))).collect::<Vec<_>>())
    };
    let curves = [
        Curve { name: "training", points: points(&training) },
        Curve { name: "validation", points: points(&|epoch| validation(epoch.validation.as_ref()?)) },
    ];
    curves.into_iter().filter(|curve| !curve.points.is_empty()).collect()
}

/// Of many points the lowest and the highest of each run of them, so that a peak is still seen, and the last.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if points.len() <= POINTS {
        return points.to_vec();
    }
    let mut kept = Vec::with_capacity(POINTS + 2);
    for run in points.chunks(points.len().div_ceil(POINTS / 2)) {
        let by_height = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
        let mut ends: Vec<_> = run.iter().min_by(by_height).into_iter().chain(run.iter().max_by(by_height)).collect();
        ends.sort_by(|a, b| a.0.total_cmp(&b.0));
        ends.dedup();
        kept.extend(ends);
    }
    kept.extend(points.last());
    kept.dedup();
    kept
}

fn draw(name: &'static str, epochs: &[Epoch], curves: &[Curve], logarithmic: bool) -> Result<Option<Picture>> {
    if curves.is_empty() {
        return Ok(None);
    }
    let legend: Vec<_> = curves.iter().enumerate().map(|(at, curve)| (curve.name, colour(at))).collect();
    let height = |value: f64| if logarithmic { value.log10() } else { value };
    let title = format!("{}{} over the epochs", name[..1].to_uppercase(), &name[1..]);
    let label = if logarithmic { format!("{name}, logarithmic") } else { name.into() };
    let svg = picture(620, &title, &legend, |area| {
        let all = || curves.iter().flat_map(|curve| &curve.points);
        let spans = [span(all().map(|point| point.0), 0.0)?, span(all().map(|point| height(point.1)), 0.06)?];
        let power = |value: f64| brief(10_f64.powf(value), 2);
        let marks: Option<&dyn Fn(f64) -> String> = if logarithmic { Some(&power) } else { None };
        let mut chart = axes(area, spans, ["epoch", &label], marks)?;
        for (at, curve) in curves.iter().enumerate() {
            let dots = if curve.points.len() <= 30 { 6 } else { 0 };
            let points = curve.points.iter().map(|&(x, y)| (x, height(y)));
            chart.draw_series(LineSeries::new(points, colour(at).stroke_width(4)).point_size(dots))?;
        }
        Drawn::Ok(())
    })?;
    let mut caption = "Training: the mean over an epoch's steps, each before its update.".to_string();
    if curves.len() > 1 {
        caption += " Validation: at the epoch's end.";
    }
    if epochs.len() > POINTS {
        let run = count(epochs.len().div_ceil(POINTS / 2) as u64);
        caption += &format!(" Of every {run} epochs the lowest and the highest are drawn.");
    }
    Ok(Some(Picture { name, svg, caption }))
}
