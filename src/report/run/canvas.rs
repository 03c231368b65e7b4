//! What all pictures of a run share: colours for light and dark, the frame, axes, numbers.
//!
//! A picture is drawn in the light colours; a style in the file gives each its dark counterpart where the reader
//! prefers dark. A viewer that knows no styles shows the light ones.

use std::ops::Range;

use plotters::chart::ChartContext;
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use quick_xml::escape::escape;

use crate::error::{Error, Result, shorten};
use crate::report::digits::marks;

pub type Drawn<T = ()> = Result<T, Box<dyn std::error::Error>>;
pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// Points of a picture that is shown at half its size.
pub const WIDTH: u32 = 880;
pub const FONT: i32 = 28;

const PAPER: RGBColor = RGBColor(255, 255, 254);
pub const INK: RGBColor = RGBColor(31, 35, 40);
pub const FAINT: RGBColor = RGBColor(216, 222, 228);
pub const MUTED: RGBColor = RGBColor(101, 109, 118);
/// Colours of lines and classes, in their order; more take turns.
pub const COLOURS: [RGBColor; 8] = [
    RGBColor(38, 101, 176),
    RGBColor(202, 81, 22),
    RGBColor(42, 138, 78),
    RGBColor(120, 70, 160),
    RGBColor(20, 124, 131),
    RGBColor(191, 57, 137),
    RGBColor(140, 102, 10),
    RGBColor(87, 96, 106),
];
/// The dark counterparts of paper, ink, faint, muted and the colours.
const DARK: [&str; 12] = [
    "#161b22", "#e6edf3", "#30363d", "#9198a1", "#6cb6ff", "#f69d50", "#57ab5a", "#b083f0", "#39c5cf", "#f778ba",
    "#d4a72c", "#adbac7",
];

/// A colour by its number.
pub fn colour(number: usize) -> RGBColor {
    COLOURS[number % COLOURS.len()]
}

/// Draws a picture under its title and a legend of names with their colours.
pub fn picture(
    height: u32,
    title: &str,
    legend: &[(&str, RGBColor)],
    body: impl FnOnce(&Area<'_>) -> Drawn,
) -> Result<String> {
    let mut svg = String::new();
    let size = (WIDTH, height);
    let title = &shorten(title);
    let failed = |error| Error::CheckFailed(format!("the picture `{title}` could not be drawn: {error}"));
    frame(&mut svg, size, title, legend, body).map_err(failed)?;
    Ok(themed(&svg, size, title))
}

fn frame(
    svg: &mut String,
    size: (u32, u32),
    title: &str,
    legend: &[(&str, RGBColor)],
    body: impl FnOnce(&Area<'_>) -> Drawn,
) -> Drawn {
    const LINE: i32 = 38;
    let root = SVGBackend::with_string(svg, size).into_drawing_area();
    root.fill(&PAPER)?;
    root.draw(&Text::new(short(title, 52), (24, 40), text(FONT + 4, INK, HPos::Left)))?;
    let (mut x, mut y) = (24, 40 + LINE);
    for (name, colour) in legend {
        let name = short(name, 24);
        let width = 62 + name.chars().count() as i32 * (FONT / 2 + 1);
        if x > 24 && x + width > WIDTH as i32 {
            (x, y) = (24, y + LINE);
        }
        root.draw(&Rectangle::new([(x, y - 6), (x + 26, y + 6)], colour.filled()))?;
        root.draw(&Text::new(name, (x + 36, y), text(FONT - 2, INK, HPos::Left)))?;
        x += width;
    }
    let top = if legend.is_empty() { 64 } else { y + 24 };
    body(&root.split_vertically(top).1)?;
    root.present()?;
    Ok(())
}

/// The file with a title for readers that cannot see, and the style for dark.
fn themed(svg: &str, (width, height): (u32, u32), title: &str) -> String {
    let light = [PAPER, INK, FAINT, MUTED].into_iter().chain(COLOURS);
    let rule = |(RGBColor(r, g, b), dark): (RGBColor, &str)| {
        let light = format!("#{r:02X}{g:02X}{b:02X}");
        format!("svg [fill=\"{light}\"]{{fill:{dark}}}svg [stroke=\"{light}\"]{{stroke:{dark}}}")
    };
    let rules: String = light.zip(DARK).map(rule).collect();
    let style = format!("svg rect{{shape-rendering:crispEdges}}@media (prefers-color-scheme:dark){{{rules}}}");
    let body = svg.split_once('>').map_or("", |(_, body)| body);
    printable(&format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{}\" height=\"{}\" role=\"img\">\
         <title>{}</title><style>{style}</style>{}",
        width / 2,
        height / 2,
        escape(title),
        body.trim_end(),
    ))
}

/// Without the characters that XML does not allow, or that turn the direction of writing, which a table's names may have.
pub fn printable(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let fits = |c: char| {
        matches!(c, '\t' | '\n' | '\r') || !(c.is_control() || turns(c) || matches!(c, '\u{fffe}' | '\u{ffff}'))
    };
    text.chars().map(|c| if fits(c) { c } else { '\u{fffd}' }).collect()
}

/// The names of the marks of an axis that stand for other numbers.
pub type Marks<'a> = Option<&'a dyn Fn(f64) -> String>;

/// A chart with its axes. `of_y` names the marks at the left.
pub fn axes<'a, 'b>(
    area: &'a Area<'b>,
    ranges: [Range<f64>; 2],
    names: [&str; 2],
    of_y: Marks<'_>,
) -> Drawn<Chart<'a, 'b>> {
    marked_axes(area, ranges, names, [None, of_y], 6)
}

/// The same with names for the marks below, too, of which there are at most `most`.
pub fn marked_axes<'a, 'b>(
    area: &'a Area<'b>,
    [x, y]: [Range<f64>; 2],
    names: [&str; 2],
    [of_x, of_y]: [Marks<'_>; 2],
    most: usize,
) -> Drawn<Chart<'a, 'b>> {
    let [plain_x, plain_y] = [&x, &y].map(marks);
    let mut chart = ChartBuilder::on(area)
        .margin(16)
        .margin_right(44)
        .x_label_area_size(84)
        .y_label_area_size(124)
        .build_cartesian_2d(x, y)?;
    let font = ("sans-serif", FONT).into_font();
    chart
        .configure_mesh()
        .x_labels(most)
        .y_labels(7)
        .bold_line_style(FAINT)
        .light_line_style(TRANSPARENT)
        .axis_style(MUTED)
        .label_style(font.clone().color(&MUTED))
        .axis_desc_style(font.color(&INK))
        .x_desc(short(names[0], 40))
        .y_desc(short(names[1], 28))
        .x_label_formatter(&|value| of_x.map_or_else(|| plain_x(*value), |of_x| of_x(*value)))
        .y_label_formatter(&|value| of_y.map_or_else(|| plain_y(*value), |of_y| of_y(*value)))
        .draw()?;
    Ok(chart)
}

/// From the least to the greatest value, with a margin of a part of that; wide enough to be drawn.
pub fn span(values: impl Iterator<Item = f64>, margin: f64) -> Drawn<Range<f64>> {
    let (least, most) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), value| (a.min(value), b.max(value)));
    if !(least.abs() <= 1e150 && most.abs() <= 1e150) {
        return Err("a value is missing or too large".into());
    }
    // Between neighbouring numbers there is no room for marks.
    let narrow = 1e-6 * least.abs().max(most.abs());
    let room = if most - least > narrow { margin * (most - least) } else { narrow.max(1e-9) };
    Ok(least - room..most + room)
}

/// Text with its middle at the given height.
pub fn text(size: i32, colour: RGBColor, side: HPos) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&colour).pos(Pos::new(side, VPos::Center))
}

/// A text of at most so many characters.
pub fn short(text: &str, most: usize) -> String {
    let line: String = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    if line.chars().count() <= most { line } else { line.chars().take(most.saturating_sub(1)).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_can_be_drawn() {
        for values in [vec![1.0], vec![1e100, 1e100 + 1e85], vec![0.0], vec![-1e149, 1e149]] {
            let Range { start, end } = span(values.iter().copied(), 0.1).unwrap();
            let step = (end - start) / 1000.0;
            assert!(start < end && start + step > start && end - step < end, "{values:?}");
        }
        assert!(span([].into_iter(), 0.1).is_err() && span([f64::INFINITY].into_iter(), 0.1).is_err());
    }
}
