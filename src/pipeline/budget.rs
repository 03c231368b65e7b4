//! How long a run takes, and what fits a time. In: what is prepared, and a device. Out: the seconds of the run, from the first steps of a
//! copy of it; the epochs and networks that fit.

use std::ops::ControlFlow;
use std::time::Duration;

use web_time::Instant;

use super::hint::Hint;
use super::prepare::Prepared;
use super::start::Start;
use crate::backend::Device;
use crate::error::{Error, Result, count, set};
use crate::train::Event;

/// Seconds that a measurement takes at the least, of which the first half is not counted: the first submission makes what later ones need,
/// and submissions are short at first. It takes two submissions in any case.
const SAMPLE: f64 = 0.3;
/// The part of a time that is planned for. Steps do not all take the same time, and validation and copies of the best parameters, which a
/// short sample may not see, take some of it, too.
const PLANNED: f64 = 0.9;
/// Most networks that time is spent on: more of them are worth little (Holzmüller, Grinsztajn and Steinwart 2024, appendix B.4).
const MOST_NETWORKS: usize = 8;
/// How much longer a step takes where networks share weights: 1.17 times on a CPU (docs/ensembles.md).
const SHARING: f64 = 1.2;

/// The first steps of a run: how many, and the seconds after which they were done.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sample {
    /// Those that are not counted: of the first submission, and of all in the first half of the sample.
    first: (u64, f64),
    /// All.
    last: (u64, f64),
}

/// What fits a time.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Fit {
    epochs: u64,
    networks: usize,
    /// Seconds that they take by the measurement; of more networks at most so many.
    seconds: f64,
}

impl Sample {
    /// Takes note that `step` steps were done after so many seconds; whether that is enough.
    fn add(&mut self, step: u64, seconds: f64) -> bool {
        self.last = (step, seconds);
        if self.first.0 == 0 || seconds <= SAMPLE / 2.0 {
            self.first = self.last;
        }
        self.last.0 > self.first.0 && seconds >= SAMPLE
    }

    /// Seconds of so many steps. The first ones count only where there are no others.
    fn seconds_of(self, steps: u64) -> f64 {
        let (first, last) = (self.first, self.last);
        let (done, seconds) = if last.0 > first.0 { (last.0 - first.0, last.1 - first.1) } else { last };
        seconds / done.max(1) as f64 * steps as f64
    }
}

/// Epochs and networks that fit `limit` seconds, where `networks` of them take `whole` seconds for all `epochs`: fewer epochs, one at the
/// least, or with time to spare more networks, up to `most`, each of which takes `longer` times as long. Networks side by side are taken to need
/// as long as one after the other, the most that they need.
fn fitting(whole: f64, limit: f64, epochs: u64, networks: usize, most: usize, longer: f64) -> Fit {
    let planned = PLANNED * limit;
    if whole > planned {
        let fewer = ((epochs as f64 * planned / whole) as u64).max(1);
        return Fit { epochs: fewer, networks, seconds: whole * fewer as f64 / epochs.max(1) as f64 };
    }
    let times = if whole > 0.0 { planned / whole } else { f64::INFINITY };
    let more = ((networks as f64 * times / longer) as usize).clamp(networks, most.max(networks));
    let each = whole / networks.max(1) as f64 * if more > networks { longer } else { 1.0 };
    Fit { epochs, networks: more, seconds: each * more as f64 }
}

impl Prepared {
    /// [`expected_seconds`](Self::expected_seconds) for async programs.
    ///
    /// # Errors
    /// As there.
    pub async fn expected_seconds_async(&self, device: &Device) -> Result<f64> {
        let mut trainer = self.load(device).await?;
        let steps = trainer.steps_per_epoch().saturating_mul(self.settled.config.epochs);
        let (started, mut sample) = (Instant::now(), Sample::default());
        let went = trainer.fit_with_async(|event| match event {
            Event::Steps(progress) if sample.add(progress.step, started.elapsed().as_secs_f64()) => {
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        });
        match went.await {
            // Of a divergence the run itself is going to tell.
            Ok(_) | Err(Error::Diverged { .. }) => {}
            Err(error) => return Err(error),
        }
        if sample.last.0 == 0 {
            sample.add(1, started.elapsed().as_secs_f64());
        }
        Ok(sample.seconds_of(steps))
    }

    /// [`fit_into`](Self::fit_into) for async programs.
    ///
    /// # Errors
    /// As there.
    pub async fn fit_into_async(&mut self, budget: Duration, device: &Device) -> Result<()> {
        let refused = |found: &str, expected: &str| {
            let (found, expected) = (found.into(), expected.into());
            Err(Error::Setting { what: "budget", found, expected })
        };
        if budget.is_zero() {
            return refused("no time", "more than no time");
        }
        if self.settled.parallel.is_some() {
            return refused("for a run on several ranks", "a run of one process: each rank would measure another time");
        }
        if matches!(self.settled.start, Start::Checkpoint(_)) {
            return refused("for a run that goes on", "a number of epochs: the run has its length already");
        }
        let (limit, networks) = (budget.as_secs_f64(), self.replicas().len());
        // Networks that start from the same parameters differ too little to be worth their time.
        let is_open = self.settled.ensemble_is_open && networks == 1 && matches!(self.settled.start, Start::Drawn);
        let most = if is_open { MOST_NETWORKS } else { networks };
        let whole = self.expected_seconds_async(device).await?;
        let longer = if self.settled.would_share() { SHARING } else { 1.0 };
        let fit = fitting(whole, limit, self.settled.config.epochs, networks, most, longer);
        if fit.networks > networks {
            self.settled.ensemble = fit.networks;
            self.hints.extend(Hint::ensemble(fit.networks, &[], self.settled.shares_weights()));
        }
        (self.settled.config.epochs, self.settled.length.epochs) = (fit.epochs, Some(fit.epochs));
        self.hints.push(Hint::budget(fit.networks, fit.epochs, fit.seconds, limit));
        Ok(())
    }
}

impl Hint {
    /// What was fitted into a time, and how long it takes.
    fn budget(networks: usize, epochs: u64, seconds: f64, limit: f64) -> Self {
        let networks =
            if networks == 1 { "one network".into() } else { format!("{} networks", count(networks as u64)) };
        let epochs = if epochs == 1 { "1 epoch".into() } else { format!("{} epochs", count(epochs)) };
        let (seconds, limit) = (digits(seconds), digits(limit));
        let (epochs_flag, networks_flag) = (set("epochs", "N"), set("ensemble", "N"));
        Self::Budget(format!(
            "{networks} of {epochs}, about {seconds} of {limit} s; {epochs_flag} and {networks_flag} say both without a budget"
        ))
    }
}

/// Seconds in as many digits as a guess has.
fn digits(seconds: f64) -> String {
    if seconds < 10.0 { format!("{seconds:.1}") } else { count(seconds.round() as u64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_a_time() {
        let fit = |epochs, networks, seconds| Fit { epochs, networks, seconds };
        for (whole, limit, epochs, networks, most, expected) in [
            // Too long: as many epochs as nine tenths of the time have room for.
            (100.0, 50.0, 200, 1, 8, fit(90, 1, 45.0)),
            (100.0, 50.0, 200, 5, 5, fit(90, 5, 45.0)),
            (8.0, 8.0, 256, 1, 8, fit(230, 1, 7.1875)),
            // Not even one epoch: one, and the seconds say so.
            (512.0, 1.0, 256, 1, 8, fit(1, 1, 2.0)),
            (1e6, 1e-9, 1000, 3, 3, fit(1, 3, 1000.0)),
            // Exactly all, and hardly more.
            (9.0, 10.0, 256, 1, 8, fit(256, 1, 9.0)),
            (5.0, 10.0, 256, 1, 8, fit(256, 1, 5.0)),
            // Time to spare: more networks, unless their number is said.
            (4.5, 10.0, 256, 1, 8, fit(256, 2, 9.0)),
            (2.0, 10.0, 256, 1, 8, fit(256, 4, 8.0)),
            (2.0, 10.0, 256, 1, 1, fit(256, 1, 2.0)),
            (2.0, 10.0, 256, 5, 5, fit(256, 5, 2.0)),
            (0.5, 60.0, 256, 1, 8, fit(256, 8, 4.0)),
            (1e-9, 1e18, 1, 1, 8, fit(1, 8, 8e-9)),
            (0.0, 1.0, 7, 1, 8, fit(7, 8, 0.0)),
        ] {
            let found = fitting(whole, limit, epochs, networks, most, 1.0);
            assert_eq!(found, expected, "{networks} of {whole} s in {limit} s");
        }
        assert_eq!(fitting(2.0, 10.0, 256, 1, 8, 1.25), fit(256, 3, 7.5));
        assert_eq!(fitting(8.0, 10.0, 256, 1, 8, 1.25), fit(256, 1, 8.0));
    }

    #[test]
    fn the_first_steps_count_where_there_are_no_others() {
        let mut sample = Sample::default();
        assert!(!sample.add(1, 0.0625));
        assert!(!sample.add(2, 0.125));
        assert_eq!(sample.seconds_of(16), 1.0);
        assert!(!sample.add(6, 0.25), "too early");
        assert_eq!(sample.seconds_of(16), 0.5);
        assert!(sample.add(10, 0.375));
        assert_eq!(sample.seconds_of(16), 0.5);
        sample = Sample::default();
        assert!(!sample.add(1, 10.0));
        assert!(sample.add(5, 11.0));
        assert_eq!(sample.seconds_of(100), 25.0);
    }

    #[test]
    fn what_is_said_of_it() {
        let said = |networks, epochs, seconds, limit| Hint::budget(networks, epochs, seconds, limit).to_string();
        let rest = "; epochs = N and ensemble = N say both without a budget";
        assert_eq!(said(1, 90, 45.2, 50.0), format!("budget: one network of 90 epochs, about 45 of 50 s{rest}"));
        assert_eq!(said(8, 1, 1.96, 0.5), format!("budget: 8 networks of 1 epoch, about 2.0 of 0.5 s{rest}"));
        assert_eq!(
            said(2, 1000, 3500.0, 3600.0),
            format!("budget: 2 networks of 1,000 epochs, about 3,500 of 3,600 s{rest}")
        );
    }
}
