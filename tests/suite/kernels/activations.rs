//! Activations over the whole range of f32: on every adapter and on the CPU, values and derivatives are finite, within
//! the limit that running error analysis derives, and as exact as docs/numerics.md says. The f64 functions, which
//! are the reference here and in `gradcheck`, against mpmath (tests/fixtures/activations.py).

use wgpu_mlp::backend::{Backend, Device};
use wgpu_mlp::kernels::{ACTIVATION_BACKWARD, ACTIVATION_FORWARD, Part, Step};
use wgpu_mlp::math::{Activation, Bounded, Real};
use wgpu_mlp::plan::{Buffer, Dispatch, Pass, PassKind, Plan, PlanKind, Role, View};

use crate::support::{compare, wait};
use crate::train::gradients::everywhere;

const SPECIAL: [f32; 15] =
    [0.0, 1e-38, 1e-30, 1e-6, 0.49999997, 0.5, 1.0, 10.0, 16.0, 20.0, 32.0, 88.0, 104.0, 1e4, 1e30];
/// The largest that selu, whose slope is 1.05, can take.
const LARGEST: f32 = 3.2e38;

/// Special values, and 20,000 that are spaced evenly in the logarithm, a tenth of them from 1e-30 to 1e-4 and a tenth
/// beyond 1e3, of both signs.
fn inputs() -> Vec<f32> {
    let spaced = |from: f64, to: f64, count: u32| {
        (0..count).map(move |i| (from * (to / from).powf(f64::from(i) / f64::from(count))) as f32)
    };
    let sizes = SPECIAL.into_iter().chain([3e38, LARGEST]);
    let sizes = sizes.chain(spaced(1e-30, 1e-4, 1000)).chain(spaced(1e-4, 1e3, 8000)).chain(spaced(1e3, 3e38, 1000));
    sizes.flat_map(|size| [size, -size]).collect()
}

/// f(z) and f'(z) for each z, as a device computes them: a plan of both kernels.
fn on_device(device: &Device, activation: Activation, z: &[f32]) -> [Vec<f32>; 2] {
    let view = |buffer| View { buffer, offset: 0, replica_stride: 0, slot_stride: 0 };
    let dispatch = |kernel, buffers: &[usize]| {
        let views = buffers.iter().copied().map(view).collect();
        Dispatch { kernel, part: Part::Activation(activation), variant: 0, dims: vec![z.len() as u32], views }
    };
    let dispatches = vec![dispatch(&ACTIVATION_FORWARD, &[0, 1]), dispatch(&ACTIVATION_BACKWARD, &[0, 1, 2])];
    let buffers = (0..3).map(|index| Buffer { role: Role::Delta(index), len: z.len() }).collect();
    let passes = vec![Pass { kind: PassKind::Forward, rows: 1, dispatches }];
    let plan = Plan { kind: PlanKind::Layered, replicas: 1, slots: 1, buffers, passes, output: Some(1) };
    let run = async {
        let mut backend = device.load(plan).await?;
        backend.write(0, z)?;
        backend.write(1, &vec![f32::NAN; z.len()])?;
        backend.write(2, &vec![1.0; z.len()])?;
        backend.submit(&[(0, Step::default())])?;
        backend.collect().await?;
        Ok::<_, wgpu_mlp::Error>([backend.read(1).await?, backend.read(2).await?])
    };
    wait(run).unwrap()
}

/// The same on the host in a number type.
fn on_host<T: Real>(activation: Activation, z: &[T]) -> [Vec<T>; 2] {
    let (mut a, mut d) = (vec![T::default(); z.len()], vec![T::from_f64(1.0); z.len()]);
    activation.forward(z, &mut a);
    activation.backward(z, &a, &mut d);
    [a, d]
}

/// An ULP of f32 at a value, at least that of the smallest normal number.
fn ulp(value: f64) -> f64 {
    let size = (value.abs() as f32).max(f32::MIN_POSITIVE);
    f64::from(size) - f64::from(size.next_down())
}

/// The largest errors: in ULP for |z| <= 1/2, where no derivative crosses 0; relative for |z| >= 2, the tails, as long
/// as |f| >= 1e-30; and everywhere as a part of max(1, |f|).
fn worst(z: &[f32], found: &[f32], expected: &[f64]) -> String {
    let triples =
        || z.iter().zip(found.iter().zip(expected)).map(|(z, (&f, &e))| (z.abs(), (f64::from(f) - e).abs(), e));
    let near = triples().filter(|t| t.0 <= 0.5).map(|(_, error, e)| error / ulp(e)).fold(0.0, f64::max);
    let in_tail = |t: &(f32, f64, f64)| t.0 >= 2.0 && t.2.abs() >= 1e-30;
    let tail = triples().filter(in_tail).map(|(_, error, e)| error / e.abs()).fold(0.0, f64::max);
    let all = triples().map(|(_, error, e)| error / e.abs().max(1.0)).fold(0.0, f64::max);
    format!("| {near:.1} | {tail:.1e} | {all:.1e} |")
}

#[test]
fn finite_and_within_their_limits_over_the_whole_range() {
    let z = inputs();
    let exact: Vec<f64> = z.iter().map(|&z| z.into()).collect();
    let bounded: Vec<_> = exact.iter().map(|&z| Bounded::exact(z)).collect();
    // A GPU may take a subnormal number for 0.
    let flushed: Vec<_> =
        z.iter().map(|&z| Bounded::exact(if z.is_subnormal() { 0.0f32.copysign(z) } else { z }.into())).collect();
    let mut problems = Vec::new();
    for device in everywhere() {
        println!("{}: ULP near 0, relative in the tails, of max(1, |f|)", device.name());
        for &activation in Activation::ALL {
            let found = on_device(&device, activation, &z);
            let (reference, limits) = (on_host(activation, &exact), on_host(activation, &bounded));
            let flushed = on_host(activation, &flushed);
            for (what, ((found, reference), limits)) in
                ["value", "derivative"].into_iter().zip(found.iter().zip(&reference).zip(limits.iter().zip(&flushed)))
            {
                let of = |index: usize| {
                    let (found, limits) = (&found[index..=index], (limits.0[index], limits.1[index]));
                    if compare(found, &[limits.0]).is_ok() { limits.0 } else { limits.1 }
                };
                let limits: Vec<_> = (0..z.len()).map(of).collect();
                let label = format!("{}: {activation}'s {what}", device.name());
                if let Some(at) = found.iter().position(|value| !value.is_finite()) {
                    problems.push(format!("{label} at {:e} is {}", z[at], found[at]));
                }
                problems.extend(compare(found, &limits).err().map(|problem| format!("{label}: {problem}")));
                println!("{:>10} {what:10} {}", activation.name(), worst(&z, found, reference));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// A NaN must reach the loss, where divergence is looked for.
#[test]
fn nan_stays_nan() {
    for device in everywhere() {
        for &activation in Activation::ALL {
            let [value, _] = on_device(&device, activation, &[1.0, f32::NAN, -f32::NAN, -1.0]);
            let is_nan: Vec<_> = value.iter().map(|value| value.is_nan()).collect();
            assert_eq!(is_nan, [false, true, true, false], "{}: {activation}: {value:?}", device.name());
        }
    }
}

/// mpmath's values, to 3e-13 of themselves; the derivative of sigmoid, a (1 - a), to 1e-16.
#[test]
fn f64_is_what_mpmath_computes() {
    let mut seen = 0;
    for line in include_str!("../../fixtures/activations.csv").lines().skip(1) {
        let (name, numbers) = line.split_once(',').unwrap();
        let activation: Activation = name.parse().unwrap();
        let numbers: Vec<f64> = numbers.split(',').map(|number| number.parse().unwrap()).collect();
        let [value, derivative] = on_host(activation, &numbers[..1]);
        for (found, expected) in [(value[0], numbers[1]), (derivative[0], numbers[2])] {
            let least = if activation == Activation::Sigmoid { 1e-16 } else { f64::MIN_POSITIVE };
            assert!((found - expected).abs() <= (3e-13 * expected.abs()).max(least), "{line}: {found:e}");
        }
        seen += 1;
    }
    assert_eq!(seen, Activation::ALL.len() * 40);
}
