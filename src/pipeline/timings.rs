//! Where the time of a run goes.

#[cfg(feature = "cli")]
use std::time::Duration;

use serde::{Serialize, Serializer};
use web_time::Instant;

/// Seconds of each phase, in their order.
#[derive(Clone, Debug)]
pub struct Timings {
    last: Instant,
    all: Vec<(&'static str, f64)>,
}

impl Timings {
    /// Begins now.
    #[must_use]
    pub fn start() -> Self {
        Self { last: Instant::now(), all: Vec::new() }
    }

    /// Ends a phase: it took the time since the last one. A phase that goes on after its end is ended anew.
    pub fn end(&mut self, name: &'static str) {
        let now = Instant::now();
        let seconds = (now - self.last).as_secs_f64();
        match self.all.last_mut() {
            Some((last, all)) if *last == name => *all += seconds,
            _ => self.all.push((name, seconds)),
        }
        self.last = now;
    }

    /// These phases and then those of `later`, which began when they ended.
    #[must_use]
    pub fn then(mut self, later: Self) -> Self {
        self.all.extend(later.all);
        Self { last: later.last, ..self }
    }

    /// Seconds of the phase of this name; 0 where there is none.
    #[must_use]
    pub fn of(&self, name: &str) -> f64 {
        self.all.iter().filter(|(phase, _)| *phase == name).map(|(_, seconds)| seconds).sum()
    }

    /// What it took to open the device and to load the plan and the data.
    #[cfg(feature = "cli")]
    pub(crate) fn setup(&self) -> Duration {
        Duration::from_secs_f64(self.of("device") + self.of("upload"))
    }

    /// Each phase with its seconds.
    #[must_use]
    pub fn all(&self) -> &[(&'static str, f64)] {
        &self.all
    }
}

impl Serialize for Timings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.all.iter().copied())
    }
}
