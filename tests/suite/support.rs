//! What the tests of kernels share: every GPU present, one kernel's run as a plan, and the comparator.

use std::fmt;
use std::future::Future;
use std::sync::{Mutex, OnceLock};

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use wgpu_mlp::backend::{Backend, CpuBackend, CpuDevice, GpuBackend, GpuDevice, gpu};
use wgpu_mlp::kernels::{Access, Binding, Element, Kernel, Part, Step, Tiling};
use wgpu_mlp::math::{Bounded, Loss, Optimizer, Real, TargetDomain};
use wgpu_mlp::plan::{Buffer, Dispatch, Pass, PassKind, Plan, PlanKind, Role, View};

/// What stands in front of, between and behind the elements that a kernel may touch.
const SENTINEL: f32 = -7777.25;
/// Workgroups that a row of the grid holds on a [`folded_devices`] device.
pub const FOLDED: u32 = 5;

pub fn wait<F: Future>(future: F) -> F::Output {
    pollster::block_on(future)
}

/// What a test is lent: every adapter in the ways that tests share. Software compiles in one thread a device, so tests that run side by side
/// have devices of their own, and those that come later have them with what was compiled before.
#[derive(Default)]
struct Lent {
    plain: OnceLock<Vec<GpuDevice>>,
    folded: OnceLock<Vec<GpuDevice>>,
}

/// A thread's loan, which goes back when the thread ends: each test has a thread.
struct Loan(&'static Lent);

static UNLENT: Mutex<Vec<&'static Lent>> = Mutex::new(Vec::new());

thread_local! {
    static LOAN: Loan = Loan(UNLENT.lock().unwrap().pop().unwrap_or_else(|| Box::leak(Box::default())));
}

impl Drop for Loan {
    fn drop(&mut self) {
        UNLENT.lock().unwrap().push(self.0);
    }
}

/// Every adapter present.
pub fn devices() -> &'static [GpuDevice] {
    LOAN.with(|loan| loan.0).plain.get_or_init(open)
}

/// Every adapter present. Fails when there is none: a GPU test never passes by being skipped.
fn open() -> Vec<GpuDevice> {
    let count = gpu::adapters().unwrap().len();
    assert!(
        count > 0,
        "no GPU adapter: these tests need one. Install a Vulkan driver; software will do: mesa-vulkan-drivers and \
         libvulkan1 on Debian and Ubuntu, mesa-vulkan-drivers on Fedora, vulkan-swrast on Arch"
    );
    (0..count).map(|index| GpuDevice::open(index).unwrap()).collect()
}

/// Every adapter with grids of at most 5 workgroups a dimension. wgpu's errors panic.
pub fn folded_devices() -> &'static [GpuDevice] {
    LOAN.with(|loan| loan.0).folded.get_or_init(|| folded(devices()))
}

/// So small a grid that small sizes fold it, as sizes beyond 65,535 workgroups do.
fn folded(devices: &[GpuDevice]) -> Vec<GpuDevice> {
    let small = |gpu| limited(gpu, |limits| limits.max_compute_workgroups_per_dimension = FOLDED);
    devices.iter().map(small).collect()
}

/// Every adapter in all ways that a case is run. A software adapter compiles with one thread a device, so whoever wants more has devices of
/// its own.
pub struct Gpus {
    plain: Vec<GpuDevice>,
    /// With wgpu's bounds checks in the shaders.
    checked: Vec<GpuDevice>,
    folded: Vec<GpuDevice>,
}

impl Gpus {
    pub fn open() -> Self {
        let plain = open();
        let checked = (0..plain.len()).map(|index| GpuDevice::open_checked(index).unwrap()).collect();
        Self { checked, folded: folded(&plain), plain }
    }

    /// The devices that can run a case: with and without bounds checks, and with a small grid if it holds the case. Tiles and
    /// whole networks take seconds to compile, and differ in numbers that stand in one text: two of them go with checks too.
    pub fn of(&self, case: &Case) -> impl Iterator<Item = &GpuDevice> {
        let fits = (case.kernel.workgroups)(&case.dims) <= u64::from(FOLDED * FOLDED);
        let long = case.part.network().is_some() || matches!(case.part, Part::Tiling(_));
        let checked = !long || case.kernel.part.parts()[..2].contains(&case.part);
        let checked = if checked { &self.checked[..] } else { &[] };
        self.plain.iter().chain(checked).chain(if fits { &self.folded[..] } else { &[] })
    }
}

/// A device's adapter, opened once more with other limits as a program would. wgpu's errors panic.
pub fn limited(gpu: &GpuDevice, limit: impl Fn(&mut wgpu::Limits)) -> GpuDevice {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let adapters = wait(instance.enumerate_adapters(wgpu::Backends::PRIMARY));
    let adapter = adapters.iter().find(|adapter| adapter.get_info().name == gpu.name()).unwrap();
    let mut required_limits = adapter.limits();
    limit(&mut required_limits);
    let descriptor = wgpu::DeviceDescriptor { required_limits, ..Default::default() };
    let (device, queue) = wait(adapter.request_device(&descriptor)).unwrap();
    GpuDevice::from_wgpu(device, queue)
}

/// Compares a device's values with the reference: the difference must be within the reference's own limit. Says
/// how many differ, and of the first where, both values and the share of the limit.
pub fn compare(found: &[f32], expected: &[Bounded]) -> Result<(), String> {
    if found.len() != expected.len() {
        return Err(format!("{} values, expected {}", found.len(), expected.len()));
    }
    let differs = |&(_, (&found, expected)): &(usize, (&f32, &Bounded))| {
        let (difference, limit) = ((f64::from(found) - expected.value).abs(), expected.limit());
        !(difference <= limit && limit.is_finite())
    };
    let count = found.len();
    let mut failures = found.iter().zip(expected).enumerate().filter(differs);
    let Some((index, (&found, expected))) = failures.next() else { return Ok(()) };
    let (value, limit) = (expected.value, expected.limit());
    Err(format!(
        "{} of {count} values differ, first at {index}: found {found:e}, expected {value:e} ± {limit:e}: {:.3e} of the limit",
        1 + failures.count(),
        (f64::from(found) - value).abs() / limit,
    ))
}

/// One kernel's run on seeded inputs: its buffers, with a padding in front of, between and behind the replicas,
/// and its steps.
#[derive(Clone, Debug)]
pub struct Case {
    pub kernel: &'static Kernel,
    pub part: Part,
    pub variant: usize,
    pub dims: Vec<u32>,
    pub replicas: usize,
    /// Whether all replicas read the same inputs.
    pub shared: bool,
    /// Whether some inputs are large.
    pub large: bool,
    pub seed: u64,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let label = self.kernel.label(&self.part, self.variant);
        write!(f, "{label} {:?} = {:?}, {} replicas", self.kernel.dims, self.dims, self.replicas)?;
        f.write_str(if self.shared { ", shared inputs" } else { "" })
    }
}

impl Case {
    fn dim(&self, name: &str) -> Option<u32> {
        self.kernel.dims.iter().position(|&dim| dim == name).map(|at| self.dims[at])
    }

    /// Rows of the batch: of a kernel that has them from each step's record, two thirds of the data set.
    pub fn rows(&self) -> u32 {
        let of_samples = |samples: u32| (2 * samples).div_ceil(3);
        self.dim("rows").or_else(|| self.dim("samples").map(of_samples)).unwrap_or(1)
    }

    /// Two steps that differ for kernels that read them, in one order or the other, or only one; else one.
    fn steps(&self) -> Vec<Step> {
        let spare = self.dim("samples").map_or(0, |samples| samples - self.rows());
        // A backend fills in slots and the rows of a whole batch itself.
        let first = Step {
            slot: 9,
            rows: 999,
            first_row: 0,
            key: 0x1234_5678,
            mask_key: 77,
            lr_factor: 0.75,
            bias_corrections: [1.7, 2.3],
            fold: [0; 2],
            dropout: 1.0,
            weighting: 0,
        };
        let second = Step {
            slot: 9,
            rows: self.rows() - self.rows() / 3,
            first_row: spare,
            key: 0x9abc_def1,
            mask_key: 0xfee1_dead,
            lr_factor: -1.3,
            bias_corrections: [1.2, 0.6],
            fold: [spare / 2, spare],
            dropout: 0.5,
            weighting: 1,
        };
        match self.seed % 3 {
            _ if self.kernel.most_steps == 0 => vec![Step::default()],
            0 => vec![first, second],
            1 => vec![second, first],
            _ => vec![second],
        }
    }

    /// The steps' records, [steps, replicas]: replicas differ in what is drawn.
    fn records(&self) -> Vec<(usize, Step)> {
        let of = |step: Step, replica: u32| Step {
            key: step.key ^ replica,
            mask_key: step.mask_key ^ replica,
            lr_factor: step.lr_factor + f64::from(replica),
            ..step
        };
        let each = |step| (0..self.replicas as u32).map(move |replica| (0, of(step, replica)));
        self.steps().into_iter().flat_map(each).collect()
    }

    /// The run as a plan. Only bindings whose shader reads their slot stride have one.
    pub fn plan(&self) -> Plan {
        let slots = self.steps().len();
        let (mut buffers, mut views) = (Vec::new(), Vec::new());
        for (index, binding) in self.kernel.bindings.iter().enumerate() {
            let elements = self.kernel.elements(index, &self.dims) as usize;
            // Odd, but for what is read four elements at a time, as targets never are.
            let targets = ["y", "batch_y"].contains(&binding.name);
            let wide = !targets && matches!(self.part, Part::Tiling(Tiling { wide: true, .. }))
                || binding.access == Access::Scratch;
            let (offset, gap) = if wide { (4 + 8 * index, 8) } else { (3 + 2 * index, 5) };
            let replica_stride = if self.shared && binding.access == Access::In { 0 } else { elements + gap };
            let slot_stride = if has_slots(self.kernel, binding) { self.replicas * replica_stride + 1 } else { 0 };
            let last = (self.replicas - 1) * replica_stride + (slots - 1) * slot_stride;
            buffers.push(Buffer { role: Role::Delta(index), len: offset + last + elements + 7 });
            views.push(View { buffer: index, offset, replica_stride, slot_stride });
        }
        let (kernel, part, variant, dims) = (self.kernel, self.part.clone(), self.variant, self.dims.clone());
        let dispatches = vec![Dispatch { kernel, part, variant, dims, views }];
        let passes = vec![Pass { kind: PassKind::Forward, rows: self.rows() as usize, dispatches }];
        Plan { kind: PlanKind::Layered, replicas: self.replicas, slots, buffers, passes, output: Some(0) }
    }

    /// What the buffers hold before the run: the sentinel, inputs, and NaN where a kernel must write.
    fn contents(&self, plan: &Plan) -> Vec<Vec<f32>> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let fill = |(index, binding): (usize, &Binding)| {
            let view = plan.passes[0].dispatches[0].views[index];
            let elements = self.kernel.elements(index, &self.dims) as usize;
            let mut values = vec![SENTINEL; plan.buffers[index].len];
            for (slot, replica) in (0..plan.slots).flat_map(|slot| (0..plan.replicas).map(move |r| (slot, r))) {
                let start = view.offset + slot * view.slot_stride + replica * view.replica_stride;
                let places = values[start..start + elements].iter_mut().enumerate();
                places.for_each(|(place, value)| *value = self.value(binding, place, &mut random));
            }
            values
        };
        self.kernel.bindings.iter().enumerate().map(fill).collect()
    }

    fn value(&self, binding: &Binding, place: usize, random: &mut ChaCha8Rng) -> f32 {
        let outputs = match &self.part {
            Part::Network(network) | Part::Training(network, _) => network.spec().outputs() as u32,
            _ => self.dim("outputs").unwrap_or(1),
        };
        let loss = self.loss();
        let domain = loss.filter(|_| binding.name == "y").map(Loss::domain);
        let weight = domain.is_some()
            && self
                .dim("columns")
                .is_some_and(|columns| place % columns as usize >= loss.map_or(0, |loss| loss.terms(outputs as usize)));
        let sums = self.part.network().is_some() || self.kernel.bindings.iter().any(|binding| binding.name == "w");
        match random.random_range(0..16) {
            _ if [Access::Out, Access::Scratch].contains(&binding.access) => f32::NAN,
            // A rule takes roots of its state and divides by its settings; a loss's parameter is below 1.
            0..4 if binding.name == "hyper" && place >= Optimizer::HYPER => 0.0, // a rate of what is frozen
            _ if binding.name == "hyper" => random.random_range(0.01..1.0),
            _ if matches!(self.part, Part::Rule(_) | Part::Training(..))
                && ["s", "squares"].contains(&binding.name) =>
            {
                random.random_range(0.0..1.0)
            }
            0 => 0.0,
            _ if weight => random.random_range(0.1..3.0),
            draw if domain == Some(TargetDomain::Probability) => (draw % 2) as f32,
            _ if domain == Some(TargetDomain::Class) => random.random_range(0..outputs) as f32,
            // A layer's sums are inputs of the next one, and e^z has to be finite.
            _ if sums && loss == Some(Loss::Poisson) => random.random_range(-1.0..1.0),
            1 if self.large && sums && loss.is_some() => random.random_range(-3.0..3.0),
            1 if self.large && loss == Some(Loss::Poisson) => random.random_range(-80.0..80.0),
            1 if self.large => random.random_range(-3e3..3e3),
            _ => random.random_range(-2.0..2.0),
        }
    }

    /// The loss that the kernel computes, if it computes one.
    fn loss(&self) -> Option<Loss> {
        if let Some(network) = self.part.network() {
            return Some(network.spec().loss());
        }
        match self.part {
            Part::Loss(loss) => Some(loss),
            _ => self.kernel.name.ends_with("softmax_loss").then_some(Loss::SoftmaxCrossEntropy),
        }
    }

    /// Runs a plan of [`Case::plan`]'s buffers; returns those that the kernel writes, padding included.
    fn run<B: Backend>(&self, mut backend: B, on_gpu: bool, convert: fn(f32) -> B::Real) -> Vec<Vec<B::Real>> {
        let run = async {
            let contents = self.contents(backend.plan());
            for (buffer, values) in contents.iter().enumerate() {
                backend.write(buffer, &values.iter().copied().map(convert).collect::<Vec<_>>())?;
            }
            backend.submit(&self.records())?;
            backend.collect().await?;
            let mut written = Vec::new();
            for (buffer, binding) in self.written() {
                let mut values = backend.read(buffer).await?;
                if binding.access == Access::Scratch {
                    // What lies beside it has to be as it was; a GPU works in that of each replica.
                    let view = backend.plan().passes[0].dispatches[0].views[buffer];
                    let elements = self.kernel.elements(buffer, &self.dims) as usize;
                    let works = self.part.network().is_none_or(wgpu_mlp::kernels::Network::keeps_any);
                    for replica in 0..self.replicas {
                        let start = view.offset + replica * view.replica_stride;
                        let own = &mut values[start..start + elements];
                        let untouched = on_gpu && works && own.iter().all(|value| value.to_f64().is_nan());
                        own.fill(convert(if untouched { f32::NAN } else { 0.0 }));
                    }
                }
                written.push(values);
            }
            Ok::<_, wgpu_mlp::Error>(written)
        };
        wait(run).unwrap_or_else(|error| panic!("{self}: {error}"))
    }

    fn written(&self) -> impl Iterator<Item = (usize, &'static Binding)> {
        self.kernel.bindings.iter().enumerate().filter(|(_, binding)| binding.access != Access::In)
    }

    fn cpu<T: Element>(&self, convert: fn(f32) -> T) -> Vec<Vec<T>> {
        static CPU: OnceLock<CpuDevice> = OnceLock::new();
        let device = CPU.get_or_init(|| CpuDevice::new(0).unwrap());
        self.run(CpuBackend::load(device, self.plan()).unwrap(), false, convert)
    }

    /// The reference, with the limits that every device must keep.
    pub fn expected(&self) -> Vec<Vec<Bounded>> {
        self.cpu(|value| Bounded::exact(value.into()))
    }

    /// The CPU's fast path against the reference.
    pub fn check_cpu(&self, expected: &[Vec<Bounded>]) -> Result<(), String> {
        self.compare("CPU", &self.cpu::<f32>(|value| value), expected)
    }

    /// A GPU against the reference; `plan` is the case's own, or one that has been tampered with.
    pub fn check_gpu(&self, gpu: &GpuDevice, plan: Plan, expected: &[Vec<Bounded>]) -> Result<(), String> {
        let backend = wait(GpuBackend::load(gpu, plan)).unwrap_or_else(|error| panic!("{self}: {error}"));
        self.compare(gpu.name(), &self.run(backend, true, |value| value), expected)
    }

    fn compare(&self, device: &str, found: &[Vec<f32>], expected: &[Vec<Bounded>]) -> Result<(), String> {
        let mut buffers = self.written().zip(found.iter().zip(expected));
        buffers.try_for_each(|((_, binding), (found, expected))| {
            compare(found, expected).map_err(|problem| format!("{self}: {device}: {}: {problem}", binding.name))
        })
    }
}

/// Whether a kernel's shader reads the slot stride of a binding.
pub fn has_slots(kernel: &Kernel, binding: &Binding) -> bool {
    kernel.wgsl.iter().any(|text| text.contains(&format!("params.{}.z", binding.name)))
}

mod tests {
    use super::*;

    /// 1 + 1 + 1 with its limit.
    fn three() -> Bounded {
        let one = Bounded::exact(1.0);
        one + one + one
    }

    #[test]
    fn comparator_takes_what_is_within_the_limit() {
        let limit = three().limit();
        assert!(limit > 0.0 && limit < 1e-5, "{limit}");
        let inside = [(3.0 + 0.9 * limit) as f32, (3.0 - 0.9 * limit) as f32, 3.0];
        assert_eq!(compare(&inside, &[three(); 3]), Ok(()));
        assert_eq!(compare(&[], &[]), Ok(()));
    }

    #[test]
    fn comparator_refuses_what_is_outside_the_limit() {
        let limit = three().limit();
        for outside in [3.0 + 1.6 * limit, 3.0 - 1.6 * limit, f64::INFINITY, f64::NEG_INFINITY] {
            let problem = compare(&[3.0, outside as f32, outside as f32], &[three(); 3]).unwrap_err();
            assert!(problem.starts_with("2 of 3 values differ, first at 1: found"), "{problem}");
            assert!(problem.contains("expected 3e0 ±") && problem.ends_with("of the limit"), "{problem}");
        }
        assert!(compare(&[1.0 + f32::EPSILON], &[Bounded::exact(1.0)]).is_err(), "an exact value has no limit");
    }

    #[test]
    fn comparator_refuses_nan_infinite_limits_and_other_lengths() {
        let nan = Bounded::exact(f64::NAN);
        assert!(compare(&[f32::NAN], &[three()]).is_err());
        assert!(compare(&[3.0], &[nan]).is_err());
        assert!(compare(&[f32::NAN], &[nan]).is_err());
        let unlimited = Bounded::exact(1.0) / Bounded::exact(0.0);
        assert!(compare(&[f32::INFINITY], &[unlimited]).is_err());
        assert_eq!(compare(&[3.0], &[three(); 2]), Err("1 values, expected 2".into()));
    }
}
