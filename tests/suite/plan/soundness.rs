//! No plan that `Plan::check` accepts leaves its buffers, whatever is in it: naga puts no bounds checks into shaders. Sound plans are
//! tampered with at random. What is accepted runs with poison around its views, which nothing may change and nothing may depend on.

use std::cell::Cell;

use proptest::prelude::any;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use wgpu_mlp::backend::{Backend, CpuBackend, CpuDevice, GpuBackend};
use wgpu_mlp::kernels::{
    Access, DENSE_GRADIENT, DENSE_LOSS, DENSE_SOFTMAX_LOSS, DROPOUT_FORWARD, FUSED_GRADIENT, GATHER, GATHER_DENSE,
    KERNELS, Kernel, LOSS, MATMUL, Network, Part, REDUCE, REDUCE_UPDATE, RESIDENT_STEPS, SOFTMAX_LOSS, Step, UPDATE,
};
use wgpu_mlp::math::{Activation, Loss, Rule};
use wgpu_mlp::plan::{Plan, PlanKind, Recipe, Target, TrainShape, choose};
use wgpu_mlp::spec::MlpSpec;

use crate::kernels::parity::fit;
use crate::support::{Case, devices, wait};

/// Elements in front of and behind every buffer that an access beyond it falls into. A multiple of four, as wide views want.
const SLACK: usize = 4096;
/// Most elements of a buffer.
const LARGEST: usize = 1 << 16;
/// Sizes of a sound plan.
const SIZES: [u32; 9] = [1, 2, 3, 4, 5, 8, 16, 17, 33];
/// What a dimension, a stride or a number may become.
const HOSTILE: [u32; 16] = [0, 1, 2, 3, 4, 7, 16, 64, 128, 255, 257, 65_535, 65_536, 1 << 24, 1 << 31, u32::MAX];

/// Parts that are tried: the first two of a kernel, whose pipelines other tests have made already.
fn parts(kernel: &Kernel) -> Vec<Part> {
    kernel.part.parts().into_iter().take(2).collect()
}

/// A sound plan of one kernel, with up to three things changed.
fn hostile(seed: u64) -> Plan {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut below = |count: usize| random.random_range(0..count);
    let kernel = KERNELS[below(KERNELS.len())];
    let mut own = parts(kernel);
    let part = own.swap_remove(below(own.len()));
    let mut dims: Vec<u32> = kernel.dims.iter().map(|_| SIZES[below(SIZES.len())]).collect();
    fit(kernel, &part, &mut dims);
    let (variant, replicas) = (below(kernel.variants.len()), 1 + 2 * below(2));
    let case = Case { kernel, part, variant, dims, replicas, shared: below(4) == 0, large: false, seed };
    let mut plan = case.plan();
    for _ in 0..below(4) {
        let near = |value: usize, turn: usize| match turn {
            0 => value.saturating_sub(1),
            1 => value + 1,
            2 => value / 2,
            _ => HOSTILE[turn % HOSTILE.len()] as usize,
        };
        let turn = below(3 + HOSTILE.len());
        let (what, at, binding) = (below(12), below(kernel.dims.len()), below(kernel.bindings.len()));
        let other = KERNELS[below(KERNELS.len())];
        let dispatch = &mut plan.passes[0].dispatches[0];
        let view = &mut dispatch.views[binding];
        match what {
            // Rounds are time alone.
            0..=4 if kernel.dims[at] != "rounds" => dispatch.dims[at] = near(dispatch.dims[at] as usize, turn) as u32,
            5 => dispatch.part = parts(other).swap_remove(0),
            6 => view.offset = near(view.offset, turn),
            7 => view.replica_stride = near(view.replica_stride, turn),
            8 => view.slot_stride = near(view.slot_stride, turn),
            9 => view.buffer = near(view.buffer, turn),
            10 => plan.buffers[binding].len = near(plan.buffers[binding].len, turn).min(LARGEST),
            _ => match turn % 5 {
                0 => plan.replicas = near(plan.replicas, turn),
                1 => plan.slots = near(plan.slots, turn),
                2 => plan.output = Some(near(0, turn)),
                3 => dispatch.variant = near(dispatch.variant, turn),
                _ => plan.passes[0].rows = near(plan.passes[0].rows, turn),
            },
        }
    }
    plan
}

/// Whether each element of each buffer lies in a view, or in one that is written.
fn seen(plan: &Plan, written: bool) -> Vec<Vec<bool>> {
    let mut seen: Vec<Vec<bool>> = plan.buffers.iter().map(|buffer| vec![false; buffer.len]).collect();
    let dispatch = &plan.passes[0].dispatches[0];
    for (index, (view, binding)) in dispatch.views.iter().zip(dispatch.kernel.bindings).enumerate() {
        let elements = dispatch.kernel.elements(index, &dispatch.dims) as usize;
        let places = (0..plan.replicas).flat_map(|replica| (0..plan.slots.min(STEPS)).map(move |slot| (replica, slot)));
        for (replica, slot) in places.filter(|_| !written || binding.access != Access::In) {
            let start = view.offset + replica * view.replica_stride + slot * view.slot_stride;
            seen[view.buffer][start..start + elements].fill(true);
        }
    }
    seen
}

/// Steps of a run, where the plan has slots for them.
const STEPS: usize = 2;

/// The bits that a run leaves in all buffers; what lies outside all views is `poison` at first, and must be in the end.
fn run<B: Backend<Real = f32>>(mut backend: B, poison: f32) -> Vec<Vec<u32>> {
    let plan = backend.plan().clone();
    let value = |index: usize| 0.25 + (index * 37 % 101) as f32 / 100.0;
    let (used, written) = (seen(&plan, false), seen(&plan, true));
    let before: Vec<Vec<f32>> = used
        .iter()
        .map(|used| used.iter().enumerate().map(|(at, &used)| if used { value(at) } else { poison }).collect())
        .collect();
    for (buffer, values) in before.iter().enumerate() {
        backend.write(buffer, values).unwrap();
    }
    let step = |first_row| {
        let keys = (0x1234_5678, 77);
        (
            0,
            Step {
                first_row,
                key: keys.0,
                mask_key: keys.1,
                lr_factor: 0.5,
                bias_corrections: [1.5, 1.25],
                weighting: if first_row == 0 { 0 } else { u32::MAX },
                ..Step::default()
            },
        )
    };
    let each = |first_row| std::iter::repeat_n(step(first_row), plan.replicas);
    let steps: Vec<_> = [0, u32::MAX - 5].into_iter().take(plan.slots).flat_map(each).collect();
    backend.submit(&steps).unwrap();
    wait(backend.collect()).unwrap();
    let mut after = Vec::new();
    for (buffer, before) in before.iter().enumerate() {
        let found = wait(backend.read(buffer)).unwrap();
        for (at, (found, before)) in found.iter().zip(before).enumerate() {
            let dispatch = &plan.passes[0].dispatches[0];
            let kept = written[buffer][at] || found.to_bits() == before.to_bits();
            assert!(kept, "{}: element {at} of buffer {buffer}: {found}\n{dispatch:?}", dispatch.kernel.name);
        }
        // What nobody uses differs with the poison.
        let used = found.iter().zip(&used[buffer]).filter(|(_, used)| **used);
        after.push(used.map(|(value, _)| value.to_bits()).collect());
    }
    after
}

/// The plan in buffers with slack on both sides.
fn with_slack(mut plan: Plan) -> Plan {
    plan.buffers.iter_mut().for_each(|buffer| buffer.len += 2 * SLACK);
    let views = plan.passes.iter_mut().flat_map(|pass| &mut pass.dispatches).flat_map(|dispatch| &mut dispatch.views);
    views.for_each(|view| view.offset += SLACK);
    plan
}

/// Runs what is accepted of hostile plans with two poisons; how many are accepted.
fn attack(cases: u32, mut run: impl FnMut(&Plan, f32) -> Vec<Vec<u32>>) -> (u32, u32) {
    let (accepted, refused) = (Cell::new(0), Cell::new(0));
    let run = Cell::new(Some(&mut run as &mut dyn FnMut(&Plan, f32) -> Vec<Vec<u32>>));
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let attacked = runner.run(&any::<u64>(), |seed| {
        let plan = hostile(seed);
        if plan.check().is_err() {
            refused.set(refused.get() + 1);
            return Ok(());
        }
        accepted.set(accepted.get() + 1);
        let plan = with_slack(plan);
        let execute = run.take().unwrap();
        let same = execute(&plan, -7777.25) == execute(&plan, f32::from_bits(0x7fc0_1234));
        run.set(Some(execute));
        assert!(same, "what lies outside of all views matters: {:?}", plan.passes[0].dispatches[0]);
        Ok(())
    });
    attacked.unwrap_or_else(|error| panic!("{error}"));
    (accepted.get(), refused.get())
}

#[test]
fn no_accepted_plan_leaves_its_buffers_on_the_cpu() {
    let device = CpuDevice::new(1).unwrap();
    let (accepted, refused) =
        attack(6000, |plan, poison| run(CpuBackend::<f32>::load(&device, plan.clone()).unwrap(), poison));
    assert!(accepted > 1500 && refused > 1500, "{accepted} accepted, {refused} refused");
}

/// The shaders that run are those without checks.
#[test]
fn no_accepted_plan_leaves_its_buffers_on_a_gpu() {
    for gpu in devices() {
        let (accepted, refused) = attack(400, |plan, poison| {
            // A GPU has limits of its own, as on the number of replicas.
            match wait(GpuBackend::load(gpu, plan.clone())) {
                Ok(backend) => run(backend, poison),
                Err(error) => vec![error.to_string().bytes().map(u32::from).collect()],
            }
        });
        assert!(accepted > 100 && refused > 100, "{accepted} accepted, {refused} refused");
    }
}

/// Each rule that a kernel has, by name.
#[test]
fn what_kernels_rely_on_is_checked() {
    let network = kernel_part(&FUSED_GRADIENT);
    let training = kernel_part(&RESIDENT_STEPS);
    let tile = kernel_part(&MATMUL);
    let (adam, mean) = (Part::Rule(Rule::Adam), Part::Loss(Loss::MeanSquaredError));
    let cases: [(&'static Kernel, &Part, &str, u32, &str); 22] = [
        (&GATHER, &Part::None, "rows", 100, "more rows than samples"),
        (&GATHER, &Part::None, "columns", 0, "columns is 0"),
        (&GATHER_DENSE, &tile, "rows", 100, "more rows than samples"),
        (&LOSS, &mean, "outputs", 11, "fewer columns than outputs"),
        (&LOSS, &mean, "groups", 1 << 24, "too many groups"),
        (&SOFTMAX_LOSS, &Part::None, "groups", 1 << 24, "too many groups"),
        (&DENSE_SOFTMAX_LOSS, &Part::None, "outputs", 17, "more than 16 outputs"),
        (&DENSE_LOSS, &mean, "columns", 1, "fewer columns than outputs"),
        (&UPDATE, &adam, "slots", 1, "fewer slots than the rule keeps"),
        (&UPDATE, &adam, "groups", 257, "too many groups"),
        (&UPDATE, &adam, "settings", 19, "neither a learning rate for all parameters nor one for each"),
        (&RESIDENT_STEPS, &training, "settings", 11, "neither a learning rate"),
        (&REDUCE, &Part::None, "stride", 1, "a stride less than the count"),
        (&REDUCE_UPDATE, &adam, "stride", 1, "a stride less than the count"),
        (&DENSE_GRADIENT, &tile, "span", 1, "a span"),
        (&DENSE_GRADIENT, &tile, "stride", 1, "shares that overlap"),
        (&DROPOUT_FORWARD, &Part::None, "threshold", 1 << 24, "a threshold that drops every unit"),
        (&FUSED_GRADIENT, &network, "rows", 1000, "more rows than samples"),
        (&FUSED_GRADIENT, &network, "block", 4, "block is 4"),
        (&FUSED_GRADIENT, &network, "parameters", 1, "parameters is 1"),
        (&RESIDENT_STEPS, &training, "units", 99, "units is 99"),
        (&MATMUL, &tile, "tile_rows", 1, "tile_rows is 1"),
    ];
    for (kernel, part, name, value, problem) in cases {
        let mut dims: Vec<u32> = kernel.dims.iter().map(|_| 8).collect();
        fit(kernel, part, &mut dims);
        assert_eq!(kernel.check(&dims, part), Ok(()), "{}", kernel.name);
        dims[kernel.dims.iter().position(|&dim| dim == name).unwrap()] = value;
        let found = kernel.check(&dims, part).unwrap_err();
        assert!(found.contains(problem), "{}: {found}, expected {problem}", kernel.name);
    }
    let softmax = Part::Loss(Loss::SoftmaxCrossEntropy);
    for (kernel, part) in [(&UPDATE, &mean), (&LOSS, &softmax), (&MATMUL, &Part::None), (&GATHER, &tile)] {
        let found = kernel.check(&vec![8; kernel.dims.len()], part).unwrap_err();
        assert!(found.contains("takes a part of the kind"), "{}: {found}", kernel.name);
    }
}

fn kernel_part(kernel: &Kernel) -> Part {
    kernel.part.parts().swap_remove(0)
}

/// A network as a part is valid from the start; what a GPU does not take of it is refused when a plan is loaded.
#[test]
fn networks_of_kernels_are_validated() {
    let spec = MlpSpec::new(&[2, 3, 1], Activation::Relu, Loss::BinaryCrossEntropy).unwrap();
    let refused = |made: wgpu_mlp::Result<Network>| made.unwrap_err().to_string();
    assert!(refused(Network::new(spec.clone(), vec![0])).contains("thresholds of dropout"));
    assert!(refused(Network::new(spec.clone(), vec![1 << 24, 0])).contains("threshold of dropout"));
    let network = || Network::new(spec.clone(), vec![0, 0]).unwrap();
    for block in [0, 129] {
        assert!(refused(network().in_blocks(block, true)).contains("1 to 128"));
    }
    // The CPU takes blocks of any size.
    let plan = choose(Some(PlanKind::Fused), &spec, &Recipe::new(Rule::Sgd), TrainShape::full(9), Target::Cpu).unwrap();
    let blocks: Vec<_> = plan.passes[0].dispatches[0].part.network().map(Network::block).into_iter().collect();
    assert!(blocks[0] % 4 != 0, "{blocks:?}");
    for gpu in devices() {
        let error = wait(GpuBackend::load(gpu, plan.clone())).unwrap_err().to_string();
        assert!(error.contains("a multiple of 4 rows on a GPU"), "{error}");
        let shape = TrainShape::full(9);
        let mut plan =
            choose(Some(PlanKind::Fused), &spec, &Recipe::new(Rule::Sgd), shape, gpu.summary().target()).unwrap();
        let dispatch = &mut plan.passes[0].dispatches[0];
        let scratch = dispatch.kernel.bindings.iter().position(|binding| binding.access == Access::Scratch).unwrap();
        let view = &mut dispatch.views[scratch];
        view.offset += 2;
        plan.buffers[view.buffer].len += 2;
        let error = wait(GpuBackend::load(gpu, plan)).unwrap_err().to_string();
        assert!(error.contains("expected multiples of 4 on a GPU"), "{error}");
    }
}
