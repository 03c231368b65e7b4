//! Steps by their number: one, or many with the submissions of a run.

use std::ops::ControlFlow;

use super::{Event, Progress, Trainer};
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
}
