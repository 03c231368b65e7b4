//! Tables made of a frame's columns.

use numpy::PyReadonlyArray1;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use wgpu_mlp::data::{Categorical, Cells, Column, Dates};

use crate::error::raise;

/// Columns of one length, in their order.
#[pyclass(module = "wgpu_mlp._engine")]
pub struct Table {
    source: String,
    columns: Vec<Column>,
}

impl Table {
    /// The engine's table of them.
    pub fn of_columns(&self) -> PyResult<wgpu_mlp::Table> {
        wgpu_mlp::Table::of_rows(self.source.as_str(), self.columns.clone()).map_err(raise)
    }

    /// The same of columns that are not needed any more.
    pub fn take(&mut self) -> PyResult<wgpu_mlp::Table> {
        wgpu_mlp::Table::of_rows(self.source.as_str(), std::mem::take(&mut self.columns)).map_err(raise)
    }
}

#[pymethods]
impl Table {
    /// `source` stands at the head of messages.
    #[new]
    fn new(source: String) -> Self {
        Self { source, columns: Vec::new() }
    }

    /// Adds a column of numbers; NaN stands for one that is missing.
    fn add_numbers(&mut self, name: &str, values: PyReadonlyArray1<'_, f64>) {
        let values = values.as_array().iter().copied().collect();
        self.columns.push(Column::new(name, Cells::Number(values)));
    }

    /// Adds a column of texts: for each row the number of its label; a negative one is missing.
    fn add_texts(&mut self, name: &str, labels: Vec<String>, codes: PyReadonlyArray1<'_, i64>) -> PyResult<()> {
        let cell = |&code: &i64| match usize::try_from(code) {
            Err(_) => Ok(None),
            Ok(at) => labels.get(at).map(|label| Some(label.trim())).ok_or(code),
        };
        let texts: Result<Categorical, i64> =
            codes.as_array().iter().map(cell).collect::<Result<Vec<_>, _>>().map(|cells| cells.into_iter().collect());
        let unfit = |code| PyValueError::new_err(format!("column `{name}`: no label has the number {code}"));
        self.columns.push(Column::new(name, Cells::Text(texts.map_err(unfit)?)));
        Ok(())
    }

    /// Adds a column of dates: seconds since the start of 1970; NaN stands for one that is missing.
    fn add_dates(&mut self, name: &str, seconds: PyReadonlyArray1<'_, f64>, with_time: bool) {
        let seconds = seconds.as_array().iter().copied().collect();
        self.columns.push(Column::new(name, Cells::Date(Dates { seconds, with_time })));
    }
}
