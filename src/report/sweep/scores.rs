//! The score of each trial against each setting.

use plotters::prelude::*;

use super::drawing::Drawing;
use super::scale::Scale;
use crate::error::{Result, shorten};
use crate::report::count;
use crate::report::run::canvas::{COLOURS, Drawn, MUTED, marked_axes, picture, span};
use crate::sweep::{Axis, End, Summary, TrialSummary, Values};

const BLUE: RGBColor = COLOURS[0];
const ORANGE: RGBColor = COLOURS[1];

/// A picture for a setting; none without a score.
pub fn draw(summary: &Summary, axis: &Axis) -> Result<Option<Drawing>> {
    let scored: Vec<&TrialSummary> = summary.trials.iter().filter(|trial| trial.mean.is_some()).collect();
    if scored.is_empty() {
        return Ok(None);
    }
    let name = &axis.name;
    let best = summary.best().map(|best| best.trial.number);
    let is_stopped = |trial: &TrialSummary| trial.end != Some(End::Finished);
    let any_stopped = scored.iter().any(|trial| is_stopped(trial));
    let mut legend = vec![("finished", BLUE), ("best", ORANGE)];
    legend.extend(any_stopped.then_some(("stopped", MUTED)));
    let metric = summary.metric.name();
    let svg = picture(660, &format!("{metric} against {name}"), &legend, |area| {
        let scale = Scale::new(axis)?;
        let ends = scored.iter().flat_map(|trial| {
            let (mean, error) = (trial.mean.unwrap_or(0.0), trial.standard_error.unwrap_or(0.0));
            [mean - error, mean + error]
        });
        let of_x = |place: f64| scale.mark(place);
        let ranges = [scale.range(), span(ends, 0.06)?];
        let mut chart = marked_axes(area, ranges, [name, metric], [Some(&of_x), None], scale.marks())?;
        // The best one lies on top.
        for trial in scored.iter().rev() {
            let value =
                trial.trial.settings.iter().find(|(of, _)| of == name).and_then(|(_, value)| scale.place(value));
            let (Some(x), Some(y)) = (value, trial.mean) else { continue };
            let x = x + scale.aside(trial.trial.number);
            let is_best = Some(trial.trial.number) == best;
            let colour = if is_best {
                ORANGE
            } else if is_stopped(trial) {
                MUTED
            } else {
                BLUE
            };
            let error = trial.standard_error.unwrap_or(0.0);
            let bar = PathElement::new([(x, y - error), (x, y + error)], colour.mix(0.6).stroke_width(3));
            chart.draw_series([bar])?;
            let dot = if is_best { colour.filled() } else { colour.mix(0.55).filled() };
            chart.draw_series([Circle::new((x, y), if is_best { 10 } else { 7 }, dot)])?;
        }
        Drawn::Ok(())
    })?;
    let beside = match &axis.values {
        Values::List(_) => " Points of one value lie side by side.",
        Values::Range(_) => "",
    };
    let better = if summary.metric.lower_is_better() { "lower" } else { "higher" };
    let caption = format!(
        "A point is a trial, with the standard error over its folds and seeds; {} with a score. A {better} {metric} is better. \
         Other settings differ from point to point.{beside}",
        match scored.len() as u64 {
            1 => "1 trial".into(),
            trials => format!("{} trials", count(trials)),
        }
    );
    Ok(Some(Drawing { name: format!("score-{}", shorten(name)), svg, caption }))
}
