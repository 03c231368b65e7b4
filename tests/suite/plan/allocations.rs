//! Memory is counted: steps on the CPU take none, and a table that is given up is not there twice. What is counted is a
//! process's, so a test that looks has one of its own.

use std::alloc::{GlobalAlloc, Layout, System};
use std::process::Command;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use wgpu_mlp::backend::{Backend, CpuBackend, CpuDevice, Device};
use wgpu_mlp::data::{Cells, Column, Encoder, Scaling, Table};
use wgpu_mlp::kernels::Step;
use wgpu_mlp::math::{Activation, Loss, Rule};
use wgpu_mlp::plan::{PlanKind, Recipe, Target, TrainShape, choose};
use wgpu_mlp::spec::MlpSpec;
use wgpu_mlp::{Init, Predictor};

use crate::support::wait;

/// The system's allocator, how often it was asked for memory, and how many bytes are and were at most in use.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static USED: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static COUNTING: Counting = Counting;

// SAFETY: every call goes on to the system's allocator as it came.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        PEAK.fetch_max(USED.fetch_add(layout.size(), Relaxed) + layout.size(), Relaxed);
        // SAFETY: the caller's.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        USED.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's.
        unsafe { System.dealloc(memory, layout) }
    }
}

/// What work gives, and the most bytes that were asked for while it was done. For a process of its own.
pub fn peak_of<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = USED.load(Relaxed);
    PEAK.store(before, Relaxed);
    let given = work();
    (given, PEAK.load(Relaxed) - before)
}

/// Runs ignored tests whose names begin so in a process of their own, one after the other; all must pass. Gives what they
/// print.
pub fn in_own_process(tests: &str, count: usize) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([tests, "--ignored", "--nocapture", "--test-threads=1"]);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let passed = output.status.success() && text.contains(&format!(" {count} passed; 0 failed"));
    assert!(passed, "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// Allocations of a submission of `steps` steps that trains.
fn of_a_submission(backend: &mut CpuBackend<f32>, steps: usize) -> u64 {
    let steps = vec![(0, Step { lr_factor: 1e-3, bias_corrections: [1.0; 2], ..Step::default() }); steps];
    let before = ALLOCATIONS.load(Relaxed);
    backend.submit(&steps).unwrap();
    let count = ALLOCATIONS.load(Relaxed) - before;
    wait(backend.collect()).unwrap();
    count
}

/// A submission takes a few allocations for its losses and for starting its work, whatever the number of its steps.
#[test]
#[ignore = "needs a process of its own; steps_allocate_nothing starts it"]
fn alone() {
    let spec = MlpSpec::new(&[2, 25, 50, 50, 25, 1], Activation::Relu, Loss::BinaryCrossEntropy).unwrap();
    let tanh = MlpSpec::new(&[7, 40, 30, 3], Activation::Tanh, Loss::SoftmaxCrossEntropy).unwrap();
    let dropout = Recipe { dropout: vec![0.1, 0.2], clip_norm: true, ..Recipe::new(Rule::Adam) };
    for (spec, recipe, batch) in [(&spec, Recipe::new(Rule::Sgd), 900), (&tanh, dropout, 200)] {
        let shape = TrainShape { batch, slots: 64, ..TrainShape::full(900) };
        let plan = choose(None, spec, &recipe, shape, Target::Cpu).unwrap();
        assert_eq!(plan.kind, PlanKind::Fused);
        let mut backend = CpuBackend::<f32>::load(&CpuDevice::new(2).unwrap(), plan).unwrap();
        // A thread makes its memory when it first has work, and which thread that is, is chance.
        (0..10).for_each(|_| _ = of_a_submission(&mut backend, 64));
        let mut least = |steps| (0..5).map(|_| of_a_submission(&mut backend, steps)).min().unwrap();
        let (few, many) = (least(2), least(64));
        println!("{spec}: {few} allocations for 2 steps, {many} for 64");
        assert_eq!(few, many, "{spec}");
    }
}

/// A call for predictions takes no memory, of one row or of many, on this thread or on others.
#[test]
#[ignore = "needs a process of its own; predictions_allocate_nothing starts it"]
fn predictions_alone() {
    let one = MlpSpec::new(&[2, 25, 50, 50, 25, 1], Activation::Relu, Loss::BinaryCrossEntropy).unwrap();
    let classes = MlpSpec::new(&[7, 40, 30, 3], Activation::Tanh, Loss::SoftmaxCrossEntropy).unwrap();
    for spec in [one, classes] {
        let device = Device::Cpu(CpuDevice::new(2).unwrap());
        let parameters = Init::Xavier.draw(&spec, 1).unwrap();
        let predictor = Predictor::new(&device, &spec, &parameters, 1).unwrap();
        let of_a_call = |rows: usize| {
            let (x, mut found) = (vec![0.5; rows * spec.inputs()], vec![0.0; rows * spec.outputs()]);
            let mut call = || {
                let before = ALLOCATIONS.load(Relaxed);
                predictor.predict_into(&x, &mut found).unwrap();
                ALLOCATIONS.load(Relaxed) - before
            };
            (0..100).for_each(|_| _ = call());
            (0..20).map(|_| call()).min().unwrap()
        };
        let found = [1, 7, 5000].map(of_a_call);
        println!("{spec}: {found:?} allocations for 1, 7 and 5000 rows");
        // The two that work on the caller's thread; rayon may take a piece of memory now and then to share work out.
        assert_eq!(found[..2], [0, 0], "{spec}");
        assert!(found[2] <= 2, "{spec}");
    }
}

/// Rows of a table that is given up take hardly more memory than the table did; of one that is kept, as much as they are.
#[test]
#[ignore = "needs a process of its own; a_table_given_up_is_not_there_twice starts it"]
fn tables_alone() {
    const ROWS: usize = 100_000;
    let column = |at: usize| {
        let values = (0..ROWS).map(|row| ((row + 1) * (at + 3) % 1009) as f64).collect();
        Column::new(format!("x{at}"), Cells::Number(values))
    };
    let table = Table::new("t", (0..17).map(column).collect()).unwrap();
    let rows: Vec<usize> = (0..ROWS).collect();
    let encoder = Encoder::fit(&table, "x16", &rows, None, Scaling::ALL).unwrap();
    let (kept, of_kept) = peak_of(|| encoder.encode_rows(&table, &rows).unwrap());
    let (given, of_given) = peak_of(|| encoder.encode_columns(table).unwrap().rows(&rows).unwrap());
    assert_eq!(kept, given);
    let inputs = 4 * given.features().len();
    println!("{inputs} bytes of inputs: {of_kept} more for a table kept, {of_given} for one given up");
    assert!(of_kept > inputs && 4 * of_given < 3 * inputs);
}

#[test]
fn a_table_given_up_is_not_there_twice() {
    print!("{}", in_own_process("plan::allocations::tables_alone", 1));
}

#[test]
fn predictions_allocate_nothing() {
    print!("{}", in_own_process("plan::allocations::predictions_alone", 1));
}

#[test]
fn steps_allocate_nothing() {
    let text = in_own_process("plan::allocations::alone", 1);
    assert!(text.contains(" for 64"), "{text}");
    print!("{text}");
}
