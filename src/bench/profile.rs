//! Where a step's time goes: each kernel's share, by the GPU's own clock.

use std::collections::BTreeMap;

use serde::Serialize;
use web_time::Instant;

use super::clock::median;
use crate::backend::{Backend, GpuBackend};
use crate::error::Result;
use crate::kernels::Step;

/// Runs that the medians come from, while the time lasts; at least one.
const MOST: usize = 21;

/// A kernel's part of a step.
#[derive(Clone, Debug, Serialize)]
pub struct KernelTime {
    /// Kernel, part and variant, as [`Kernel::label`](crate::kernels::Kernel::label) has it.
    pub kernel: String,
    /// Its dispatches in a step.
    pub dispatches: usize,
    /// Seconds of all of them, the median of each.
    pub seconds: f64,
    /// Part of the time of all kernels.
    pub share: f64,
}

/// Profiles the first pass for about `seconds`; the kernel that takes longest first.
pub(super) async fn profile(gpu: &mut GpuBackend, seconds: f64) -> Result<Vec<KernelTime>> {
    let started = Instant::now();
    let mut runs = Vec::new();
    while runs.is_empty() || (runs.len() < MOST && started.elapsed().as_secs_f64() < seconds) {
        runs.push(gpu.profile(0, Step::default()).await?);
    }
    let mut kernels: BTreeMap<String, (usize, f64)> = BTreeMap::new();
    for (index, dispatch) in gpu.plan().passes[0].dispatches.iter().enumerate() {
        let mut times: Vec<f64> = runs.iter().map(|run| run[index]).collect();
        times.sort_by(f64::total_cmp);
        let entry = kernels.entry(dispatch.kernel.label(&dispatch.part, dispatch.variant)).or_default();
        *entry = (entry.0 + 1, entry.1 + median(&times));
    }
    let all: f64 = kernels.values().map(|(_, seconds)| seconds).sum();
    let share = |seconds: f64| if all > 0.0 { seconds / all } else { 0.0 };
    let time = |(kernel, (dispatches, seconds))| KernelTime { kernel, dispatches, seconds, share: share(seconds) };
    let mut kernels: Vec<_> = kernels.into_iter().map(time).collect();
    kernels.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    Ok(kernels)
}
