//! Whether a device computes at all: a driver may take all work, report nothing and leave anything as the result.

use std::sync::atomic::Ordering::Relaxed;

use super::device::GpuDevice;
use super::exec::GpuBackend;
use super::pipelines::{FIRST_STORAGE, RECORDS_BOUND};
use crate::backend::{Backend, no_units};
use crate::error::{Error, Result, set};
use crate::kernels::{
    AB, Kernel, MATMUL, MAX_BINDINGS, PLAIN, Part, PartKind, SMALL, Step, Tiling, WorkgroupSize, any,
};
use crate::math::Activation;
use crate::plan::Plan;

/// Most invocations of a workgroup, and most bytes of its memory that a kernel takes wherever it runs: WebGPU's default limits.
const WORKGROUP: [u32; 2] = [256, 16 << 10];

/// Rows, columns and depth of the product.
const SIZES: [usize; 3] = [17, 18, 41];

/// c = a b, a row of c a workgroup, by way of workgroup memory and a barrier: what every kernel of a network needs, in a text
/// that is compiled at once. The tiles of matmul take software Vulkan one to two seconds.
const WGSL: &str = "
struct Params {
    a: vec4<u32>,
    b: vec4<u32>,
    c: vec4<u32>,
    m: u32,
    n: u32,
    k: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> a: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<f32>;
@group(0) @binding(4) var<storage, read_write> c: array<f32>;

var<workgroup> line: array<f32, 64>;

@compute @workgroup_size(64)
fn small_product(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let row = group.y * groups.x + group.x;
    if (row < params.m && thread < params.k) {
        line[thread] = a[params.a.x + row * params.k + thread];
    }
    workgroupBarrier();
    if (row >= params.m || thread >= params.n) {
        return;
    }
    var sum = 0.0;
    for (var i = 0u; i < params.k; i++) {
        sum += line[i] * b[params.b.x + i * params.n + thread];
    }
    c[params.c.x + row * params.n + thread] = sum;
}
";

/// The product as a kernel. It stands in no plan but the check's, so it is none of the table's.
static SMALL_PRODUCT: Kernel = Kernel {
    name: "small_product",
    wgsl: &[WGSL],
    part: PartKind::None,
    dims: &["m", "n", "k"],
    variants: PLAIN,
    workgroup_size: WorkgroupSize::Fixed(64),
    workgroups: |dims| dims[0].into(),
    fits: any,
    ..MATMUL
};

impl GpuDevice {
    /// Looks at the device's limits and has it multiply two small matrices, once in its life, and compares the product.
    ///
    /// # Errors
    /// [`Error::Gpu`] for a limit below what kernels need, [`Error::CheckFailed`] for a product that is wrong.
    pub(super) async fn verify(&self) -> Result<()> {
        if self.0.verified.load(Relaxed) {
            return Ok(());
        }
        self.check_limits()?;
        let sizes = SIZES.map(|size| size as u32);
        self.multiply(Plan::single(&SMALL_PRODUCT, Part::None, 0, sizes.to_vec(), 1)).await?;
        if let Some(units) = self.matrix_units() {
            let tiling = Tiling { tile: &SMALL, wide: false, units: Some(units), activation: Activation::Identity };
            let dims = sizes.into_iter().chain([SMALL.rows() as u32, SMALL.columns() as u32]).collect();
            self.multiply(Plan::single(&MATMUL, Part::Tiling(tiling), AB, dims, 1)).await?;
        }
        self.0.verified.store(true, Relaxed);
        Ok(())
    }

    /// Names a limit that a program's device lacks: wgpu would speak of bindings and layouts that the program has never seen.
    fn check_limits(&self) -> Result<()> {
        let (limits, [invocations, bytes]) = (&self.0.limits, WORKGROUP.map(u64::from));
        let needed = [
            (
                "storage_buffers_per_shader_stage",
                limits.max_storage_buffers_per_shader_stage.into(),
                MAX_BINDINGS as u64,
            ),
            (
                "uniform_buffers_per_shader_stage",
                limits.max_uniform_buffers_per_shader_stage.into(),
                FIRST_STORAGE.into(),
            ),
            (
                "dynamic_uniform_buffers_per_pipeline_layout",
                limits.max_dynamic_uniform_buffers_per_pipeline_layout.into(),
                1,
            ),
            ("uniform_buffer_binding_size", limits.max_uniform_buffer_binding_size, RECORDS_BOUND),
            ("compute_invocations_per_workgroup", limits.max_compute_invocations_per_workgroup.into(), invocations),
            ("compute_workgroup_size_x", limits.max_compute_workgroup_size_x.into(), invocations),
            ("compute_workgroup_storage_size", limits.max_compute_workgroup_storage_size.into(), bytes),
        ];
        match needed.into_iter().find(|(_, found, least)| found < least) {
            None => Ok(()),
            Some((name, found, least)) => Err(self.error(format!(
                "its limit max_{name} is {found}: kernels need at least {least}, as wgpu's default limits have"
            ))),
        }
    }

    /// The product by a plan of it.
    async fn multiply(&self, plan: Plan) -> Result<()> {
        let [m, n, k] = SIZES;
        let (a, b) = (pattern(m * k, 7), pattern(k * n, 5));
        let mut backend = GpuBackend::load_unverified(self, plan).await?;
        backend.write(0, &a)?;
        backend.write(1, &b)?;
        backend.submit(&[(0, Step::default())])?;
        backend.collect().await?;
        let found = backend.read(2).await?;
        // Small whole numbers: every sum is exact, whatever its order.
        let element = |at: usize| (0..k).map(|i| a[at / n * k + i] * b[i * n + at % n]).sum::<f32>();
        let expected: Vec<f32> = (0..m * n).map(element).collect();
        // Not `!=` of the lists alone: a NaN is counted too.
        let wrong: Vec<usize> = (0..m * n).filter(|&at| found.get(at) != Some(&expected[at])).collect();
        let Some(&first) = wrong.first() else { return Ok(()) };
        Err(Error::CheckFailed(format!(
            "{} ({}): it computes wrong results: of a small product of matrices {} of {} elements are wrong, the first in row {} \
             and column {}: found {:?}, expected {:?}; nothing was done on it: take another device (`mlp devices` lists them, \
             {} takes the processor), or install or update its driver",
            self.name(),
            self.backend(),
            wrong.len(),
            m * n,
            first / n + 1,
            first % n + 1,
            found.get(first).copied().unwrap_or(f32::NAN),
            expected[first],
            set("device", "cpu"),
        )))
    }
}

impl GpuBackend {
    /// Allocates the plan's buffers and makes its pipelines. Refuses a plan with a buffer larger than the
    /// device allows, and a device that has not been checked yet and computes wrong results.
    pub async fn load(gpu: &GpuDevice, plan: Plan) -> Result<Self> {
        if let Some(units) = plan.other_units(gpu.matrix_units()) {
            return Err(no_units(units.precision, gpu.name()));
        }
        gpu.verify().await?;
        Self::load_unverified(gpu, gpu.as_loaded(plan)).await
    }
}

/// Whole numbers from 1 to 11: no sum of their products is 0, so nothing is right by chance where nothing was written.
fn pattern(count: usize, step: usize) -> Vec<f32> {
    (0..count).map(|index| (index * step % 11 + 1) as f32).collect()
}
