//! Makes the pipeline of every kernel with every part and variant, one after the other, so that a driver's compiler, or Tint, can be
//! asked what it thinks of each. Nothing is run. The table of kernels says what there is; the networks are those of the table and what the
//! plans make of a few for several memories of a workgroup.
//! `pipelines --make` makes them on the first adapter that is no software, and prints the adapter and each one's label. The last is
//! none of the table: its private array is too large for registers, so that a report without spills shows that it looks for them.
//! `--make-units` makes products by matrix units as well, which the adapter must have.
//! `pipelines --dump FOLDER` writes their WGSL and a list of them, shaders.json. Without either, as in `cargo test --benches`, it makes
//! one on the first adapter there is.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::Path;

use pollster::block_on;
use serde_json::{Map, Value, json};
use wgpu::{BindGroupLayoutEntry, BindingType, BufferBindingType, BufferSize, DeviceType, ShaderStages};
use wgpu_mlp::kernels::{
    Access, COPY, DENSE, DENSE_BACKWARD, DENSE_GRADIENT, KERNELS, Kernel, LARGE, MATMUL, MAX_RECORDS, MEDIUM,
    MatrixUnits, Part, PartKind, StepRecord, TILES, Tiling,
};
use wgpu_mlp::math::{Activation, Loss, Precision, Rule};
use wgpu_mlp::plan::{PlanKind, Recipe, Target, TrainShape, choose};
use wgpu_mlp::spec::MlpSpec;

/// A kernel with a part and a variant of its constants.
struct Pipeline {
    kernel: &'static Kernel,
    part: Part,
    variant: usize,
}

impl Pipeline {
    /// Kernel, part and variant, and how a network is taken in blocks.
    fn label(&self) -> String {
        let label = self.kernel.label(&self.part, self.variant);
        match self.part.network() {
            Some(network) => {
                let held = if network.holds() { "held" } else { "cached" };
                format!("{label} block {} {held}", network.block())
            }
            None => label,
        }
    }

    /// The constants by name, as WebGPU takes them.
    fn constants(&self) -> Map<String, Value> {
        let constants = self.kernel.variants[self.variant].constants;
        constants.iter().map(|&(name, value)| (name.to_string(), json!(value))).collect()
    }
}

/// A kernel that has to take memory of its own.
static MUST_SPILL: Kernel = Kernel {
    name: "must_spill",
    wgsl: &["
struct Params {
    x: vec4<u32>,
    y: vec4<u32>,
    count: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn must_spill(@builtin(local_invocation_index) thread: u32) {
    var values: array<f32, 4096>;
    for (var i = 0u; i < params.count; i++) {
        values[u32(x[i]) % 4096u] += x[thread + i];
    }
    y[thread] = values[params.count - thread];
}
"],
    ..COPY
};

/// Every pipeline.
fn pipelines() -> Vec<Pipeline> {
    let mut found: Vec<Pipeline> = Vec::new();
    let mut add = |kernel: &'static Kernel, part: Part, variant: usize| {
        let known =
            found.iter().any(|old| std::ptr::eq(old.kernel, kernel) && old.variant == variant && old.part == part);
        if !known {
            found.push(Pipeline { kernel, part, variant });
        }
    };
    for &kernel in KERNELS {
        for part in kernel.part.parts().into_iter().chain(tiles(kernel.part)) {
            (0..kernel.variants.len()).for_each(|variant| add(kernel, part.clone(), variant));
        }
    }
    let networks = [
        (&[2, 25, 50, 50, 25, 1][..], Loss::BinaryCrossEntropy),
        (&[64, 64, 64, 64, 64, 16], Loss::SoftmaxCrossEntropy),
        (&[8, 16, 16, 3], Loss::MeanSquaredError),
    ];
    for (widths, loss) in networks {
        let spec = MlpSpec::new(widths, Activation::Relu, loss).unwrap();
        for (kind, rule, kib, cores) in choices() {
            let target = Target::Gpu { workgroup_bytes: kib << 10, cores, sums: 64 };
            let shape = TrainShape { batch: 256, validation: 256, ..TrainShape::full(1024) };
            // A network may be too large for a way of planning.
            let Ok(plan) = choose(Some(kind), &spec, &Recipe::new(rule), shape, target) else { continue };
            for dispatch in plan.passes.iter().flat_map(|pass| &pass.dispatches) {
                add(dispatch.kernel, dispatch.part.clone(), dispatch.variant);
            }
        }
    }
    found
}

/// Every tile with one activation: those of the table have each once, with any.
fn tiles(kind: PartKind) -> Vec<Part> {
    let tiling = |&tile| {
        [false, true].map(|wide| Part::Tiling(Tiling { tile, wide, units: None, activation: Activation::Relu }))
    };
    let has_activation = matches!(kind, PartKind::Dense | PartKind::DensePair);
    TILES.iter().flat_map(tiling).filter(|part| has_activation && kind.takes(part)).collect()
}

/// Products by matrix units of 16x16x16, as plans take them. Subgroups have 32 invocations, whatever a GPU's have: that is a number in the text.
fn by_matrix_units() -> impl Iterator<Item = Pipeline> {
    let (plain, relu) = (Activation::Identity, Activation::Relu);
    let kernels = [(&MATMUL, plain), (&DENSE, relu), (&DENSE_BACKWARD, relu), (&DENSE_GRADIENT, plain)];
    let tiles = kernels.into_iter().flat_map(|of| [&MEDIUM, &LARGE].map(|tile| (of, tile)));
    tiles.flat_map(|((kernel, activation), tile)| {
        [Precision::F16, Precision::F16x3].map(|precision| {
            let units = Some(MatrixUnits { precision, size: 16, subgroup: 32 });
            let part = Part::Tiling(Tiling { tile, wide: true, units, activation });
            Pipeline { kernel, part, variant: 0 }
        })
    })
}

/// Ways of planning, rules, KiB of workgroup memory and cores.
fn choices() -> impl Iterator<Item = (PlanKind, Rule, usize, usize)> {
    let kinds = PlanKind::ALL.iter().flat_map(|&kind| [Rule::Sgd, Rule::Adam].map(|rule| (kind, rule)));
    kinds.flat_map(|(kind, rule)| {
        [16, 32, 48].into_iter().flat_map(move |kib| [1, 64].map(|cores| (kind, rule, kib, cores)))
    })
}

/// Writes each shader's text, and shaders.json with the label, entry point and constants of each, and a network's bytes of workgroup
/// memory.
fn dump(folder: &Path, pipelines: &[Pipeline]) {
    fs::create_dir_all(folder).unwrap();
    let entry = |(number, of): (usize, &Pipeline)| {
        let file = format!("{number}.wgsl");
        fs::write(folder.join(&file), of.kernel.source(&of.part)).unwrap();
        // What a tile takes is less than every device has.
        let bytes = of.part.network().map_or(0, |network| network.workgroup_bytes(network.block(), network.holds()));
        json!({
            "label": of.label(), "file": file, "entry": of.kernel.name, "constants": of.constants(), "workgroup_bytes": bytes
        })
    };
    let list: Vec<_> = pipelines.iter().enumerate().map(entry).collect();
    fs::write(folder.join("shaders.json"), serde_json::to_string_pretty(&list).unwrap()).unwrap();
}

/// What wgpu has to be asked for, to use matrix units.
const UNITS: wgpu::Features =
    wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX.union(wgpu::Features::SHADER_F16).union(wgpu::Features::SUBGROUP);

/// Opens the first adapter that may be taken, with features, and says which it is. Not by way of the library: it refuses a device that
/// computes nothing, which a driver without hardware is.
#[allow(unsafe_code)]
fn open(may_be_taken: fn(DeviceType) -> bool, required_features: wgpu::Features) -> wgpu::Device {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.flags = wgpu::InstanceFlags::empty();
    let adapters = block_on(wgpu::Instance::new(descriptor).enumerate_adapters(wgpu::Backends::PRIMARY));
    let adapter = adapters.into_iter().find(|adapter| may_be_taken(adapter.get_info().device_type));
    let adapter = adapter.unwrap_or_else(|| panic!("no adapter"));
    let info = adapter.get_info();
    println!("{}, {} {}", info.name, info.driver, info.driver_info);
    eprintln!("{:?}\n{:#?}", adapter.features(), adapter.limits());
    let descriptor = wgpu::DeviceDescriptor {
        required_limits: adapter.limits(),
        required_features,
        // SAFETY: nothing is run.
        experimental_features: unsafe { wgpu::ExperimentalFeatures::enabled() },
        ..Default::default()
    };
    block_on(adapter.request_device(&descriptor)).unwrap().0
}

/// Makes a pipeline as the library's backend does: without wgpu's checks, and with the layout that the row says. wgpu's errors panic.
#[allow(unsafe_code)]
fn make(device: &wgpu::Device, of: &Pipeline) {
    let source = wgpu::ShaderSource::Wgsl(of.kernel.source(&of.part).into());
    let descriptor = wgpu::ShaderModuleDescriptor { label: None, source };
    // SAFETY: nothing is run.
    let module = unsafe { device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked()) };
    let bound = |binding, ty, has_dynamic_offset, bytes| BindGroupLayoutEntry {
        binding,
        visibility: ShaderStages::COMPUTE,
        ty: BindingType::Buffer { ty, has_dynamic_offset, min_binding_size: BufferSize::new(bytes as u64) },
        count: None,
    };
    let kernel = of.kernel;
    let bytes = (16 * kernel.bindings.len() + 4 * kernel.dims.len()).next_multiple_of(16);
    let mut entries = vec![bound(0, BufferBindingType::Uniform, false, bytes)];
    let records = if kernel.most_steps > 0 { MAX_RECORDS * size_of::<StepRecord>() } else { 0 };
    entries.extend((records > 0).then(|| bound(1, BufferBindingType::Uniform, true, records)));
    entries.extend(kernel.bindings.iter().zip(2..).map(|(binding, index)| {
        bound(index, BufferBindingType::Storage { read_only: binding.access == Access::In }, false, 0)
    }));
    let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries });
    let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: None,
        bind_group_layouts: &[Some(&layout)],
        immediate_size: 0,
    });
    let _made = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: None,
        layout: Some(&layout),
        module: &module,
        entry_point: Some(kernel.name),
        compilation_options: wgpu::PipelineCompilationOptions {
            constants: kernel.variants[of.variant].constants,
            zero_initialize_workgroup_memory: false,
        },
        cache: None,
    });
}

fn main() {
    let mut pipelines = pipelines();
    let mut labels: Vec<_> = pipelines.iter().map(Pipeline::label).collect();
    labels.sort();
    labels.windows(2).for_each(|pair| assert_ne!(pair[0], pair[1], "two pipelines of one label"));
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--dump", folder] => dump(Path::new(folder), &pipelines),
        [word @ ("--make" | "--make-units")] => {
            let mut asked = wgpu::Features::empty();
            if word == "--make-units" {
                asked = UNITS;
                pipelines.extend(by_matrix_units());
            }
            let device = open(|kind| kind != DeviceType::Cpu, asked);
            let broken = Pipeline { kernel: &MUST_SPILL, part: Part::None, variant: 0 };
            for pipeline in pipelines.iter().chain([&broken]) {
                println!("{}", pipeline.label());
                make(&device, pipeline);
            }
        }
        _ => make(&open(|_| true, wgpu::Features::empty()), &pipelines[0]),
    }
}
