//! The score of each trial at the rungs of halving.

use plotters::prelude::*;

use super::drawing::Drawing;
use crate::error::Result;
use crate::report::digits::brief;
use crate::report::run::canvas::{COLOURS, Drawn, MUTED, marked_axes, picture, span};
use crate::sweep::{End, Record, Summary, TrialSummary};

/// The picture; none where no trial has come to a rung.
pub fn draw(summary: &Summary, records: &[Record]) -> Result<Option<Drawing>> {
    let metric = summary.metric.name();
    let lines: Vec<(&TrialSummary, Vec<(f64, f64)>)> =
        summary.trials.iter().map(|trial| (trial, line(trial, records))).filter(|(_, line)| !line.is_empty()).collect();
    if records.iter().all(|record| record.rungs.is_empty()) || lines.is_empty() {
        return Ok(None);
    }
    let best = summary.best().map(|best| best.trial.number);
    let legend = [("best trial", COLOURS[1]), ("finished", COLOURS[0]), ("stopped", MUTED)];
    let svg = picture(660, &format!("{metric} at the rungs"), &legend, |area| {
        let points = || lines.iter().flat_map(|(_, line)| line);
        let ranges = [span(points().map(|point| point.0), 0.04)?, span(points().map(|point| point.1), 0.06)?];
        let of_x = |place: f64| brief(10_f64.powf(place), 2);
        let mut chart = marked_axes(area, ranges, ["epochs", metric], [Some(&of_x), None], 6)?;
        for (trial, line) in lines.iter().rev() {
            let (colour, width) = match trial.end {
                _ if Some(trial.trial.number) == best => (COLOURS[1].mix(1.0), 5),
                Some(End::Finished) => (COLOURS[0].mix(0.8), 4),
                _ => (MUTED.mix(0.4), 2),
            };
            chart.draw_series([PathElement::new(line.clone(), colour.stroke_width(width))])?;
            chart.draw_series(line.iter().map(|&point| Circle::new(point, width as i32 + 2, colour.filled())))?;
        }
        Drawn::Ok(())
    })?;
    let caption = format!(
        "A line is a trial: its {metric}, the mean over folds and seeds, at each rung that it came to, and at its end. The epochs are \
         on a logarithmic scale."
    );
    Ok(Some(Drawing { name: "rungs".into(), svg, caption }))
}

/// A trial's scores by the decimal logarithm of the epochs.
fn line(trial: &TrialSummary, records: &[Record]) -> Vec<(f64, f64)> {
    let own: Vec<&Record> = records.iter().filter(|record| record.trial == trial.trial.number).collect();
    let rungs = own.first().map_or(&[][..], |first| first.rungs.as_slice());
    let mean = |rung: u64| {
        let score =
            |record: &&Record| record.rungs.iter().find(|(epoch, _)| *epoch == rung).and_then(|(_, score)| *score);
        let scores = own.iter().map(score).collect::<Option<Vec<_>>>()?;
        Some(((rung.max(1) as f64).log10(), scores.iter().sum::<f64>() / scores.len() as f64))
    };
    let mut points: Vec<_> = rungs.iter().filter_map(|(rung, _)| mean(*rung)).collect();
    let end = trial.mean.map(|mean| (trial.epochs.max(1.0).log10(), mean));
    points.extend(end.filter(|end| points.last().is_none_or(|last| last.0 < end.0)));
    points
}
