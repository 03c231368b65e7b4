//! Tables of how good predictions are.

use super::{Table, count, figure, score};
use crate::error::{shorten, shorten_to};
use crate::infer::{Metrics, Scores};
use crate::metrics::{Classification, Score};

/// Most columns of a terminal for a class above a confusion matrix.
const HEADING: usize = 24;

/// A row of figures for each part of the data, by its name. A dash is a figure that does not exist.
pub fn metrics_table(parts: &[(&str, &Metrics)]) -> Table {
    let figures: Vec<_> = parts.iter().map(|(_, metrics)| main_figures(metrics)).collect();
    let names = figures.iter().max_by_key(|figures| figures.len()).into_iter().flatten().map(|(name, _)| name.as_str());
    let heading: Vec<_> = ["", "rows", "loss"].into_iter().chain(names).collect();
    let mut table = Table::new(&heading);
    for ((name, metrics), figures) in parts.iter().zip(&figures) {
        let mut row = vec![name.to_string(), count(metrics.rows as u64), figure(metrics.loss)];
        row.extend(figures.iter().map(|(_, figure)| figure.clone().unwrap_or("-".into())));
        row.resize(heading.len(), "-".into());
        table.row(row);
    }
    table
}

/// The few figures that a short table has, as they are printed.
pub fn main_figures(metrics: &Metrics) -> Vec<(String, Option<String>)> {
    let named = |name: &str, share: Option<f64>| (name.to_string(), share.map(score));
    match &metrics.scores {
        None => vec![],
        Some(Scores::Classification(figures)) => {
            let Classification { accuracy, macro_average, roc_auc, top_k, .. } = figures;
            let some = [("accuracy", Some(*accuracy)), ("macro f1", Some(macro_average.f1)), ("roc auc", *roc_auc)];
            let top_k = top_k.iter().map(|top_k| named(&format!("top {}", top_k.k), Some(top_k.accuracy)));
            some.map(|(name, figure)| named(name, figure)).into_iter().chain(top_k).collect()
        }
        Some(Scores::MultiLabel(figures)) => {
            vec![named("accuracy", Some(figures.accuracy)), named("macro f1", Some(figures.macro_average.f1))]
        }
        Some(Scores::Regression(figures)) => {
            let of = figures.score;
            let error = |name: &str, error| (name.to_string(), Some(figure(error)));
            vec![error("rmse", of.rmse), error("mae", of.mae), named("r2", of.r2)]
        }
    }
}

/// The score of each class, and their averages.
pub fn class_table(figures: &Classification) -> Table {
    let mut table = Table::new(&["class", "precision", "recall", "f1", "support"]);
    let mut row = |name: &str, of: &Score| {
        let numbers = [of.precision, of.recall, of.f1].map(score);
        table.row([shorten(name)].into_iter().chain(numbers).chain([count(of.support)]).collect());
    };
    figures.classes.iter().for_each(|class| row(&class.label, &class.score));
    row("macro average", &figures.macro_average);
    row("weighted average", &figures.weighted_average);
    table
}

/// Numbers of rows, the true class at the left and the predicted one above; `None` without a confusion matrix.
pub fn confusion_table(figures: &Classification) -> Option<Table> {
    let labels = figures.classes.iter().map(|class| class.label.as_str());
    let heading: Vec<String> = labels.clone().map(|label| shorten_to(label, HEADING)).collect();
    let mut table = Table::new(&["true"].into_iter().chain(heading.iter().map(String::as_str)).collect::<Vec<_>>());
    for (label, line) in labels.zip(figures.confusion.as_ref()?) {
        table.row([shorten(label)].into_iter().chain(line.iter().map(|&rows| count(rows))).collect());
    }
    Some(table)
}
