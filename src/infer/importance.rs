//! Permutation importance: how much worse predictions become when a column is shuffled (Breiman 2001, as in
//! scikit-learn's `permutation_importance`).

use std::ops::Range;

use super::Predictor;
use crate::data::{Dataset, Encoder, NumpyRandom};
use crate::error::{Error, Result};

/// What shuffling a column does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Importance {
    /// Mean over the shuffles: the fall of the accuracy for classes, the rise of the RMSE in the target's unit for
    /// numbers. It may be below 0 by chance.
    pub mean: f64,
    /// Standard deviation over the shuffles.
    pub deviation: f64,
}

impl Predictor {
    /// [`importance_async`](Self::importance_async), which it waits for on this thread.
    ///
    /// # Errors
    /// Those of it.
    #[cfg(not(target_family = "wasm"))]
    pub fn importance(
        &self,
        data: &Dataset,
        columns: &[Range<usize>],
        shuffles: usize,
        seed: u32,
        encoder: Option<&Encoder>,
    ) -> Result<Vec<Importance>> {
        pollster::block_on(self.importance_async(data, columns, shuffles, seed, encoder))
    }

    /// The importance of each of `columns` on the rows of `data`; an entry lists the inputs of one column of a table.
    /// Each is shuffled `shuffles` times, at least once, by `seed`. An encoder adds the unit of errors.
    ///
    /// # Errors
    /// Those of [`outputs`](Self::outputs); [`Error::Setting`] for data of another network or without rows, and for columns that are not among
    /// the network's inputs.
    pub async fn importance_async(
        &self,
        data: &Dataset,
        columns: &[Range<usize>],
        shuffles: usize,
        seed: u32,
        encoder: Option<&Encoder>,
    ) -> Result<Vec<Importance>> {
        self.spec().check_data(data)?;
        let (inputs, rows) = (data.inputs(), data.rows());
        let refused = |what, found, expected| Err(Error::Setting { what, found, expected });
        if rows == 0 {
            return refused("number of rows", "0".into(), "at least 1".into());
        }
        if let Some(column) = columns.iter().find(|column| column.start > column.end || column.end > inputs) {
            return refused("range of inputs", format!("{column:?}"), format!("one within 0..{inputs}"));
        }
        let mut features = data.features().to_vec();
        let mut random = NumpyRandom::new(seed);
        let before = self.error_rate_or_rmse(&features, data, encoder).await?;
        let mut all = Vec::with_capacity(columns.len());
        for column in columns {
            let mut worse = Vec::with_capacity(shuffles);
            for _ in 0..shuffles.max(1) {
                for (to, from) in random.permutation(rows).into_iter().enumerate() {
                    let cells = &data.features()[from * inputs..][column.clone()];
                    features[to * inputs..][column.clone()].copy_from_slice(cells);
                }
                worse.push(self.error_rate_or_rmse(&features, data, encoder).await? - before);
            }
            features.copy_from_slice(data.features());
            let n = worse.len() as f64;
            let mean = worse.iter().sum::<f64>() / n;
            let deviation = (worse.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt();
            all.push(Importance { mean, deviation });
        }
        Ok(all)
    }

    /// The error rate, or the RMSE.
    async fn error_rate_or_rmse(&self, features: &[f32], data: &Dataset, encoder: Option<&Encoder>) -> Result<f64> {
        let outputs = self.outputs_async(features).await?;
        let (loss, c, columns) = (self.spec().loss(), self.spec().loss_parameter(), data.target_columns());
        let prediction = |z: f64| encoder.map_or(z, |encoder| encoder.decode_regression(z));
        let truth = |y: f64| encoder.map_or(y, |encoder| encoder.decode_target(y));
        let mut sum = 0.0;
        let wide = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect::<Vec<_>>();
        for (z, y) in outputs.chunks_exact(self.spec().outputs()).zip(data.targets().chunks_exact(columns)) {
            let (mut z, y) = (wide(z), wide(y));
            if loss.classifies() {
                sum += (columns - loss.row(&z, &y, c, None).1) as f64;
            } else {
                loss.predictions(&mut z);
                sum += z.iter().zip(&y).map(|(z, y)| (prediction(*z) - truth(*y)).powi(2)).sum::<f64>();
            }
        }
        let mean = sum / (data.rows() * columns) as f64;
        Ok(if loss.classifies() { mean } else { mean.sqrt() })
    }
}
