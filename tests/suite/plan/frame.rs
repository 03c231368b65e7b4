//! Networks in a program's own encoder, over its own buffers: what is recorded is what a predictor and a trainer compute, and nothing
//! is submitted but by the program.

use wgpu_mlp::Error;
use wgpu_mlp::backend::gpu::{FrameIo, FrameNetwork, FrameTrainer, FrameTraining, GpuDevice};
use wgpu_mlp::backend::{Backend, CpuBackend, CpuDevice, Device};
use wgpu_mlp::data::Dataset;
use wgpu_mlp::gradcheck::random_data;
use wgpu_mlp::infer::Predictor;
use wgpu_mlp::kernels::Step;
use wgpu_mlp::math::{Activation, Bounded, Loss, Optimizer, Rule};
use wgpu_mlp::params::{Init, Layout};
use wgpu_mlp::plan::{PlanKind, Role, Target, forward};
use wgpu_mlp::spec::MlpSpec;
use wgpu_mlp::train::{Batch, TrainConfig, Trainer};

use crate::support::{compare, devices, limited, wait};
use crate::train::gradients::bits;

fn spec(widths: &[usize]) -> MlpSpec {
    MlpSpec::new(widths, Activation::Tanh, Loss::MeanSquaredError).unwrap()
}

/// A buffer of the program's with the values in it, behind `before` bytes.
fn buffer(gpu: &GpuDevice, before: u64, values: &[f32], usage: wgpu::BufferUsages) -> wgpu::Buffer {
    let buffer = gpu.device().create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: before + values.len() as u64 * 4,
        usage: usage | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC,
        mapped_at_creation: false,
    });
    gpu.queue().write_buffer(&buffer, before, bytemuck::cast_slice(values));
    buffer
}

/// What a part of a buffer holds, after all that was submitted.
fn read(gpu: &GpuDevice, slice: wgpu::BufferSlice<'_>) -> Vec<f32> {
    let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
    let (label, size, mapped_at_creation) = (None, slice.size(), false);
    let down = gpu.device().create_buffer(&wgpu::BufferDescriptor { label, size, usage, mapped_at_creation });
    let mut encoder = gpu.device().create_command_encoder(&Default::default());
    encoder.copy_buffer_to_buffer(slice.buffer(), slice.offset(), &down, 0, size);
    gpu.queue().submit([encoder.finish()]);
    down.map_async(wgpu::MapMode::Read, .., |_| {});
    gpu.device().poll(wgpu::PollType::wait_indefinitely()).unwrap();
    bytemuck::pod_collect_to_vec(&down.get_mapped_range(..).unwrap())
}

/// Records a frame in an encoder of the program's; it is not submitted.
fn recorded(gpu: &GpuDevice, record: impl FnOnce(&mut wgpu::CommandEncoder)) -> wgpu::CommandBuffer {
    let mut encoder = gpu.device().create_command_encoder(&Default::default());
    record(&mut encoder);
    encoder.finish()
}

/// A program's own device: wgpu's errors panic there.
fn programs() -> impl Iterator<Item = GpuDevice> {
    devices().iter().map(|gpu| limited(gpu, |_| {}))
}

const STORAGE: wgpu::BufferUsages = wgpu::BufferUsages::STORAGE;

/// To the bit what the predictor gives, and only once the program has submitted it; in a part of a buffer too.
#[test]
fn a_recorded_network_gives_the_predictors_outputs() {
    let (spec, rows) = (spec(&[5, 33, 17, 3]), 50);
    let data = random_data(&spec, rows, 1).unwrap();
    let parameters = Init::He.draw(&spec, 2).unwrap();
    for gpu in programs() {
        let predictor = Predictor::new(&Device::Gpu(gpu.clone()), &spec, &parameters, rows).unwrap();
        let expected = bits(&predictor.outputs(data.features()).unwrap());
        let points = buffer(&gpu, 256, data.features(), STORAGE);
        let colours = buffer(&gpu, 0, &[0.5; 150], STORAGE);
        let io = FrameIo { input: Some(points.slice(256..)), output: Some(colours.slice(..)) };
        let net = wait(FrameNetwork::new(&gpu, &spec, rows, 1, io)).unwrap();
        net.set_parameters(&parameters).unwrap();
        let frame = recorded(&gpu, |encoder| net.record(encoder));
        assert_eq!(read(&gpu, net.output()), [0.5; 150], "nothing ran yet");
        gpu.queue().submit([frame]);
        assert_eq!(bits(&read(&gpu, colours.slice(..))), expected);

        // In a pass of the program's, into a buffer of the network's.
        let own = FrameIo { input: Some(points.slice(256..)), output: None };
        let net = wait(FrameNetwork::new(&gpu, &spec, rows, 1, own)).unwrap();
        net.set_parameters(&parameters).unwrap();
        let frame = recorded(&gpu, |encoder| net.record_in(&mut encoder.begin_compute_pass(&Default::default())));
        gpu.queue().submit([frame]);
        assert_eq!(bits(&read(&gpu, net.output())), expected);
    }
}

/// A thousand networks, each with parameters and rows of its own, take as many dispatches as one; each gives what it gives alone.
#[test]
fn a_thousand_networks_take_the_dispatches_of_one() {
    let (spec, rows, networks) = (spec(&[4, 8, 2]), 3, 1000);
    let data = random_data(&spec, rows * networks, 3).unwrap();
    let parameters: Vec<f32> = (0..networks as u64).flat_map(|seed| Init::He.draw(&spec, seed).unwrap()).collect();
    let cpu = CpuDevice::new(1).unwrap();
    for gpu in programs() {
        let points = buffer(&gpu, 0, data.features(), STORAGE);
        let io = FrameIo { input: Some(points.slice(..)), output: None };
        let net = wait(FrameNetwork::new(&gpu, &spec, rows, networks, io)).unwrap();
        let one = wait(FrameNetwork::new(&gpu, &spec, rows, 1, FrameIo::default())).unwrap();
        assert_eq!(net.dispatches(), one.dispatches());
        assert_eq!(net.dispatches(), 1, "the network fits a workgroup's memory");
        net.set_parameters(&parameters).unwrap();
        gpu.queue().submit([recorded(&gpu, |encoder| net.record(encoder))]);
        let found = read(&gpu, net.output());
        // Some of them, each as a plan of its own.
        for network in [0, 1, 500, 999] {
            let mut alone = CpuBackend::<Bounded>::load(&cpu, forward(&spec, rows, 1, Target::Cpu).unwrap()).unwrap();
            let exact = |values: &[f32]| values.iter().map(|&value| Bounded::exact(value.into())).collect::<Vec<_>>();
            let (features, count) = (rows * spec.inputs(), Layout::new(&spec).len());
            let input = alone.plan().buffer(Role::Features).unwrap();
            let output = alone.plan().output().unwrap();
            alone.write(input, &exact(&data.features()[network * features..][..features])).unwrap();
            let place = alone.plan().buffer(Role::Parameters).unwrap();
            alone.write(place, &exact(&parameters[network * count..][..count])).unwrap();
            alone.submit(&[(0, Step::default())]).unwrap();
            wait(alone.collect()).unwrap();
            let outputs = rows * spec.outputs();
            compare(&found[network * outputs..][..outputs], &wait(alone.read(output)).unwrap()).unwrap();
        }
    }
}

/// Steps in a program's encoders are those of a trainer on the same plan, to the bit: batches, what remains of an epoch, dropout and
/// Adam's corrections, over more steps than go up at once; the networks side by side are each on rows of their own.
#[test]
fn recorded_steps_are_those_of_a_trainer() {
    let spec = spec(&[3, 8, 1]);
    let sets: Vec<Dataset> = (0..2).map(|seed| random_data(&spec, 40, seed).unwrap()).collect();
    let parameters = Init::He.draw(&spec, 4).unwrap();
    let optimizer = Optimizer::new(Rule::Adam, 1e-3);
    for gpu in programs() {
        let mut config = TrainConfig::new(1100, Batch::Rows(16), optimizer);
        (config.plan, config.seed, config.dropout) = (Some(PlanKind::Fused), 7, vec![0.25]);
        let device = Device::Gpu(gpu.clone());
        let mut trainer = Trainer::new(&device, &spec, &config, &sets[0]).unwrap();
        trainer.set_parameters(&parameters).unwrap();
        trainer.fit().unwrap();
        let expected = bits(&trainer.parameters().unwrap());

        let both = |of: fn(&Dataset) -> &[f32]| sets.iter().flat_map(of).copied().collect::<Vec<f32>>();
        let features = buffer(&gpu, 0, &both(Dataset::features), STORAGE);
        let targets = buffer(&gpu, 0, &both(Dataset::targets), STORAGE);
        let mut training = FrameTraining::new(optimizer, 40);
        (training.batch, training.seed, training.dropout, training.networks) = (16, 7, vec![0.25], 2);
        let given = (Some(features.slice(..)), Some(targets.slice(..)));
        let mut frames = wait(FrameTrainer::new(&gpu, &spec, training.clone(), given.0, given.1)).unwrap();
        training.networks = 1;
        let one = wait(FrameTrainer::new(&gpu, &spec, training, None, None)).unwrap();
        assert_eq!(frames.dispatches(), one.dispatches());
        let drawn = [7, 8].map(|seed| Init::He.draw(&spec, seed).unwrap()).concat();
        assert_eq!(read(&gpu, frames.parameters()), drawn, "each network has first parameters of its own");
        frames.set_parameters(&parameters).unwrap();
        let before = read(&gpu, frames.parameters());
        let first = recorded(&gpu, |encoder| frames.record_steps(encoder, 300).unwrap());
        assert_eq!(read(&gpu, frames.parameters()), before, "nothing ran yet");
        gpu.queue().submit([first]);
        for _ in 1..11 {
            gpu.queue().submit([recorded(&gpu, |encoder| frames.record_steps(encoder, 300).unwrap())]);
        }
        assert_eq!(frames.steps(), trainer.steps());
        let found = read(&gpu, frames.parameters());
        let (own, other) = found.split_at(parameters.len());
        assert_eq!(bits(own), expected);
        assert_ne!(bits(other), expected);
        let losses = read(&gpu, frames.losses());
        assert!(losses.iter().all(|loss| loss.is_finite()) && losses[0] > 0.0, "{losses:?}");

        // From either to a network that draws, on the device.
        let net = wait(FrameNetwork::new(&gpu, &spec, 1, 1, FrameIo::default())).unwrap();
        let trained = trainer.gpu().unwrap().buffer(Role::Parameters).unwrap();
        let point = [0.1, 0.2, 0.3];
        gpu.queue().write_buffer(net.input().buffer(), 0, bytemuck::cast_slice(&point));
        gpu.queue().submit([recorded(&gpu, |encoder| {
            net.set_parameters_from(encoder, trained.slice(..)).unwrap();
            net.record(encoder);
        })]);
        let parameters = trainer.parameters().unwrap();
        let predictor = Predictor::new(&device, &spec, &parameters, 1).unwrap();
        assert_eq!(read(&gpu, net.output()), predictor.outputs(&point).unwrap());
        let mut encoder = gpu.device().create_command_encoder(&Default::default());
        let wrong = net.set_parameters_from(&mut encoder, frames.parameters());
        assert!(matches!(wrong, Err(Error::Shape { .. })), "two networks' parameters for one");
        assert!(frames.record_steps(&mut encoder, 1025).is_err());
    }
}

/// A buffer that does not fit is one line, not a panic of wgpu's.
#[test]
fn buffers_that_do_not_fit_are_refused() {
    let spec = spec(&[4, 8, 2]);
    for gpu in programs() {
        let fine = buffer(&gpu, 256, &[0.0; 40], STORAGE);
        let no_storage = buffer(&gpu, 0, &[0.0; 40], wgpu::BufferUsages::VERTEX);
        let refused = |input, output| {
            wait(FrameNetwork::new(&gpu, &spec, 10, 1, FrameIo { input, output })).unwrap_err().to_string()
        };
        let small = refused(Some(fine.slice(..80)), None);
        assert!(small.contains("80 bytes") && small.contains("at least 160 bytes, for Features"), "{small}");
        assert!(refused(Some(fine.slice(4..)), None).contains("at a multiple of"));
        assert!(refused(Some(no_storage.slice(..)), None).contains("the usage STORAGE"));
        assert!(refused(Some(fine.slice(..)), Some(fine.slice(..))).contains("given twice"));
        let net = wait(FrameNetwork::new(&gpu, &spec, 10, 2, FrameIo::default())).unwrap();
        assert!(matches!(net.set_parameters(&[0.0; 3]), Err(Error::Shape { .. })));
    }
}

/// Rates of dropout are those of a [`TrainConfig`]: one for all hidden layers or one for each, each in [0, 1).
#[test]
fn dropout_is_that_of_a_configuration() {
    let spec = spec(&[4, 9, 8, 2]);
    for gpu in programs() {
        let data = random_data(&spec, 6, 5).unwrap();
        let [features, targets] = [data.features(), data.targets()].map(|values| buffer(&gpu, 0, values, STORAGE));
        let new = |rates: &[f64]| {
            let mut training = FrameTraining::new(Optimizer::new(Rule::Adam, 1e-2), 6);
            training.dropout = rates.to_vec();
            wait(FrameTrainer::new(&gpu, &spec, training, Some(features.slice(..)), Some(targets.slice(..))))
        };
        let trained = |rates: &[f64]| {
            let mut trainer = new(rates).unwrap();
            gpu.queue().submit([recorded(&gpu, |encoder| trainer.record_steps(encoder, 5).unwrap())]);
            bits(&read(&gpu, trainer.parameters()))
        };
        assert_eq!(trained(&[0.4]), trained(&[0.4, 0.4]));
        assert_ne!(trained(&[0.4]), trained(&[0.4, 0.0]));
        for rates in [&[f64::NAN][..], &[-1.0], &[1.0], &[0.1, 0.1, 0.1]] {
            let refused = new(rates).err();
            assert!(matches!(refused, Some(Error::Setting { what: "dropout", .. })), "{rates:?}: {refused:?}");
        }
    }
}

/// No rows and no networks are refused.
#[test]
fn there_is_a_row_and_a_network() {
    for gpu in programs() {
        for (rows, networks) in [(0, 1), (1, 0)] {
            let refused = wait(FrameNetwork::new(&gpu, &spec(&[2, 3, 1]), rows, networks, FrameIo::default())).err();
            assert!(matches!(refused, Some(Error::Setting { .. })), "{refused:?}");
        }
    }
}
