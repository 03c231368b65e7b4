//! All measurements of a network, and what follows from them.

use serde::Serialize;

use super::{Measurement, Peaks, Work, crossings};
use crate::backend::Device;
use crate::params::Layout;
use crate::spec::MlpSpec;

/// Measurements of a network on several devices.
#[derive(Clone, Debug, Serialize)]
pub struct BenchReport {
    /// The network.
    pub network: String,
    /// Its weights and biases.
    pub parameters: usize,
    /// The devices, in the order in which they were named.
    pub devices: Vec<DeviceReport>,
    /// The CPU beside each GPU, for each kind of work.
    pub crossings: Vec<Crossing>,
}

/// Measurements on a device.
#[derive(Clone, Debug, Serialize)]
pub struct DeviceReport {
    /// Its name.
    pub device: String,
    /// `cpu`, or the graphics interface.
    pub backend: &'static str,
    /// What it can do at most.
    pub peaks: Peaks,
    /// By batch size, then work.
    pub measurements: Vec<Measurement>,
}

/// Which of two devices is faster at which batch size.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Crossing {
    /// For what.
    pub work: Work,
    /// The CPU's name and the GPU's.
    pub devices: [String; 2],
    /// Batch sizes at which they are level; see [`crossings`].
    pub batches: Vec<f64>,
    /// The one that is faster at the largest batch size that both were measured at.
    pub ahead: String,
}

impl BenchReport {
    /// For measurements to come.
    pub fn new(spec: &MlpSpec) -> Self {
        let (network, parameters) = (spec.to_string(), Layout::new(spec).len());
        Self { network, parameters, devices: Vec::new(), crossings: Vec::new() }
    }

    /// Adds a device.
    pub fn push(&mut self, device: &Device, peaks: Peaks) {
        let (device, backend) = (device.name(), device.backend());
        self.devices.push(DeviceReport { device, backend, peaks, measurements: Vec::new() });
    }

    /// Compares the CPU with each GPU.
    pub fn compare(&mut self) {
        let (cpus, gpus): (Vec<_>, Vec<_>) = self.devices.iter().partition(|device| device.backend == "cpu");
        let pairs = cpus.iter().take(1).flat_map(|cpu| gpus.iter().map(move |gpu| (*cpu, *gpu)));
        let all = pairs.flat_map(|(cpu, gpu)| Work::ALL.into_iter().filter_map(|work| crossing(cpu, gpu, work)));
        self.crossings = all.collect();
    }
}

fn crossing(cpu: &DeviceReport, gpu: &DeviceReport, work: Work) -> Option<Crossing> {
    let mut speeds: Vec<_> = Vec::new();
    for one in cpu.of(work) {
        let other = gpu.of(work).find(|other| other.batch == one.batch);
        speeds.extend(other.map(|other| (one.batch, one.samples_per_second, other.samples_per_second)));
    }
    speeds.sort_by_key(|&(batch, ..)| batch);
    let &(_, one, other) = speeds.last()?;
    let devices = [cpu.device.clone(), gpu.device.clone()];
    let ahead = devices[usize::from(other > one)].clone();
    Some(Crossing { work, devices, batches: crossings(&speeds), ahead })
}

impl DeviceReport {
    /// The measurements of one kind of work.
    pub fn of(&self, work: Work) -> impl Iterator<Item = &Measurement> {
        self.measurements.iter().filter(move |measurement| measurement.work == work)
    }
}
