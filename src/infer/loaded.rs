//! A network's forward plans on a GPU, each for some number of rows, and who has them: a call takes one that is free and puts it
//! back, so that calls of several threads do not wait for each other.

use std::sync::{Arc, Mutex, PoisonError};

use crate::backend::{Backend as _, Device, Executor};
use crate::error::{Error, Result};
use crate::kernels::Step;
use crate::plan::{self, Role};
use crate::spec::MlpSpec;

/// How much fewer rows the next smaller plan has.
const RATIO: usize = 16;

/// The parameters that calls use, and how often they have been set.
#[derive(Clone, Debug)]
pub(super) struct Parameters {
    pub values: Arc<Vec<f32>>,
    pub version: u64,
}

/// The plans that no call has.
#[derive(Debug)]
pub(super) struct Loaded {
    device: Device,
    /// Most rows at a time.
    rows: usize,
    networks: usize,
    free: Mutex<Vec<Forward>>,
}

/// A forward plan for so many rows, with the parameters of a version.
#[derive(Debug)]
struct Forward {
    executor: Executor,
    rows: usize,
    version: Option<u64>,
}

impl Loaded {
    /// Loads a plan for `rows` rows, or as many as the device's buffers hold, of so many networks side by side.
    pub async fn new(device: &Device, spec: &MlpSpec, mut rows: usize, networks: usize) -> Result<Self> {
        let first = loop {
            match Forward::load(device, spec, rows, networks).await {
                Err(Error::TooLarge { .. }) if rows > 1 => rows /= 2,
                loaded => break loaded?,
            }
        };
        Ok(Self { device: device.clone(), rows, networks, free: Mutex::new(vec![first]) })
    }

    /// Writes the outputs of `x`, [networks, rows, outputs].
    pub async fn run(&self, spec: &MlpSpec, parameters: &Parameters, x: &[f32], z: &mut [f32]) -> Result<()> {
        let (inputs, outputs, of_network) = (spec.inputs(), spec.outputs(), z.len() / self.networks);
        for (part, x) in x.chunks(self.rows * inputs).enumerate() {
            let rows = x.len() / inputs;
            let mut forward = self.take(spec, rows).await?;
            let found = forward.run(parameters, x).await?;
            // The rows behind the last one of fewer than the plan has are of an earlier call.
            let each = z.chunks_mut(of_network).zip(found.chunks(forward.rows * outputs));
            each.for_each(|(z, found)| {
                z[part * self.rows * outputs..][..rows * outputs].copy_from_slice(&found[..rows * outputs]);
            });
            // One that has failed, or whose call was dropped, is not put back.
            self.free.lock().unwrap_or_else(PoisonError::into_inner).push(forward);
        }
        Ok(())
    }

    /// The plan for the fewest rows that are enough.
    async fn take(&self, spec: &MlpSpec, rows: usize) -> Result<Forward> {
        let mut size = self.rows;
        while size / RATIO >= rows {
            size /= RATIO;
        }
        let free = {
            let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            free.iter().position(|forward| forward.rows == size).map(|place| free.swap_remove(place))
        };
        match free {
            Some(forward) => Ok(forward),
            None => Forward::load(&self.device, spec, size, self.networks).await,
        }
    }
}

impl Forward {
    async fn load(device: &Device, spec: &MlpSpec, rows: usize, networks: usize) -> Result<Self> {
        let plan = plan::forward(spec, rows, networks, device.target())?;
        Ok(Self { executor: device.load(plan).await?, rows, version: None })
    }

    /// The outputs [networks, rows of the plan, outputs].
    async fn run(&mut self, parameters: &Parameters, x: &[f32]) -> Result<Vec<f32>> {
        let Self { executor, version, .. } = self;
        let plan = executor.plan();
        let (input, output, place) = (plan.buffer(Role::Features)?, plan.output()?, plan.buffer(Role::Parameters)?);
        if *version != Some(parameters.version) {
            executor.write(place, &parameters.values)?;
            *version = Some(parameters.version);
        }
        executor.write(input, x)?;
        let networks = executor.plan().replicas;
        executor.submit(&vec![(0, Step::default()); networks])?;
        executor.collect().await?;
        executor.read(output).await
    }
}
