//! Models as files, and their predictions for tables.

use std::sync::{Mutex, PoisonError};

use numpy::ndarray::Array2;
use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use wgpu_mlp::data::{Feature, FeatureKind, Target, TargetKind};
use wgpu_mlp::{Encoder, Predictor};

use crate::device::Opened;
use crate::error::raise;
use crate::network::spec_of;
use crate::predictor::predictions;
use crate::table::Table;

/// A device by its name and threads, in a process.
type Place = (String, usize, u32);

#[pyclass(module = "wgpu_mlp._engine", frozen)]
pub struct Model {
    model: wgpu_mlp::Model,
    /// The last device that it was loaded on.
    loaded: Mutex<Option<(Place, Predictor)>>,
}

impl From<wgpu_mlp::Model> for Model {
    fn from(model: wgpu_mlp::Model) -> Self {
        Self { model, loaded: Mutex::new(None) }
    }
}

impl Model {
    fn predictor(&self, opened: &Opened, device: &str, threads: usize, rows: usize) -> wgpu_mlp::Result<Predictor> {
        let key = (device.to_string(), threads, std::process::id());
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, predictor)) = loaded.as_ref()
            && *known == key
        {
            return Ok(predictor.clone());
        }
        let predictor = Predictor::new(&opened.device, &self.model.spec, &self.model.parameters, rows)?;
        *loaded = Some((key, predictor.clone()));
        Ok(predictor)
    }
}

/// The encoder of columns that are taken as they are: numbers, and classes by their labels or a number as the target.
fn plain_encoder(names: Vec<String>, target: String, classes: Option<Vec<String>>) -> PyResult<Encoder> {
    let number = FeatureKind::Number { mean: 0.0, scale: 1.0, fill: Some(0.0), clip: None, edges: Vec::new() };
    let feature = |name| Feature { name, kind: number.clone(), indicator: false };
    let kind = match classes {
        None => TargetKind::Regression { mean: 0.0, scale: 1.0, range: None },
        Some(classes) => match <[String; 2]>::try_from(classes) {
            Ok(classes) => TargetKind::Binary { classes },
            Err(classes) => TargetKind::Multiclass { classes },
        },
    };
    let encoder = Encoder::new(names.into_iter().map(feature).collect(), Target { name: target, kind });
    encoder.validate().map_err(PyValueError::new_err)?;
    Ok(encoder)
}

#[pymethods]
impl Model {
    /// The model of networks that were trained on arrays. With `names` it takes tables with these columns of numbers.
    #[staticmethod]
    #[pyo3(signature = (widths, activation, loss, parameters, names=None, target=None, classes=None))]
    fn of_arrays(
        widths: Vec<usize>,
        activation: &str,
        loss: &str,
        parameters: PyReadonlyArray1<'_, f32>,
        names: Option<Vec<String>>,
        target: Option<String>,
        classes: Option<Vec<String>>,
    ) -> PyResult<Self> {
        let spec = spec_of(&widths, activation, loss).map_err(raise)?;
        let model = wgpu_mlp::Model::new(spec, parameters.as_slice()?.to_vec()).map_err(raise)?;
        Ok(match (names, target) {
            (Some(names), Some(target)) => model.with_encoder(plain_encoder(names, target, classes)?),
            _ => model,
        }
        .into())
    }

    /// Reads a model's file, or the model in a run's folder.
    #[staticmethod]
    fn load(path: std::path::PathBuf) -> PyResult<Self> {
        wgpu_mlp::Model::load(path).map(Self::from).map_err(raise)
    }

    #[staticmethod]
    fn from_bytes(bytes: &[u8]) -> PyResult<Self> {
        wgpu_mlp::Model::from_bytes(bytes).map(Self::from).map_err(raise)
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.model.to_bytes().map_err(raise)?))
    }

    /// A pickle has the bytes of the file.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        let bytes = slf.get().to_bytes(slf.py())?;
        Ok((slf.get_type().getattr("from_bytes")?, (bytes,)))
    }

    fn save(&self, path: std::path::PathBuf) -> PyResult<()> {
        self.model.save(path).map_err(raise)
    }

    /// The lower and the upper end of the interval around each number [rows, 2], which covers so many of a hundred new rows.
    fn intervals<'py>(
        &self,
        py: Python<'py>,
        numbers: PyReadonlyArray1<'_, f64>,
        percent: u8,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let numbers = numbers.as_array();
        let mut ends = Array2::zeros((numbers.len(), 2));
        for (number, mut ends) in numbers.iter().zip(ends.rows_mut()) {
            let [lower, upper] = self.model.interval(*number, percent).map_err(raise)?;
            (ends[0], ends[1]) = (lower, upper);
        }
        Ok(ends.into_pyarray(py))
    }

    /// How many networks predict together.
    #[getter]
    fn networks(&self) -> usize {
        self.model.networks()
    }

    /// Widths of the layers, the number of inputs first.
    #[getter]
    fn widths(&self) -> Vec<usize> {
        let layers = self.model.spec.layers();
        layers.iter().take(1).map(|layer| layer.inputs).chain(layers.iter().map(|layer| layer.outputs)).collect()
    }

    /// The activation of each layer.
    #[getter]
    fn activations(&self) -> Vec<&'static str> {
        self.model.spec.layers().iter().map(|layer| layer.activation.name()).collect()
    }

    #[getter]
    fn loss(&self) -> &'static str {
        self.model.spec.loss().name()
    }

    /// All parameters.
    #[getter]
    fn parameters<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f32>> {
        self.model.parameters.clone().into_pyarray(py)
    }

    /// The names of the columns that it needs; none where it takes no tables.
    #[getter]
    fn features(&self) -> Option<Vec<String>> {
        Some(self.model.encoder.as_ref()?.features().iter().map(|feature| feature.name.clone()).collect())
    }

    /// Whether it takes its columns as they are: numbers, none of which has an input of its own for missing cells.
    #[getter]
    fn is_plain(&self) -> bool {
        let is_plain = |feature: &Feature| match &feature.kind {
            FeatureKind::Number { mean, scale, clip, edges, .. } => {
                (*mean, *scale) == (0.0, 1.0) && clip.is_none() && edges.is_empty() && !feature.indicator
            }
            _ => false,
        };
        let target_is_plain = |encoder: &Encoder| match encoder.target().kind {
            TargetKind::Regression { mean, scale, range } => (mean, scale) == (0.0, 1.0) && range.is_none(),
            _ => true,
        };
        self.model
            .encoder
            .as_ref()
            .is_none_or(|encoder| encoder.features().iter().all(is_plain) && target_is_plain(encoder))
    }

    /// The name of the target; none where it takes no tables.
    #[getter]
    fn target(&self) -> Option<String> {
        Some(self.model.encoder.as_ref()?.target().name.clone())
    }

    /// The labels of classes in the order of their probabilities; none of numbers.
    #[getter]
    fn classes(&self) -> Option<Vec<String>> {
        Some(self.model.encoder.as_ref()?.classes()?.to_vec())
    }

    /// Probabilities of the classes, or the number, of each row.
    fn predict<'py>(
        &self,
        py: Python<'py>,
        device: &str,
        threads: usize,
        table: &Table,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let Some(encoder) = self.model.encoder.as_ref() else {
            return Err(PyValueError::new_err("the model has no encoder of columns: it takes arrays alone"));
        };
        let table = table.of_columns()?;
        let predict = || {
            let opened = Opened::of(device, threads)?;
            let (features, _) = opened.on_threads(|| encoder.encode_features(&table))?;
            let outputs = self.predictor(&opened, device, threads, table.rows())?.outputs(&features)?;
            let pair = matches!(encoder.target().kind, TargetKind::Binary { .. });
            let mut all = predictions(self.model.spec.loss(), &outputs, encoder.outputs(), pair);
            if encoder.classes().is_none() {
                all.mapv_inplace(|z| encoder.decode_regression(z));
            }
            Ok(all)
        };
        Ok(py.detach(predict).map_err(raise)?.into_pyarray(py))
    }
}
