//! The engine of the Python package `wgpu_mlp`: arrays and tables in, numbers out. All that makes it feel like scikit-learn is Python, in
//! `python/wgpu_mlp`; all that trains is the crate `wgpu_mlp`. Here one is handed to the other: numpy's memory as slices, settings as
//! JSON, errors as exceptions, and a signal as the end of a run.

mod device;
mod error;
mod lent;
mod model;
mod network;
mod predictor;
mod table;
mod table_fit;
mod watch;

use pyo3::prelude::*;

/// The module `wgpu_mlp._engine`.
#[pymodule]
fn _engine(module: &Bound<'_, PyModule>) -> PyResult<()> {
    error::name_settings();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<model::Model>()?;
    module.add_class::<network::Network>()?;
    module.add_class::<predictor::Predictor>()?;
    module.add_class::<table::Table>()?;
    module.add_function(wrap_pyfunction!(device::device_name, module)?)?;
    module.add_function(wrap_pyfunction!(device::devices, module)?)?;
    module.add_function(wrap_pyfunction!(network::activations, module)?)?;
    module.add_function(wrap_pyfunction!(network::optimizers, module)?)?;
    module.add_function(wrap_pyfunction!(table_fit::fit_table, module)?)
}
