//! Columns by their importance.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::canvas::{COLOURS, Drawn, FAINT, INK, MUTED, WIDTH, picture, short, span, text};
use super::{Bar, Findings, Picture};
use crate::error::{Result, shorten};
use crate::report::count;
use crate::report::digits::brief;

/// Most columns that are drawn.
const MOST: usize = 20;

pub fn draw(findings: &Findings, bars: &[Bar]) -> Result<Picture> {
    const LINE: i32 = 42;
    let shown = &bars[..bars.len().min(MOST)];
    let longest = shown.iter().map(|bar| bar.column.chars().count()).max().unwrap_or(0).min(22) as i32;
    let (left, right) = (44 + longest * 14, WIDTH as i32 - 140);
    let height = 64 + LINE * shown.len() as i32 + 24;
    let (change, unit) = match findings.residuals {
        None => ("Fall of the accuracy", String::new()),
        Some(_) => ("Rise of the RMSE", format!(", in the unit of `{}`,", shorten(&findings.target))),
    };
    let title = format!("Permutation importance: {}", change.to_lowercase().replace("rmse", "RMSE"));
    let svg = picture(height as u32, &title, &[], |area| {
        let ends = shown.iter().flat_map(|bar| [bar.mean - bar.deviation, bar.mean + bar.deviation]);
        let all = span(ends.chain([0.0]), 0.0)?;
        let x = |value: f64| left + ((value - all.start) / (all.end - all.start) * f64::from(right - left)) as i32;
        for (at, bar) in (0..).zip(shown) {
            let y = 20 + at * LINE;
            let name = short(&bar.column, longest as usize);
            area.draw(&Text::new(name, (left - 14, y), text(26, INK, HPos::Right)))?;
            let (from, to) = (x(bar.mean.min(0.0)), x(bar.mean.max(0.0)));
            area.draw(&Rectangle::new([(from, y - 13), (to, y + 13)], COLOURS[0].mix(0.75).filled()))?;
            let spread = [(x(bar.mean - bar.deviation), y), (x(bar.mean + bar.deviation), y)];
            area.draw(&PathElement::new(spread, INK.stroke_width(3)))?;
            let end = x((bar.mean + bar.deviation).max(0.0)) + 12;
            area.draw(&Text::new(brief(bar.mean, 4), (end, y), text(24, MUTED, HPos::Left)))?;
        }
        let bottom = LINE * shown.len() as i32 + 4;
        area.draw(&PathElement::new([(x(0.0), 0), (x(0.0), bottom)], FAINT.stroke_width(3)))?;
        Drawn::Ok(())
    })?;
    let few = if bars.len() > MOST {
        format!(" The {MOST} highest of {} columns.", count(bars.len() as u64))
    } else {
        String::new()
    };
    let caption = format!(
        "{change}{unit} when a column is shuffled among {} {} rows, with its standard deviation over the shuffles. Columns \
         with the same information share their importance.{few}",
        count(findings.importance_rows as u64),
        findings.part,
    );
    Ok(Picture { name: "importance", svg, caption })
}
