//! Compute pipelines, each made once for a device: a kernel with its part and its variant.

use std::num::NonZeroUsize;

use lru::LruCache;

use crate::kernels::{Access, KERNELS, Kernel, MAX_RECORDS, Part, StepRecord};

/// Bytes of a step's record.
pub(super) const RECORD: u64 = size_of::<StepRecord>() as u64;
/// Bytes of the records that a dispatch sees.
pub(super) const RECORDS_BOUND: u64 = MAX_RECORDS as u64 * RECORD;

/// First storage binding; before it stand the dimensions and the step's record.
pub(super) const FIRST_STORAGE: u32 = 2;

/// A pipeline with the layout of its only bind group.
#[derive(Clone, Debug)]
pub(super) struct Pipeline {
    pub pipeline: wgpu::ComputePipeline,
    pub layout: wgpu::BindGroupLayout,
}

/// Most pipelines that are kept. A network's plans need a dozen, or a few dozen where all of its layers differ; those of one network take
/// software Vulkan about 3 MiB, which a search over a thousand of them must not add up.
const MOST: NonZeroUsize = NonZeroUsize::new(128).unwrap();

/// The pipelines that were used last. Plans hold those that they need themselves.
#[derive(Debug)]
pub(super) struct Pipelines {
    device: wgpu::Device,
    /// Whether shaders are compiled with wgpu's bounds checks and loop bounds.
    checks: wgpu::ShaderRuntimeChecks,
    made: LruCache<(usize, Part, usize), Pipeline>,
}

impl Pipelines {
    pub fn new(device: wgpu::Device, checks: wgpu::ShaderRuntimeChecks) -> Self {
        Self::of(MOST, device, checks)
    }

    fn of(most: NonZeroUsize, device: wgpu::Device, checks: wgpu::ShaderRuntimeChecks) -> Self {
        Self { device, checks, made: LruCache::new(most) }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.made.len()
    }

    /// Forgets all: some may not have been made properly.
    pub fn clear(&mut self) {
        self.made.clear();
    }

    /// The pipeline of a kernel, whose dimensions and part a plan's check has passed.
    pub fn get(&mut self, kernel: &'static Kernel, part: &Part, variant: usize) -> Pipeline {
        // A row is known by its address: rows live forever, and two may share a name in a test.
        let row = std::ptr::from_ref(kernel).addr();
        let (device, checks) = (&self.device, self.checks);
        self.made.get_or_insert((row, part.clone(), variant), || create(device, checks, kernel, part, variant)).clone()
    }
}

/// Bytes of a kernel's `Params` uniform: a view for each binding, then the dimensions.
pub(super) fn params_bytes(kernel: &Kernel) -> u64 {
    (16 * kernel.bindings.len() + 4 * kernel.dims.len()).next_multiple_of(16) as u64
}

#[allow(unsafe_code)]
fn create(
    device: &wgpu::Device,
    checks: wgpu::ShaderRuntimeChecks,
    kernel: &Kernel,
    part: &Part,
    variant: usize,
) -> Pipeline {
    let label = kernel.label(part, variant);
    let source = wgpu::ShaderModuleDescriptor {
        label: Some(&label),
        source: wgpu::ShaderSource::Wgsl(kernel.source(part).into()),
    };
    // Only the crate's own rows go without wgpu's checks.
    let own = KERNELS.iter().any(|own| std::ptr::eq(*own, kernel));
    let checks = if own { checks } else { wgpu::ShaderRuntimeChecks::checked() };
    // SAFETY: a shader without checks is the crate's own. It masks every access by its dimensions and by what its part fixes.
    // `Plan::check` has compared both with each other and with the kernel's own rules (`Kernel::check`), and has found every
    // binding of those extents inside its buffer, when the plan was loaded; parts come from constructors that validate them. No
    // dimension is 0, so no division is by 0, which is unchecked too; no buffer on a GPU has more elements than 2^31, so no place overflows
    // u32. (A Vulkan driver checks the ends of bindings all the same: wgpu always asks for robustBufferAccess.) Every loop is bounded by a
    // dimension or, in a permutation, ends since its cycle returns to where it began.
    let module = unsafe { device.create_shader_module_trusted(source, checks) };

    let uniform = |binding, size, dynamic| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty: wgpu::BufferBindingType::Uniform,
            has_dynamic_offset: dynamic,
            min_binding_size: wgpu::BufferSize::new(size),
        },
        count: None,
    };
    let mut entries = vec![uniform(0, params_bytes(kernel), false)];
    if kernel.most_steps > 0 {
        entries.push(uniform(1, RECORDS_BOUND, true));
    }
    entries.extend(kernel.bindings.iter().zip(FIRST_STORAGE..).map(|(binding, index)| wgpu::BindGroupLayoutEntry {
        binding: index,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty: wgpu::BufferBindingType::Storage { read_only: binding.access == Access::In },
            has_dynamic_offset: false,
            min_binding_size: None,
        },
        count: None,
    }));
    let layout =
        device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(&label), entries: &entries });
    let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(&label),
        bind_group_layouts: &[Some(&layout)],
        immediate_size: 0,
    });
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(&label),
        layout: Some(&pipeline_layout),
        module: &module,
        entry_point: Some(kernel.name),
        compilation_options: wgpu::PipelineCompilationOptions {
            constants: kernel.variants[variant].constants,
            zero_initialize_workgroup_memory: false,
        },
        cache: None,
    });
    Pipeline { pipeline, layout }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::GpuDevice;
    use crate::kernels::ACTIVATION_FORWARD;

    /// The cache stays small, and what is used all the time stays in it: the same object, made once.
    #[test]
    fn pipelines_that_were_used_last_are_kept() {
        let gpu = GpuDevice::open(0).unwrap();
        let checks = wgpu::ShaderRuntimeChecks::unchecked();
        let mut pipelines = Pipelines::of(NonZeroUsize::new(3).unwrap(), gpu.0.device.clone(), checks);
        let parts = ACTIVATION_FORWARD.part.parts();
        let mut get = |part: &Part| {
            let made = pipelines.get(&ACTIVATION_FORWARD, part, 0).pipeline;
            (made, pipelines.len())
        };
        let (hot, _) = get(&parts[0]);
        for part in &parts[1..8] {
            let (_, kept) = get(part);
            assert!(kept <= 3, "{kept}");
            assert_eq!(get(&parts[0]).0, hot);
        }
        let (cold, _) = get(&parts[1]);
        assert_ne!(cold, hot);
        for part in &parts[2..6] {
            get(part);
        }
        assert_ne!(get(&parts[1]).0, cold, "it had been let go");
    }
}
