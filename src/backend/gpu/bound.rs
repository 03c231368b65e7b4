//! A plan over buffers of which some are a program's own, to be recorded in the program's encoder.

use super::device::GpuDevice;
use super::pipelines::RECORDS_BOUND;
use super::prepare::{Grids, Prepared, check, prepare, storage};
use crate::error::{Error, Result};
use crate::kernels::StepRecord;
use crate::plan::{BufferId, Plan, Role};

/// A buffer of a plan, where it begins in wgpu's.
#[derive(Debug)]
struct Place {
    buffer: wgpu::Buffer,
    offset: u64,
}

#[derive(Debug)]
pub(super) struct Bound {
    pub gpu: GpuDevice,
    pub plan: Plan,
    pub passes: Vec<Vec<Prepared>>,
    /// Step records.
    pub records: wgpu::Buffer,
    places: Vec<Place>,
}

impl Bound {
    /// Makes the plan's pipelines, bind groups and those buffers that are not `given`; room for `records` bytes of step records.
    pub async fn new(
        gpu: &GpuDevice,
        plan: Plan,
        given: &[(BufferId, Option<wgpu::BufferSlice<'_>>)],
        records: u64,
    ) -> Result<Self> {
        gpu.verify().await?;
        let grids = check(gpu, &plan)?;
        let given: Vec<_> = given.iter().filter_map(|&(id, slice)| Some((id, slice?))).collect();
        for (index, &(id, slice)) in given.iter().enumerate() {
            check_slice(gpu, &plan, id, slice)?;
            if given[..index].iter().any(|(_, other)| other.buffer() == slice.buffer()) {
                return Err(refused(&plan, id, "a buffer given twice".into(), "one buffer for each purpose".into()));
            }
        }
        let needed = plan.bytes(4);
        gpu.scoped(needed, || Self::create(gpu, plan, &grids, &given, records)).await
    }

    fn create(
        gpu: &GpuDevice,
        plan: Plan,
        grids: &Grids,
        given: &[(BufferId, wgpu::BufferSlice<'_>)],
        records: u64,
    ) -> Self {
        let place = |(id, spec)| match given.iter().find(|(given, _)| *given == id) {
            Some((_, slice)) => Place { buffer: slice.buffer().clone(), offset: slice.offset() },
            None => Place { buffer: storage(gpu, spec), offset: 0 },
        };
        let places: Vec<_> = plan.buffers.iter().enumerate().map(place).collect();
        let records = gpu.0.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("step records"),
            size: records + RECORDS_BOUND,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let mut bindings = Vec::with_capacity(places.len());
        for (Place { buffer, offset }, spec) in places.iter().zip(&plan.buffers) {
            let size = wgpu::BufferSize::new(spec.len as u64 * 4);
            bindings.push(wgpu::BufferBinding { buffer, offset: *offset, size });
        }
        let (passes, _) = prepare(gpu, &plan, grids, &bindings, &records);
        drop(bindings);
        Self { gpu: gpu.clone(), plan, passes, records, places }
    }

    /// Where a buffer of the plan stands.
    pub fn slice(&self, id: BufferId) -> wgpu::BufferSlice<'_> {
        let (place, bytes) = (&self.places[id], self.plan.buffers[id].len as u64 * 4);
        place.buffer.slice(place.offset..place.offset + bytes)
    }

    /// Writes a value of every replica, or one for all, before anything that is submitted later.
    pub fn write(&self, role: Role, values: &[f32]) -> Result<()> {
        let id = self.plan.buffer(role)?;
        let len = self.plan.buffers[id].len;
        if values.len() != len && values.len().saturating_mul(self.plan.replicas) != len {
            return Err(Error::Shape {
                what: format!("the list for {role:?}"),
                found: values.len(),
                expected: format!("{len}, or {} for all networks alike", len / self.plan.replicas),
            });
        }
        let slice = self.slice(id);
        self.gpu.guarded(|| {
            for start in (0..len).step_by(values.len().max(1)) {
                let bytes = bytemuck::cast_slice(values);
                self.gpu.0.queue.write_buffer(slice.buffer(), slice.offset() + start as u64 * 4, bytes);
            }
        })
    }

    /// Records a copy of all parameters from a buffer that has as many.
    pub fn copy_parameters(&self, encoder: &mut wgpu::CommandEncoder, from: wgpu::BufferSlice<'_>) -> Result<()> {
        let to = self.slice(self.plan.buffer(Role::Parameters)?);
        if from.size() != to.size() {
            return Err(Error::Shape {
                what: "the buffer of parameters, in bytes,".into(),
                found: usize::try_from(from.size()).unwrap_or(usize::MAX),
                expected: to.size().to_string(),
            });
        }
        encoder.copy_buffer_to_buffer(from.buffer(), from.offset(), to.buffer(), to.offset(), to.size());
        Ok(())
    }

    /// Writes the records of steps, one for each replica, the first of them at so many bytes, those of a step `distance` bytes behind
    /// those of the one before.
    pub fn write_records(&self, at: u64, records: &[StepRecord], distance: u64) -> Result<()> {
        let steps = records.chunks_exact(self.plan.replicas);
        let mut bytes = vec![0; steps.len() * distance as usize];
        for (records, place) in steps.zip(bytes.chunks_exact_mut(distance as usize)) {
            let records: &[u8] = bytemuck::cast_slice(records);
            place[..records.len()].copy_from_slice(records);
        }
        self.gpu.guarded(|| self.gpu.0.queue.write_buffer(&self.records, at, &bytes))
    }
}

/// Refuses a buffer that cannot stand for a plan's.
fn check_slice(gpu: &GpuDevice, plan: &Plan, id: BufferId, slice: wgpu::BufferSlice<'_>) -> Result<()> {
    let needed = plan.buffers[id].len as u64 * 4;
    if slice.size() < needed {
        return Err(refused(plan, id, format!("{} bytes", slice.size()), format!("at least {needed} bytes")));
    }
    if !slice.buffer().usage().contains(wgpu::BufferUsages::STORAGE) {
        return Err(refused(plan, id, format!("{:?}", slice.buffer().usage()), "the usage STORAGE".into()));
    }
    let alignment = gpu.0.limits.min_storage_buffer_offset_alignment;
    if !slice.offset().is_multiple_of(alignment.into()) {
        return Err(refused(plan, id, format!("at byte {}", slice.offset()), format!("at a multiple of {alignment}")));
    }
    Ok(())
}

fn refused(plan: &Plan, id: BufferId, found: String, expected: String) -> Error {
    let expected = format!("{expected}, for {:?}", plan.buffers[id].role);
    Error::Setting { what: "buffer of the program", found, expected }
}
