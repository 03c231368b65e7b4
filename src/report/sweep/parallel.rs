//! Parallel coordinates: an axis for each setting and one for the score, and a line for each trial.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::drawing::{Drawing, PAPER};
use super::scale::{Scale, evenly};
use crate::error::Result;
use crate::report::digits::brief;
use crate::report::run::canvas::{COLOURS, Drawn, INK, MUTED, WIDTH, picture, short, span, text};
use crate::sweep::{Axis, Summary, TrialSummary};

/// Marks of an axis of numbers.
const MARKS: usize = 5;
/// Most axes, the score's among them.
const MOST: usize = 7;
/// Most words of an axis that are written out.
const WORDS: usize = 14;

/// The picture; none for fewer than two trials with scores.
pub fn draw(summary: &Summary, axes: &[Axis]) -> Result<Option<Drawing>> {
    const TOP: i32 = 56;
    const HEIGHT: i32 = 480;
    let scored: Vec<&TrialSummary> = summary.trials.iter().filter(|trial| trial.mean.is_some()).collect();
    if scored.len() < 2 {
        return Ok(None);
    }
    let shown = &axes[..axes.len().min(MOST - 1)];
    let metric = summary.metric;
    let fifth = scored.len().div_ceil(5);
    let legend = [("best trial", COLOURS[1]), ("best fifth", COLOURS[0]), ("others", MUTED)];
    let svg = picture((TOP + HEIGHT + 124) as u32, "Settings and scores", &legend, |area| {
        let scales = shown.iter().map(Scale::new).collect::<Drawn<Vec<_>>>()?;
        // The best end is at the top.
        let sign = if metric.lower_is_better() { -1.0 } else { 1.0 };
        let scores = span(scored.iter().filter_map(|trial| trial.mean).map(|mean| sign * mean), 0.04)?;
        let (left, right) = (104, WIDTH as i32 - 150);
        let x = |at: usize| left + (right - left) * at as i32 / shown.len() as i32;
        let y = |range: &std::ops::Range<f64>, place: f64| {
            TOP + HEIGHT - ((place - range.start) / (range.end - range.start) * f64::from(HEIGHT)) as i32
        };
        for (rank, trial) in scored.iter().enumerate().rev() {
            let mut points = Vec::with_capacity(shown.len() + 1);
            for (at, (axis, scale)) in shown.iter().zip(&scales).enumerate() {
                let value = trial.trial.settings.iter().find(|(name, _)| *name == axis.name);
                let place = value.and_then(|(_, value)| scale.place(value)).ok_or("a trial lacks a setting")?;
                points.push((x(at), y(&scale.range(), place)));
            }
            points.push((x(shown.len()), y(&scores, sign * trial.mean.unwrap_or(0.0))));
            let style = match rank {
                0 => COLOURS[1].stroke_width(6),
                rank if rank < fifth => COLOURS[0].mix(0.75).stroke_width(4),
                _ => MUTED.mix(0.3).stroke_width(2),
            };
            area.draw(&PathElement::new(points, style))?;
        }
        for at in 0..=shown.len() {
            let line = [(x(at), TOP), (x(at), TOP + HEIGHT)];
            area.draw(&PathElement::new(line, INK.stroke_width(3)))?;
            let name = shown.get(at).map_or(metric.name(), |axis| axis.name.as_str());
            let side = if at == shown.len() { HPos::Left } else { HPos::Center };
            let place = (if at == shown.len() { x(at) - 24 } else { x(at) }, TOP - 30);
            area.draw(&Text::new(short(name, 16), place, text(26, INK, side)))?;
            let (range, places) = match scales.get(at) {
                Some(scale @ Scale::Words(_)) => (scale.range(), scale.ticks(WORDS)),
                Some(scale) => (scale.range(), scale.ticks(MARKS)),
                None => (scores.clone(), evenly(&scores, MARKS)),
            };
            for place in places {
                let name = scales.get(at).map_or_else(|| brief(sign * place, 3), |scale| scale.mark(place));
                let at_y = y(&range, place);
                area.draw(&PathElement::new([(x(at) - 6, at_y), (x(at) + 6, at_y)], INK.stroke_width(3)))?;
                // A ground under the mark, so that lines leave it legible.
                let (from, wide) = (x(at) + 12, 13 * name.chars().count() as i32 + 6);
                area.draw(&Rectangle::new([(from, at_y - 14), (from + wide, at_y + 14)], PAPER.mix(0.8).filled()))?;
                area.draw(&Text::new(name, (from + 3, at_y), text(22, MUTED, HPos::Left)))?;
            }
        }
        Drawn::Ok(())
    })?;
    let left_out =
        if axes.len() > shown.len() { format!(" The first {} settings.", shown.len()) } else { String::new() };
    let caption = format!(
        "A line is a trial: where it crosses an axis is its value of that setting, and at the right its {metric}, the best at the \
         top.{left_out}"
    );
    Ok(Some(Drawing { name: "parallel".into(), svg, caption }))
}
