//! Devices, each opened once in a process.

use std::process;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use wgpu_mlp::backend::{CpuDevice, gpu};
use wgpu_mlp::{Device, Error, Result, open};

use crate::error::raise;

/// An open device, and the threads that tables are encoded on.
#[derive(Clone)]
pub struct Opened {
    pub device: Device,
    pool: Arc<ThreadPool>,
}

struct Entry {
    /// A process that was forked has none of the threads of the one before it, and must not use its devices.
    process: u32,
    name: String,
    threads: usize,
    opened: Opened,
}

static OPEN: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

impl Opened {
    /// The device of a name, as [`open`] takes it; on the CPU with so many threads, 0 for one for each core.
    pub fn of(name: &str, threads: usize) -> Result<Self> {
        let mut all = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        let process = process::id();
        let is_known = |entry: &&Entry| (entry.process, entry.name.as_str(), entry.threads) == (process, name, threads);
        if let Some(known) = all.iter().find(is_known) {
            return Ok(known.opened.clone());
        }
        let device = match open(name)?.device {
            Device::Cpu(_) if threads > 0 => Device::Cpu(CpuDevice::new(threads)?),
            other => other,
        };
        let pool = ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = Arc::new(pool.map_err(|error| Error::NoThread { problem: error.to_string() })?);
        let opened = Self { device, pool };
        all.push(Entry { process, name: name.into(), threads, opened: opened.clone() });
        Ok(opened)
    }

    /// Does work on the encoding threads, so that rayon starts none of its own, which a forked process would wait for in vain.
    pub fn on_threads<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.pool.install(work)
    }
}

/// The name of the device that a name stands for.
#[pyfunction]
pub fn device_name(py: Python<'_>, name: &str, threads: usize) -> PyResult<String> {
    Ok(py.detach(|| Opened::of(name, threads)).map_err(raise)?.device.name())
}

/// The GPUs' adapters in the order of their numbers, each with its name, interface and kind.
#[pyfunction]
pub fn devices(py: Python<'_>) -> PyResult<Vec<(String, &'static str, &'static str)>> {
    let adapters = py.detach(gpu::adapters).map_err(raise)?;
    Ok(adapters.into_iter().map(|adapter| (adapter.name, adapter.backend, adapter.kind)).collect())
}
