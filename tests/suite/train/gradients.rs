//! Whole networks: gradients against f64 and central differences, replicas against single runs, mini-batches,
//! and every GPU against the CPU.

use std::collections::BTreeSet;

use wgpu_mlp::backend::{Backend, CpuDevice, Device};
use wgpu_mlp::data::Dataset;
use wgpu_mlp::gradcheck::{DEVICE_LIMIT, DIFFERENCE_LIMIT, GradCheck, TensorCheck, gradcheck, random_data};
use wgpu_mlp::kernels::{Step, order_key};
use wgpu_mlp::math::{Activation, Loss, Optimizer, Rule};
use wgpu_mlp::params::{Init, Layout};
use wgpu_mlp::plan::{self, PlanKind, Recipe, Role, TrainShape};
use wgpu_mlp::spec::{Layer, MlpSpec};

use crate::support::{devices, wait};

/// Every adapter, and the CPU.
pub fn everywhere() -> Vec<Device> {
    let gpus = devices().iter().cloned().map(Device::Gpu);
    gpus.chain([Device::Cpu(CpuDevice::new(0).unwrap())]).collect()
}

/// Every activation with every loss, each pair in two of the shapes in turn, so that every activation and every loss has all
/// shapes; one of them has a last layer with an activation too.
fn specs() -> Vec<MlpSpec> {
    const WIDTHS: &[&[usize]] = &[&[1, 1], &[3, 2], &[2, 3, 1], &[5, 33, 17, 3], &[2, 25, 50, 50, 25, 1]];
    let spec = |shape: usize, activation, loss: Loss| match WIDTHS.get(shape) {
        Some(widths) => {
            let mut widths = widths.to_vec();
            *widths.last_mut().unwrap() += usize::from(loss.terms(2) == 1); // classes are at least two
            MlpSpec::new(&widths, activation, loss).unwrap()
        }
        None => {
            let layers = [(3, 7, Activation::Relu), (7, 2, activation)];
            let layers = layers.map(|(inputs, outputs, activation)| Layer { inputs, outputs, activation });
            MlpSpec::from_layers(layers.to_vec(), loss).unwrap()
        }
    };
    let shapes = WIDTHS.len() + 1;
    let mut specs = Vec::new();
    for (row, &activation) in Activation::ALL.iter().enumerate() {
        for (column, &loss) in Loss::ALL.iter().enumerate() {
            let shape = (row + column) % shapes;
            specs.push(spec(shape, activation, loss));
            // Another parameter than the loss's own, which all that have one can have.
            let parameter = if loss.parameter().is_some() { 0.2 } else { loss.default_parameter() };
            let other = spec((shape + shapes / 2) % shapes, activation, loss);
            specs.push(other.with_loss_parameter(parameter).unwrap());
        }
    }
    specs
}

/// First parameters without a bias of 0, which would put units with dead inputs on relu's kink.
fn draw(spec: &MlpSpec, seed: u64) -> Vec<f32> {
    let mut parameters = Init::Xavier.draw(spec, seed).unwrap();
    let biases = Layout::new(spec).tensors.into_iter().filter(|tensor| tensor.name.ends_with("bias"));
    biases.for_each(|bias| parameters[bias.range].iter_mut().for_each(|value| *value = 0.05));
    parameters
}

/// Every second row heavier than the first, every third one without weight.
fn weigh(data: Dataset) -> Dataset {
    let weights: Vec<f32> = (0..data.rows()).map(|row| [1.0, 3.0, 0.0][row % 3]).collect();
    data.with_weights(&weights).unwrap()
}

/// The plan for the `turn`-th of the specs. On the CPU each pair of activation and loss takes two; on a GPU a network of each
/// shape is fused and some are resident, in every test the same ones: their shader is compiled anew for each network, which
/// takes seconds, and `parity` has every activation and loss in it.
fn plan_for(device: &Device, turn: usize) -> PlanKind {
    match (device, turn % 3, turn % 28, turn % 56) {
        (Device::Cpu(_), 0, ..) | (Device::Gpu(_), _, 0, _) => PlanKind::Fused,
        (Device::Cpu(_), 1, ..) | (Device::Gpu(_), _, _, 15) => PlanKind::Resident,
        _ => PlanKind::Layered,
    }
}

/// A GPU's fused networks have every shape, its resident ones from one layer to five.
#[test]
fn networks_of_every_shape_are_fused() {
    let of_kind = |kind| {
        let widths = |spec: &MlpSpec| spec.layers().iter().map(|layer| layer.inputs).collect::<Vec<_>>();
        let gpu = Device::Gpu(devices()[0].clone());
        let taken = specs().into_iter().enumerate().filter(move |&(turn, _)| plan_for(&gpu, turn) == kind);
        taken.map(|(_, spec)| widths(&spec)).collect::<BTreeSet<_>>()
    };
    assert_eq!(of_kind(PlanKind::Fused).len(), 6);
    let layers: BTreeSet<_> = of_kind(PlanKind::Resident).iter().map(Vec::len).collect();
    assert_eq!(layers.into_iter().collect::<Vec<_>>(), [1, 2, 5]);
}

#[test]
fn gradients_agree_with_f64_and_with_central_differences() {
    for device in everywhere() {
        let (mut against_f64, mut against_differences) = (0.0_f64, 0.0_f64);
        for (seed, spec) in (1..).zip(specs()) {
            // More than 256 outputs at times, so that a loss has several partial sums.
            let rows = if seed % 7 == 0 { 300 } else { 37 };
            let parameters = draw(&spec, seed);
            let data = random_data(&spec, rows, seed).unwrap();
            let data = if seed % 4 < 2 { weigh(data) } else { data };
            let plan = plan_for(&device, seed as usize - 1);
            let verdict = gradcheck(&device, &spec, &parameters, &data, 12, seed, Some(plan)).unwrap();
            assert_eq!(verdict.plan, plan);
            assert!(verdict.passed, "{verdict:#?}");
            for tensor in &verdict.tensors {
                assert!(tensor.device_error <= DEVICE_LIMIT && tensor.difference_error <= DIFFERENCE_LIMIT);
                assert!(tensor.checked > 0 && tensor.checked + tensor.skipped == tensor.elements.min(12));
            }
            assert!(verdict.tensors.iter().any(|tensor| tensor.norm > 1e-3), "no gradient: {verdict:#?}");
            against_f64 = against_f64.max(verdict.max_device_error);
            against_differences = against_differences.max(verdict.max_difference_error);
        }
        println!("{}: {against_f64:.1e} against f64, {against_differences:.1e} against differences", device.name());
    }
}

/// Rows in pairs whose residuals are d and -d: of the sum of their gradients only rounding errors are left, which are wrong in every
/// digit. It is no alarm, since every row's gradient is right.
#[test]
fn gradients_that_cancel_raise_no_alarm() {
    let spec = MlpSpec::new(&[1, 1], Activation::Relu, Loss::MeanSquaredError).unwrap();
    let parameters = [0.7, 0.3];
    let features: Vec<f32> = (0..40).map(|row| 0.1 + 0.37 * (row / 2) as f32).collect();
    let residual = |row: usize| if row.is_multiple_of(2) { 0.9 } else { -0.9 };
    let targets =
        features.iter().enumerate().map(|(row, x)| parameters[0] * x + parameters[1] + residual(row)).collect();
    let data = Dataset::new(features, targets, 1, 1).unwrap();
    for device in everywhere() {
        let verdict = gradcheck(&device, &spec, &parameters, &data, 9, 0, None).unwrap();
        assert!(verdict.passed, "{verdict:#?}");
        let of_norm = |tensor: &TensorCheck| tensor.device_error * tensor.scale / tensor.norm;
        assert!(
            verdict.tensors.iter().any(|tensor| of_norm(tensor) > 1e3 * DEVICE_LIMIT),
            "nothing cancels: {verdict:#?}"
        );
    }
}

/// What `gradcheck` must refuse: a device that computes something else, a slope that is something else, NaN, and
/// a check of nothing.
#[test]
fn gradcheck_has_teeth() {
    for device in everywhere() {
        let check = |widths: &[usize], loss, parameters: &[f32], features: Vec<f32>, sample_size| -> GradCheck {
            let spec = MlpSpec::new(widths, Activation::Relu, loss).unwrap();
            let rows = features.len() / spec.inputs();
            let data = Dataset::new(features, vec![1.0; rows], spec.inputs(), 1).unwrap();
            gradcheck(&device, &spec, parameters, &data, sample_size, 0, None).unwrap()
        };
        // z - y = x (1.1 + δ) - 1.1 x cancels in f32, not in f64.
        let cancelling = (1..20).flat_map(|row| [1e4 + row as f32, 1e4 + row as f32]).collect();
        let parameters = [1.1_f32.next_up(), -1.1, 1.0];
        let verdict = check(&[2, 1], Loss::MeanSquaredError, &parameters, cancelling, 9);
        assert!(verdict.max_device_error > DEVICE_LIMIT && !verdict.passed, "{verdict:#?}");
        assert!(verdict.max_difference_error <= DIFFERENCE_LIMIT, "{verdict:#?}");

        // With features this large, the chord of a central difference is not the tangent.
        let steep = (1..20).map(|row| 1e3 * row as f32).collect();
        let verdict = check(&[1, 1], Loss::BinaryCrossEntropy, &[1e-4, 0.1], steep, 9);
        assert!(verdict.max_difference_error > DIFFERENCE_LIMIT && !verdict.passed, "{verdict:#?}");
        assert!(verdict.max_device_error <= DEVICE_LIMIT, "{verdict:#?}");

        let plain = |parameter, sample_size| {
            check(&[1, 1], Loss::BinaryCrossEntropy, &[parameter, 0.1], vec![0.5, -1.0], sample_size).passed
        };
        assert!(plain(0.3, 9), "{}", device.name());
        assert!(!plain(f32::NAN, 9), "{}: NaN", device.name());
        assert!(!plain(0.3, 0), "{}: nothing compared", device.name());
    }
}

/// Parameters, gradients and loss sums after some steps, of all replicas.
#[derive(Debug, PartialEq)]
struct Run {
    parameters: Vec<f32>,
    gradients: Vec<f32>,
    /// [steps, replicas, groups, 2].
    losses: Vec<f32>,
}

/// Trains replicas, each with its own parameters and learning rate.
fn run(
    device: &Device,
    kind: PlanKind,
    spec: &MlpSpec,
    data: &Dataset,
    batch: usize,
    replicas: &[(Vec<f32>, f32)],
    steps: &[(usize, Step)],
) -> Run {
    let shape = TrainShape {
        samples: data.rows(),
        validation: 0,
        folds: None,
        batch,
        replicas: replicas.len(),
        slots: steps.len(),
        weightings: data.weightings(),
    };
    let run = async {
        let plan = plan::choose(Some(kind), spec, &Recipe::new(Rule::Sgd), shape, device.target())?;
        let mut backend = device.load(plan).await?;
        let parameters: Vec<f32> = replicas.iter().flat_map(|(parameters, _)| parameters.clone()).collect();
        let hyper =
            |&(_, rate): &(_, f32)| Optimizer::sgd(rate.into()).hyper(spec.loss_parameter()).map(|value| value as f32);
        let hypers: Vec<f32> = replicas.iter().flat_map(hyper).collect();
        for (role, values) in [
            (Role::Features, data.features()),
            (Role::Targets, &data.weighted_targets()),
            (Role::Parameters, &parameters),
            (Role::Hyper, &hypers),
        ] {
            let buffer = backend.plan().buffer(role)?;
            backend.write(buffer, values)?;
        }
        let each = |&(pass, step): &(usize, Step)| {
            (0..replicas.len()).map(move |replica| (pass, Step { key: replica_key(step.key, replica), ..step }))
        };
        backend.submit(&steps.iter().flat_map(each).collect::<Vec<_>>())?;
        let losses = backend.collect().await?;
        let (parameters, gradients) =
            (backend.plan().buffer(Role::Parameters)?, backend.plan().buffer(Role::Gradients)?);
        Ok::<_, wgpu_mlp::Error>(Run {
            parameters: backend.read(parameters).await?,
            gradients: backend.read(gradients).await?,
            losses,
        })
    };
    wait(run).unwrap()
}

/// The first `count` steps of training in mini-batches, the last one of an epoch taking what remains.
fn steps(samples: usize, batch: usize, count: usize) -> Vec<(usize, Step)> {
    let per_epoch = samples.div_ceil(batch);
    let step = |index: usize| {
        let first_row = index % per_epoch * batch;
        let key = order_key(3, (index / per_epoch) as u64);
        (
            usize::from(first_row + batch > samples),
            Step { slot: 0, first_row: first_row as u32, key, lr_factor: 1.0, ..Step::default() },
        )
    };
    (0..count).map(step).collect()
}

/// The sample order's key of a replica.
fn replica_key(key: u32, replica: usize) -> u32 {
    key ^ (replica as u32).wrapping_mul(0x85eb_ca6b)
}

/// Networks side by side learn what each of them learns alone, to the bit: with the whole data set, and with
/// mini-batches, of which each replica draws its own.
#[test]
fn replicas_equal_single_runs() {
    for device in everywhere() {
        for (turn, (spec, batch)) in specs().iter().zip([24, 7, 5, 24, 7].into_iter().cycle()).enumerate() {
            let kind = plan_for(&device, turn);
            let data = random_data(spec, 24, 4).unwrap();
            let data = if batch == 24 { data } else { weigh(data) };
            let replicas: Vec<_> =
                [0.3, 0.05, 0.9].into_iter().zip(5..).map(|(rate, seed)| (draw(spec, seed), rate)).collect();
            let steps = steps(24, batch, 9);
            let together = run(&device, kind, spec, &data, batch, &replicas, &steps);
            let mut apart = Vec::new();
            for (replica, network) in replicas.iter().enumerate() {
                let own = |&(pass, step): &(usize, Step)| (pass, Step { key: replica_key(step.key, replica), ..step });
                let own: Vec<_> = steps.iter().map(own).collect();
                apart.push(run(&device, kind, spec, &data, batch, std::slice::from_ref(network), &own));
            }
            let what = format!("{}: {spec}, {kind}, batch {batch}", device.name());
            let join = |part: fn(&Run) -> &Vec<f32>| apart.iter().flat_map(part).copied().collect::<Vec<_>>();
            assert_eq!(bits(&together.parameters), bits(&join(|run| &run.parameters)), "{what}");
            assert_eq!(bits(&together.gradients), bits(&join(|run| &run.gradients)), "{what}");
            let slot = apart[0].losses.len() / steps.len();
            let losses: Vec<f32> = (0..steps.len())
                .flat_map(|step| apart.iter().flat_map(move |run| &run.losses[step * slot..(step + 1) * slot]))
                .copied()
                .collect();
            assert_eq!(bits(&together.losses), bits(&losses), "{what}");
            assert_ne!(apart[0].gradients, apart[1].gradients, "{what}: the replicas do not differ");
        }
    }
}

pub fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// A step's loss, whose ring has a sum of losses and one of hits for each group.
fn total(ring: &[f32]) -> f64 {
    ring.chunks(2).map(|group| f64::from(group[0])).sum()
}

/// An epoch of batches of 7 takes each of 24 rows once, its features with its target; so with a learning rate
/// of 0 the batches' losses add up to that of the whole.
#[test]
fn an_epoch_takes_every_row_once() {
    let spec = MlpSpec::new(&[2, 3, 1], Activation::Sigmoid, Loss::MeanSquaredError).unwrap();
    let data = random_data(&spec, 24, 6).unwrap();
    let parameters = draw(&spec, 7);
    let row = |features: &[f32], target: f32| [features[0].to_bits(), features[1].to_bits(), target.to_bits()];
    let mut expected: Vec<_> = data.features().chunks(2).zip(data.targets()).map(|(x, &y)| row(x, y)).collect();
    expected.sort_unstable();
    for device in everywhere() {
        let epoch = steps(24, 7, 4);
        assert_eq!(epoch.iter().map(|(pass, _)| *pass).collect::<Vec<_>>(), [0, 0, 0, 1]);
        let (mut seen, mut in_order, mut sum) = (Vec::new(), true, 0.0);
        for (pass, step) in epoch {
            let shape =
                TrainShape { samples: 24, validation: 0, folds: None, batch: 7, replicas: 1, slots: 1, weightings: 0 };
            let batch = async {
                let mut backend = device.load(plan::layered(&spec, &Recipe::new(Rule::Sgd), shape)?).await?;
                for (role, values) in [
                    (Role::Features, data.features()),
                    (Role::Targets, data.targets()),
                    (Role::Parameters, &parameters),
                ] {
                    let buffer = backend.plan().buffer(role)?;
                    backend.write(buffer, values)?;
                }
                backend.submit(&[(pass, step)])?;
                let losses = backend.collect().await?;
                let (x, y) = (backend.plan().buffer(Role::BatchFeatures)?, backend.plan().buffer(Role::BatchTargets)?);
                Ok::<_, wgpu_mlp::Error>((total(&losses), backend.read(x).await?, backend.read(y).await?))
            };
            let (loss, x, y) = wait(batch).unwrap();
            let rows = if pass == 0 { 7 } else { 3 };
            seen.extend(x.chunks(2).zip(&y).take(rows).map(|(x, &y)| row(x, y)));
            in_order &= x[..2 * rows] == data.features()[2 * step.first_row as usize..][..2 * rows];
            sum += loss;
        }
        assert!(!in_order, "{}: the rows come in the data's own order", device.name());
        seen.sort_unstable();
        assert_eq!(seen, expected, "{}", device.name());
        let whole = run(&device, PlanKind::Layered, &spec, &data, 24, &[(parameters.clone(), 0.0)], &steps(24, 24, 1));
        let whole = total(&whole.losses);
        // Each addition of at most 24 terms rounds by at most 2^-24 of the sum.
        let limit = 2.0 * 24.0 * whole / f64::from(1 << 24);
        assert!((sum - whole).abs() <= limit, "{}: {sum} and {whole}", device.name());
    }
}

/// Every GPU takes the way that the CPU takes. Their gradients differ by less than [`DEVICE_LIMIT`] of their
/// norm, so after any number of steps the networks are at most that part of the way apart, and their losses about
/// that part of what the loss fell on the way.
#[test]
fn gpus_follow_the_cpu() {
    let cpu = Device::Cpu(CpuDevice::new(0).unwrap());
    for gpu in devices().iter().cloned().map(Device::Gpu) {
        for (turn, spec) in specs().into_iter().enumerate() {
            for batch in [24, 7] {
                let data = random_data(&spec, 24, 8).unwrap();
                // Poisson's slope grows with e^z.
                let rate = if spec.loss() == Loss::Poisson { 0.001 } else { 0.02 };
                let network = [(draw(&spec, 9), rate)];
                let kind = plan_for(&gpu, turn);
                let [on_cpu, on_gpu] =
                    [&cpu, &gpu].map(|device| run(device, kind, &spec, &data, batch, &network, &steps(24, batch, 20)));
                // A step has a pair of sums for each of its groups, of which a GPU may have more.
                let count = steps(24, batch, 20).len();
                let of_steps = |losses: &[f32]| -> Vec<f32> {
                    losses.chunks(losses.len() / count).map(|groups| groups.iter().step_by(2).sum()).collect()
                };
                let [of_cpu, of_gpu] = [&on_cpu, &on_gpu].map(|run| of_steps(&run.losses));
                assert_eq!((of_cpu.len(), of_gpu.len()), (count, count));
                let pairs = of_cpu.iter().zip(&of_gpu);
                let worst = pairs.map(|(a, b)| f64::from((a - b).abs())).fold(0.0, f64::max);
                let largest = of_cpu.iter().map(|sum| sum.abs()).fold(0.0, f32::max);
                assert!(worst <= DEVICE_LIMIT * f64::from(largest), "{}: {spec}: {worst} of {largest}", gpu.name());
                assert!(on_gpu.losses.iter().all(|sum| sum.is_finite()), "{}: {spec}", gpu.name());
                assert_ne!(on_cpu.parameters, network[0].0, "{spec}: nothing was learnt");
            }
        }
    }
}
