//! What the pictures of a run are drawn from, but for its epochs.

use serde::{Deserialize, Serialize};

use crate::metrics::CalibrationBin;

/// The strongest shade of a [`Cell`].
pub const LEVELS: u8 = 8;

/// The content of `report.json` that pictures need.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Findings {
    /// The target column.
    pub target: String,
    /// Which rows were evaluated: test, validation or training.
    pub part: String,
    /// How many.
    pub rows: usize,
    /// Of classes, which are taken for which.
    pub confusion: Option<Confusion>,
    /// Of two classes, the second one: the one that the curves are of.
    pub positive: Option<String>,
    /// The area under the ROC curve.
    pub roc_auc: Option<f64>,
    /// The ROC curve: false and true positive rates.
    pub roc: Option<Vec<[f64; 2]>>,
    /// Predicted and observed shares.
    pub calibration: Option<Vec<CalibrationBin>>,
    /// Of numbers, the true value and the prediction, of some rows if they are many.
    pub residuals: Option<Vec<[f64; 2]>>,
    /// Of numbers of test rows, the share that lies in the intervals of the usual coverage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<f64>,
    /// Each column, the most important first.
    pub importance: Option<Vec<Bar>>,
    /// Of how many rows the importance is.
    pub importance_rows: usize,
    /// The prediction over two features.
    pub surface: Option<Surface>,
}

/// Numbers of rows by true and predicted class.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Confusion {
    /// The labels.
    pub classes: Vec<String>,
    /// \[true\]\[predicted\].
    pub rows: Vec<Vec<u64>>,
}

/// A column's importance.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Bar {
    /// The column.
    pub column: String,
    /// What shuffling it costs.
    pub mean: f64,
    /// Standard deviation over the shuffles.
    pub deviation: f64,
}

/// The predictions on a square grid over two features.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Surface {
    /// The features: across, up.
    pub features: [String; 2],
    /// Their least and greatest value.
    pub spans: [[f64; 2]; 2],
    /// Cells in a row.
    pub side: usize,
    /// The cells, from the lowest row up.
    pub cells: Vec<Cell>,
    /// Some of the evaluated rows: where they lie, and their truth as a cell.
    pub points: Vec<([f64; 2], Cell)>,
    /// What the colours are: the classes' labels, or the least and the greatest prediction.
    pub legend: Vec<String>,
}

/// A colour's number and its strength, up to [`LEVELS`].
pub type Cell = (usize, u8);

impl Findings {
    /// Says what in a file contradicts itself.
    pub fn check(&self) -> Result<(), String> {
        if let Some(Confusion { classes, rows }) = &self.confusion
            && (rows.len() != classes.len() || rows.iter().any(|row| row.len() != classes.len()))
        {
            return Err(format!("its confusion matrix is not one of {} classes", classes.len()));
        }
        if let Some(surface) = &self.surface
            && (surface.side == 0 || surface.side.checked_mul(surface.side) != Some(surface.cells.len()))
        {
            return Err(format!("its surface has {} cells, not a square of {}", surface.cells.len(), surface.side));
        }
        let is_share = |value: f64| (0.0..=1.0).contains(&value);
        if !self.roc.iter().flatten().flatten().all(|&share| is_share(share))
            || !self.calibration.iter().flatten().all(|bin| is_share(bin.predicted) && is_share(bin.observed))
        {
            return Err("a share in its curves is not between 0 and 1".into());
        }
        if let Some(Surface { spans, points, .. }) = &self.surface
            && !points.iter().all(|(at, _)| at.iter().zip(spans).all(|(x, [from, to])| (from..=to).contains(&x)))
        {
            return Err("a point lies beside its surface".into());
        }
        Ok(())
    }
}

/// At most `most` of `count` places, evenly picked: every n-th from the first.
pub fn evenly(count: usize, most: usize) -> impl Iterator<Item = usize> {
    (0..count).step_by(count.div_ceil(most.max(1)).max(1))
}
