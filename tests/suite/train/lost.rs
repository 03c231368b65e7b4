//! Devices that are lost, futures that are dropped, and networks that are deep: errors, and never a panic or a device that is of no more use.

use std::future::Future;
use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Waker};

use wgpu_mlp::Error;
use wgpu_mlp::backend::{Device, GpuDevice};
use wgpu_mlp::data::Dataset;
use wgpu_mlp::infer::Predictor;
use wgpu_mlp::math::{Activation, Loss, Optimizer};
use wgpu_mlp::params::Init;
use wgpu_mlp::plan::PlanKind;
use wgpu_mlp::spec::MlpSpec;
use wgpu_mlp::train::{Batch, Event, TrainConfig, Trainer};

use crate::cli::Place;
use crate::support::{devices, wait};
use crate::train::gradients::bits;

fn spec(hidden: usize) -> MlpSpec {
    let widths: Vec<usize> = [2].into_iter().chain(std::iter::repeat_n(3, hidden)).chain([1]).collect();
    MlpSpec::new(&widths, Activation::Tanh, Loss::MeanSquaredError).unwrap()
}

fn data() -> Dataset {
    let value = |i: u16| f32::from(i % 7) / 7.0 - 0.5;
    Dataset::new((0..64).map(value).collect(), (0..32).map(value).collect(), 2, 1).unwrap()
}

fn trainer(device: &Device, hidden: usize, plan: Option<PlanKind>) -> wgpu_mlp::Result<Trainer> {
    let mut config = TrainConfig::new(50, Batch::Rows(8), Optimizer::sgd(0.05));
    config.plan = plan;
    let spec = spec(hidden);
    let mut trainer = Trainer::new(device, &spec, &config, &data())?;
    trainer.set_parameters(&Init::He.draw(&spec, 1)?)?;
    Ok(trainer)
}

/// A device of a program that has no handlers of its own, and the program's hold on it.
fn own(gpu: &GpuDevice) -> (Device, wgpu::Device) {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let adapters = wait(instance.enumerate_adapters(wgpu::Backends::PRIMARY));
    let adapter = adapters.iter().find(|adapter| adapter.get_info().name == gpu.name()).unwrap();
    let descriptor = wgpu::DeviceDescriptor { required_limits: adapter.limits(), ..Default::default() };
    let (device, queue) = wait(adapter.request_device(&descriptor)).unwrap();
    (Device::Gpu(GpuDevice::from_wgpu(device.clone(), queue)), device)
}

fn assert_lost<T>(result: wgpu_mlp::Result<T>, what: &str) {
    match result {
        Err(error) if error.is_device_lost() => {
            let text = error.to_string();
            assert!(text.contains("the device was lost") && text.contains("device = cpu"), "{what}: {text}");
        }
        Err(error) => panic!("{what}: {error:?}"),
        Ok(_) => panic!("{what}: it went on"),
    }
}

type Lose<'a> = &'a dyn Fn();
type Case = fn(&Device, Lose<'_>) -> wgpu_mlp::Result<()>;

/// Whenever it happens, every call from then on says so.
fn check_loss(open: &dyn Fn() -> (Device, Box<dyn Fn()>)) {
    let cases: [(&str, Case); 8] = [
        ("in an event", |device, lose| {
            let mut trainer = trainer(device, 2, None)?;
            let found = trainer.fit_with(|_| {
                lose();
                ControlFlow::Continue(())
            });
            assert_lost(trainer.parameters(), "after an event");
            assert_lost(trainer.state(), "after an event");
            found.map(drop)
        }),
        ("at the end of an epoch", |device, lose| {
            let mut trainer = trainer(device, 2, Some(PlanKind::Layered))?;
            let event = |event| {
                if let Event::Epoch(epoch) = event
                    && epoch.epoch == 3
                {
                    lose();
                }
                ControlFlow::Continue(())
            };
            trainer.fit_with(event).map(drop)
        }),
        ("before a run", |device, lose| {
            let mut trainer = trainer(device, 2, None)?;
            lose();
            trainer.fit().map(drop)
        }),
        ("before a step", |device, lose| {
            let mut trainer = trainer(device, 2, None)?;
            trainer.step()?;
            lose();
            trainer.step().map(drop)
        }),
        ("before a read", |device, lose| {
            let mut trainer = trainer(device, 2, None)?;
            lose();
            trainer.parameters().map(drop)
        }),
        ("before a write", |device, lose| {
            let mut trainer = trainer(device, 2, None)?;
            lose();
            // A write may go unnoticed; what comes of it does not.
            let _ = trainer.set_learning_rate(0.1);
            trainer.step().map(drop)
        }),
        ("before it is loaded", |device, lose| {
            drop(trainer(device, 2, None)?);
            lose();
            trainer(device, 2, None).map(drop)
        }),
        ("before a prediction", |device, lose| {
            let spec = spec(2);
            let predictor = Predictor::new(device, &spec, &Init::He.draw(&spec, 1)?, 4)?;
            predictor.outputs(&[0.5; 8])?;
            lose();
            predictor.outputs(&[0.5; 8]).map(drop)
        }),
    ];
    for (what, case) in cases {
        let (device, lose) = open();
        assert_lost(case(&device, &*lose), what);
        assert_lost(trainer(&device, 1, None), what);
    }
}

#[test]
fn a_lost_device_is_an_error_everywhere() {
    for (index, gpu) in devices().iter().enumerate() {
        // One that the program gives, of which only the program knows that it is gone.
        check_loss(&|| {
            let (device, own) = own(gpu);
            (device, Box::new(move || own.destroy()))
        });
        // One that was opened here.
        check_loss(&|| {
            let gpu = GpuDevice::open(index).unwrap();
            let lost = gpu.clone();
            (Device::Gpu(gpu), Box::new(move || lost.destroy()))
        });
    }
}

/// A read that is given up is nobody's trouble: not of its trainer, nor of others on the device.
#[test]
fn a_read_may_be_dropped_half_way() {
    for gpu in devices() {
        let device = Device::Gpu(gpu.clone());
        let alone = trainer(&device, 2, None).unwrap().parameters().unwrap();
        let busy = AtomicBool::new(true);
        std::thread::scope(|scope| {
            let others: Vec<_> = (0..2)
                .map(|_| {
                    scope.spawn(|| {
                        let mut trainer = trainer(&device, 2, None)?;
                        while busy.load(Relaxed) {
                            trainer.step()?;
                            trainer.parameters()?;
                        }
                        Ok::<_, Error>(())
                    })
                })
                .collect();
            let mut reading = trainer(&device, 2, None).unwrap();
            for _ in 0..50 {
                {
                    let mut read = pin!(reading.parameters_async());
                    let _ = read.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                }
                assert_eq!(bits(&reading.parameters().unwrap()), bits(&alone));
            }
            busy.store(false, Relaxed);
            for other in others {
                other.join().unwrap().unwrap();
            }
        });
    }
}

/// As deep as a GPU takes them whole, and deeper: then a layer at a time.
#[test]
fn deep_networks_train_on_every_device() {
    let most = wgpu_mlp::kernels::MOST_LAYERS;
    let cpu = Device::Cpu(wgpu_mlp::backend::CpuDevice::new(1).unwrap());
    let step = |device: &Device, hidden, plan| {
        let mut trainer = trainer(device, hidden, plan).unwrap();
        let progress = trainer.step().unwrap();
        (progress.loss, trainer.parameters().unwrap(), trainer.plan().kind)
    };
    for gpu in devices() {
        let device = Device::Gpu(gpu.clone());
        for (hidden, plan, expected) in [
            (most - 1, Some(PlanKind::Fused), PlanKind::Fused),
            (most - 1, Some(PlanKind::Resident), PlanKind::Resident),
            (most, None, PlanKind::Layered),
            (1000, None, PlanKind::Layered),
        ] {
            let (loss, parameters, kind) = step(&device, hidden, plan);
            assert_eq!(kind, expected, "{hidden} hidden layers");
            let (reference, expected, _) = step(&cpu, hidden, None);
            assert!((loss - reference).abs() <= 1e-4 * reference.abs(), "{hidden}: {loss} {reference}");
            let far = parameters.iter().zip(&expected).position(|(a, b)| !((a - b).abs() <= 1e-4));
            assert_eq!(far, None, "{hidden} hidden layers");
        }
        for plan in [PlanKind::Fused, PlanKind::Resident] {
            let error = trainer(&device, most, Some(plan)).unwrap_err().to_string();
            assert!(error.contains("plan is") && error.contains(&format!("at most {most} layers")), "{error}");
        }
    }
}

/// An empty variable says nothing; one that hides every adapter is named.
#[test]
fn a_variable_that_hides_every_gpu_is_named() {
    let place = Place::new();
    let run = |value: &str, words: &str| {
        let mut command = place.command(words);
        crate::cli::finished(command.env("WGPU_BACKEND", value).env_remove("RUST_BACKTRACE").args(["--json"]))
    };
    for empty in ["", " "] {
        let found = run(empty, "devices");
        assert_eq!(found.code, Some(0), "{}", found.stderr);
        assert!(found.stdout.contains(devices()[0].name()), "{}", found.stdout);
    }
    let words = "train classes.csv --target answer --epochs 1 --device";
    let found = run("abacus", &format!("{words} 0"));
    assert_eq!(found.code, Some(1), "{}", found.stderr);
    let found = run("abacus", &format!("{words} gpu"));
    assert_eq!(found.code, Some(1), "{}", found.stderr);
    assert!(
        found.stderr.contains("error: no GPU adapter found: WGPU_BACKEND is `abacus`: unset it"),
        "{}",
        found.stderr
    );
    let found = run("abacus", &format!("{words} auto"));
    assert_eq!(found.code, Some(0), "{}", found.stderr);
    assert!(
        found.stderr.contains("device: CPU") && found.stderr.contains("WGPU_BACKEND is `abacus`"),
        "{}",
        found.stderr
    );
}
