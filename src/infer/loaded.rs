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
    /// Loads a plan for `rows` rows, or as many as the device's buffers hold.
    pub async fn new(device: &Device, spec: &MlpSpec, mut rows: usize) -> Result<Self> {
        let first = loop {
            match Forward::load(device, spec, rows).await {
                Err(Error::TooLarge { .. }) if rows > 1 => rows /= 2,
                loaded => break loaded?,
            }
        };
        Ok(Self { device: device.clone(), rows, free: Mutex::new(vec![first]) })
    }

    /// Writes the outputs of `x`, both by rows.
    pub async fn run(&self, spec: &MlpSpec, parameters: &Parameters, x: &[f32], z: &mut [f32]) -> Result<()> {
        let (inputs, outputs) = (spec.inputs(), spec.outputs());
        for (x, z) in x.chunks(self.rows * inputs).zip(z.chunks_mut(self.rows * outputs)) {
            let mut forward = self.take(spec, x.len() / inputs).await?;
            forward.run(parameters, x, z).await?;
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
            None => Forward::load(&self.device, spec, size).await,
        }
    }
}

impl Forward {
    async fn load(device: &Device, spec: &MlpSpec, rows: usize) -> Result<Self> {
        Ok(Self { executor: device.load(plan::forward(spec, rows, 1, device.target())?).await?, rows, version: None })
    }

    async fn run(&mut self, parameters: &Parameters, x: &[f32], z: &mut [f32]) -> Result<()> {
        let Self { executor, version, .. } = self;
        let plan = executor.plan();
        let (input, output, place) = (plan.buffer(Role::Features)?, plan.output()?, plan.buffer(Role::Parameters)?);
        if *version != Some(parameters.version) {
            executor.write(place, &parameters.values)?;
            *version = Some(parameters.version);
        }
        executor.write(input, x)?;
        executor.submit(&[(0, Step::default())])?;
        executor.collect().await?;
        // The rows behind the last one of fewer than the plan has are of an earlier call.
        z.copy_from_slice(&executor.read(output).await?[..z.len()]);
        Ok(())
    }
}
