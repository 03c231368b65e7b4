//! A network ready for inference.

use std::sync::{Arc, PoisonError, RwLock};

use super::loaded::{Loaded, Parameters};
use super::rows::{self, NetworkView};
use crate::backend::{CpuDevice, Device};
use crate::error::{Error, Result};
use crate::limits;
use crate::math::Real;
use crate::params::Layout;
use crate::spec::MlpSpec;

/// Rows that a GPU runs at a time, at most.
const ROWS: usize = 4096;

/// A network loaded for inference, or several that predict together. Threads may share it: every call takes `&self`, and a clone is another handle of the
/// same network with the same parameters.
///
/// **On the CPU** the cost of a call is that of its rows: a few microseconds for one row of a small network, on the
/// caller's thread. Large calls are distributed over the device's threads. A row's outputs have the same bits whatever
/// other rows are in the call, and for any number of threads. The `…_into` methods of one network allocate nothing after
/// each thread's first call, if every layer has at most 8192 weights. Larger layers use the `gemm` crate, which allocates
/// packing memory, and several networks allocate room for the outputs of each.
///
/// **On a GPU** a call costs two round trips to the device. Rows run in the smallest plan that is large enough: for the
/// number of rows that was named, a sixteenth of it, a sixteenth of that, and further down. A smaller plan is loaded at
/// its first use, and once more for each concurrent call. Calls with the same number of rows give the same bits on the
/// same device and build. Another number of rows may change the last bits.
///
/// The plain names block the thread. The names that end in `_async` are for programs with an executor. On native
/// platforms they do not yield either: a wait for a GPU blocks.
#[derive(Clone, Debug)]
pub struct Predictor(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    spec: MlpSpec,
    layout: Layout,
    /// Whose predictions are averaged.
    networks: usize,
    parameters: RwLock<Parameters>,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Cpu(CpuDevice),
    Gpu(Loaded),
}

impl Predictor {
    /// Loads a network on a device. `parameters` are in the order of [`Layout`]; where they are those of several networks, one behind the
    /// other, the predictions are the means of theirs, and the outputs are those that stand for the means. A GPU gets buffers for `rows` rows at
    /// a time, at most 4096, and at most as many as fit. A call may have any number of rows.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of parameters; [`Error::TooLarge`] where the device has no room for a row.
    #[cfg(not(target_family = "wasm"))]
    pub fn new(device: &Device, spec: &MlpSpec, parameters: &[f32], rows: usize) -> Result<Self> {
        pollster::block_on(Self::new_async(device, spec, parameters, rows))
    }

    /// [`new`](Self::new) for async programs.
    pub async fn new_async(device: &Device, spec: &MlpSpec, parameters: &[f32], rows: usize) -> Result<Self> {
        let layout = Layout::new(spec);
        let networks = layout.networks(parameters)?;
        let parameters = RwLock::new(Parameters { values: copy(parameters)?, version: 0 });
        let place = match device {
            Device::Cpu(cpu) => Place::Cpu(cpu.clone()),
            Device::Gpu(_) => Place::Gpu(Loaded::new(device, spec, rows.clamp(1, ROWS), networks).await?),
        };
        Ok(Self(Arc::new(Shared { spec: spec.clone(), layout, networks, parameters, place })))
    }

    /// The network.
    pub fn spec(&self) -> &MlpSpec {
        &self.0.spec
    }

    /// How many networks it averages.
    pub fn networks(&self) -> usize {
        self.0.networks
    }

    /// Sets all parameters, in the order of [`Layout`], of as many networks as before, for all calls of all clones that begin from now on.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of them.
    pub fn set_parameters(&self, values: &[f32]) -> Result<()> {
        if self.0.layout.networks(values)? != self.0.networks {
            let expected = (self.0.networks * self.0.layout.len()).to_string();
            return Err(Error::Shape { what: "the list of parameters".into(), found: values.len(), expected });
        }
        let values = copy(values)?;
        let mut parameters = self.0.parameters.write().unwrap_or_else(PoisonError::into_inner);
        *parameters = Parameters { values, version: parameters.version + 1 };
        Ok(())
    }

    /// The network's outputs [rows, outputs] for `features` [rows, inputs], both by rows: what
    /// [`Loss::predictions`](crate::math::Loss::predictions) turns into predictions.
    ///
    /// # Errors
    /// [`Error::Shape`] for features that are not whole rows; errors of the device.
    #[cfg(not(target_family = "wasm"))]
    pub fn outputs(&self, features: &[f32]) -> Result<Vec<f32>> {
        pollster::block_on(self.outputs_async(features))
    }

    /// [`outputs`](Self::outputs) for async programs.
    pub async fn outputs_async(&self, features: &[f32]) -> Result<Vec<f32>> {
        let rows = self.rows(features)?;
        let mut outputs = limits::filled("the network's outputs", 0.0, rows * self.0.spec.outputs())?;
        self.outputs_into_async(features, &mut outputs).await?;
        Ok(outputs)
    }

    /// [`outputs`](Self::outputs) into the caller's memory, [rows, outputs].
    ///
    /// # Errors
    /// Those of [`outputs`](Self::outputs), and [`Error::Shape`] for memory of another length.
    #[cfg(not(target_family = "wasm"))]
    pub fn outputs_into(&self, features: &[f32], outputs: &mut [f32]) -> Result<()> {
        match &self.0.place {
            Place::Cpu(cpu) => self.on_cpu(cpu, features, outputs),
            Place::Gpu(_) => pollster::block_on(self.outputs_into_async(features, outputs)),
        }
    }

    /// [`outputs_into`](Self::outputs_into) for async programs.
    pub async fn outputs_into_async(&self, features: &[f32], outputs: &mut [f32]) -> Result<()> {
        match &self.0.place {
            Place::Cpu(cpu) => self.on_cpu(cpu, features, outputs),
            Place::Gpu(loaded) => {
                self.check(features, outputs)?;
                match self.0.networks {
                    1 => loaded.run(&self.0.spec, &self.parameters(), features, outputs).await,
                    _ => {
                        self.average(&self.outputs_of_each_async(features).await?, outputs);
                        Ok(())
                    }
                }
            }
        }
    }

    /// [`outputs_of_each`](Self::outputs_of_each) for async programs.
    pub async fn outputs_of_each_async(&self, features: &[f32]) -> Result<Vec<f32>> {
        let rows = self.rows(features)?;
        let len = rows.saturating_mul(self.0.spec.outputs()).saturating_mul(self.0.networks);
        let mut each = limits::filled("the networks' outputs", 0.0, len)?;
        match &self.0.place {
            Place::Cpu(cpu) => self.each_on_cpu(cpu, features, &mut each),
            Place::Gpu(loaded) => loaded.run(&self.0.spec, &self.parameters(), features, &mut each).await?,
        }
        Ok(each)
    }

    /// The outputs of each network by itself, [networks, rows, outputs], for `features` [rows, inputs].
    ///
    /// # Errors
    /// Those of [`outputs`](Self::outputs).
    #[cfg(not(target_family = "wasm"))]
    pub fn outputs_of_each(&self, features: &[f32]) -> Result<Vec<f32>> {
        pollster::block_on(self.outputs_of_each_async(features))
    }

    /// Predictions [rows, outputs] for `features` [rows, inputs], both by rows: the probability of each class or of a
    /// yes, or the number that was learned, as [`Loss::predictions`](crate::math::Loss::predictions) makes them of the
    /// outputs.
    ///
    /// # Errors
    /// Those of [`outputs`](Self::outputs).
    #[cfg(not(target_family = "wasm"))]
    pub fn predict(&self, features: &[f32]) -> Result<Vec<f32>> {
        pollster::block_on(self.predict_async(features))
    }

    /// [`predict`](Self::predict) for async programs.
    pub async fn predict_async(&self, features: &[f32]) -> Result<Vec<f32>> {
        let mut outputs = self.outputs_async(features).await?;
        self.decide(&mut outputs);
        Ok(outputs)
    }

    /// [`predict`](Self::predict) into the caller's memory, [rows, outputs].
    ///
    /// # Errors
    /// Those of [`outputs_into`](Self::outputs_into).
    #[cfg(not(target_family = "wasm"))]
    pub fn predict_into(&self, features: &[f32], predictions: &mut [f32]) -> Result<()> {
        self.outputs_into(features, predictions)?;
        self.decide(predictions);
        Ok(())
    }

    /// [`predict_into`](Self::predict_into) for async programs.
    pub async fn predict_into_async(&self, features: &[f32], predictions: &mut [f32]) -> Result<()> {
        self.outputs_into_async(features, predictions).await?;
        self.decide(predictions);
        Ok(())
    }

    fn on_cpu(&self, cpu: &CpuDevice, features: &[f32], outputs: &mut [f32]) -> Result<()> {
        self.check(features, outputs)?;
        if self.0.networks == 1 {
            self.each_on_cpu(cpu, features, outputs);
            return Ok(());
        }
        let mut each = limits::filled("the networks' outputs", 0.0, outputs.len().saturating_mul(self.0.networks))?;
        self.each_on_cpu(cpu, features, &mut each);
        self.average(&each, outputs);
        Ok(())
    }

    /// One network after the other.
    fn each_on_cpu(&self, cpu: &CpuDevice, features: &[f32], each: &mut [f32]) {
        let Shared { spec, layout, .. } = &*self.0;
        let rows = features.len() / spec.inputs();
        let parameters = self.parameters().values;
        let networks = parameters.chunks_exact(layout.len()).zip(each.chunks_mut((rows * spec.outputs()).max(1)));
        for (parameters, outputs) in networks {
            rows::run(cpu.pool(), NetworkView { spec, layout, parameters }, features, outputs);
        }
    }

    /// The outputs that stand for the means of the predictions of each, [networks, rows, outputs].
    fn average(&self, each: &[f32], outputs: &mut [f32]) {
        let (loss, width, networks) = (self.0.spec.loss(), self.0.spec.outputs(), self.0.networks);
        let len = outputs.len();
        let (mut rows, mut mean) = (vec![vec![0.0; width]; networks], vec![0.0; width]);
        for (row, out) in outputs.chunks_exact_mut(width).enumerate() {
            for (network, values) in rows.iter_mut().enumerate() {
                let z = &each[network * len + row * width..][..width];
                values.iter_mut().zip(z).for_each(|(value, &z)| *value = z.into());
            }
            loss.mean_output(&rows, &mut mean);
            out.iter_mut().zip(&mean).for_each(|(out, &mean)| *out = mean as f32);
        }
    }

    fn parameters(&self) -> Parameters {
        self.0.parameters.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes predictions of outputs, in f64.
    fn decide(&self, outputs: &mut [f32]) {
        let (loss, width) = (self.0.spec.loss(), self.0.spec.outputs());
        f64::with_scratch(width, |wide| {
            for row in outputs.chunks_exact_mut(width) {
                wide.iter_mut().zip(&*row).for_each(|(wide, &z)| *wide = z.into());
                loss.predictions(wide);
                row.iter_mut().zip(&*wide).for_each(|(z, &p)| *z = p as f32);
            }
        });
    }

    /// How many rows these features are.
    fn rows(&self, features: &[f32]) -> Result<usize> {
        let inputs = self.0.spec.inputs();
        if features.len().is_multiple_of(inputs) {
            return Ok(features.len() / inputs);
        }
        Err(Error::Shape {
            what: "the table of features".into(),
            found: features.len(),
            expected: format!("a multiple of the network's {inputs} inputs"),
        })
    }

    fn check(&self, features: &[f32], outputs: &[f32]) -> Result<()> {
        let expected = self.rows(features)? * self.0.spec.outputs();
        if outputs.len() == expected {
            return Ok(());
        }
        let what = "the memory for the outputs".into();
        Err(Error::Shape { what, found: outputs.len(), expected: expected.to_string() })
    }
}

/// A copy of parameters.
fn copy(values: &[f32]) -> Result<Arc<Vec<f32>>> {
    let mut copy = limits::room("the network's parameters", values.len())?;
    copy.extend_from_slice(values);
    Ok(Arc::new(copy))
}
