//! What the trainings of each trial come to together, and which trial is best.

use std::collections::HashMap;

use serde::Serialize;

use super::record::{End, Record};
use super::space::Trial;
use crate::infer::Metric;

/// A trial over its folds and seeds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TrialSummary {
    /// Its settings.
    #[serde(flatten)]
    pub trial: Trial,
    /// How it ended; none as long as trainings of it are to come.
    pub end: Option<End>,
    /// Trainings that have a score.
    pub scores: usize,
    /// Mean of the scores; none where a training was lost.
    pub mean: Option<f64>,
    /// Standard error of the mean: the sample's standard deviation by the root of the number of scores. None for fewer than two.
    pub standard_error: Option<f64>,
    /// Mean number of epochs done.
    pub epochs: f64,
    /// Mean number of epochs whose parameters are judged: the best one where early stopping keeps it, else the last.
    pub judged_epochs: f64,
    /// Seconds of training, all together.
    pub seconds: f64,
}

/// All trials, the best first.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// By what they are compared.
    pub metric: Metric,
    /// Trials that finished by their mean, those that were stopped by their epochs and then their mean, and the others by number.
    pub trials: Vec<TrialSummary>,
}

impl Summary {
    /// Sums up the records of these trials, each of which is to have so many trainings.
    #[must_use]
    pub fn new(trials: &[Trial], records: &[Record], trainings: usize, metric: Metric) -> Self {
        let mut own: HashMap<usize, Vec<&Record>> = HashMap::new();
        records.iter().for_each(|record| own.entry(record.trial).or_default().push(record));
        let of = |trial: &Trial| own.get(&trial.number).map_or(&[][..], Vec::as_slice);
        let mut all: Vec<_> = trials.iter().map(|trial| summary(trial, of(trial), trainings)).collect();
        let sign = if metric.lower_is_better() { 1.0 } else { -1.0 };
        let rank = |trial: &TrialSummary| match (trial.end, trial.mean) {
            (Some(End::Finished), Some(mean)) => (0, 0.0, sign * mean),
            (Some(End::Stopped), Some(mean)) => (1, -trial.epochs, sign * mean),
            (Some(_), _) => (2, 0.0, 0.0),
            (None, _) => (3, 0.0, 0.0),
        };
        all.sort_by(|a, b| {
            let (a_rank, b_rank) = (rank(a), rank(b));
            let by_epochs = a_rank.0.cmp(&b_rank.0).then(a_rank.1.total_cmp(&b_rank.1));
            by_epochs.then(a_rank.2.total_cmp(&b_rank.2)).then(a.trial.number.cmp(&b.trial.number))
        });
        Self { metric, trials: all }
    }

    /// The best of the trials that have finished.
    #[must_use]
    pub fn best(&self) -> Option<&TrialSummary> {
        self.trials.first().filter(|first| first.end == Some(End::Finished) && first.mean.is_some())
    }
}

/// Of a trial with its own records.
fn summary(trial: &Trial, own: &[&Record], trainings: usize) -> TrialSummary {
    let is = |end| own.iter().any(|record| record.end == end);
    let end = [End::Failed, End::Diverged, End::Stopped].into_iter().find(|&end| is(end));
    let end = end.or((own.len() == trainings).then_some(End::Finished)).filter(|_| own.len() == trainings);
    let scores: Vec<f64> = own.iter().filter_map(|record| record.score).collect();
    let count = scores.len() as f64;
    let mean = (!scores.is_empty() && scores.len() == own.len()).then(|| scores.iter().sum::<f64>() / count);
    let standard_error = mean.filter(|_| scores.len() > 1).map(|mean| {
        let squares: f64 = scores.iter().map(|score| (score - mean).powi(2)).sum();
        (squares / (count - 1.0) / count).sqrt()
    });
    let of_own = |value: fn(&Record) -> u64| {
        own.iter().map(|record| value(record) as f64).sum::<f64>() / own.len().max(1) as f64
    };
    TrialSummary {
        trial: trial.clone(),
        end,
        scores: scores.len(),
        mean,
        standard_error,
        epochs: of_own(|record| record.epoch),
        judged_epochs: of_own(|record| record.best_epoch.unwrap_or(record.epoch)),
        seconds: own.iter().fold(0.0, |sum, record| sum + record.seconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(trial: usize, fold: usize, end: End, epoch: u64, score: Option<f64>) -> Record {
        let (best_epoch, loss, problem) = (None, score, None);
        Record {
            trial,
            fold,
            seed: 0,
            end,
            epoch,
            best_epoch,
            score,
            loss,
            seconds: 1.5,
            rungs: vec![],
            problem,
            settings: vec![],
        }
    }

    #[test]
    fn trials_are_ranked_and_summed_up() {
        let trials: Vec<Trial> = (1..=6).map(|number| Trial { number, settings: vec![] }).collect();
        let pair = |trial, end, epoch, scores: [Option<f64>; 2]| {
            [record(trial, 0, end, epoch, scores[0]), record(trial, 1, end, epoch, scores[1])]
        };
        let mut records: Vec<Record> = [
            pair(1, End::Finished, 9, [Some(1.0), Some(3.0)]),
            pair(2, End::Stopped, 3, [Some(0.5), Some(0.5)]),
            pair(3, End::Diverged, 1, [None, Some(0.1)]),
            pair(4, End::Finished, 9, [Some(1.0), Some(2.0)]),
            pair(5, End::Stopped, 1, [Some(0.1), Some(0.1)]),
        ]
        .concat();
        records.push(record(6, 0, End::Finished, 9, Some(0.0)));
        let order = |metric| {
            let summary = Summary::new(&trials, &records, 2, metric);
            let numbers: Vec<_> = summary.trials.iter().map(|trial| trial.trial.number).collect();
            (numbers, summary.best().map(|best| best.trial.number))
        };
        assert_eq!(order(Metric::Rmse), (vec![4, 1, 2, 5, 3, 6], Some(4)));
        assert_eq!(order(Metric::R2), (vec![1, 4, 2, 5, 3, 6], Some(1)));
        let summary = Summary::new(&trials, &records, 2, Metric::Rmse);
        let best = summary.best().unwrap();
        // 1 and 2: the standard deviation is √½, its error ½.
        assert_eq!((best.mean, best.standard_error), (Some(1.5), Some(0.5)));
        assert_eq!((best.epochs, best.judged_epochs, best.seconds, best.scores), (9.0, 9.0, 3.0, 2));
        assert_eq!((summary.trials[4].end, summary.trials[4].mean), (Some(End::Diverged), None));
        assert_eq!(summary.trials[5].end, None, "a training of it is to come");
        assert!(Summary::new(&trials, &[], 2, Metric::Rmse).best().is_none());
    }
}
