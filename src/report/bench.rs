//! Measurements as tables and as a picture.

use std::fmt::Write;

use plotters::prelude::*;

use super::{Table, count, memory, rate, significant};
use crate::bench::{BenchReport, Crossing, DeviceReport, Measurement, Peak, Rate, Work};
use crate::error::{Error, Result};

/// Without the legend.
const SIZE: (u32, u32) = (720, 400);
/// Height of a line of the legend.
const LEGEND: u32 = 18;
/// A colour for each device; more devices take turns.
const COLOURS: [RGBColor; 4] =
    [RGBColor(202, 81, 22), RGBColor(38, 101, 176), RGBColor(42, 138, 78), RGBColor(120, 70, 160)];

/// What `mlp bench` prints.
pub fn bench_text(report: &BenchReport) -> String {
    let mut text = format!("{}, {} parameters\n", report.network, count(report.parameters as u64));
    for device in &report.devices {
        let DeviceReport { peaks, .. } = device;
        // A String takes every write.
        let _ = write!(
            text,
            "\n{}, {}\npeak {}\ncopy {}\n{}",
            device.device,
            device.backend,
            peak(&peaks.arithmetic, "GFLOP/s"),
            peak(&peaks.copy, "GB/s"),
            speeds(device)
        );
        for work in Work::ALL {
            text += &kernels(device, work).unwrap_or_default();
        }
    }
    if !report.crossings.is_empty() {
        text += "\n";
    }
    for crossing in &report.crossings {
        text += &verdict(crossing);
    }
    text
}

fn peak(peak: &Peak, unit: &str) -> String {
    let Peak { by, rate } = peak;
    let [most, median] = [rate.most, rate.median].map(|rate| significant(rate, 4));
    format!("{most} {unit} ({by}; best of {}, median {median})", rate.repetitions)
}

fn spread(rate: &Rate) -> String {
    let off = |value: f64| 100.0 * (value / rate.median - 1.0);
    format!("-{:.0} +{:.0} %", off(rate.least).abs(), off(rate.most).abs())
}

fn speeds(device: &DeviceReport) -> Table {
    let mut table = Table::new(&[
        "work",
        "batch",
        "plan",
        "steps/s",
        "spread",
        "samples/s",
        "GFLOP/s",
        "of peak",
        "GB/s",
        "of copy",
        "dispatches",
        "MB a step",
        "memory",
    ]);
    let percent = |share: f64| format!("{} %", significant(100.0 * share, if share < 0.1 { 3 } else { 2 }));
    for Measurement {
        work,
        batch,
        plan,
        steps_per_second,
        samples_per_second,
        gflops,
        gbps,
        dispatches,
        bytes,
        memory: held,
        peak_share,
        copy_share,
        ..
    } in &device.measurements
    {
        table.row(vec![
            work.to_string(),
            count(*batch as u64),
            plan.name().into(),
            rate(steps_per_second.median),
            spread(steps_per_second),
            rate(*samples_per_second),
            significant(*gflops, 4),
            percent(*peak_share),
            significant(*gbps, 4),
            percent(*copy_share),
            dispatches.to_string(),
            significant(*bytes as f64 / 1e6, 4),
            memory(*held),
        ]);
    }
    table
}

/// Microseconds of each kernel, a column for each batch size.
fn kernels(device: &DeviceReport, work: Work) -> Option<String> {
    let profiled: Vec<_> = device.of(work).filter_map(|found| Some((found.batch, found.kernels.as_ref()?))).collect();
    let (_, longest) = profiled.last()?;
    let columns: Vec<_> = profiled.iter().map(|(batch, _)| format!("batch {}", count(*batch as u64))).collect();
    let heading: Vec<_> = ["kernel", "dispatches"].into_iter().chain(columns.iter().map(String::as_str)).collect();
    let mut table = Table::new(&heading);
    for kernel in longest.iter() {
        let mut row = vec![kernel.kernel.clone(), kernel.dispatches.to_string()];
        row.extend(profiled.iter().map(|(_, kernels)| {
            let found = kernels.iter().find(|found| found.kernel == kernel.kernel);
            found.map_or("-".into(), |found| {
                format!("{} ({:.0} %)", significant(1e6 * found.seconds, 3), 100.0 * found.share)
            })
        }));
        table.row(row);
    }
    Some(format!("\n{work}: microseconds a step on the GPU, by kernel\n{table}"))
}

fn verdict(crossing: &Crossing) -> String {
    let Crossing { work, devices: [cpu, gpu], batches, ahead } = crossing;
    let at = |batch: &f64| count(batch.round() as u64);
    let behind = if ahead == cpu { gpu } else { cpu };
    let from = match batches.as_slice() {
        [] => "at every batch size".into(),
        [batch] => format!("from batch {} on, and slower below", at(batch)),
        [level @ .., last] => {
            let level: Vec<_> = level.iter().map(at).collect();
            format!("from batch {} on; below they are level at {}", at(last), level.join(", "))
        }
    };
    format!("{work}: {ahead} is faster than {behind} {from}\n")
}

/// Samples a second over the batch size, both logarithmic: a line for each device and kind of work, with the spread.
pub fn plot_throughput(report: &BenchReport) -> Result<String> {
    let mut svg = String::new();
    let failed =
        |error: Box<dyn std::error::Error>| Error::CheckFailed(format!("the picture could not be drawn: {error}"));
    draw(&mut svg, report).map_err(failed)?;
    Ok(svg)
}

fn draw(svg: &mut String, report: &BenchReport) -> Result<(), Box<dyn std::error::Error>> {
    let all = || report.devices.iter().flat_map(|device| &device.measurements);
    let batches = || all().map(|found| found.batch as f64);
    let scaled = |found: &Measurement, steps: f64| found.batch as f64 * steps;
    let least = all().map(|found| scaled(found, found.steps_per_second.least)).fold(f64::INFINITY, f64::min);
    let most = all().map(|found| scaled(found, found.steps_per_second.most)).fold(0.0, f64::max);
    let (from, to) = (batches().fold(f64::INFINITY, f64::min), batches().fold(0.0, f64::max));
    if !(least > 0.0 && from <= to) {
        return Err("nothing was measured".into());
    }
    let mut keys: Vec<f64> = batches().collect();
    keys.sort_by(f64::total_cmp);
    keys.dedup();
    let (least, most) = (least / 1.5, most * 1.5);
    let lines: Vec<_> = report
        .devices
        .iter()
        .zip(COLOURS.iter().cycle())
        .flat_map(|(device, colour)| [(device, colour, Work::Train, 3), (device, colour, Work::Infer, 1)])
        .collect();

    let root = SVGBackend::with_string(svg, (SIZE.0, SIZE.1 + LEGEND * lines.len() as u32)).into_drawing_area();
    root.fill(&WHITE)?;
    let (legend, area) = root.split_vertically(LEGEND * lines.len() as u32 + 8);
    for (index, (device, colour, work, width)) in (0..).zip(&lines) {
        let y = 16 + index * LEGEND as i32;
        legend.draw(&PathElement::new([(76, y), (100, y)], colour.stroke_width(*width)))?;
        let text = format!("{work}, {}", device.device);
        legend.draw(&Text::new(text, (108, y - 6), ("sans-serif", 13).into_font()))?;
    }
    let mut chart = ChartBuilder::on(&area)
        .margin(12)
        .margin_right(28)
        .x_label_area_size(40)
        .y_label_area_size(64)
        .build_cartesian_2d(
            (from / 1.3..to * 1.3).log_scale().with_key_points(keys),
            (least..most).log_scale().with_key_points(ticks(least, most)),
        )?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .label_style(("sans-serif", 13))
        .x_desc("rows of a step")
        .y_desc("samples/s")
        .x_label_formatter(&|batch| count(batch.round() as u64))
        .y_label_formatter(&|rate| short(*rate))
        .draw()?;
    for (device, colour, work, width) in lines {
        let points = device.of(work).map(|found| (found.batch as f64, found.samples_per_second));
        chart.draw_series(LineSeries::new(points, colour.stroke_width(width)).point_size(width + 1))?;
        let spreads = device.of(work).map(|found| {
            let Rate { least, most, .. } = found.steps_per_second;
            let end = |steps| (found.batch as f64, scaled(found, steps));
            PathElement::new([end(least), end(most)], colour.stroke_width(1))
        });
        chart.draw_series(spreads)?;
    }
    root.present()?;
    drop(chart);
    Ok(())
}

/// Round numbers between two, for an axis: powers of ten, and where these are few 2 and 5 times them.
fn ticks(least: f64, most: f64) -> Vec<f64> {
    let factors: &[f64] = if most / least < 1e3 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let powers = least.log10().floor() as i32..=most.log10().ceil() as i32;
    let all = powers.flat_map(|power| factors.iter().map(move |factor| factor * 10_f64.powi(power)));
    all.filter(|tick| (least..=most).contains(tick)).collect()
}

/// A round number with its thousands as a letter: 20k.
fn short(number: f64) -> String {
    let units = [(1e9, "G"), (1e6, "M"), (1e3, "k")];
    let (unit, letter) = units.into_iter().find(|&(unit, _)| number >= 0.999 * unit).unwrap_or((1.0, ""));
    format!("{}{letter}", (number / unit * 100.0).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_round_numbers() {
        let labels = |least, most| ticks(least, most).into_iter().map(short).collect::<Vec<_>>();
        assert_eq!(labels(15_000.0, 600_000.0), ["20k", "50k", "100k", "200k", "500k"]);
        assert_eq!(labels(0.5, 3e9), ["1", "10", "100", "1k", "10k", "100k", "1M", "10M", "100M", "1G"]);
    }
}
