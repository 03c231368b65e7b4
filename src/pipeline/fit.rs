//! From a table to a model in one call.

use std::ops::ControlFlow;

use super::arrays::columns_of;
use super::estimator::Estimator;
use super::fitted::Fitted;
use crate::backend::Device;
use crate::data::{Cells, Column, Table};
use crate::error::{Error, Result};
use crate::train::Event;

impl Estimator {
    /// [`fit`](Self::fit) for async programs.
    ///
    /// # Errors
    /// As there.
    pub async fn fit_async(&self, table: Table, device: &Device) -> Result<Fitted> {
        self.fit_with_async(table, device, |_| ControlFlow::Continue(())).await
    }

    /// [`fit_with`](Self::fit_with) for async programs.
    ///
    /// # Errors
    /// As there.
    pub async fn fit_with_async(
        &self,
        table: Table,
        device: &Device,
        on_event: impl FnMut(Event) -> ControlFlow<()>,
    ) -> Result<Fitted> {
        let mut fitting = self.prepare(table)?.start_async(device).await?;
        fitting.run_with_async(on_event).await?;
        let mut fitted = fitting.finish_async().await?;
        if self.baseline {
            fitted.add_baseline_async().await?;
        }
        Ok(fitted)
    }

    /// The table of [`fit_arrays`](Self::fit_arrays).
    pub(super) fn table_of(&self, features: &[f64], targets: &[f64]) -> Result<Table> {
        let rows = targets.len().max(1);
        if !features.len().is_multiple_of(rows) || targets.is_empty() {
            let (what, found) = ("the table of features".into(), features.len());
            return Err(Error::Shape { what, found, expected: format!("a multiple of {}, the rows", targets.len()) });
        }
        let names = (0..features.len() / rows).map(|at| format!("x{at}"));
        let columns = columns_of(features, names.collect());
        let target = Column::new(self.target.as_str(), Cells::Number(targets.to_vec()));
        Table::of_rows("arrays", columns.into_iter().chain([target]).collect())
    }
}
