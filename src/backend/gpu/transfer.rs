//! Transfer buffers and waiting for them: the async part of the backend.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
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

impl Mapping {
    /// Asks for the first `bytes` of a buffer.
    pub fn start(buffer: &wgpu::Buffer, mode: wgpu::MapMode, bytes: u64) -> Self {
        let mapping = Self::default();
        let state = Arc::clone(&mapping.0);
        buffer.slice(..bytes).map_async(mode, move |result| {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            state.result = Some(result);
            if let Some(waker) = state.waker.take() {
                waker.wake();
            }
        });
        mapping
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
        let wait = wgpu::PollType::Wait { submission_index: Some(submission), timeout: None };
        // wgpu panics where a driver says in a poll that the device is lost.
        match catch_unwind(AssertUnwindSafe(|| gpu.0.device.poll(wait))) {
            Ok(Ok(_)) => gpu.check()?,
            Ok(Err(error)) => return Err(gpu.failure(format!("waiting for the device failed: {error}"))),
            Err(_) => {
                gpu.lose("its driver gave up while it was waited for");
                return Err(gpu.failure(""));
            }
        }
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
