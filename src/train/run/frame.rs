//! Training between the frames of a program: steps are queued and their losses are taken without waiting for either. A browser's programs
//! have the async forms instead: a run that diverges is waited for, which its thread may not do.

use std::ops::ControlFlow;

use super::{Outcome, Progress, Trainer};
use crate::backend::Backend as _;
use crate::error::Result;

impl Trainer {
    /// Queues at most `steps` of the next training steps without waiting for any; [`try_collect`](Self::try_collect)
    /// tells when they are done. With both calls a program trains between its frames, until the run
    /// [`is_finished`](Self::is_finished). Returns the number of steps queued. It is smaller at the end of a run, at
    /// the end of an epoch with validation, and if a submission holds no more. It is 0 if two submissions are under
    /// way, or if the next steps depend on them. After the run's last step, once all is collected, it begins another
    /// run, as [`step`](Self::step) does.
    ///
    /// The CPU does the steps within this call. A GPU does them later; what they take is the caller's choice, not
    /// [`TrainConfig::submission`](crate::train::TrainConfig::submission)'s.
    ///
    /// # Errors
    /// Errors of the device.
    pub fn submit(&mut self, steps: usize) -> Result<usize> {
        self.check_data_is_there()?;
        if self.next_step >= self.run.end && self.run.validated_until >= self.run.end && self.pending.is_empty() {
            self.begin();
        }
        if steps == 0 || self.pending.len() >= self.in_flight {
            return Ok(0);
        }
        let first = self.next_step;
        self.queue(u64::MAX, Some(steps))?;
        Ok((self.next_step - first) as usize)
    }

    /// The progress at the end of the oldest submission, if that is done; it never waits for one. It also completes the
    /// validation of an epoch.
    ///
    /// # Errors
    /// [`Error::Diverged`](crate::Error::Diverged) as [`fit`](Self::fit) gives it; then it does wait for what is on its
    /// way, to go back to the last good parameters. Errors of the device.
    pub fn try_collect(&mut self) -> Result<Option<Progress>> {
        let mut outcome = Outcome::default();
        while let Some(&done) = self.pending.front() {
            if !self.backend.is_done()? {
                return Ok(None);
            }
            // It is done, so that nothing is waited for.
            let ring = pollster::block_on(self.backend.collect())?;
            self.pending.pop_front();
            let mut go_on = |_| ControlFlow::Continue(());
            let progress = pollster::block_on(self.take_in(done, &ring, &mut outcome, &mut go_on))?;
            if self.pending.is_empty() && self.next_step >= self.run.validated_until + self.steps_per_epoch() {
                self.queue(u64::MAX, None)?;
            }
            if self.pending.is_empty() {
                self.end_run()?;
            }
            if progress.is_some() {
                return Ok(progress);
            }
        }
        Ok(None)
    }
}
