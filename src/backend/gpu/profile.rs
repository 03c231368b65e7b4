//! GPU time of each dispatch, by timestamp queries. A device is asked for them only when it is opened for that.

use super::device::GpuDevice;
use super::exec::GpuBackend;
use super::transfer::{Mapping, take};
use crate::backend::placed;
use crate::error::{Error, Result};
use crate::kernels::{Step, StepRecord};

/// Dispatches that one query set holds two timestamps for.
const MAX_DISPATCHES: usize = wgpu::QUERY_SET_MAX_QUERIES as usize / 2;

impl GpuDevice {
    /// Whether it was opened with timestamp queries.
    pub fn has_timestamps(&self) -> bool {
        self.0.device.features().contains(wgpu::Features::TIMESTAMP_QUERY)
    }
}

impl GpuBackend {
    /// Runs a pass once, with the same record for all replicas, and returns the seconds that each of its dispatches took on the GPU, in order. Each runs in a
    /// compute pass of its own with a timestamp at both ends, so they never overlap, and the sum is more than a step takes
    /// in [`submit`](crate::backend::Backend::submit).
    ///
    /// # Errors
    /// [`Error::Gpu`] on a device without timestamp queries, [`Error::Setting`] for a pass that the plan does not have or
    /// that has more than 2,048 dispatches.
    pub async fn profile(&mut self, pass: usize, step: Step) -> Result<Vec<f64>> {
        if !self.gpu.has_timestamps() {
            return Err(self.gpu.error("it was opened without timestamp queries, or has none"));
        }
        let count = self.passes.get(pass).map_or(0, Vec::len);
        if !(1..=MAX_DISPATCHES).contains(&count) {
            let expected = format!("1 to {MAX_DISPATCHES}");
            return Err(Error::Setting { what: "number of dispatches to profile", found: count.to_string(), expected });
        }
        self.gpu.check()?;
        let gpu = &self.gpu.0;
        let bytes = 16 * count as u64;
        let (queries, resolved, down) = self
            .gpu
            .scoped(2 * bytes, || {
                let queries = gpu.device.create_query_set(&wgpu::QuerySetDescriptor {
                    label: Some("timestamps"),
                    ty: wgpu::QueryType::Timestamp,
                    count: 2 * count as u32,
                });
                let buffer = |usage| {
                    let label = Some("timestamps");
                    let (size, mapped_at_creation) = (bytes, false);
                    gpu.device.create_buffer(&wgpu::BufferDescriptor { label, size, usage, mapped_at_creation })
                };
                use wgpu::BufferUsages as Usage;
                (queries, buffer(Usage::QUERY_RESOLVE | Usage::COPY_SRC), buffer(Usage::MAP_READ | Usage::COPY_DST))
            })
            .await?;

        let submission = self.gpu.guarded(|| {
            let mut records = vec![placed(&self.plan, 0, (pass, step)).into(); self.running];
            records.extend(std::iter::repeat_n(StepRecord::END, self.end_records(1)));
            gpu.queue.write_buffer(&self.records, 0, bytemuck::cast_slice(&records));
            let mut encoder = gpu.device.create_command_encoder(&Default::default());
            for (first, prepared) in (0..).step_by(2).zip(&self.passes[pass]) {
                let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                    label: None,
                    timestamp_writes: Some(wgpu::ComputePassTimestampWrites {
                        query_set: &queries,
                        beginning_of_pass_write_index: Some(first),
                        end_of_pass_write_index: Some(first + 1),
                    }),
                });
                prepared.encode(&mut pass, 0, self.running);
            }
            encoder.resolve_query_set(&queries, 0..2 * count as u32, &resolved, 0);
            encoder.copy_buffer_to_buffer(&resolved, 0, &down, 0, bytes);
            gpu.queue.submit([encoder.finish()])
        })?;
        Mapping::start(&down, wgpu::MapMode::Read, bytes).wait(&self.gpu, submission, || "a profile".into()).await?;
        let ticks: Vec<u64> = take(&self.gpu, &down, bytes)?;
        // A tick in seconds. A clock that was set back between two timestamps counts as no time.
        let tick = f64::from(gpu.queue.get_timestamp_period()) * 1e-9;
        Ok(ticks.chunks_exact(2).map(|times| times[1].saturating_sub(times[0]) as f64 * tick).collect())
    }
}
