//! Transfer buffers and waiting for them: the async part of the backend.

use std::future::{Future, poll_fn};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

use super::GpuDevice;
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
    /// the device is polled, which blocks the thread.
    pub async fn wait(&self, gpu: &GpuDevice, submission: wgpu::SubmissionIndex) -> Result<()> {
        let polled = gpu.poll(submission, None)?;
        polled.map_err(|error| gpu.failure(format!("waiting for the device failed: {error}")))?;
        gpu.check()?;
        self.finished().await.map_err(|error| gpu.failure(format!("a result could not be read: {error}")))
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
