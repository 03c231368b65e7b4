//! The types of a GPU for builds without the feature `gpu`. They have no values, so nothing here is ever run, and code that knows both
//! devices needs no conditions.

use std::convert::Infallible;

use super::{AdapterSummary, Backend, Counters, Opening};
use crate::error::{Error, Result};
use crate::kernels::Step;
use crate::math::Precision;
use crate::plan::{BufferId, Plan};

/// A GPU, of which a build without the feature `gpu` has none.
#[derive(Clone, Debug)]
pub struct GpuDevice(Infallible);

/// A plan loaded on a GPU, of which a build without the feature `gpu` has none.
#[derive(Debug)]
pub struct GpuBackend(Infallible);

/// No adapter is known.
pub(crate) async fn adapters_async() -> Result<Vec<AdapterSummary>> {
    Ok(Vec::new())
}

/// Why there is no adapter.
pub(crate) fn no_adapter() -> Error {
    Error::MissingFeature { what: "no GPU", feature: "gpu" }
}

impl GpuDevice {
    pub(crate) async fn open_with_async(_: usize, _: Opening) -> Result<Self> {
        Err(no_adapter())
    }

    pub(crate) fn name(&self) -> &str {
        match self.0 {}
    }

    pub(crate) fn backend(&self) -> &'static str {
        match self.0 {}
    }

    pub(crate) fn summary(&self) -> &AdapterSummary {
        match self.0 {}
    }

    pub(crate) fn precision(&self) -> Precision {
        match self.0 {}
    }

    pub(crate) fn as_loaded(&self, _: Plan) -> Plan {
        match self.0 {}
    }

    pub(crate) fn has_timestamps(&self) -> bool {
        match self.0 {}
    }
}

impl GpuBackend {
    pub(crate) async fn load(gpu: &GpuDevice, _: Plan) -> Result<Self> {
        match gpu.0 {}
    }

    pub(crate) async fn profile(&mut self, _: usize, _: Step) -> Result<Vec<f64>> {
        match self.0 {}
    }
}

impl Backend for GpuBackend {
    type Real = f32;
    fn plan(&self) -> &Plan {
        match self.0 {}
    }
    fn write(&mut self, _: BufferId, _: &[f32]) -> Result<()> {
        match self.0 {}
    }
    fn copy(&mut self, _: BufferId, _: BufferId, _: &[std::ops::Range<usize>]) -> Result<()> {
        match self.0 {}
    }
    fn run_first(&mut self, _: usize) -> Result<()> {
        match self.0 {}
    }
    fn submit(&mut self, _: &[(usize, Step)]) -> Result<()> {
        match self.0 {}
    }
    fn is_done(&mut self) -> Result<bool> {
        match self.0 {}
    }
    async fn collect(&mut self) -> Result<Vec<f32>> {
        match self.0 {}
    }
    async fn read(&mut self, _: BufferId) -> Result<Vec<f32>> {
        match self.0 {}
    }
    fn counters(&self) -> Counters {
        match self.0 {}
    }
}
