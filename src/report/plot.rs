//! Pictures, as SVG.

use std::fmt::Display;

use plotters::prelude::*;

use super::digits::marks;
use crate::error::{Error, Result};
use crate::train::LrCurve;

const SIZE: (u32, u32) = (640, 400);
const RAW: RGBColor = RGBColor(170, 190, 215);
const LINE: RGBColor = RGBColor(38, 101, 176);
const MARK: RGBColor = RGBColor(202, 81, 22);

/// Loss over learning rate, with a line at the suggestion. Points above three times the first loss are left out: they
/// would flatten the rest.
pub fn plot_lr_curve(curve: &LrCurve) -> Result<String> {
    let mut svg = String::new();
    draw(&mut svg, curve).map_err(|error| failed(&error))?;
    Ok(svg)
}

fn failed(error: &dyn Display) -> Error {
    Error::CheckFailed(format!("the picture could not be drawn: {error}"))
}

fn draw(svg: &mut String, curve: &LrCurve) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let highest = 3.0 * curve.points.first().map_or(1.0, |point| point.loss);
    let seen = || curve.points.iter().filter(|point| point.loss <= highest && point.smoothed <= highest);
    let losses = || seen().flat_map(|point| [point.loss, point.smoothed]);
    let (least, most) = (losses().fold(f64::INFINITY, f64::min), losses().fold(f64::NEG_INFINITY, f64::max));
    let margin = 0.05 * (most - least).max(1e-6 * most.abs()).max(f64::MIN_POSITIVE);
    let of_loss = marks(&(least - margin..most + margin));
    let rates = seen().map(|point| point.rate);
    let (from, to) = (rates.clone().fold(f64::INFINITY, f64::min), rates.fold(0.0, f64::max));
    if from >= to {
        return Err("fewer than two steps before the loss blew up".into());
    }
    let mut chart = ChartBuilder::on(&root)
        .margin(12)
        .margin_right(24)
        .caption("loss over the learning rate of a step", ("sans-serif", 17))
        .x_label_area_size(40)
        .y_label_area_size(56)
        .build_cartesian_2d((from..to).log_scale(), least - margin..most + margin)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .label_style(("sans-serif", 13))
        .x_desc("learning rate")
        .x_label_formatter(&|rate| format!("{rate:.0e}"))
        .y_label_formatter(&|loss| of_loss(*loss))
        .draw()?;
    chart.draw_series(LineSeries::new(seen().map(|point| (point.rate, point.loss)), RAW.stroke_width(1)))?;
    chart.draw_series(LineSeries::new(seen().map(|point| (point.rate, point.smoothed)), LINE.stroke_width(2)))?;
    if let Some(rate) = curve.suggestion {
        chart.draw_series(LineSeries::new([(rate, least - margin), (rate, most + margin)], MARK.stroke_width(2)))?;
        let style = ("sans-serif", 14).into_font().color(&MARK);
        chart.draw_series([Text::new(format!(" {rate:.1e}"), (rate, most), style)])?;
    }
    root.present()?;
    drop(chart);
    Ok(())
}
