//! A network, or several of one shape, in training on arrays.

use std::ops::ControlFlow;

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use wgpu_mlp::train::{Replica, ReplicaEnd, ReplicaOutcome};
use wgpu_mlp::{Activation, Checkpoint, Dataset, Loss, MlpSpec, Optimizer, Result, Trainer};

use crate::device::Opened;
use crate::error::{raise, unfit};
use crate::lent::lend;
use crate::watch::{Convergence, Reports, Told, Watch, told};

/// Rows of numbers, by rows.
pub type Matrix<'py> = PyReadonlyArray2<'py, f32>;

/// The network of the layers' widths, inputs first and outputs last; the last layer has no activation.
pub fn spec_of(widths: &[usize], activation: &str, loss: &str) -> Result<MlpSpec> {
    MlpSpec::new(widths, activation.parse::<Activation>()?, loss.parse::<Loss>()?)
}

/// The values of a matrix where they lie.
pub fn values<'a>(what: &str, matrix: &'a Matrix<'_>) -> PyResult<&'a [f32]> {
    // One in Fortran's order is a slice, too.
    let slice = matrix.is_c_contiguous().then(|| matrix.as_slice().ok()).flatten();
    slice.ok_or_else(|| PyValueError::new_err(format!("{what}: expected an array in C order")))
}

/// The names of activations.
#[pyfunction]
pub fn activations() -> Vec<&'static str> {
    Activation::ALL.iter().map(|activation| activation.name()).collect()
}

/// The names of optimisers.
#[pyfunction]
pub fn optimizers() -> Vec<&'static str> {
    Optimizer::names().collect()
}

fn dataset(x: &Matrix<'_>, y: &Matrix<'_>, weights: Option<&PyReadonlyArray1<'_, f32>>) -> PyResult<Dataset> {
    let (inputs, columns) = (x.as_array().ncols(), y.as_array().ncols());
    let data = Dataset::lent(lend("X", x)?, values("y", y)?.to_vec(), inputs, columns).map_err(raise)?;
    match weights {
        Some(weights) => data.with_weights(weights.as_slice()?).map_err(raise),
        None => Ok(data),
    }
}

#[pyclass(module = "wgpu_mlp._engine")]
pub struct Network {
    trainer: Trainer,
    spec: MlpSpec,
}

#[pymethods]
impl Network {
    /// `replicas` is a JSON list of the networks: `{"config": …, "fold": {"start": 0, "end": 10}}`.
    #[new]
    #[pyo3(signature = (device, threads, widths, activation, loss, replicas, x, y, weights=None, validation=None))]
    fn new(
        py: Python<'_>,
        device: &str,
        threads: usize,
        widths: Vec<usize>,
        activation: &str,
        loss: &str,
        replicas: &str,
        x: Matrix<'_>,
        y: Matrix<'_>,
        weights: Option<PyReadonlyArray1<'_, f32>>,
        validation: Option<(Matrix<'_>, Matrix<'_>)>,
    ) -> PyResult<Self> {
        let replicas: Vec<Replica> = serde_json::from_str(replicas).map_err(|error| unfit("settings", &error))?;
        let data = dataset(&x, &y, weights.as_ref())?;
        let validation = validation.map(|(x, y)| dataset(&x, &y, None)).transpose()?;
        let spec = spec_of(&widths, activation, loss).map_err(raise)?;
        let trainer = py.detach(|| {
            let opened = Opened::of(device, threads)?;
            Trainer::with_replicas(&opened.device, &spec, &replicas, &data, validation.as_ref())
        });
        Ok(Self { trainer: trainer.map_err(raise)?, spec })
    }

    /// Sets all parameters: of each network each layer's weights [inputs, outputs] and biases.
    fn set_parameters(&mut self, values: PyReadonlyArray1<'_, f32>) -> PyResult<()> {
        self.trainer.set_parameters(values.as_slice()?).map_err(raise)
    }

    /// Trains. Tells every epoch, whether the run came to its end, and whether the user ended it. With `converge`, a tolerance and a
    /// number of epochs for each network, it ends by the loss of the training rows, and has the parameters of then.
    #[pyo3(signature = (reports, least_rate=None, converge=None))]
    fn fit(
        &mut self,
        py: Python<'_>,
        reports: Reports,
        least_rate: Option<f64>,
        converge: Option<Vec<Convergence>>,
    ) -> PyResult<(Vec<Told>, bool, bool)> {
        let mut watch = Watch::new(reports, least_rate).until(converge.as_deref().unwrap_or_default());
        // A network ends with an epoch, whatever the device is at.
        self.trainer.pause_every(converge.map(|_| 1));
        let ended = py.detach(|| {
            let mut outcome = self.trainer.fit_with(|event| watch.receive(event))?;
            let mut left = self.trainer.replicas();
            while !watch.over.is_empty() && !watch.has_failed() {
                left -= watch.over.len();
                watch.over.drain(..).try_for_each(|network| self.trainer.drop_replica(network))?;
                if left == 0 {
                    break;
                }
                outcome = self.trainer.resume_with(|event| watch.receive(event))?;
            }
            Ok(outcome)
        });
        let interrupted = watch.was_interrupted(py)?;
        let outcome = ended.map_err(raise)?;
        Ok((watch.epochs.iter().map(told).collect(), !outcome.stopped, interrupted))
    }

    /// Trains for one epoch on these rows, whose number may be another.
    #[pyo3(signature = (x, y, weights=None))]
    fn partial_fit(
        &mut self,
        py: Python<'_>,
        x: Matrix<'_>,
        y: Matrix<'_>,
        weights: Option<PyReadonlyArray1<'_, f32>>,
    ) -> PyResult<f64> {
        let data = dataset(&x, &y, weights.as_ref())?;
        let outcome = py.detach(|| self.trainer.fit_stream([Ok(data)], |_| ControlFlow::Continue(())));
        Ok(outcome.map_err(raise)?.last_epoch.map_or(f64::NAN, |epoch| epoch.loss))
    }

    /// The parameters of each network, the best where they are kept.
    fn parameters<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let values = py.detach(|| match self.trainer.best_parameters()? {
            Some(best) => Ok(best),
            None => self.trainer.parameters(),
        });
        Ok(values.map_err(raise)?.into_pyarray(py))
    }

    /// Of each network the best epoch, from 1, where it is kept, and the step at which it diverged, if it did.
    fn ends(&self) -> Vec<(Option<u64>, Option<u64>)> {
        let of = |outcome: ReplicaOutcome| {
            let diverged = if let Some(ReplicaEnd::Diverged { step, .. }) = outcome.end { Some(step) } else { None };
            (outcome.best_epoch, diverged)
        };
        self.trainer.outcomes().into_iter().map(of).collect()
    }

    /// The state from which [`Network::adopt`] goes on.
    fn state<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let state = || Checkpoint::new(self.spec.clone(), self.trainer.state()?)?.to_bytes();
        Ok(PyBytes::new(py, &py.detach(state).map_err(raise)?))
    }

    /// Takes over the parameters and the optimiser's state of another network of this shape.
    fn adopt(&mut self, py: Python<'_>, state: &[u8]) -> PyResult<()> {
        py.detach(|| self.trainer.adopt(&Checkpoint::from_bytes(state)?.state)).map_err(raise)
    }
}
