//! How many steps a submission holds: as many as take a set time, so that a display stays responsive, the host
//! keeps ahead of the device, and no driver takes a long submission for a hang.

use std::time::Duration;

/// Growth from one submission to the next, while the cost of a step is not known well.
const GROWTH: usize = 4;

/// Adapts the length of submissions of one kind of step.
#[derive(Debug)]
pub(super) struct SubmissionPacer {
    steps: usize,
    most: usize,
    target: Duration,
}

impl SubmissionPacer {
    /// Starts with one step; never exceeds `most`. A submission should take the time `target`.
    pub fn new(most: usize, target: Duration) -> Self {
        Self { steps: 1, most, target }
    }

    /// Steps of the next submission.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Notes what a submission of `steps` took.
    pub fn took(&mut self, steps: usize, time: Duration) {
        let per_step = time.as_secs_f64() / steps.max(1) as f64;
        let fitting = (self.target.as_secs_f64() / per_step.max(1e-9)) as usize;
        self.steps = fitting.clamp(1, steps.saturating_mul(GROWTH).max(1)).min(self.most);
    }
}
