//! What makes a run repeatable and keeps it on the device: same seed, same bytes; no buffer and no byte across the
//! bus but the step's record and its losses; devices that are shared with a program; the limit of submissions.

use std::ops::ControlFlow;

use wgpu_mlp::Error;
use wgpu_mlp::backend::{Backend, Counters, CpuDevice, Device, GpuDevice, MAX_IN_FLIGHT};
use wgpu_mlp::data::Dataset;
use wgpu_mlp::gradcheck::random_data;
use wgpu_mlp::kernels::Step;
use wgpu_mlp::math::{Activation, Loss, Optimizer, Rule};
use wgpu_mlp::params::{Init, Layout};
use wgpu_mlp::plan::{self, PlanKind, Recipe, Role, TrainShape};
use wgpu_mlp::spec::MlpSpec;
use wgpu_mlp::train::{Batch, TrainConfig, Trainer};

use crate::support::{devices, wait};
use crate::train::gradients::{bits, everywhere};
use crate::train::reference_run;

fn small() -> (MlpSpec, Dataset) {
    let spec = MlpSpec::new(&[5, 33, 17, 3], Activation::Relu, Loss::BinaryCrossEntropy).unwrap();
    let data = random_data(&spec, 50, 1).unwrap();
    (spec, data)
}

fn config(epochs: u64, batch: Batch, seed: u64) -> TrainConfig {
    let mut config = TrainConfig::new(epochs, batch, Optimizer::sgd(0.1));
    config.seed = seed;
    config
}

fn trainer(device: &Device, spec: &MlpSpec, data: &Dataset, config: &TrainConfig) -> Trainer {
    let mut trainer = Trainer::new(device, spec, config, data).unwrap();
    trainer.set_parameters(&Init::He.draw(spec, config.seed).unwrap()).unwrap();
    trainer
}

fn fit(trainer: &mut Trainer) -> u64 {
    trainer.fit().unwrap().steps
}

/// The bits of the parameters after `calls` times `epochs` epochs.
fn trained(device: &Device, spec: &MlpSpec, data: &Dataset, config: &TrainConfig, calls: usize) -> Vec<u32> {
    let mut trainer = trainer(device, spec, data, config);
    for _ in 0..calls {
        fit(&mut trainer);
    }
    bits(&trainer.parameters().unwrap())
}

/// Same seed, same device: the same bytes, however the epochs are spread over calls and so over submissions.
#[test]
fn same_seed_gives_same_bytes() {
    let (spec, data) = small();
    for device in everywhere() {
        for batch in [Batch::Full, Batch::Rows(16)] {
            let what = format!("{}, batch {batch}", device.name());
            let first = trained(&device, &spec, &data, &config(10, batch, 5), 1);
            assert_eq!(first, trained(&device, &spec, &data, &config(10, batch, 5), 1), "{what}: again");
            assert_eq!(first, trained(&device, &spec, &data, &config(1, batch, 5), 10), "{what}: ten calls");
            assert_ne!(first, trained(&device, &spec, &data, &config(10, batch, 6), 1), "{what}: another seed");
        }
    }
}

/// A run ends when its receiver says so, however long it was to be; what is under way is finished and counted.
#[test]
fn a_run_can_be_stopped() {
    let (spec, data) = small();
    for (device, batch) in everywhere().iter().flat_map(|device| [(device, Batch::Full), (device, Batch::Rows(16))]) {
        let mut trainer = trainer(device, &spec, &data, &config(u64::MAX, batch, 5));
        let mut events = 0;
        let outcome = trainer.fit_with(|_| {
            events += 1;
            if events < 5 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        let outcome = outcome.unwrap();
        assert!(outcome.stopped && outcome.steps >= 3, "{}: {outcome:?}", device.name());
        if batch == Batch::Full {
            let found = bits(&trainer.parameters().unwrap());
            assert_eq!(found, trained(device, &spec, &data, &config(outcome.steps, batch, 5), 1), "{}", device.name());
        }
    }
}

/// The number of threads never matters, in networks that are large enough to be shared among them.
#[test]
fn number_of_threads_does_not_matter() {
    let wide = MlpSpec::new(&[64, 96, 32, 1], Activation::Relu, Loss::MeanSquaredError).unwrap();
    let wide_data = random_data(&wide, 700, 2).unwrap();
    let (moons, _) = reference_run::data();
    for (spec, data) in [(&wide, &wide_data), (&reference_run::spec(), &moons)] {
        for batch in [Batch::Full, Batch::Rows(300)] {
            let on = |threads| {
                let device = Device::Cpu(CpuDevice::new(threads).unwrap());
                trained(&device, spec, data, &config(5, batch, 3), 1)
            };
            let one = on(1);
            for threads in [2, 3, 5] {
                assert!(one == on(threads), "{spec}, batch {batch}: {threads} threads give other bytes than 1");
            }
        }
    }
}

/// After the first call nothing is created, a record goes up and a ring slot comes down for each step, and at the
/// end of a call the parameters are read, to see that they are finite.
#[test]
fn training_stays_on_the_device() {
    let (spec, data) = small();
    let parameters = 4 * Layout::new(&spec).len() as u64;
    let kinds = PlanKind::ALL.iter().flat_map(|&kind| [Batch::Full, Batch::Rows(16)].map(|batch| (kind, batch)));
    for gpu in devices() {
        for (kind, batch) in kinds.clone() {
            let what = format!("{}, {kind}, batch {batch}", gpu.name());
            let mut config = config(7, batch, 5);
            config.plan = Some(kind);
            let mut trainer = trainer(&Device::Gpu(gpu.clone()), &spec, &data, &config);
            let plan = trainer.plan();
            let slot = 4 * plan.ring_slot() as u64;
            let dispatches: Vec<_> = plan.passes.iter().map(|pass| pass.dispatches.len() as u64).collect();
            // 50 rows: one step, or three of 16 rows and one of 2.
            let (steps, per_epoch) = match dispatches[..] {
                [whole] => (1, whole),
                [whole, rest] => (4, 3 * whole + rest),
                _ => panic!("{what}: {} passes", dispatches.len()),
            };
            assert_eq!(fit(&mut trainer), 7 * steps, "{what}");
            let mut records = Vec::new();
            for _ in 0..3 {
                let before = trainer.counters();
                assert_eq!(fit(&mut trainer), 7 * steps, "{what}");
                let Counters { dispatches, submissions, bytes_up, bytes_down, buffers_created } = trainer.counters();
                assert_eq!(buffers_created, before.buffers_created, "{what}: buffers");
                assert_eq!(bytes_down - before.bytes_down, 7 * steps * slot + parameters, "{what}: bytes down");
                let submissions = submissions - before.submissions;
                assert!((1..=7 * steps).contains(&submissions), "{what}: submissions");
                let (up, dispatches) = (bytes_up - before.bytes_up, dispatches - before.dispatches);
                // A record has 48 bytes; a uniform's offset is a multiple of at most 256.
                if kind == PlanKind::Resident {
                    assert_eq!(dispatches, submissions, "{what}: a run of steps is a dispatch, whole batches or not");
                    assert!((336 * steps..336 * steps + 256 * submissions).contains(&up), "{what}: {up} bytes up");
                } else {
                    assert_eq!(dispatches, 7 * per_epoch, "{what}: dispatches");
                    assert_eq!(up % (7 * steps), 0, "{what}: bytes up");
                    records.push(up / (7 * steps));
                }
            }
            let record = records.first().copied().unwrap_or(48);
            assert!(
                (48..=256).contains(&record) && records.iter().all(|&bytes| bytes == record),
                "{what}: {records:?}"
            );
        }
    }
}

/// A program's own device, with WebGPU's default limits: it trains as one that the crate opened, to the byte, and
/// is the program's to use while it does and afterwards.
#[test]
fn trains_on_a_programs_own_device() {
    let (spec, data) = small();
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let adapters = wait(instance.enumerate_adapters(wgpu::Backends::PRIMARY));
    let mut tried = 0;
    for gpu in devices() {
        let Some(adapter) = adapters.iter().find(|adapter| adapter.get_info().name == gpu.name()) else { continue };
        let (device, queue) = wait(adapter.request_device(&wgpu::DeviceDescriptor::default())).unwrap();
        let shared = Device::Gpu(GpuDevice::from_wgpu(device.clone(), queue.clone()));
        assert_eq!((shared.name(), shared.backend()), (gpu.name().to_string(), gpu.backend()));
        let config = config(5, Batch::Rows(16), 5);
        let mut trainer = trainer(&shared, &spec, &data, &config);
        fit(&mut trainer);
        assert_eq!(copied(&device, &queue, b"while it trains!"), b"while it trains!");
        let found = bits(&trainer.parameters().unwrap());
        assert_eq!(found, trained(&Device::Gpu(gpu.clone()), &spec, &data, &config, 1), "{}", gpu.name());
        drop((trainer, shared));
        assert_eq!(copied(&device, &queue, b"and when it's over"[..16].into()), b"and when it's ov");
        tried += 1;
    }
    assert_eq!(tried, devices().len(), "an adapter was not found a second time");
}

/// A program's own device is checked when it is used, each time until it computes.
#[test]
fn a_programs_device_with_wrong_results_is_refused() {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backend_options.noop.enable = true;
    let adapters = wait(wgpu::Instance::new(descriptor).enumerate_adapters(wgpu::Backends::NOOP));
    let (device, queue) = wait(adapters[0].request_device(&wgpu::DeviceDescriptor::default())).unwrap();
    let shared = Device::Gpu(GpuDevice::from_wgpu(device, queue));
    let (spec, data) = small();
    for _ in 0..2 {
        let error = Trainer::new(&shared, &spec, &config(5, Batch::Full, 5), &data).err().unwrap();
        assert!(matches!(&error, Error::CheckFailed(message) if message.contains(&shared.name())), "{error}");
    }
}

/// Sends bytes through a device's own buffer.
fn copied(device: &wgpu::Device, queue: &wgpu::Queue, bytes: &[u8]) -> Vec<u8> {
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: bytes.len() as u64,
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    queue.write_buffer(&buffer, 0, bytes);
    buffer.slice(..).map_async(wgpu::MapMode::Read, |mapped| mapped.unwrap());
    queue.submit([]);
    device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
    buffer.slice(..).get_mapped_range().unwrap().to_vec()
}

/// A backend takes [`MAX_IN_FLIGHT`] submissions, of at most the plan's slots, and hands back the oldest first.
#[test]
fn submissions_are_limited_and_come_back_in_order() {
    let (spec, data) = small();
    for device in everywhere() {
        let shape = TrainShape {
            samples: data.rows(),
            validation: 0,
            folds: None,
            batch: 16,
            replicas: 1,
            slots: 3,
            weightings: 0,
        };
        let mut backend = wait(device.load(plan::layered(&spec, &Recipe::new(Rule::Sgd), shape).unwrap())).unwrap();
        for (role, values) in [(Role::Features, data.features()), (Role::Targets, data.targets())] {
            let buffer = backend.plan().buffer(role).unwrap();
            backend.write(buffer, values).unwrap();
        }
        let slot = backend.plan().ring_slot();
        let refused = |result: Result<(), Error>| matches!(result, Err(Error::Setting { .. }));
        let step = (0, Step::default());
        assert!(refused(backend.submit(&[step; 4])), "{}: 4 steps in 3 slots", device.name());
        assert!(refused(backend.submit(&[(2, Step::default())])), "{}: pass 2", device.name());
        for _ in 0..3 {
            for steps in 1..=MAX_IN_FLIGHT {
                backend.submit(&vec![step; steps]).unwrap();
            }
            assert!(refused(backend.submit(&[step])), "{}: one too many", device.name());
            for steps in 1..=MAX_IN_FLIGHT {
                let ring = wait(backend.collect()).unwrap();
                assert_eq!(ring.len(), steps * slot, "{}", device.name());
                // All parameters are 0, so each row's loss is log 2.
                let expected = 48.0 * 2.0_f32.ln();
                assert!(ring.chunks(slot).all(|sums| (sums[0] - expected).abs() < 1e-4), "{}: {ring:?}", device.name());
            }
        }
        assert!(wait(backend.collect()).unwrap().is_empty(), "{}: nothing was under way", device.name());
    }
}

/// A plan that does not fit is refused with what it needs and what there is, before anything is allocated.
#[test]
fn plans_that_do_not_fit_are_refused() {
    let refused = |device: &Device, layers: usize, rows: usize| {
        let spec = MlpSpec::new(&vec![1; layers + 1], Activation::Identity, Loss::MeanSquaredError).unwrap();
        match wait(device.load(plan::forward(&spec, rows, 1, device.target()).unwrap())) {
            Err(Error::TooLarge { needed, available, device: name, .. }) => {
                assert_eq!(name, device.name());
                assert!(needed > available && available > 0, "{name}: {needed} bytes of {available}");
                needed
            }
            other => panic!("{}: {other:?}", device.name()),
        }
    };
    for gpu in devices() {
        let most = gpu.summary().max_buffer_bytes.min(4 * u64::from(u32::MAX) - 4);
        assert_eq!(refused(&Device::Gpu(gpu.clone()), 1, most as usize / 4 + 1), most / 4 * 4 + 4);
    }
    // Features and 200 layers' values of 2^32 - 1 rows: 3 TB.
    let cpu = Device::Cpu(CpuDevice::new(1).unwrap());
    assert_eq!(refused(&cpu, 200, u32::MAX as usize), 4 * (201 * u64::from(u32::MAX) + 400));
}
