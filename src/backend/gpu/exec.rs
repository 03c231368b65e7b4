//! A plan loaded on a GPU: buffers, bind groups, submissions.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::PoisonError;

use super::device::GpuDevice;
use super::pipelines::{RECORD, RECORDS_BOUND};
use super::prepare::{Grids, Prepared, alignment, check, prepare, storage};
use super::transfer::{Mapping, take};
use crate::backend::{
    Backend, Counters, MAX_IN_FLIGHT, check_copy, check_len, check_running, check_submission, placed,
};
use crate::error::Result;
use crate::kernels::{MAX_RECORDS, Step, StepRecord};
use crate::plan::{BufferId, Plan, Role};

/// A plan loaded on a GPU.
#[derive(Debug)]
pub struct GpuBackend {
    pub(super) gpu: GpuDevice,
    pub(super) plan: Plan,
    buffers: Vec<wgpu::Buffer>,
    /// For each pass, its dispatches ready to encode.
    pub(super) passes: Vec<Vec<Prepared>>,
    /// The step records of the submission that runs.
    pub(super) records: wgpu::Buffer,
    /// Replicas that run.
    pub(super) running: usize,
    /// Distance that the records of two dispatches have to keep.
    record_alignment: u64,
    /// Whether behind a dispatch's records stands one that ends them.
    pub(super) ends_runs: bool,
    lanes: Vec<Lane>,
    /// Submissions that have not been collected, oldest first.
    in_flight: VecDeque<InFlight>,
    /// Takes the results of [`Backend::read`]: as large as the parameters and the output, grows to what is read.
    readback: wgpu::Buffer,
    /// Whether it is mapped or about to be: a read whose future was dropped leaves it so.
    is_reading: bool,
    /// Steps submitted so far.
    steps: u64,
    counters: Counters,
}

/// Transfer buffers of one submission; lanes take turns, so that the host fills one while the device works
/// on the other.
#[derive(Debug)]
struct Lane {
    /// Step records on their way up; mapped whenever the lane is free.
    upload: wgpu::Buffer,
    /// Ring slots on their way down, for a plan that has a ring.
    ring: Option<wgpu::Buffer>,
}

#[derive(Debug)]
struct InFlight {
    lane: usize,
    /// Its steps, counted from the plan's loading.
    steps: Range<u64>,
    submission: wgpu::SubmissionIndex,
    upload: Mapping,
    ring: Option<(Mapping, u64)>,
}

impl GpuBackend {
    /// Allocates the plan's buffers and makes its pipelines, on a device that has been checked or not: the check itself is a plan.
    pub(super) async fn load_unverified(gpu: &GpuDevice, plan: Plan) -> Result<Self> {
        let grids = check(gpu, &plan)?;
        let needed = plan.bytes(4);
        let created = gpu.scoped(needed, || Self::create(gpu.clone(), plan, &grids)).await;
        if created.is_err() {
            gpu.0.pipelines.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
        created
    }

    fn create(gpu: GpuDevice, plan: Plan, grids: &Grids) -> Self {
        let mut counters = Counters::default();
        let mut buffer = |label: &str, bytes: u64, usage, mapped| {
            counters.buffers_created += 1;
            gpu.0.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(label),
                size: bytes,
                usage,
                mapped_at_creation: mapped,
            })
        };
        use wgpu::BufferUsages as Usage;
        let alignment = alignment(&gpu);
        let ends_runs = plan.has_runs();
        let step_bytes = (1 + u64::from(ends_runs)) * plan.replicas as u64 * RECORD;
        let upload_bytes = step_bytes.next_multiple_of(alignment) * plan.slots as u64;
        // A binding is as long as the most records, wherever it starts.
        let records_bytes = upload_bytes + RECORDS_BOUND;
        let records = buffer("step records", records_bytes, Usage::UNIFORM | Usage::COPY_DST, false);
        let ring_bytes = plan.find(Role::LossRing).map(|ring| plan.buffers[ring].len as u64 * 4);
        let lanes = (0..MAX_IN_FLIGHT)
            .map(|_| Lane {
                upload: buffer("step records up", upload_bytes, Usage::MAP_WRITE | Usage::COPY_SRC, true),
                ring: ring_bytes.map(|bytes| buffer("ring down", bytes, Usage::MAP_READ | Usage::COPY_DST, false)),
            })
            .collect();
        let buffers: Vec<_> = plan.buffers.iter().map(|spec| storage(&gpu, spec)).collect();
        let bindings: Vec<_> = buffers.iter().map(wgpu::Buffer::as_entire_buffer_binding).collect();
        let (passes, bytes) = prepare(&gpu, &plan, grids, &bindings, &records);
        drop(bindings);
        counters.bytes_up += bytes;
        let often_read = [plan.find(Role::Parameters), plan.output];
        let largest = often_read.into_iter().flatten().map(|id| buffers[id].size()).max().unwrap_or(4);
        // Those of the plan, of the uniforms and of what is read.
        counters.buffers_created += buffers.len() as u64 + 2;
        let readback = readback(&gpu, largest);
        let in_flight = VecDeque::with_capacity(MAX_IN_FLIGHT);
        let running = plan.replicas;
        Self {
            gpu,
            plan,
            buffers,
            passes,
            records,
            running,
            record_alignment: alignment,
            ends_runs,
            lanes,
            in_flight,
            readback,
            is_reading: false,
            steps: 0,
            counters,
        }
    }

    /// The steps that each dispatch takes, with the place of the first one's record, and the end of all records.
    fn runs(&self, steps: &[(usize, Step)]) -> (Vec<(Range<usize>, u64)>, u64) {
        let (mut runs, mut start, mut end) = (Vec::new(), 0, 0);
        let count = steps.len() / self.running;
        while start < count {
            let run = start..start + self.plan.run(&steps[start * self.running..], self.running);
            start = run.end;
            let first = end;
            let records = run.len() * self.running + self.end_records(run.len());
            end += (records as u64 * RECORD).next_multiple_of(self.record_alignment);
            runs.push((run, first));
        }
        (runs, end)
    }

    /// How many records end a run of so many steps: one for each replica, if it sees so many.
    pub(super) fn end_records(&self, steps: usize) -> usize {
        if self.ends_runs { self.running.min(MAX_RECORDS - steps * self.running) } else { 0 }
    }

    fn encode(&mut self, steps: &[(usize, Step)], lane: usize) -> Result<wgpu::CommandBuffer> {
        let (runs, used) = self.runs(steps);
        let upload = &self.lanes[lane].upload;
        let mut view = upload
            .slice(..used)
            .get_mapped_range_mut()
            .map_err(|error| self.gpu.failure(format!("the step records could not be written: {error}")))?;
        for (run, first) in &runs {
            let slots = run.clone().flat_map(|slot| (0..self.running).map(move |replica| (slot, replica)));
            let record = |(slot, replica)| placed(&self.plan, slot, steps[slot * self.running + replica]).into();
            let ends = std::iter::repeat_n(StepRecord::END, self.end_records(run.len()));
            let records = slots.map(record).chain(ends);
            for (record, start) in records.zip((*first as usize..).step_by(RECORD as usize)) {
                view.slice(start..start + RECORD as usize).copy_from_slice(bytemuck::bytes_of(&record));
            }
        }
        drop(view);
        upload.unmap();
        self.counters.bytes_up += used;

        let mut encoder = self.gpu.0.device.create_command_encoder(&Default::default());
        encoder.copy_buffer_to_buffer(upload, 0, &self.records, 0, used);
        let mut pass = encoder.begin_compute_pass(&Default::default());
        for (run, first) in runs {
            let dispatches = &self.passes[steps[run.start * self.running].0];
            dispatches.iter().for_each(|prepared| prepared.encode(&mut pass, first as u32, self.running));
            self.counters.dispatches += dispatches.len() as u64;
        }
        drop(pass);
        if let (Some(down), Some(ring)) = (&self.lanes[lane].ring, self.plan.find(Role::LossRing)) {
            encoder.copy_buffer_to_buffer(&self.buffers[ring], 0, down, 0, self.ring_bytes(steps.len() / self.running));
        }
        Ok(encoder.finish())
    }

    /// The buffer of a role on the device, [`Plan::buffers`] says how long: for a program that has the device too and copies from it in
    /// an encoder of its own.
    pub fn buffer(&self, role: Role) -> Option<&wgpu::Buffer> {
        self.buffers.get(self.plan.find(role)?)
    }

    fn ring_bytes(&self, steps: usize) -> u64 {
        (steps * self.plan.ring_slot() * 4) as u64
    }
}

impl Backend for GpuBackend {
    type Real = f32;

    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn write(&mut self, buffer: BufferId, values: &[f32]) -> Result<()> {
        check_len(&self.plan, buffer, values.len())?;
        // wgpu keeps a copy of what is being written: a piece at a time bounds it.
        const PIECE: usize = 1 << 22;
        self.gpu.guarded(|| {
            for (index, piece) in values.chunks(PIECE).enumerate() {
                let bytes: &[u8] = bytemuck::cast_slice(piece);
                self.gpu.0.queue.write_buffer(&self.buffers[buffer], (index * PIECE * 4) as u64, bytes);
                if values.len() > PIECE {
                    self.gpu.0.queue.submit([]);
                }
                self.counters.bytes_up += bytes.len() as u64;
            }
        })
    }

    fn copy(&mut self, from: BufferId, to: BufferId, replicas: &[Range<usize>]) -> Result<()> {
        let each = check_copy(&self.plan, from, to, replicas)? as u64 * 4;
        self.gpu.guarded(|| {
            let mut encoder = self.gpu.0.device.create_command_encoder(&Default::default());
            for range in replicas {
                let (start, bytes) = (range.start as u64 * each, range.len() as u64 * each);
                encoder.copy_buffer_to_buffer(&self.buffers[from], start, &self.buffers[to], start, bytes);
            }
            self.gpu.0.queue.submit([encoder.finish()]);
        })
    }

    fn run_first(&mut self, replicas: usize) -> Result<()> {
        check_running(&self.plan, replicas)?;
        self.running = replicas;
        Ok(())
    }

    fn submit(&mut self, steps: &[(usize, Step)]) -> Result<()> {
        check_submission(&self.plan, self.running, steps, self.in_flight.len())?;
        let count = steps.len() / self.running;
        let lane = self.counters.submissions as usize % MAX_IN_FLIGHT;
        let gpu = self.gpu.clone();
        let in_flight = gpu.guarded(|| {
            let commands = self.encode(steps, lane)?;
            let submission = self.gpu.0.queue.submit([commands]);
            let Lane { upload, ring } = &self.lanes[lane];
            let upload = Mapping::start(upload, wgpu::MapMode::Write, upload.size());
            let bytes = self.ring_bytes(count);
            let ring = ring.as_ref().map(|ring| (Mapping::start(ring, wgpu::MapMode::Read, bytes), bytes));
            Ok(InFlight { lane, steps: self.steps..self.steps + count as u64, submission, upload, ring })
        })??;
        self.steps = in_flight.steps.end;
        self.counters.submissions += 1;
        self.in_flight.push_back(in_flight);
        Ok(())
    }

    fn is_done(&mut self) -> Result<bool> {
        let Some(InFlight { upload, ring, .. }) = self.in_flight.front() else { return Ok(true) };
        let polled = self.gpu.poll_as(wgpu::PollType::Poll)?;
        polled.map_err(|error| self.gpu.failure(format!("asking the device failed: {error}")))?;
        self.gpu.check()?;
        Ok(upload.is_finished() && ring.as_ref().is_none_or(|(mapping, _)| mapping.is_finished()))
    }

    async fn collect(&mut self) -> Result<Vec<f32>> {
        // It stays in front until its buffers are free again, so that a caller may drop this future.
        let Some(InFlight { lane, steps, submission, upload, ring }) = self.in_flight.front() else {
            return Ok(Vec::new());
        };
        let what = || match steps.end - steps.start {
            1 => format!("step {} since the plan was loaded", steps.end),
            _ => format!("steps {} to {} since the plan was loaded", steps.start + 1, steps.end),
        };
        upload.wait(&self.gpu, submission.clone(), what).await?;
        let mut losses = Vec::new();
        if let (Some((mapping, bytes)), Some(down)) = (ring, &self.lanes[*lane].ring) {
            mapping.wait(&self.gpu, submission.clone(), what).await?;
            self.counters.bytes_down += bytes;
            losses = take(&self.gpu, down, *bytes)?;
        }
        self.in_flight.pop_front();
        Ok(losses)
    }

    async fn read(&mut self, buffer: BufferId) -> Result<Vec<f32>> {
        check_len(&self.plan, buffer, 0)?;
        let source = &self.buffers[buffer];
        let bytes = source.size();
        if self.readback.size() < bytes {
            self.counters.buffers_created += 1;
            self.readback = self.gpu.scoped(bytes, || readback(&self.gpu, bytes)).await?;
            self.is_reading = false;
        }
        let down = &self.readback;
        let (mapping, submission) = self.gpu.guarded(|| {
            if self.is_reading {
                down.unmap();
            }
            let mut encoder = self.gpu.0.device.create_command_encoder(&Default::default());
            encoder.copy_buffer_to_buffer(source, 0, down, 0, bytes);
            let submission = self.gpu.0.queue.submit([encoder.finish()]);
            (Mapping::start(down, wgpu::MapMode::Read, bytes), submission)
        })?;
        self.is_reading = true;
        let role = self.plan.buffers[buffer].role;
        mapping.wait(&self.gpu, submission, || format!("the copy of {role:?}, with the steps before it,")).await?;
        self.counters.bytes_down += bytes;
        let values = take(&self.gpu, down, bytes);
        self.is_reading = false;
        values
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}

fn readback(gpu: &GpuDevice, bytes: u64) -> wgpu::Buffer {
    gpu.0.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("readback"),
        size: bytes,
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })
}
