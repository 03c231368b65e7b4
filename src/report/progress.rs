//! Progress on stderr: a bar on a terminal, elsewhere a line for every tenth of the run and every ten seconds.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::{count, figure, rate, score, significant, tell};
use crate::train::{Epoch, Event, Progress, ValidationScore};

/// Longest silence on something that is no terminal.
const PAUSE: Duration = Duration::from_secs(10);

/// Shows events as they come.
#[derive(Debug)]
pub struct Reporter {
    output: Output,
    epochs: u64,
    /// The last one, and how many networks it is the mean of.
    epoch: Option<(Epoch, f64)>,
    started: Instant,
    /// What it took to come to the first step; taken when that is told.
    setup: Option<Duration>,
}

#[derive(Debug)]
enum Output {
    Quiet,
    Bar(Box<ProgressBar>),
    Lines { tenths: u64, last: Instant },
}

impl Reporter {
    /// A reporter for a run of so many epochs, which took `setup` to come to its first step; a quiet one shows nothing.
    pub fn new(epochs: u64, setup: Duration, quiet: bool) -> Self {
        let output = if quiet {
            Output::Quiet
        } else if stderr().is_terminal() {
            let template = "{bar:30} {percent:>3} %  {msg}, {per_sec}, {eta} left";
            let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            let style = style.with_key("per_sec", |state: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
                // An error means that the terminal's line is full.
                let _ = write!(out, "{} steps/s", rate(state.per_sec()));
            });
            Output::Bar(Box::new(ProgressBar::new(0).with_style(style)))
        } else {
            Output::Lines { tenths: 0, last: Instant::now() }
        };
        Self { output, epochs, epoch: None, started: Instant::now(), setup: Some(setup) }
    }

    /// Takes note of an event and shows it if it is time.
    pub fn show(&mut self, event: &Event) {
        match event {
            Event::Epoch(epoch) => self.epoch = Some(mean(self.epoch, epoch)),
            Event::Steps(progress) => self.steps(progress),
        }
    }

    fn steps(&mut self, progress: &Progress) {
        let message = self.message(progress);
        let Self { output, started, setup, .. } = self;
        if let Some(setup) = setup.take().filter(|_| !matches!(output, Output::Quiet)) {
            let seconds = significant((setup + started.elapsed()).as_secs_f64(), 3);
            tell(&format!(
                "first steps: done after {seconds} s, with the opening of the device and the making of its kernels"
            ));
        }
        match output {
            Output::Quiet => {}
            Output::Bar(bar) => {
                bar.set_length(progress.steps);
                bar.set_message(message);
                bar.set_position(progress.step);
            }
            Output::Lines { tenths, last } => {
                let reached = progress.step * 10 / progress.steps;
                if reached > *tenths || last.elapsed() >= PAUSE {
                    (*tenths, *last) = (reached, Instant::now());
                    let seconds = started.elapsed().as_secs_f64();
                    let left = seconds * (progress.steps - progress.step) as f64 / progress.step as f64;
                    let speed = rate(progress.step as f64 / seconds);
                    let percent = progress.step * 100 / progress.steps;
                    tell(&format!("{percent:>3} %  {message}, {speed} steps/s, {left:.0} s left"));
                }
            }
        }
    }

    /// Epoch, loss and accuracy: of the last epoch that ended, before that of the last step.
    fn message(&self, progress: &Progress) -> String {
        let figures = |loss: f64, accuracy: Option<f64>| {
            let accuracy = accuracy.map_or_else(String::new, |share| format!(", accuracy {}", score(share)));
            format!("loss {}{accuracy}", figure(loss))
        };
        let last = self.epoch.map(|(epoch, _)| epoch);
        let (epoch, mut text) = match last {
            Some(Epoch { epoch, loss, accuracy, .. }) => (epoch, figures(loss, accuracy)),
            None => (0, figures(progress.loss, progress.accuracy)),
        };
        if let Some(ValidationScore { loss, accuracy, .. }) = last.and_then(|epoch| epoch.validation) {
            text += &format!("; validation {}", figures(loss, accuracy));
        }
        format!("epoch {}/{}  {text}", count(epoch), count(self.epochs))
    }

    /// Takes the bar away.
    pub fn finish(&mut self) {
        if let Output::Bar(bar) = &self.output {
            bar.finish_and_clear();
        }
    }
}

/// The mean over the networks that have ended this epoch.
fn mean(before: Option<(Epoch, f64)>, epoch: &Epoch) -> (Epoch, f64) {
    let Some((mut mean, count)) = before.filter(|(before, _)| before.epoch == epoch.epoch) else {
        return (*epoch, 1.0);
    };
    let join = |mean: f64, one: f64| mean + (one - mean) / (count + 1.0);
    let each = |mean: Option<f64>, one: Option<f64>| mean.zip(one).map(|(mean, one)| join(mean, one));
    mean.loss = join(mean.loss, epoch.loss);
    mean.accuracy = each(mean.accuracy, epoch.accuracy);
    if let (Some(mean), Some(one)) = (&mut mean.validation, &epoch.validation) {
        mean.loss = join(mean.loss, one.loss);
        mean.accuracy = each(mean.accuracy, one.accuracy);
    }
    (mean, count + 1.0)
}

/// Epochs of several networks, each the mean over those that had it.
#[must_use]
pub fn mean_epochs(epochs: &[Epoch]) -> Vec<Epoch> {
    let mut means: Vec<(Epoch, f64)> = Vec::new();
    for epoch in epochs {
        match means.last_mut() {
            Some(last) if last.0.epoch == epoch.epoch => *last = mean(Some(*last), epoch),
            _ => means.push((*epoch, 1.0)),
        }
    }
    means.into_iter().map(|(epoch, _)| epoch).collect()
}
