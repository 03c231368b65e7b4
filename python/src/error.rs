//! Errors as exceptions.

use pyo3::PyErr;
use pyo3::exceptions::{PyMemoryError, PyRuntimeError, PyValueError};
use wgpu_mlp::Error;

/// The exception for an error, with its text.
pub fn raise(error: Error) -> PyErr {
    let text = error.to_string();
    match error {
        // With the kind, of which Python makes a FileNotFoundError or a PermissionError.
        Error::Io { source, .. } => std::io::Error::new(source.kind(), text).into(),
        Error::NoMemory { .. } | Error::TooLarge { .. } => PyMemoryError::new_err(text),
        Error::Gpu { .. }
        | Error::DeviceLost { .. }
        | Error::NoAdapter
        | Error::HiddenAdapters { .. }
        | Error::NoThread { .. }
        | Error::CheckFailed(_) => PyRuntimeError::new_err(text),
        _ => PyValueError::new_err(text),
    }
}

/// The exception for JSON that the engine does not take: the package's own mistake, or an option with a wrong name.
pub fn unfit(what: &str, error: &serde_json::Error) -> PyErr {
    PyValueError::new_err(format!("{what}: {error}"))
}

/// Messages call settings by the names of the estimators' parameters.
pub fn name_settings() {
    wgpu_mlp::call_settings_by(|name| {
        Some(match name {
            "batch" => "batch_size",
            "epochs" => "max_iter",
            "hidden" => "hidden_layer_sizes",
            "l2" => "alpha",
            "learning_rate" => "learning_rate_init",
            "min_delta" => "tol",
            "monitor" => "metric",
            "optimizer" => "solver",
            "patience" => "n_iter_no_change",
            "seed" => "random_state",
            _ => return None,
        })
    });
}
