//! Transfer buffers and waiting for them: the async part of the backend.

use std::future::{Future, poll_fn};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use super::device::GpuDevice;
use crate::error::Result;

/// A mapping that has been asked for.
#[derive(Debug, Default)]
pub(super) struct Mapping(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    result: Option<Result<(), wgpu::BufferAsyncError>>,
    waker: Option<Waker>,
}

/// Gives the result; one that is dropped without, as when another's callback panics, gives an error, so that nobody waits for ever.
struct Answer(Arc<Mutex<State>>);

impl Answer {
    fn give(&self, result: Result<(), wgpu::BufferAsyncError>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.result.get_or_insert(result);
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.give(Err(wgpu::BufferAsyncError));
    }
}

impl Mapping {
    /// Asks for the first `bytes` of a buffer.
    pub fn start(buffer: &wgpu::Buffer, mode: wgpu::MapMode, bytes: u64) -> Self {
        let mapping = Self::default();
        let answer = Answer(Arc::clone(&mapping.0));
        buffer.slice(..bytes).map_async(mode, move |result| answer.give(result));
        mapping
    }

    /// Whether it is done, or has failed.
    pub fn is_finished(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).result.is_some()
    }

    fn finished(&self) -> impl Future<Output = Result<(), wgpu::BufferAsyncError>> {
        poll_fn(|context| {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match &state.result {
                Some(result) => Poll::Ready(result.clone()),
                None => {
                    state.waker = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
    }

    /// Waits until the mapping, which follows `submission`, is done. A browser calls back by itself; elsewhere
    /// the device is polled, which blocks the thread, but not beyond [`GpuDevice::longest_wait`]. `what` names the work.
    pub async fn wait(
        &self,
        gpu: &GpuDevice,
        submission: wgpu::SubmissionIndex,
        what: impl Fn() -> String,
    ) -> Result<()> {
        let limit = gpu.longest_wait();
        let polled = gpu.poll(submission, limit)?;
        polled.map_err(|error| gpu.failure(overdue(&error, limit, &what())))?;
        gpu.check()?;
        self.finished().await.map_err(|error| gpu.failure(format!("a result could not be read: {error}")))
    }
}

/// Why a wait for some work ended without it, and what to do.
fn overdue(error: &wgpu::PollError, limit: Option<Duration>, what: &str) -> String {
    match (error, limit) {
        (wgpu::PollError::Timeout, Some(limit)) => format!(
            "{what} did not end within {} s: the device hangs, or its work takes longer; restart the program with a smaller batch \
             or another device, or allow more time (GpuDevice::set_longest_wait)",
            limit.as_secs_f64()
        ),
        _ => format!("waiting for {what} failed: {error}"),
    }
}

/// Copies a mapped buffer's first `bytes` out and unmaps it.
pub(super) fn take<T: bytemuck::Pod>(gpu: &GpuDevice, buffer: &wgpu::Buffer, bytes: u64) -> Result<Vec<T>> {
    gpu.guarded(|| {
        let view = buffer.slice(..bytes).get_mapped_range();
        let values = view.map(|view| bytemuck::pod_collect_to_vec(&view));
        buffer.unmap();
        values
    })?
    .map_err(|error| gpu.failure(format!("a result could not be read: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told of a device that hangs: which work, for how long, what to do.
    #[test]
    fn a_wait_that_ends_names_the_step() {
        let limit = Some(Duration::from_millis(1500));
        let told = overdue(&wgpu::PollError::Timeout, limit, "step 7 since the plan was loaded");
        for words in ["step 7 since", "within 1.5 s", "smaller batch", "set_longest_wait"] {
            assert!(told.contains(words), "{told}");
        }
        let other = overdue(&wgpu::PollError::WrongSubmissionIndex(2, 1), limit, "step 7");
        assert!(other.contains("waiting for step 7 failed") && !other.contains("within"), "{other}");
    }
}
