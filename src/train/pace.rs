//! How many steps go into a submission: as many as take about [`TARGET`]. A submission that is too long
//! blocks the display and, on Windows, loses the device; one that is too short costs more than it does.

use std::time::{Duration, Instant};

/// What a submission should take.
const TARGET: Duration = Duration::from_millis(20);
/// Growth from one submission to the next, while the cost of a step is not known well.
const GROWTH: usize = 4;

/// Adapts the length of submissions.
#[derive(Debug)]
pub(super) struct Pace {
    steps: usize,
    most: usize,
    last: Instant,
}

impl Pace {
    /// Starts with one step; never exceeds `most`.
    pub fn new(most: usize) -> Self {
        Self { steps: 1, most, last: Instant::now() }
    }

    /// Steps of the next submission.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Notes that a submission of `steps` has ended now. With two in flight the time since the one before
    /// ended is what it took.
    pub fn ended(&mut self, steps: usize) {
        let now = Instant::now();
        let per_step = (now - self.last).as_secs_f64() / steps.max(1) as f64;
        self.last = now;
        let fitting = (TARGET.as_secs_f64() / per_step.max(1e-9)) as usize;
        self.steps = fitting.clamp(1, steps.saturating_mul(GROWTH).max(1)).min(self.most);
    }
}
