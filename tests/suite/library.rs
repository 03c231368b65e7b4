//! What a program that uses the library may do: go on after a stop or a divergence, use a small device, hand over
//! lists of a wrong length, bring a shader that is none.

use std::ops::ControlFlow;

use wgpu_mlp::backend::gpu::{FrameIo, FrameNetwork, FrameTrainer, GpuDevice};
use wgpu_mlp::backend::{Device, GpuBackend};
use wgpu_mlp::data::Dataset;
use wgpu_mlp::gradcheck::{gradcheck, gradcheck_async, random_data};
use wgpu_mlp::infer::{Metrics, Predictor};
use wgpu_mlp::kernels::{BIAS_ADD, Kernel, Part};
use wgpu_mlp::math::{Activation, Loss, Optimizer, Rule};
use wgpu_mlp::params::{Init, Layout};
use wgpu_mlp::plan::{Buffer, Dispatch, Pass, PassKind, Plan, PlanKind, Role, View};
use wgpu_mlp::spec::MlpSpec;
use wgpu_mlp::train::{Batch, Event, TrainConfig, Trainer};
use wgpu_mlp::{Error, Estimator, Model, Table, open_async};

use crate::support::{devices, limited, wait};
use crate::train::gradients::everywhere;

fn network() -> (MlpSpec, Dataset) {
    let spec = MlpSpec::new(&[3, 64, 1], Activation::Relu, Loss::MeanSquaredError).unwrap();
    let data = random_data(&spec, 50, 1).unwrap();
    (spec, data)
}

fn trainer(device: &Device, config: &TrainConfig) -> Trainer {
    let (spec, data) = network();
    let mut trainer = Trainer::new(device, &spec, config, &data).unwrap();
    trainer.set_parameters(&Init::He.draw(&spec, 1).unwrap()).unwrap();
    trainer
}

/// Every epoch that ended with its loss, until `last`.
fn losses(trainer: &mut Trainer, last: u64) -> Vec<(u64, f64)> {
    let mut losses = Vec::new();
    trainer
        .fit_with(|event| match event {
            Event::Epoch(epoch) if epoch.epoch <= last => {
                losses.push((epoch.epoch, epoch.loss));
                ControlFlow::Continue(())
            }
            _ if last == 0 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        })
        .unwrap();
    losses
}

/// Stopped in the middle of an epoch and called again, a trainer finishes that epoch and loses none of its rows:
/// every epoch's loss is that of an unbroken run.
#[test]
fn a_stopped_run_goes_on_where_it_stopped() {
    for device in everywhere() {
        let config = TrainConfig::new(6, Batch::Rows(8), Optimizer::new(Rule::Adam, 1e-3));
        let expected = losses(&mut trainer(&device, &config), 6);
        assert_eq!(expected.len(), 6);
        let mut broken = trainer(&device, &config);
        assert_eq!(losses(&mut broken, 0), []);
        assert!((1..7).contains(&broken.steps()), "{}: {} of 7 steps", device.name(), broken.steps());
        assert_eq!(losses(&mut broken, 6), expected, "{}", device.name());
        assert_eq!(broken.epochs(), 6);
    }
}

/// After a divergence the parameters are finite and fewer steps lie behind them; with other parameters training
/// goes on as if nothing had been.
#[test]
fn training_goes_on_after_a_divergence() {
    for device in everywhere() {
        let mut trainer = trainer(&device, &TrainConfig::new(500, Batch::Full, Optimizer::sgd(1e4)));
        let error = trainer.fit().unwrap_err();
        let Error::Diverged { step, .. } = error else { panic!("{}: {error}", device.name()) };
        assert!(trainer.steps() < step, "{}: {} and {step}", device.name(), trainer.steps());
        assert!(trainer.parameters().unwrap().iter().all(|value| value.is_finite()), "{}", device.name());
        // The loss of a network of zeros is finite, and so it takes some steps to diverge again.
        let zeros = vec![0.0; Layout::new(&network().0).len()];
        trainer.set_parameters(&zeros).unwrap();
        let again = trainer.fit().unwrap_err();
        assert!(matches!(again, Error::Diverged { .. }), "{}: {again}", device.name());
        assert!(trainer.parameters().unwrap().iter().all(|value| value.is_finite()), "{}", device.name());
    }
}

/// A network too wide for a device's buffers at once runs a few rows at a time; other tiles may add up in another order.
#[test]
fn a_small_device_predicts_large_tables() {
    let (spec, _) = network();
    let data = random_data(&spec, 3000, 2).unwrap();
    let parameters = Init::He.draw(&spec, 3).unwrap();
    for gpu in devices() {
        let small = Device::Gpu(limited(gpu, |limits| limits.max_storage_buffer_binding_size = 1 << 16));
        let outputs = |device: &Device| {
            let predictor = Predictor::new(device, &spec, &parameters, data.rows()).unwrap();
            predictor.outputs(data.features()).unwrap()
        };
        let (few, many) = (outputs(&small), outputs(&Device::Gpu(gpu.clone())));
        assert_eq!(few.len(), many.len());
        for (row, (few, many)) in few.iter().zip(&many).enumerate() {
            assert!((few - many).abs() <= 1e-5 * (1.0 + many.abs()), "{}: row {row}: {few} and {many}", gpu.name());
        }
    }
}

#[test]
fn lists_of_a_wrong_length_are_refused() {
    let (spec, data) = network();
    let parameters = Init::He.draw(&spec, 3).unwrap();
    let short = &parameters[1..];
    let is_shape = |error: Option<Error>| matches!(error, Some(Error::Shape { .. }));
    for device in everywhere() {
        let config = TrainConfig::new(1, Batch::Full, Optimizer::sgd(0.1));
        assert!(is_shape(trainer(&device, &config).set_parameters(short).err()));
        assert!(is_shape(Predictor::new(&device, &spec, short, 1).err()));
        let predictor = Predictor::new(&device, &spec, &parameters, 1).unwrap();
        assert!(is_shape(predictor.outputs(&[0.0; 4]).err()));
        for values in [short, &[&parameters[..], short].concat()] {
            assert!(is_shape(gradcheck(&device, &spec, values, &data, 1, 0, None).err()));
        }
    }
    assert!(is_shape(Metrics::new(&spec, &[0.0], &data, None).err()));
    assert!(is_shape(wgpu_mlp::Model::new(spec.clone(), short.to_vec()).err()));
    let mut model = wgpu_mlp::Model::new(spec, parameters.clone()).unwrap();
    model.parameters.pop();
    assert!(is_shape(model.to_bytes().err()));
    let folder = tempfile::tempdir().unwrap();
    assert!(is_shape(model.save(folder.path().join("m.safetensors")).err()));
}

/// A pipeline that could not be made is an error each time and spoils no other.
#[test]
fn a_shader_that_is_none_is_an_error() {
    let broken: &'static Kernel = Box::leak(Box::new(Kernel { wgsl: &["fn bias_add() { nothing }"], ..BIAS_ADD }));
    let plan = |kernel| {
        let buffers = vec![Buffer { role: Role::Delta(0), len: 2 }, Buffer { role: Role::Delta(1), len: 4 }];
        let view = |buffer| View { buffer, offset: 0, replica_stride: 0, slot_stride: 0 };
        let views = vec![view(0), view(1)];
        let dispatches = vec![Dispatch { kernel, part: Part::None, variant: 0, dims: vec![2, 2], views }];
        let passes = vec![Pass { kind: PassKind::Forward, rows: 2, dispatches }];
        Plan { kind: PlanKind::Layered, replicas: 1, slots: 1, buffers, passes, output: Some(1) }
    };
    for gpu in devices() {
        let own = limited(gpu, |_| ());
        for _ in 0..2 {
            let error = wait(GpuBackend::load(&own, plan(broken))).unwrap_err();
            assert!(matches!(error, Error::Gpu { .. }), "{error}");
            wait(GpuBackend::load(&own, plan(&BIAS_ADD))).unwrap();
        }
    }
}

/// A device of a program's with a limit below what kernels need is refused by the limit's name, and wgpu's default limits are enough.
#[test]
fn a_limit_that_is_too_low_is_named() {
    let (spec, data) = network();
    let config = TrainConfig::new(1, Batch::Full, Optimizer::sgd(0.1));
    let train = |gpu| Trainer::new(&Device::Gpu(gpu), &spec, &config, &data).map(|_| ());
    for gpu in devices() {
        train(limited(gpu, |limits| *limits = wgpu::Limits::default())).unwrap();
        let refused = [
            (
                "max_storage_buffers_per_shader_stage is 4",
                limited(gpu, |all| all.max_storage_buffers_per_shader_stage = 4),
            ),
            (
                "max_uniform_buffer_binding_size is 16384",
                limited(gpu, |all| all.max_uniform_buffer_binding_size = 16 << 10),
            ),
            (
                "max_compute_invocations_per_workgroup is 128",
                limited(gpu, |all| all.max_compute_invocations_per_workgroup = 128),
            ),
        ];
        for (text, gpu) in refused {
            let error = train(gpu).unwrap_err();
            assert!(matches!(error, Error::Gpu { .. }) && error.to_string().contains(text), "{error}");
        }
    }
}

/// Futures may move between the threads of an executor, as `tokio::spawn` asks of them.
#[test]
fn futures_are_send() {
    fn is_send<T: Send>(_: impl Fn() -> T) {}
    fn any<T>() -> T {
        unreachable!("it is compiled and not called")
    }
    let (device, spec, data) = (any::<&Device>, any::<&MlpSpec>, any::<&Dataset>);
    let (config, numbers, gpu) = (any::<&TrainConfig>, any::<&[f32]>, any::<&GpuDevice>);
    let (trainer, predictor) = (any::<&mut Trainer>, any::<&Predictor>);
    is_send(|| open_async("auto"));
    is_send(|| Trainer::with_validation_async(device(), spec(), config(), data(), None));
    is_send(|| Trainer::without_data_async(device(), spec(), config(), 1));
    is_send(|| trainer().fit_async());
    is_send(|| trainer().step_async());
    is_send(|| trainer().load_async(data()));
    is_send(|| trainer().forward_async(numbers()));
    is_send(|| trainer().backward_async(numbers()));
    is_send(|| trainer().parameters_async());
    is_send(|| trainer().state_async());
    is_send(|| Predictor::new_async(device(), spec(), numbers(), 1));
    is_send(|| predictor().outputs_async(numbers()));
    is_send(|| predictor().importance_async(data(), &[], 1, 0, None));
    is_send(|| any::<&Estimator>().fit_async(any::<Table>(), device()));
    is_send(|| any::<&Model>().predict_async(any::<&Table>(), device()));
    is_send(|| any::<&Model>().evaluate_async(any::<&Table>(), device()));
    is_send(|| gradcheck_async(device(), spec(), numbers(), data(), 1, 0, None));
    is_send(|| GpuDevice::open_async(0));
    is_send(|| FrameNetwork::new(gpu(), spec(), 1, 1, FrameIo::default()));
    is_send(|| FrameTrainer::new(gpu(), spec(), any(), None, None));
}
