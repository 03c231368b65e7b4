//! The confusion matrix.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::canvas::{COLOURS, Drawn, INK, WIDTH, picture, short, text};
use super::scatter::rows;
use super::{Confusion, Findings, Picture};
use crate::error::Result;
use crate::report::count;

/// Most classes that are drawn; more could not be told apart.
const MOST: usize = 40;
/// Most classes whose cells have room for numbers.
const NUMBERED: usize = 12;

/// None where the classes are too many.
pub fn draw(findings: &Findings, confusion: &Confusion) -> Result<Option<Picture>> {
    let Confusion { classes, rows: counts } = confusion;
    if classes.is_empty() || classes.len() > MOST {
        return Ok(None);
    }
    let n = classes.len() as i32;
    let longest = classes.iter().map(|label| label.chars().count()).max().unwrap_or(0).min(14) as i32;
    let font = if n <= NUMBERED as i32 { 26 } else { 20 };
    // At least as wide as the words above the labels.
    let left = 60 + longest.max(3) * (font * 5 / 9);
    let wide = (WIDTH as i32 - left - 24) / n;
    let high = (600 / n).clamp(18, 110);
    // Labels below stand upright where they do not fit side by side.
    let upright = longest * (font * 5 / 9) + 8 > wide;
    let below = if upright { 20 + longest * (font * 5 / 9) } else { 44 };
    let height = 64 + 72 + n * high + below + 16;
    let legend = [("right", COLOURS[0]), ("wrong", COLOURS[1])];
    let svg = picture(height as u32, "Confusion matrix", &legend, |area| {
        area.draw(&Text::new("true ↓", (left - 12, 12), text(font, INK, HPos::Right)))?;
        for (row, (label, counts)) in (0..).zip(classes.iter().zip(counts)) {
            let y = 36 + row * high;
            let label = short(label, longest as usize);
            area.draw(&Text::new(label.clone(), (left - 12, y + high / 2), text(font, INK, HPos::Right)))?;
            let all = counts.iter().fold(0_u64, |all, &rows| all.saturating_add(rows)).max(1);
            for (column, &rows) in (0..).zip(counts) {
                let x = left + column * wide;
                let share = rows as f64 / all as f64;
                let shade = if rows == 0 { 0.05 } else { 0.15 + 0.55 * share };
                let colour = COLOURS[usize::from(row != column && rows > 0)].mix(shade).filled();
                area.draw(&Rectangle::new([(x, y), (x + wide - 2, y + high - 2)], colour))?;
                if rows > 0 && classes.len() <= NUMBERED {
                    let style = text(font, INK, HPos::Center);
                    area.draw(&Text::new(count(rows), (x + wide / 2, y + high / 2), style))?;
                }
            }
            let (x, y) = (left + row * wide + wide / 2, 36 + n * high + 8);
            let style = if upright {
                let font = ("sans-serif", font).into_font().transform(FontTransform::Rotate270);
                font.color(&INK).pos(Pos::new(HPos::Right, VPos::Center))
            } else {
                text(font, INK, HPos::Center)
            };
            area.draw(&Text::new(label, (x, if upright { y } else { y + 12 }), style))?;
        }
        Drawn::Ok(())
    })?;
    let caption = format!(
        "Rows are the true classes, columns the predicted ones; {}. The shade is the fraction of the true class.",
        rows(findings)
    );
    Ok(Some(Picture { name: "confusion", svg, caption }))
}
