//! numpy's memory as the features of a data set, which stay where they are.

use std::sync::Arc;

use numpy::PyArray2;
use pyo3::prelude::*;

use crate::network::{Matrix, values};

/// A matrix's values, and the array that has them.
struct Lent {
    values: *const [f32],
    _array: Py<PyArray2<f32>>,
}

// SAFETY: the values are only read, from whatever thread, and the array's owner is counted by Python from any thread.
#[allow(unsafe_code)]
unsafe impl Send for Lent {}
// SAFETY: as above.
#[allow(unsafe_code)]
unsafe impl Sync for Lent {}

impl AsRef<[f32]> for Lent {
    #[allow(unsafe_code)]
    fn as_ref(&self) -> &[f32] {
        // SAFETY: numpy neither moves nor frees an array's memory as long as the array is there. A program that writes to it from another
        // thread while the engine reads it gets some mixture of numbers, as from numpy's own functions without Python's lock.
        unsafe { &*self.values }
    }
}

/// The matrix's values for a data set, where they lie.
pub fn lend(what: &str, matrix: &Matrix<'_>) -> PyResult<Arc<dyn AsRef<[f32]> + Send + Sync>> {
    let values: *const [f32] = values(what, matrix)?;
    let array: Py<PyArray2<f32>> = Bound::clone(matrix).unbind();
    Ok(Arc::new(Lent { values, _array: array }))
}
