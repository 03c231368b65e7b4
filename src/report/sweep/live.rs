//! The sweep as it goes on, on stderr: a bar, the training under way and the best trials on a terminal; elsewhere a line for every tenth
//! of the trainings.

use std::collections::HashMap;
use std::io::{IsTerminal, stderr};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::table::score_of;
use crate::error::shorten_to;
use crate::report::count;
use crate::sweep::{Candidate, Metric, Record, SweepEvent};

/// Trials that are shown.
const BEST: usize = 5;
/// Columns of a line.
const LINE: usize = 110;

/// Shows events as they come.
#[derive(Debug)]
pub struct Live {
    output: Output,
    metric: Metric,
    /// Trainings of a trial.
    each: usize,
    done: usize,
    all: usize,
    /// The settings of each trial, by number.
    settings: HashMap<usize, String>,
    scores: HashMap<usize, Vec<f64>>,
    /// The best trials of which all trainings have a score.
    best: Vec<(f64, usize)>,
}

#[derive(Debug)]
enum Output {
    Quiet,
    Lines,
    Table { bar: ProgressBar, now: ProgressBar, lines: Vec<ProgressBar>, whole: MultiProgress },
}

impl Live {
    /// For a sweep over these candidates, each of which is trained `each` times; of some trainings the records are there.
    pub fn new(candidates: &[Candidate], each: usize, metric: Metric, known: &[Record], quiet: bool) -> Self {
        let all = candidates.len() * each;
        let output = if quiet {
            Output::Quiet
        } else if stderr().is_terminal() {
            let style =
                |template| ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            let whole = MultiProgress::new();
            let bar = whole.add(ProgressBar::new(all as u64));
            bar.set_style(style("{bar:30} {pos} of {len} trainings, {eta} left"));
            let line = || whole.add(ProgressBar::new_spinner().with_style(style("{msg}")));
            let (now, lines) = (line(), (0..BEST).map(|_| line()).collect());
            Output::Table { bar, now, lines, whole: whole.clone() }
        } else {
            Output::Lines
        };
        let settings = candidates.iter().map(|candidate| {
            let words: Vec<_> =
                candidate.trial.settings.iter().map(|(name, value)| format!("{name} {value}")).collect();
            (candidate.trial.number, words.join(", "))
        });
        let (settings, scores, best) = (settings.collect(), HashMap::new(), Vec::new());
        let mut live = Self { output, metric, each, done: 0, all, settings, scores, best };
        known.iter().for_each(|record| live.note(record));
        live.draw();
        live
    }

    /// Takes note of an event and shows it.
    pub fn show(&mut self, event: &SweepEvent<'_>) {
        match event {
            SweepEvent::Epoch { trial, fold, seed, epoch } => {
                if let Output::Table { now, .. } = &self.output {
                    let settings = self.settings.get(trial).map_or("", String::as_str);
                    let line = format!("now     trial {trial}, fold {fold}, seed {seed}, epoch {epoch}: {settings}");
                    now.set_message(shorten_to(&line, LINE));
                }
            }
            SweepEvent::Ended(record) => {
                let all = self.all.max(1);
                let tenths = |done: usize| done * 10 / all;
                let before = tenths(self.done);
                self.note(record);
                if matches!(self.output, Output::Lines) && tenths(self.done) > before {
                    let best =
                        self.best.first().map_or_else(String::new, |best| format!("; best: {}", self.line(best)));
                    let (done, all) = (count(self.done as u64), count(self.all as u64));
                    eprintln!("{done} of {all} trainings{}", shorten_to(&best, LINE));
                }
                self.draw();
            }
            _ => {}
        }
    }

    /// Takes the table away.
    pub fn finish(&mut self) {
        if let Output::Table { bar, now, lines, whole } = &self.output {
            [bar, now].into_iter().chain(lines).for_each(ProgressBar::finish_and_clear);
            // Where the terminal is gone, nobody sees what is left on it.
            let _ = whole.clear();
        }
    }

    fn note(&mut self, record: &Record) {
        self.done += 1;
        let scores = self.scores.entry(record.trial).or_default();
        scores.extend(record.score.filter(|_| record.end == crate::sweep::End::Finished));
        if scores.len() == self.each {
            let sign = if self.metric.lower_is_better() { 1.0 } else { -1.0 };
            self.best.push((scores.iter().sum::<f64>() / scores.len() as f64, record.trial));
            self.best.sort_by(|a, b| (sign * a.0).total_cmp(&(sign * b.0)).then(a.1.cmp(&b.1)));
            self.best.truncate(BEST);
        }
    }

    fn draw(&self) {
        if let Output::Table { bar, lines, .. } = &self.output {
            bar.set_position(self.done as u64);
            for (at, (line, best)) in lines.iter().zip(&self.best).enumerate() {
                line.set_message(shorten_to(&format!("best {}  {}", at + 1, self.line(best)), LINE));
            }
        }
    }

    fn line(&self, (mean, trial): &(f64, usize)) -> String {
        let settings = self.settings.get(trial).map_or("", String::as_str);
        format!("trial {trial}, {} {}: {settings}", self.metric, score_of(self.metric, *mean))
    }
}
