//! The page: one file without script that needs nothing from elsewhere. Well-formed as XML too. Texts go through
//! `text` or `escape`, whoever wrote them.

use quick_xml::escape::escape;

use super::canvas::printable;
use super::{Picture, Run};
use crate::error::Result;
use crate::report::{Table, significant};

/// What the page says besides the pictures.
#[derive(Debug)]
pub struct Page<'a> {
    /// The heading.
    pub title: String,
    /// The line below.
    pub about: String,
    /// The few figures that matter most.
    pub tiles: Vec<(String, String)>,
    /// Figures of each part of the data.
    pub figures: Table,
    /// What has to be known of them.
    pub note: String,
    /// More tables, with their headings.
    pub tables: Vec<(String, Table)>,
    /// Seconds of each phase.
    pub phases: &'a [(&'static str, f64)],
    /// What ran where, by name.
    pub facts: Vec<(&'static str, String)>,
    /// The command that reproduces the run.
    pub command: &'a str,
    /// The configuration file.
    pub config: &'a str,
}

/// Writes the page.
pub fn page(page: &Page<'_>, run: &Run) -> Result<String> {
    let Page { title, about, tiles, figures, note, tables, phases, facts, command, config } = page;
    let figure = |picture: Picture| figure(picture.name, picture.svg, &picture.caption);
    let pictures = run.pictures()?.into_iter().map(figure).collect::<String>();
    let note = if note.is_empty() { String::new() } else { tag("p", MUTED, escape(note)) };
    let mut body = text("h1", title) + &tag("p", MUTED, escape(about));
    body += &self::tiles(tiles);
    body += &section("Metrics", &card(table(figures) + &note));
    body += &section("Pictures", &tag("div", " class=\"pictures\"", pictures));
    for (heading, content) in tables {
        body += &section(heading, &card(table(content)));
    }
    body += &section("The run", &tag("div", " class=\"grid\"", card(time(phases)) + &card(self::facts(facts))));
    body += &section("Reproduce", &card(text("pre", command)));
    body += &section("Configuration", &card(text("pre", config)));
    Ok(document(title, &body))
}

/// A whole page.
pub fn document(title: &str, body: &str) -> String {
    let head = "<meta charset=\"utf-8\"/><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>";
    let head = tag("head", "", [head, &text("title", title), &tag("style", "", include_str!("page.css"))].concat());
    let whole = tag("html", " lang=\"en\"", head + &tag("body", "", tag("main", "", body)));
    printable(&format!("<!DOCTYPE html>\n{whole}\n"))
}

/// The few figures that matter most, each with its name.
pub fn tiles(tiles: &[(String, String)]) -> String {
    let tile = |(name, value): &(String, String)| tag("div", "", text("b", value) + &tag("span", MUTED, escape(name)));
    tag("div", " class=\"tiles\"", tiles.iter().map(tile).collect::<String>())
}

/// A picture with its caption.
pub fn figure(name: &str, svg: String, caption: &str) -> String {
    tag("figure", &format!(" id=\"{}\"", escape(name)), svg + &text("figcaption", caption))
}

/// Facts by their names.
pub fn facts(facts: &[(&str, String)]) -> String {
    let fact = |(name, value): &(&str, String)| tag("tr", "", tag("th", " scope=\"row\"", name) + &text("td", value));
    tag("table", "", facts.iter().map(fact).collect::<String>())
}

pub const MUTED: &str = " class=\"muted\"";
const NUMBER: &str = " class=\"number\"";

/// An element around what is escaped already.
pub fn tag(name: &str, attributes: &str, inner: impl AsRef<str>) -> String {
    format!("<{name}{attributes}>{}</{name}>\n", inner.as_ref())
}

/// An element around a text.
pub fn text(name: &str, content: &str) -> String {
    tag(name, "", escape(content))
}

pub fn section(heading: &str, content: &str) -> String {
    text("h2", heading) + content
}

pub fn card(content: String) -> String {
    tag("div", " class=\"card\"", content)
}

pub fn table(content: &Table) -> String {
    let side = |column: usize| if content.is_numeric(column) { NUMBER } else { "" };
    let row = |(at, row): (usize, &Vec<String>)| {
        let name = if at == 0 { "th" } else { "td" };
        let cells = row.iter().enumerate().map(|(column, cell)| tag(name, side(column), escape(cell)));
        tag("tr", "", cells.collect::<String>())
    };
    tag("table", "", content.rows().iter().enumerate().map(row).collect::<String>())
}

/// Seconds of each phase, with a bar for its share.
fn time(phases: &[(&str, f64)]) -> String {
    let all = phases.iter().map(|phase| phase.1).sum::<f64>();
    let row = |name: &str, seconds: f64, bar: String| {
        tag("tr", "", text("td", name) + &tag("td", NUMBER, significant(seconds, 3)) + &tag("td", "", bar))
    };
    let mut rows =
        tag("tr", "", text("th", "time") + &tag("th", NUMBER, "seconds") + &tag("th", " style=\"width:50%\"", ""));
    for &(name, seconds) in phases {
        let width = format!(" class=\"share\" style=\"width:{:.1}%\"", 100.0 * seconds / all.max(f64::MIN_POSITIVE));
        rows += &row(name, seconds, tag("span", &width, ""));
    }
    tag("table", "", rows + &row("all", all, String::new()))
}
