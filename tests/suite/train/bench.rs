//! `mlp bench`: its numbers hang together, what it counts is what the plan does, and it refuses what it cannot measure.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use wgpu_mlp::backend::{CpuDevice, Device, GpuBackend, GpuDevice, Opening};
use wgpu_mlp::bench::{Case, Options, Work, crossings, measure, pass_bytes, peaks, step_flops};
use wgpu_mlp::kernels::{Part, Step};
use wgpu_mlp::math::{Activation, Loss, Optimizer, Rule};
use wgpu_mlp::plan::{Plan, PlanKind, Recipe, Target, TrainShape, choose, forward, layered, plain, plain_forward};
use wgpu_mlp::spec::MlpSpec;

use crate::cli::{Place, assert_no_work};
use crate::support::{devices, wait};

/// So short that each measurement has its least number of repetitions.
const QUICK: &str = "--seconds 0.01 --batch 64,7,300 --hidden 9,5";

fn spec(widths: &[usize]) -> MlpSpec {
    MlpSpec::new(widths, Activation::Relu, Loss::BinaryCrossEntropy).unwrap()
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("no number {key} in {value}"))
}

fn close(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() <= 1e-9 * expected.abs(), "{what}: {found}, expected {expected}");
}

/// The median lies in its spread, and all of it is more than nothing.
fn check_rate(rate: &Value) -> f64 {
    let [least, median, most] = ["least", "median", "most"].map(|key| number(rate, key));
    assert!(0.0 < least && least <= median && median <= most && most.is_finite(), "{rate}");
    assert!((3.0..=7.0).contains(&number(rate, "repetitions")), "{rate}");
    median
}

#[test]
fn numbers_hang_together() {
    let place = Place::new();
    let names = (0..devices().len()).map(|index| format!("--device {index}")).collect::<Vec<_>>().join(" ");
    let report = place.json(&format!("bench {QUICK} --device cpu {names} --profile --plot speed.svg"));
    assert_eq!(report["parameters"], 2 * 9 + 9 + 9 * 5 + 5 + 5 + 1);
    let found = report["devices"].as_array().unwrap();
    assert_eq!(found.len(), 1 + devices().len());
    for device in found {
        let peak = |name: &str| {
            check_rate(&device["peaks"][name]["rate"]);
            number(&device["peaks"][name]["rate"], "most")
        };
        let (arithmetic, copy) = (peak("arithmetic"), peak("copy"));
        let measurements = device["measurements"].as_array().unwrap();
        let order: Vec<_> =
            measurements.iter().map(|m| (m["batch"].as_u64().unwrap(), m["work"].as_str().unwrap())).collect();
        let expected = [7, 64, 300].into_iter().flat_map(|batch| [(batch, "train"), (batch, "infer")]);
        assert_eq!(order, expected.collect::<Vec<_>>(), "batches in rising order");
        for measured in measurements {
            let steps = check_rate(&measured["steps_per_second"]);
            let [flops, bytes, gflops, gbps] = ["flops", "bytes", "gflops", "gbps"].map(|key| number(measured, key));
            close(number(measured, "samples_per_second"), steps * number(measured, "batch"), "samples/s");
            close(gflops, flops * steps / 1e9, "GFLOP/s");
            close(gbps, bytes * steps / 1e9, "GB/s");
            close(number(measured, "peak_share"), gflops / arithmetic, "of peak");
            close(number(measured, "copy_share"), gbps / copy, "of copy");
            let error = number(measured, "error");
            let limit = if measured["work"] == "train" { 1e-5 } else { 1.0 };
            assert!((0.0..=limit).contains(&error), "{measured}");
            let infer = measured["work"] == "infer";
            let products = 2 * 9 + 9 * 5 + 5;
            let expected = if infer { 2 * products } else { 6 * products - 2 * 2 * 9 };
            assert_eq!(flops, expected as f64 * number(measured, "batch"));
        }
    }
    let crossings = report["crossings"].as_array().unwrap();
    assert_eq!(crossings.len(), 2 * devices().len(), "each GPU beside the CPU, in training and in inference");
    for crossing in crossings {
        let [one, other] = [0, 1].map(|index| &crossing["devices"][index]);
        assert!(crossing["ahead"] == *one || crossing["ahead"] == *other, "{crossing}");
        assert!(crossing["batches"].as_array().unwrap().iter().all(|at| (7.0..=300.0).contains(&at.as_f64().unwrap())));
    }
    let picture = fs::read_to_string(place.path().join("speed.svg")).unwrap();
    assert!(picture.starts_with("<svg") && picture.contains("samples/s"), "{picture}");
    for gpu in devices() {
        assert!(picture.contains(&format!("train, {}", gpu.name())), "no line for {}", gpu.name());
    }
}

#[test]
fn tables_say_what_was_measured() {
    let place = Place::new();
    let stdout = place.stdout("bench --seconds 0.01 --batch 16 --device cpu --plan layered");
    for word in [
        "2→25",
        "5,226 parameters",
        "CPU",
        "GFLOP/s (matmul",
        "GB/s (copy",
        "samples/s",
        "train     16",
        "infer     16",
        "layered",
    ] {
        assert!(stdout.contains(word), "no `{word}` in\n{stdout}");
    }
    // A processor has no timestamps, and that is said.
    let run = place.run("bench --seconds 0.01 --batch 16 --device cpu --profile");
    assert_eq!(run.code, Some(0));
    assert!(run.stderr.contains("no times of kernels from CPU"), "{}", run.stderr);
    assert!(!run.stdout.contains("microseconds"), "{}", run.stdout);
}

/// A step of Adam holds one value more for each parameter than one of momentum, reads and writes it.
#[test]
fn a_step_is_that_of_the_optimiser() {
    let place = Place::new();
    let measured = |optimizer: &str| {
        let report = place.json(&format!("bench --seconds 0.01 --batch 16 --device cpu --optimizer {optimizer}"));
        let training = report["devices"][0]["measurements"][0].clone();
        assert_eq!(training["work"], "train");
        ["memory", "bytes"].map(|key| number(&training, key))
    };
    let ([memory, bytes], [more_memory, more_bytes]) = (measured("momentum"), measured("adam"));
    assert_eq!(more_memory - memory, 4.0 * 5226.0);
    assert_eq!(more_bytes - bytes, 2.0 * 4.0 * 5226.0);
}

/// What is wrong with the plan is not said of the batch, though it is found when the batch's size is looked at.
#[test]
fn a_plan_that_does_not_fit_is_named() {
    let words = "bench --plan fused --batch 4 --inputs 5000 --hidden 5000 --device gpu";
    Place::new().refuses(words, 2, &["--plan is fused", "expected layered", "memory of a workgroup"]);
}

/// The kernels of a profile are those of the plan, each with all of its dispatches.
#[test]
fn profiles_name_the_kernels_of_the_plan() {
    let spec = spec(&[3, 8, 4, 1]);
    let cpu = CpuDevice::new(0).unwrap();
    let case = Case::new(&cpu, &spec, 40, 1).unwrap();
    let shape = TrainShape { batch: 40, ..TrainShape::full(41) };
    for index in 0..devices().len() {
        let gpu = GpuDevice::open_with(index, Opening { timed: true, ..Opening::default() }).unwrap();
        if !gpu.has_timestamps() {
            eprintln!("{}: no timestamps", gpu.name());
            continue;
        }
        let device = Device::Gpu(gpu.clone());
        let peaks = peaks(&device, 0.01).unwrap();
        let recipe = Recipe::new(Rule::Sgd);
        let train = PlanKind::ALL.iter().map(|&kind| (Work::Train, kind));
        let kinds = train.chain([(Work::Infer, PlanKind::Fused)]);
        for (work, kind) in kinds {
            let plan = match work {
                Work::Train => choose(Some(kind), &spec, &recipe, shape, device.target()),
                Work::Infer => forward(&spec, 40, 1, device.target()),
            };
            let options = Options { seconds: 0.01, profile: true, plan: Some(kind), optimizer: Optimizer::sgd(1.0) };
            let measured = measure(&device, &peaks, &case, work, options).unwrap();
            assert_eq!(measured.plan, kind);
            let plan = device.as_loaded(plan.unwrap());
            let dispatches = &plan.passes[0].dispatches;
            assert_eq!(measured.dispatches, dispatches.len());
            let kernels = measured.kernels.unwrap();
            let label =
                |kernel: &str| dispatches.iter().filter(|d| d.kernel.label(&d.part, d.variant) == kernel).count();
            kernels.iter().for_each(|time| assert_eq!(time.dispatches, label(&time.kernel), "{}", time.kernel));
            let names: BTreeSet<_> = kernels.iter().map(|time| &time.kernel).collect();
            assert_eq!(names.len(), kernels.len());
            assert_eq!(kernels.iter().map(|time| time.dispatches).sum::<usize>(), dispatches.len());
            assert!(kernels.iter().all(|time| time.seconds >= 0.0 && time.seconds.is_finite()), "{kernels:?}");
            let sum: f64 = kernels.iter().map(|time| time.seconds).sum();
            assert!(sum > 0.0);
            kernels.iter().for_each(|time| close(time.share, time.seconds / sum, &time.kernel));
        }
    }
}

/// A device that was opened as always has no timestamps, and says so.
#[test]
fn profiles_without_timestamps_are_refused() {
    for gpu in devices() {
        let mut backend =
            wait(GpuBackend::load(gpu, forward(&spec(&[2, 1]), 3, 1, gpu.summary().target()).unwrap())).unwrap();
        let error = wait(backend.profile(0, Step::default())).unwrap_err().to_string();
        assert!(error.contains(gpu.name()) && error.contains("timestamp"), "{error}");
    }
}

/// By hand: layers 3→4 and 4→2, 10 rows. Forward 2·10·(12 + 8), the weights' gradients as much, the second layer's input
/// 2·10·8.
#[test]
fn arithmetic_is_counted_as_by_hand() {
    let spec = spec(&[3, 4, 2]);
    assert_eq!(step_flops(&spec, 10, Work::Infer), 400);
    assert_eq!(step_flops(&spec, 10, Work::Train), 400 + 400 + 160);
}

/// What is counted from the network is what the plans' products do.
#[test]
fn arithmetic_is_that_of_the_plan() {
    for widths in [&[2, 25, 50, 50, 25, 1][..], &[7, 3], &[5, 1, 9]] {
        let (spec, batch) = (spec(widths), 33);
        let products = |plan: &Plan| -> u64 {
            let products = plan.passes[0].dispatches.iter().filter(|dispatch| matches!(dispatch.part, Part::Tiling(_)));
            products.map(|dispatch| 2 * dispatch.dims[..3].iter().map(|&dim| u64::from(dim)).product::<u64>()).sum()
        };
        let (recipe, shape) = (Recipe::new(Rule::Sgd), TrainShape { batch, ..TrainShape::full(batch + 1) });
        for plan in [plain(&spec, &recipe, shape).unwrap(), layered(&spec, &recipe, shape).unwrap()] {
            assert_eq!(step_flops(&spec, batch, Work::Train), products(&plan), "{}", plan.kind);
        }
        assert_eq!(step_flops(&spec, batch, Work::Infer), products(&forward(&spec, batch, 1, Target::Cpu).unwrap()));
    }
}

/// By hand: a layer 3→2 with relu and one 2→1, 10 rows: a layer reads x, w and the bias and writes a. Operation by
/// operation, products read x and w and write z; a bias is read, z read and written; relu reads z and writes a.
#[test]
fn traffic_is_counted_as_by_hand() {
    let bytes = |plan: Plan| pass_bytes(&plan.passes[0]);
    let spec = spec(&[3, 2, 1]);
    let forward = |target| bytes(forward(&spec, 10, 1, target).unwrap());
    assert_eq!(forward(Target::Cpu), 4 * ((30 + 6 + 2 + 20) + (20 + 2 + 1 + 10)));
    // In one dispatch, what is between the layers stays where it is made.
    assert_eq!(forward(Target::Gpu { workgroup_bytes: 32 << 10, cores: 1, sums: 64 }), 4 * (30 + 6 + 2 + 2 + 1 + 10));
    let first = (30 + 6 + 20) + (2 + 20 + 20) + (20 + 20);
    let second = (20 + 2 + 10) + (1 + 10 + 10);
    assert_eq!(bytes(plain_forward(&spec, 10, 1).unwrap()), 4 * (first + second));
}

#[test]
fn crossings_are_found_between_sizes() {
    assert!(crossings(&[]).is_empty());
    assert!(crossings(&[(10, 1.0, 2.0)]).is_empty());
    assert!(crossings(&[(10, 1.0, 2.0), (1000, 1.0, 5.0)]).is_empty());
    // The ratio goes from 1/10 to 10 over two decades: level in their middle.
    let found = crossings(&[(10, 10.0, 1.0), (1000, 10.0, 100.0)]);
    assert_eq!(found.len(), 1);
    close(found[0], 100.0, "crossing");
    let twice = crossings(&[(10, 4.0, 1.0), (100, 1.0, 4.0), (1000, 4.0, 1.0)]);
    assert_eq!(twice.len(), 2);
    assert!(twice[0] > 10.0 && twice[0] < 100.0 && twice[1] > 100.0 && twice[1] < 1000.0, "{twice:?}");
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let place = Place::new();
    let cases: &[(&str, i32, &[&str])] = &[
        ("--batch 0", 2, &["--batch is 0", "at least 1"]),
        ("--batch 32,0", 2, &["--batch is 0", "at least 1"]),
        ("--batch 32,some", 2, &["--batch", "some"]),
        ("--batch 99999999999", 2, &["--batch is"]),
        ("--batch 4000000000", 1, &["needs", "bytes"]),
        ("--batch 32,4000000000", 1, &["needs", "bytes"]),
        ("--hidden 100000,100000", 1, &["needs", "bytes"]),
        ("--seconds 0", 2, &["--seconds is 0", "more than 0"]),
        ("--seconds=-1", 2, &["--seconds is -1", "more than 0"]),
        ("--seconds nan", 2, &["--seconds is NaN", "more than 0"]),
        ("--seconds 1e9", 2, &["--seconds is 1000000000", "at most 3600"]),
        ("--plan fast", 2, &["--plan", "fast", "layered"]),
        ("--optimizer fast", 2, &["fast", "adamw"]),
        ("--inputs 0", 2, &["--inputs is 0", "1 to"]),
        ("--hidden 5,x", 2, &["--hidden", "x"]),
        ("--loss huber --huber-delta 0", 2, &["--huber-delta is 0"]),
        ("--device abacus", 2, &["no device `abacus`", "cpu"]),
        ("--plot absent/speed.svg", 2, &["speed.svg", "cannot write"]),
    ];
    for (flags, code, message) in cases {
        let device = if flags.contains("--device") { "" } else { "--device=cpu" };
        let words = format!("bench --seconds=0.01 {flags} {device}").replace("--seconds=0.01 --seconds", "--seconds");
        let stderr = place.refuses(&words, *code, message);
        assert!(
            !stderr.contains("batch 32\n") || flags.contains("100000"),
            "mlp {words}: measured before it was refused\n{stderr}"
        );
        if *code == 2 && !flags.contains("99999999999") {
            assert_no_work(&stderr);
        }
    }
}
