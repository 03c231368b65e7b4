//! Steps by their number: one, many with the submissions of a run, or an epoch; and whether there are more.

use std::ops::ControlFlow;

use super::{Event, Outcome, Progress, Trainer};
use crate::error::{Error, Result};

impl Trainer {
    /// [`step`](Self::step) for async programs.
    pub async fn step_async(&mut self) -> Result<Progress> {
        self.run_steps_async(1).await
    }

    /// [`run_steps`](Self::run_steps) for async programs.
    pub async fn run_steps_async(&mut self, steps: u64) -> Result<Progress> {
        let (end, mut last) = (self.next_step.saturating_add(steps.max(1)), None);
        while self.next_step < end {
            if self.next_step >= self.run.end {
                self.drain().await?;
                self.begin();
            }
            let before = self.next_step;
            self.advance(end - before, |event| {
                if let Event::Steps(progress) = event {
                    last = Some(progress);
                }
                ControlFlow::Continue(())
            })
            .await?;
            if self.next_step == before {
                break;
            }
        }
        last.ok_or_else(|| Error::CheckFailed("a step gave no loss".into()))
    }

    /// Does the rest of an epoch, the first one of another run where one has ended.
    pub(in crate::train) async fn epoch(&mut self, on_event: impl FnMut(Event) -> ControlFlow<()>) -> Result<Outcome> {
        self.drain().await?;
        if self.next_step >= self.run.end {
            self.begin();
        }
        let steps = self.steps_per_epoch();
        self.advance(steps - self.next_step % steps, on_event).await
    }

    /// Takes note of a step whose loss nobody knows: every one is an epoch, and no snapshot is of the parameters before it.
    pub(in crate::train) fn skip_validation(&mut self) {
        self.run.validated_until = self.next_step;
        self.run.finished = self.next_step >= self.run.end;
        self.first_submission = self.submissions;
    }

    /// Whether the run has come to its end: nothing of it is left to be done, and where early stopping keeps the best parameters,
    /// they are back. False before the first run.
    pub fn is_finished(&self) -> bool {
        self.run.finished && self.pending.is_empty()
    }
}
