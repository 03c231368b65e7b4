//! The page of a sweep: one file without script that needs nothing from elsewhere.

use super::drawing::Drawing;
use super::table::{ranking, with_error};
use super::{climb, parallel, scores};
use crate::error::Result;
use crate::report::run::page::{MUTED, card, document, facts, figure, section, table, tag, text, tiles};
use crate::report::{Table, count};
use crate::sweep::{Record, Space, Summary};

/// Trials of the table.
const MOST: usize = 50;
/// What the page is made of.
#[derive(Debug)]
pub struct SweepPage<'a> {
    /// The heading.
    pub title: String,
    /// What is varied.
    pub space: &'a Space,
    /// The trials, the best first.
    pub summary: &'a Summary,
    /// The trainings that have ended.
    pub records: &'a [Record],
    /// What ran where, by name.
    pub facts: Vec<(&'static str, String)>,
    /// The command that trains the best trial; none without one.
    pub best: Option<&'a str>,
    /// The command that repeats the sweep.
    pub command: &'a str,
    /// The file that does.
    pub config: &'a str,
}

/// Writes the page.
pub fn page(content: &SweepPage<'_>) -> Result<String> {
    let SweepPage { title, space, summary, records, facts: found, best, command, config } = content;
    let metric = summary.metric;
    let mut top = vec![];
    if let Some(best) = summary.best() {
        top.push((format!("{metric} of trial {}, the best", best.trial.number), with_error(metric, best)));
    }
    top.push(("trials".into(), count(summary.trials.len() as u64)));
    top.push(("trainings".into(), count(records.len() as u64)));
    let varied: Vec<String> = space.axes().iter().map(|axis| format!("{} = {}", axis.name, axis.values)).collect();
    let mut body = text("h1", title) + &tag("p", MUTED, quick_xml::escape::escape(varied.join(", ").as_str()));
    body += &tiles(&top);
    body += &section("Best settings", &card(best_settings(summary, *best)));
    let mut pictures = String::new();
    let drawn = parallel::draw(summary, space.axes())?.into_iter().map(Ok);
    let drawn = drawn.chain(climb::draw(summary, records)?.into_iter().map(Ok));
    let drawn = drawn.chain(space.axes().iter().filter_map(|axis| scores::draw(summary, axis).transpose()));
    for drawing in drawn {
        let Drawing { name, svg, caption } = drawing?;
        pictures += &figure(&name, svg, &caption);
    }
    if !pictures.is_empty() {
        body += &section("Pictures", &tag("div", " class=\"pictures\"", pictures));
    }
    let all = summary.trials.len();
    let note = if all > MOST {
        tag("p", MUTED, format!("The best {MOST} of {} trials; results.csv has all of them.", count(all as u64)))
    } else {
        String::new()
    };
    body += &section("Trials", &card(table(&ranking(summary, MOST)) + &note));
    body += &section("The sweep", &card(facts(found)));
    body += &section("Reproduce", &card(text("pre", command)));
    body += &section("Configuration", &card(text("pre", config)));
    Ok(document(title, &body))
}

/// The values of the best trial, and the command that trains it.
fn best_settings(summary: &Summary, command: Option<&str>) -> String {
    let (Some(best), Some(command)) = (summary.best(), command) else {
        return text("p", "No trial has finished with a score.");
    };
    let mut settings = Table::new(&["setting", "value"]);
    best.trial.settings.iter().for_each(|(name, value)| settings.row(vec![name.clone(), value.clone()]));
    table(&settings) + &text("pre", command)
}
