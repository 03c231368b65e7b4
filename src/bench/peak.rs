//! What a device can do at most: arithmetic on registers, and copies through memory. Measured, not looked up.

use serde::Serialize;

use super::clock::{Rate, time};
use crate::backend::{Backend, Device, Executor};
use crate::error::{Error, Result};
use crate::kernels::{COPY, FMA_PEAK, FMA_PEAK_OPERATIONS, Kernel, MATMUL, Part, Step};
use crate::plan::Plan;

/// Rows and columns of the product that stands for a processor's peak.
const PRODUCT: u32 = 1024;
/// Invocations of the arithmetic kernel: several for every unit of the largest GPUs.
const INVOCATIONS: u32 = 1 << 18;
/// Rounds at first: so many that every chain has come to its limit.
const ROUNDS: u32 = 16;
/// Seconds that a step of the arithmetic kernel should take.
const STEP: f64 = 5e-3;
/// Elements that are copied: beyond the last cache, 64 MiB on a processor, 256 MiB on a GPU.
const COPIED: [u32; 2] = [1 << 24, 1 << 26];
/// Steps of a submission.
const SLOTS: usize = 64;

/// A device's limit.
#[derive(Clone, Debug, Serialize)]
pub struct Peak {
    /// How it was measured.
    pub by: String,
    /// 1e9 operations or bytes a second; the fastest repetition is the peak, since what disturbs can only slow it down.
    pub rate: Rate,
}

/// What a device can do at most.
#[derive(Clone, Debug, Serialize)]
pub struct Peaks {
    /// In 1e9 operations a second.
    pub arithmetic: Peak,
    /// In 1e9 bytes a second, those read and those written.
    pub copy: Peak,
}

/// Measures both, each for about `seconds`, after a check of the results.
///
/// # Errors
/// [`Error::CheckFailed`] for a result that is wrong.
#[cfg(not(target_family = "wasm"))]
pub fn peaks(device: &Device, seconds: f64) -> Result<Peaks> {
    pollster::block_on(peaks_async(device, seconds))
}

/// [`peaks`] for async programs.
pub async fn peaks_async(device: &Device, seconds: f64) -> Result<Peaks> {
    let arithmetic = match device {
        Device::Cpu(_) => product(device, seconds).await?,
        Device::Gpu(_) => chains(device, seconds).await?,
    };
    Ok(Peaks { arithmetic, copy: copy(device, seconds).await? })
}

/// A processor's arithmetic: a large product by the code that training uses. Compiled loops use a part of its
/// instructions, so no simple loop would find more.
async fn product(device: &Device, seconds: f64) -> Result<Peak> {
    let n = PRODUCT as usize;
    // Small whole numbers: all sums are exact, whatever their order.
    let [a, b] = [(7, 5), (11, 3)].map(|(step, shift)| pattern(n * n, step, shift));
    let mut backend = device.load(Plan::product([PRODUCT; 3], SLOTS).in_tiles_for(device.target())).await?;
    backend.write(0, &a)?;
    backend.write(1, &b)?;
    let c = run(&mut backend, 2).await?;
    // c v = a (b v), Freivalds' test, with an error that no rounding excuses.
    let v = pattern(n, 13, 1);
    let times = |matrix: &[f32], v: &[f64]| -> Vec<f64> {
        let row = |row: &[f32]| row.iter().zip(v).map(|(&x, v)| f64::from(x) * v).sum();
        matrix.chunks_exact(n).map(row).collect()
    };
    let v: Vec<f64> = v.iter().map(|&v| v.into()).collect();
    if times(&c, &v) != times(&a, &times(&b, &v)) {
        return Err(wrong(device, &MATMUL));
    }
    let rate = time(&mut backend, seconds).await?.times(2.0 * (n * n * n) as f64 / 1e9);
    Ok(Peak { by: format!("{}, {n} by {n} by {n}", MATMUL.name), rate })
}

/// A GPU's arithmetic: chains of fused multiplications and additions.
async fn chains(device: &Device, seconds: f64) -> Result<Peak> {
    let x = pattern(INVOCATIONS as usize, 7, 2);
    let mut rounds = ROUNDS;
    loop {
        let mut backend = device.load(Plan::single(&FMA_PEAK, Part::None, 0, vec![INVOCATIONS, rounds], SLOTS)).await?;
        backend.write(0, &x)?;
        // Each of the 16 chains is at 4 x.
        let near = |(&x, y): (&f32, f32)| (y - 64.0 * x).abs() <= 1e-4;
        if !x.iter().zip(run(&mut backend, 1).await?).all(near) {
            return Err(wrong(device, &FMA_PEAK));
        }
        let steps = time(&mut backend, if rounds == ROUNDS { seconds / 10.0 } else { seconds }).await?;
        if rounds > ROUNDS || steps.median * STEP < 2.0 {
            let flops = f64::from(INVOCATIONS) * f64::from(rounds) * FMA_PEAK_OPERATIONS as f64;
            return Ok(Peak { by: FMA_PEAK.name.into(), rate: steps.times(flops / 1e9) });
        }
        rounds = (f64::from(rounds) * (steps.median * STEP).min(1e4)) as u32;
    }
}

/// Copies through memory.
async fn copy(device: &Device, seconds: f64) -> Result<Peak> {
    let hardware = matches!(device, Device::Gpu(gpu) if gpu.summary().is_hardware());
    let mut count = COPIED[usize::from(hardware)];
    let mut backend = loop {
        match device.load(Plan::single(&COPY, Part::None, 0, vec![count], SLOTS)).await {
            Err(Error::TooLarge { .. }) if count > 1 => count /= 2,
            loaded => break loaded?,
        }
    };
    let x = pattern(count as usize, 7, 2);
    backend.write(0, &x)?;
    if run(&mut backend, 1).await? != x {
        return Err(wrong(device, &COPY));
    }
    let rate = time(&mut backend, seconds).await?.times(8.0 * f64::from(count) / 1e9);
    Ok(Peak { by: format!("{}, {} MiB", COPY.name, (4 * u64::from(count)) >> 20), rate })
}

/// Whole numbers from -2 to 2, and no page of memory the same as another.
fn pattern(count: usize, step: usize, shift: usize) -> Vec<f32> {
    (0..count).map(|index| ((index * step + index / 97 + shift) % 5) as f32 - 2.0).collect()
}

/// What a step leaves in a buffer.
async fn run(backend: &mut Executor, buffer: usize) -> Result<Vec<f32>> {
    backend.submit(&[(0, Step::default())])?;
    backend.collect().await?;
    backend.read(buffer).await
}

fn wrong(device: &Device, kernel: &Kernel) -> Error {
    Error::CheckFailed(format!(
        "{}: the kernel {} gave a wrong result, so nothing was timed: do not train on this device, and report it",
        device.name(),
        kernel.name
    ))
}
