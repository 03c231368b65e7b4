//! Predictions of networks from arrays.

use numpy::ndarray::Array2;
use numpy::{IntoPyArray, PyArray2, PyReadonlyArray1};
use pyo3::prelude::*;
use wgpu_mlp::{Loss, Result};

use crate::device::Opened;
use crate::error::raise;
use crate::network::{Matrix, spec_of, values};

/// Outputs [rows, outputs] as what they stand for, in f64. A single probability becomes two, of no and of yes, each from its own sign of
/// z: 1 - p would lose the small ones.
pub fn predictions(loss: Loss, outputs: &[f32], width: usize, pair: bool) -> Array2<f64> {
    let rows = outputs.len() / width;
    if pair {
        return Array2::from_shape_fn((rows, 2), |(row, class)| {
            let z = f64::from(outputs[row]);
            loss.prediction(if class == 0 { -z } else { z })
        });
    }
    let mut all = Array2::from_shape_fn((rows, width), |(row, column)| f64::from(outputs[row * width + column]));
    all.rows_mut().into_iter().filter_map(|row| row.into_slice()).for_each(|row| loss.predictions(row));
    all
}

#[pyclass(module = "wgpu_mlp._engine", frozen)]
pub struct Predictor(wgpu_mlp::Predictor);

#[pymethods]
impl Predictor {
    /// `rows` is about how many rows a call has, for which a GPU keeps buffers.
    #[new]
    fn new(
        py: Python<'_>,
        device: &str,
        threads: usize,
        widths: Vec<usize>,
        activation: &str,
        loss: &str,
        parameters: PyReadonlyArray1<'_, f32>,
        rows: usize,
    ) -> PyResult<Self> {
        let parameters = parameters.as_slice()?;
        let load = || -> Result<_> {
            let opened = Opened::of(device, threads)?;
            let spec = spec_of(&widths, activation, loss)?;
            wgpu_mlp::Predictor::new(&opened.device, &spec, parameters, rows)
        };
        py.detach(load).map(Self).map_err(raise)
    }

    /// Probabilities or numbers [rows, outputs]; with `pair` the two probabilities of a single yes or no.
    fn predict<'py>(&self, py: Python<'py>, x: Matrix<'_>, pair: bool) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let (spec, x) = (self.0.spec(), values("X", &x)?);
        let all = py.detach(|| {
            let outputs = self.0.outputs(x)?;
            Ok(predictions(spec.loss(), &outputs, spec.outputs(), pair))
        });
        Ok(all.map_err(raise)?.into_pyarray(py))
    }
}
