//! What is predicted over two features.

use plotters::prelude::*;

use super::canvas::{Drawn, INK, axes, colour, picture};
use super::scatter::some_rows;
use super::{Cell, Findings, LEVELS, Picture, Surface};
use crate::error::{Result, shorten};

/// Most colours that a legend names.
const NAMED: usize = 16;

pub fn draw(findings: &Findings, surface: &Surface) -> Result<Picture> {
    let Surface { features, spans: [across, up], side, cells, points, legend } = surface;
    let classes = findings.residuals.is_none();
    let names: Vec<_> =
        legend.iter().take(NAMED).map(String::as_str).enumerate().map(|(at, name)| (name, colour(at))).collect();
    let names = if classes { &names[..] } else { &[] };
    let height = 700 + 38 * (names.len() as u32 / 4);
    let svg = picture(height, &format!("Prediction of {}", shorten(&findings.target)), names, |area| {
        let spans = [across, up].map(|[from, to]| super::canvas::span([*from, *to].into_iter(), 0.0));
        let [x, y] = spans;
        let (x, y) = (x?, y?);
        let (width, height) = ((x.end - x.start) / *side as f64, (y.end - y.start) / *side as f64);
        let (left, bottom) = (x.start, y.start);
        let mut chart = axes(area, [x, y], [&features[0], &features[1]], None)?;
        for (row, line) in cells.chunks(*side).enumerate() {
            let mut column = 0;
            // A run of equal cells is one rectangle.
            for run in line.chunk_by(|a, b| a == b) {
                let corner = |column: usize, row: usize| (left + column as f64 * width, bottom + row as f64 * height);
                let ends = [corner(column, row), corner(column + run.len(), row + 1)];
                column += run.len();
                let shade = 0.08 + 0.47 * strength(run[0]);
                chart.draw_series([Rectangle::new(ends, colour(run[0].0).mix(shade).filled())])?;
            }
        }
        for &([x, y], cell) in points {
            let fill = colour(cell.0).mix(if classes { 1.0 } else { 0.1 + 0.9 * strength(cell) });
            chart.draw_series([Circle::new((x, y), 6, fill.filled()), Circle::new((x, y), 6, INK.stroke_width(1))])?;
        }
        Drawn::Ok(())
    })?;
    let shades = match (classes, &legend[..]) {
        (false, [low, high]) => format!("The colours go from {low} to {high}."),
        _ => "A stronger colour is a higher probability.".into(),
    };
    let caption = format!("{shades} Points are the true values of {}.", some_rows(findings, points.len()));
    Ok(Picture { name: "surface", svg, caption })
}

/// From 0 to 1.
fn strength((_, level): Cell) -> f64 {
    f64::from(level.min(LEVELS)) / f64::from(LEVELS)
}
