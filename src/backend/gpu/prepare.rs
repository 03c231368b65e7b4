//! A plan's work ready to encode: pipelines, bind groups and the uniforms that say where their views stand.

use std::sync::PoisonError;

use super::device::GpuDevice;
use super::pipelines::{FIRST_STORAGE, Pipeline, RECORDS_BOUND, params_bytes};
use crate::error::{Error, Result};
use crate::kernels::{Access, MAX_RECORDS, MOST_LAYERS, Network};
use crate::plan::{Buffer, Dispatch, Pass, Plan};

#[derive(Debug)]
pub(super) struct Prepared {
    pipeline: wgpu::ComputePipeline,
    bind_group: wgpu::BindGroup,
    reads_step: bool,
    /// Of a replica, in two directions.
    workgroups: [u32; 2],
}

impl Prepared {
    /// Records it for the first so many replicas and the step whose records start at so many bytes.
    pub(super) fn encode(&self, pass: &mut wgpu::ComputePass<'_>, record: u32, replicas: usize) {
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.bind_group, &[record][..usize::from(self.reads_step)]);
        let [x, y] = self.workgroups;
        // `check` has seen that the device counts so many.
        pass.dispatch_workgroups(x, y, replicas as u32);
    }
}

/// Workgroups of each dispatch of each pass, of a replica.
pub(super) type Grids = Vec<Vec<[u32; 2]>>;

/// Refuses a plan that is not sound, that shaders cannot count or that the device does not hold.
pub(super) fn check(gpu: &GpuDevice, plan: &Plan) -> Result<Grids> {
    plan.check()?;
    for dispatch in plan.passes.iter().flat_map(|pass| &pass.dispatches) {
        dispatch.part.network().map_or(Ok(()), check_network)?;
        check_scratch(dispatch)?;
    }
    let limits = &gpu.0.limits;
    // Shaders count elements in u32, with room for what the last row of a grid overhangs.
    let available = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size).min(4 << 31);
    let bytes = |buffer: &Buffer| (buffer.len as u64).saturating_mul(4);
    if let Some(buffer) = plan.buffers.iter().find(|buffer| bytes(buffer) > available) {
        return Err(Error::TooLarge {
            what: format!("the network's buffer for {:?}", buffer.role),
            needed: bytes(buffer),
            available,
            device: gpu.name().to_string(),
        });
    }
    let grids = plan.passes.iter().map(|pass| {
        pass.dispatches.iter().map(|dispatch| grid(gpu, dispatch, plan.replicas)).collect::<Result<Vec<_>>>()
    });
    grids.collect()
}

/// A buffer that a plan's kernels read and write, and that can be copied.
pub(super) fn storage(gpu: &GpuDevice, spec: &Buffer) -> wgpu::Buffer {
    use wgpu::BufferUsages as Usage;
    gpu.0.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(&format!("{:?}", spec.role)),
        size: spec.len as u64 * 4,
        usage: Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST,
        mapped_at_creation: false,
    })
}

/// Distance that uniforms at different offsets of a buffer have to keep.
pub(super) fn alignment(gpu: &GpuDevice) -> u64 {
    u64::from(gpu.0.limits.min_uniform_buffer_offset_alignment)
}

/// Makes a plan's pipelines and bind groups over its buffers, which are at least as long as the plan says, and the buffer of step
/// records. Gives them for each pass, and the bytes of their uniforms, which go up in a buffer of their own.
pub(super) fn prepare(
    gpu: &GpuDevice,
    plan: &Plan,
    grids: &Grids,
    buffers: &[wgpu::BufferBinding<'_>],
    records: &wgpu::Buffer,
) -> (Vec<Vec<Prepared>>, u64) {
    let alignment = alignment(gpu);
    // The views and dimensions of every dispatch, one after the other in one uniform buffer.
    let mut params = Vec::new();
    let mut place =
        |pass: &Pass| pass.dispatches.iter().map(|dispatch| append_params(&mut params, dispatch, alignment)).collect();
    let offsets: Vec<Vec<u64>> = plan.passes.iter().map(&mut place).collect();
    let uniforms = gpu.0.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("views and dimensions"),
        size: params.len() as u64,
        usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    gpu.0.queue.write_buffer(&uniforms, 0, &params);

    let mut pipelines = gpu.0.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
    let mut prepared = |dispatch: &Dispatch, offset, workgroups| {
        let kernel = dispatch.kernel;
        let Pipeline { pipeline, layout } = pipelines.get(kernel, &dispatch.part, dispatch.variant);
        let uniform = |binding, buffer, offset, bytes| wgpu::BindGroupEntry {
            binding,
            resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer,
                offset,
                size: wgpu::BufferSize::new(bytes),
            }),
        };
        let mut entries = vec![uniform(0, &uniforms, offset, params_bytes(kernel))];
        if kernel.most_steps > 0 {
            entries.push(uniform(1, records, 0, RECORDS_BOUND));
        }
        entries.extend(dispatch.views.iter().zip(FIRST_STORAGE..).map(|(view, binding)| wgpu::BindGroupEntry {
            binding,
            resource: wgpu::BindingResource::Buffer(buffers[view.buffer].clone()),
        }));
        let label = kernel.label(&dispatch.part, dispatch.variant);
        let bind_group = gpu.0.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(&label),
            layout: &layout,
            entries: &entries,
        });
        Prepared { pipeline, bind_group, reads_step: kernel.most_steps > 0, workgroups }
    };
    let passes = plan.passes.iter().zip(offsets).zip(grids).map(|((pass, offsets), grids)| {
        let dispatches = pass.dispatches.iter().zip(offsets).zip(grids);
        dispatches.map(|((dispatch, offset), &workgroups)| prepared(dispatch, offset, workgroups)).collect()
    });
    (passes.collect(), params.len() as u64)
}

/// Appends what a dispatch's uniform holds; returns where it starts.
fn append_params(params: &mut Vec<u8>, dispatch: &Dispatch, alignment: u64) -> u64 {
    params.resize(params.len().next_multiple_of(alignment as usize), 0);
    let start = params.len();
    // `check` has seen that every buffer has at most 2^31 elements, so u32 holds all places in it.
    for view in &dispatch.views {
        let words = [view.offset as u32, view.replica_stride as u32, view.slot_stride as u32, 0];
        params.extend_from_slice(bytemuck::cast_slice(&words));
    }
    params.extend_from_slice(bytemuck::cast_slice(&dispatch.dims));
    params.resize(start + params_bytes(dispatch.kernel) as usize, 0);
    start as u64
}

/// Folds a replica's workgroups into x and y; z is the replica.
fn grid(gpu: &GpuDevice, dispatch: &Dispatch, replicas: usize) -> Result<[u32; 2]> {
    // Shaders count workgroups in u32.
    let most = u64::from(gpu.0.limits.max_compute_workgroups_per_dimension).min(65_535);
    let workgroups = (dispatch.kernel.workgroups)(&dispatch.dims);
    // Equal rows as far as possible: the last one overhangs by less than one workgroup a row.
    let y = workgroups.div_ceil(most).max(1);
    let x = workgroups.div_ceil(y);
    // Each has a record of the step, where the kernel reads one.
    let most_replicas = if dispatch.kernel.most_steps > 0 { most.min(MAX_RECORDS as u64) } else { most };
    match (u32::try_from(x), u32::try_from(y)) {
        (Ok(x), Ok(y)) if u64::from(y) <= most && replicas as u64 <= most_replicas => Ok([x, y]),
        _ => Err(Error::Setting {
            what: "number of workgroups of a kernel",
            found: format!("{workgroups} for {replicas} replicas of {}", dispatch.kernel.name),
            expected: format!("at most {most} by {most} for at most {most_replicas} replicas on {}", gpu.name()),
        }),
    }
}

/// Refuses scratch memory that shaders would not find, which take four elements of it at a time.
fn check_scratch(dispatch: &Dispatch) -> Result<()> {
    let mut places = dispatch.kernel.bindings.iter().zip(&dispatch.views);
    let is_whole = |at: usize| at.is_multiple_of(4);
    match places.find(|(binding, view)| {
        binding.access == Access::Scratch && !(is_whole(view.offset) && is_whole(view.replica_stride))
    }) {
        None => Ok(()),
        Some((_, view)) => Err(Error::Setting {
            what: "scratch memory of a kernel",
            found: format!("element {} and every {} from there", view.offset, view.replica_stride),
            expected: "multiples of 4 on a GPU".into(),
        }),
    }
}

/// Refuses what no GPU takes whole.
fn check_network(network: &Network) -> Result<()> {
    let layers = network.spec().layers().len();
    if network.block().is_multiple_of(4) && layers <= MOST_LAYERS {
        return Ok(());
    }
    Err(Error::Setting {
        what: "network of a kernel",
        found: format!("{layers} layers in blocks of {} rows", network.block()),
        expected: format!("at most {MOST_LAYERS} layers and a multiple of 4 rows on a GPU"),
    })
}
