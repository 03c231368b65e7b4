//! The sweep as it goes on, on stderr: on a terminal a bar, the trials under way that have the least loss, and the best ones that have
//! ended; elsewhere a line for every tenth of the trainings.

use std::collections::HashMap;
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::table::score_of;
use crate::error::shorten_to;
use crate::report::{count, figure, tell};
use crate::sweep::{Candidate, End, Metric, Record, SweepEvent};

/// Trials that have ended and are shown.
const BEST: usize = 5;
/// Trials under way that are shown.
const NOW: usize = 3;
/// How often the trials under way are drawn anew.
const PAUSE: Duration = Duration::from_millis(200);
/// Columns of a line.
const LINE: usize = 110;

/// The last epoch and loss of each training of a trial, by fold and seed.
type Trainings = HashMap<(usize, u64), (u64, f64)>;

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
    /// The trials under way.
    now: HashMap<usize, Trainings>,
    drawn: Option<Instant>,
}

#[derive(Debug)]
enum Output {
    Quiet,
    Lines,
    Table { bar: ProgressBar, now: Vec<ProgressBar>, lines: Vec<ProgressBar>, whole: MultiProgress },
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
            bar.set_style(style("{bar:30} {pos} of {len} trainings, {elapsed}"));
            let line = |_| whole.add(ProgressBar::new_spinner().with_style(style("{msg}")));
            let (now, lines) = ((0..NOW).map(line).collect(), (0..BEST).map(line).collect());
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
        let (now, drawn) = (HashMap::new(), None);
        let mut live = Self { output, metric, each, done: 0, all, settings, scores, best, now, drawn };
        known.iter().for_each(|record| live.note(record));
        live.draw();
        live
    }

    /// Takes note of an event and shows it.
    pub fn show(&mut self, event: &SweepEvent<'_>) {
        match event {
            SweepEvent::Epoch { trial, fold, seed, epoch, loss } => {
                if matches!(self.output, Output::Table { .. }) {
                    let loss = loss.filter(|loss| loss.is_finite()).unwrap_or(f64::INFINITY);
                    self.now.entry(*trial).or_default().insert((*fold, *seed), (*epoch, loss));
                    self.draw_now(false);
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
                    tell(&format!("{done} of {all} trainings{}", shorten_to(&best, LINE)));
                }
                self.draw();
            }
            _ => {}
        }
    }

    /// Takes the table away.
    pub fn finish(&mut self) {
        if let Output::Table { bar, now, lines, whole } = &self.output {
            [bar].into_iter().chain(now).chain(lines).for_each(ProgressBar::finish_and_clear);
            // Where the terminal is gone, nobody sees what is left on it.
            let _ = whole.clear();
        }
    }

    fn note(&mut self, record: &Record) {
        self.done += 1;
        self.now.remove(&record.trial);
        let scores = self.scores.entry(record.trial).or_default();
        scores.extend(record.score.filter(|_| record.end == End::Finished));
        if scores.len() == self.each {
            let sign = if self.metric.lower_is_better() { 1.0 } else { -1.0 };
            self.best.push((scores.iter().sum::<f64>() / scores.len() as f64, record.trial));
            self.best.sort_by(|a, b| (sign * a.0).total_cmp(&(sign * b.0)).then(a.1.cmp(&b.1)));
            self.best.truncate(BEST);
        }
    }

    fn draw(&mut self) {
        if let Output::Table { bar, lines, .. } = &self.output {
            bar.set_position(self.done as u64);
            for (at, (line, best)) in lines.iter().zip(&self.best).enumerate() {
                line.set_message(shorten_to(&format!("best {}  {}", at + 1, self.line(best)), LINE));
            }
        }
        self.draw_now(true);
    }

    /// The trials under way, those with the least loss first.
    fn draw_now(&mut self, at_once: bool) {
        let Output::Table { now, .. } = &self.output else { return };
        if !at_once && self.drawn.is_some_and(|drawn| drawn.elapsed() < PAUSE) {
            return;
        }
        let mean = |(trial, trainings): (&usize, &Trainings)| {
            let loss = trainings.values().map(|(_, loss)| loss).sum::<f64>() / trainings.len() as f64;
            (loss, *trial, trainings.values().map(|(epoch, _)| *epoch).max().unwrap_or(0))
        };
        let mut all: Vec<(f64, usize, u64)> = self.now.iter().map(mean).collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        for (at, line) in now.iter().enumerate() {
            let text = all.get(at).map_or_else(String::new, |(loss, trial, epoch)| {
                let settings = self.settings.get(trial).map_or("", String::as_str);
                let loss = if loss.is_finite() { format!(", loss {}", figure(*loss)) } else { String::new() };
                format!("now     trial {trial}, epoch {epoch}{loss}: {settings}")
            });
            line.set_message(shorten_to(&text, LINE));
        }
        self.drawn = Some(Instant::now());
    }

    fn line(&self, (mean, trial): &(f64, usize)) -> String {
        let settings = self.settings.get(trial).map_or("", String::as_str);
        format!("trial {trial}, {} {}: {settings}", self.metric, score_of(self.metric, *mean))
    }
}
