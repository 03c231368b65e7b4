//! From a table to a model in one call.

use std::ops::ControlFlow;

use super::arrays::columns_of;
use super::estimator::Estimator;
use super::fitted::Fitted;
#[cfg(not(target_family = "wasm"))]
use super::fitting::Fitting;
use crate::backend::Device;
use crate::data::{Cells, Column, Table};
use crate::error::{Error, Result};
use crate::train::Event;

impl Estimator {
    /// Splits the rows, fits the encoder to the training rows, trains, and judges the model on each split. Blocks the thread.
    ///
    /// # Errors
    /// [`Error::MissingColumns`] and [`Error::UnfitTarget`] for a target that cannot serve; [`Error::Setting`] for settings that
    /// cannot be; [`Error::Diverged`]; what the device says.
    #[cfg(not(target_family = "wasm"))]
    pub fn fit(&self, table: Table, device: &Device) -> Result<Fitted> {
        pollster::block_on(self.fit_async(table, device))
    }

    /// [`fit`](Self::fit) with a function that is told of every epoch and may stop.
    ///
    /// # Errors
    /// Those of [`fit`](Self::fit).
    #[cfg(not(target_family = "wasm"))]
    pub fn fit_with(
        &self,
        table: Table,
        device: &Device,
        on_event: impl FnMut(Event) -> ControlFlow<()>,
    ) -> Result<Fitted> {
        pollster::block_on(self.fit_with_async(table, device, on_event))
    }

    /// [`fit`](Self::fit) on arrays in memory: `features` [rows, columns], whose columns are called `x0`, `x1` and so forth, and a
    /// number for each row as its target. NaN stands for a missing feature.
    ///
    /// # Errors
    /// [`Error::Shape`] for arrays that do not fit each other, else those of [`fit`](Self::fit).
    #[cfg(not(target_family = "wasm"))]
    pub fn fit_arrays(&self, features: &[f64], targets: &[f64], device: &Device) -> Result<Fitted> {
        self.fit(self.table_of(features, targets)?, device)
    }

    /// [`prepare`](Self::prepare)s the table and loads all on the device, for a program that drives the run itself: by the frame, or
    /// with pauses and checkpoints.
    ///
    /// ```
    /// # use wgpu_mlp::data::{Cells, Column};
    /// # use wgpu_mlp::{Estimator, Table, open};
    /// # fn main() -> wgpu_mlp::Result<()> {
    /// # let x: Vec<f64> = (0..200).map(f64::from).collect();
    /// # let y = x.iter().map(|x| 3.0 * x + 1.0).collect();
    /// # let table = Table::new("lines", vec![Column::new("x", Cells::Number(x)), Column::new("y", Cells::Number(y))])?;
    /// let mut fitting = Estimator::new("y").hidden(&[16]).epochs(20).start(table, &open("cpu")?.device)?;
    /// while !fitting.is_finished() {
    ///     fitting.submit(4)?; // each frame: neither call waits for a GPU
    ///     while let Some(progress) = fitting.try_collect()? {
    ///         assert!(progress.loss.is_finite());
    ///     }
    /// }
    /// let fitted = fitting.finish()?;
    /// assert_eq!(fitted.outcome.epochs, 20);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`fit`](Self::fit) that come before the first step.
    #[cfg(not(target_family = "wasm"))]
    pub fn start(&self, table: Table, device: &Device) -> Result<Fitting> {
        pollster::block_on(self.prepare(table)?.start_async(device))
    }

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

    fn table_of(&self, features: &[f64], targets: &[f64]) -> Result<Table> {
        let rows = targets.len().max(1);
        if !features.len().is_multiple_of(rows) || targets.is_empty() {
            let (what, found) = ("the table of features".into(), features.len());
            return Err(Error::Shape { what, found, expected: format!("a multiple of {}, the rows", targets.len()) });
        }
        let names = (0..features.len() / rows).map(|at| format!("x{at}"));
        let columns = columns_of(features, names.collect());
        let target = Column::new(self.target.as_str(), Cells::Number(targets.to_vec()));
        Table::new("arrays", columns.into_iter().chain([target]).collect())
    }
}
