//! Trials in a table, the best first.

use crate::report::{Table, count, figure, score};
use crate::sweep::{End, Metric, Summary, TrialSummary};

/// A score with the digits of its kind.
pub fn score_of(metric: Metric, value: f64) -> String {
    match metric {
        Metric::Loss | Metric::LogLoss | Metric::Rmse | Metric::Mae => figure(value),
        _ => score(value),
    }
}

/// A trial's mean with its standard error: `0.1234 ± 0.0056`.
pub fn with_error(metric: Metric, trial: &TrialSummary) -> String {
    let Some(mean) = trial.mean else { return "-".into() };
    let error = trial.standard_error.map_or_else(String::new, |error| format!(" ± {}", score_of(metric, error)));
    score_of(metric, mean) + &error
}

/// The first trials of a summary, at most so many.
pub fn ranking(summary: &Summary, most: usize) -> Table {
    let metric = summary.metric;
    let settings = summary.trials.first().map_or(&[][..], |first| first.trial.settings.as_slice());
    let names = settings.iter().map(|(name, _)| name.as_str());
    let heading: Vec<_> = ["trial"].into_iter().chain(names).chain([metric.name(), "± se", "epochs", "end"]).collect();
    let mut table = Table::new(&heading);
    for trial in summary.trials.iter().take(most) {
        let some = |value: Option<f64>| value.map_or("-".into(), |value| score_of(metric, value));
        let values = trial.trial.settings.iter().map(|(_, value)| value.clone());
        let end = trial.end.map_or("unfinished", End::name);
        let rest = [some(trial.mean), some(trial.standard_error), count(trial.epochs.round() as u64), end.into()];
        table.row([trial.trial.number.to_string()].into_iter().chain(values).chain(rest).collect());
    }
    table
}
