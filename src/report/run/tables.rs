//! The tables of a report: each class, what is mixed up most, and the rows that are most wrong.

use std::cmp::Reverse;

use super::analysis::Evaluated;
use crate::error::shorten;
use crate::math::predicted_class;
use crate::metrics::Classification;
use crate::pipeline::{Fitted, Hint, Member};
use crate::report::{Table, class_table, count, figure, member_cells, member_heading, score, value};
use crate::train::ReplicaEnd;

/// Most classes of a table, and those whose confusion matrix has numbers.
const CLASSES: usize = 50;
const NUMBERED: usize = 12;
/// Rows of a list.
const LISTED: usize = 8;

/// Those that there are, with their headings.
pub fn all(evaluated: &Evaluated<'_>) -> Vec<(String, Table)> {
    let mut tables = Vec::new();
    tables.extend(members(&evaluated.fitted.members).map(|table| ("Networks".to_string(), table)));
    if let Some(figures) = evaluated.fitted.metrics.evaluated().1.classification() {
        let mut shown = figures.clone();
        let heading = match figures.classes.len() {
            few if few <= CLASSES => "Classes".to_string(),
            many => format!("The {CLASSES} classes with the lowest f1, of {}", count(many as u64)),
        };
        if figures.classes.len() > CLASSES {
            shown.classes.sort_by(|a, b| a.score.f1.total_cmp(&b.score.f1));
            shown.classes.truncate(CLASSES);
        }
        tables.push((heading, class_table(&shown)));
        if figures.classes.len() > NUMBERED {
            tables.extend(confusions(figures).map(|table| ("Mixed up most".to_string(), table)));
        }
    }
    let wrong = match evaluated.encoder.classes() {
        Some(classes) => wrong_classes(evaluated, classes),
        None => wrong_numbers(evaluated),
    };
    tables.extend(wrong.map(|table| ("Largest errors".to_string(), table)));
    tables.extend(decisions(evaluated.fitted).map(|table| ("Decided for you".to_string(), table)));
    tables
}

/// What was decided on the run, and about the table while it was read and encoded; none if nothing was.
fn decisions(fitted: &Fitted) -> Option<Table> {
    let mut table = Table::new(&["about", "decision"]);
    let of_run = fitted.hints.iter().filter_map(Hint::decision).map(|(about, text)| (about, text.to_string()));
    let of_table = fitted.notes.kinds().into_iter().map(|(_, line)| ("columns", line));
    of_run.chain(of_table).for_each(|(about, text)| table.row(vec![about.into(), text]));
    (table.rows().len() > 1).then_some(table)
}

/// The networks of an ensemble, and the mean and the deviation of their losses; none for a single one.
fn members(members: &[Member]) -> Option<Table> {
    let mut heading = member_heading(&members.first()?.record);
    heading.push("");
    let mut table = Table::new(&heading);
    for (place, Member { record, end, is_kept }) in (1..).zip(members) {
        let ended = match end {
            Some(ReplicaEnd::Diverged { .. }) if *is_kept => "diverged, its best is kept",
            Some(ReplicaEnd::Diverged { .. }) => "diverged, left out",
            _ if !is_kept => "left out by the portfolio",
            Some(ReplicaEnd::Stopped) => "stopped early",
            _ => "",
        };
        let mut cells = member_cells(place, record);
        cells.push(ended.into());
        table.row(cells);
    }
    let losses: Vec<f64> = members.iter().filter_map(|member| member.record.validation_loss).collect();
    if losses.len() > 1 {
        let mean = losses.iter().sum::<f64>() / losses.len() as f64;
        let squares = losses.iter().map(|loss| (loss - mean).powi(2)).sum::<f64>();
        let deviation = (squares / (losses.len() - 1) as f64).sqrt();
        let mut cells = vec!["-".to_string(); heading.len()];
        let end = heading.len() - 2;
        (cells[0], cells[end], cells[end + 1]) = ("mean".into(), figure(mean), format!("± {}", figure(deviation)));
        table.row(cells);
    }
    Some(table)
}

/// The most frequent pairs of a true and another predicted class.
fn confusions(figures: &Classification) -> Option<Table> {
    let confusion = figures.confusion.as_ref()?;
    let cells = confusion.iter().enumerate().flat_map(|(row, line)| {
        line.iter().enumerate().filter(move |(column, rows)| row != *column && **rows > 0).map(move |cell| (row, cell))
    });
    let mut cells: Vec<_> = cells.map(|(row, (column, &rows))| (rows, row, column)).collect();
    cells.sort_by_key(|cell| Reverse(cell.0));
    let mut table = Table::new(&["true", "predicted", "rows"]);
    for &(rows, row, column) in cells.iter().take(LISTED) {
        let label = |class: usize| shorten(&figures.classes[class].label);
        table.row(vec![label(row), label(column), count(rows)]);
    }
    (!cells.is_empty()).then_some(table)
}

/// Wrong rows, the surest first; none if all are right.
fn wrong_classes(evaluated: &Evaluated<'_>, classes: &[String]) -> Option<Table> {
    let Evaluated { fitted, rows, outputs, .. } = evaluated;
    let (spec, (_, places)) = (&fitted.model.spec, fitted.splits.evaluated());
    let mut wrong = Vec::new();
    for (at, z) in outputs.chunks_exact(spec.outputs()).enumerate() {
        let mut p = spec.loss().predictions_of(z);
        let class = predicted_class(&p);
        if let [yes] = p[..] {
            p = vec![1.0 - yes, yes];
        }
        let truth = rows.targets()[at] as usize;
        if class != truth {
            wrong.push((p[class], at, truth, class));
        }
    }
    wrong.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut table = Table::new(&["row", "true", "predicted", "probability"]);
    for &(p, at, truth, class) in wrong.iter().take(LISTED) {
        let row = count(places[at] as u64 + 1);
        table.row(vec![row, shorten(&classes[truth]), shorten(&classes[class]), score(p)]);
    }
    (!wrong.is_empty()).then_some(table)
}

/// The rows with the largest errors.
fn wrong_numbers(evaluated: &Evaluated<'_>) -> Option<Table> {
    let Evaluated { fitted, outputs, .. } = evaluated;
    let (_, places) = fitted.splits.evaluated();
    let mut errors: Vec<_> = outputs.iter().map(|&z| evaluated.number(z)).zip(&fitted.truth).enumerate().collect();
    errors.sort_by(|(_, a), (_, b)| (b.0 - b.1).abs().total_cmp(&(a.0 - a.1).abs()));
    let mut table = Table::new(&["row", "true", "predicted", "error"]);
    for &(at, (found, &truth)) in errors.iter().take(LISTED) {
        table.row(vec![count(places[at] as u64 + 1), value(truth), value(found), value(found - truth)]);
    }
    (!errors.is_empty()).then_some(table)
}
