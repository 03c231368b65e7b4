//! `mlp data`: what a table holds.

use serde::Serialize;

use super::columns::ColumnArgs;
use super::notes;
use super::output::{print, print_json};
use super::reading::ReadingArgs;
use super::source::DataArgs;
use crate::data::{Description, Notes, Values};
use crate::error::{Result, shorten, shorten_to};
use crate::report::{Table, count, value};

/// Most columns of a terminal that each of the most frequent texts takes.
const FREQUENT: usize = 24;

/// Describe a table: types, missing cells, ranges and classes; warns of columns that are unsuitable as features
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    data: DataArgs,
    /// Column to predict; warns of columns that repeat it
    #[arg(long, value_name = "COLUMN")]
    target: Option<String>,
    #[command(flatten)]
    columns: ColumnArgs,
    #[command(flatten)]
    reading: ReadingArgs,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Described<'a> {
    #[serde(flatten)]
    description: Description,
    notes: &'a Notes,
}

pub fn run(args: &Args) -> Result<()> {
    let source = args.data.source()?;
    let target = args.target.as_deref().or(source.target());
    let reading = args.reading.reading()?;
    let table = source.read(&reading, |path, names| args.columns.kinds(path, names, target, None))?;
    args.reading.check(table.notes(), table.source())?;
    let description = Description::new(&table, target)?;
    if args.json {
        return print_json(&Described { description, notes: table.notes() });
    }
    notes::tell(table.notes());
    let columns = description.columns.len();
    let mut text = format!("{} rows, {columns} columns\n\n", count(description.rows as u64));
    let mut list =
        Table::new(&["column", "type", "missing", "distinct", "least", "median", "mean", "greatest", "most frequent"]);
    for column in &description.columns {
        let number = |number: &Option<f64>| number.map_or("-".into(), value);
        let rest = match &column.values {
            Values::Number { min, mean, median, max } => {
                ["number".into(), number(min), number(median), number(mean), number(max), "-".into()]
            }
            Values::Date { min, median, max } => {
                let date = |date: &Option<String>| date.clone().unwrap_or("-".into());
                ["date".into(), date(min), date(median), "-".into(), date(max), "-".into()]
            }
            Values::Text { most_frequent } => {
                let told = most_frequent
                    .iter()
                    .map(|(text, rows)| format!("{} ({})", shorten_to(text, FREQUENT), count(*rows as u64)));
                let told = told.collect::<Vec<_>>().join(", ");
                ["text".into(), "-".into(), "-".into(), "-".into(), "-".into(), told]
            }
        };
        let [kind, numbers @ ..] = rest;
        let counts = [column.missing, column.distinct].map(|number| count(number as u64));
        list.row([shorten(&column.name), kind].into_iter().chain(counts).chain(numbers).collect());
    }
    text += &list.to_string();
    for warning in &description.warnings {
        text += &format!("\nwarning: {warning}");
    }
    print(text + if description.warnings.is_empty() { "" } else { "\n" })
}
