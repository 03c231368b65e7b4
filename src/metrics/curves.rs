//! ROC and calibration curves of probabilities of yes. In: rows of a probability and whether the row is yes.

use serde::{Deserialize, Serialize};

/// Rows whose probabilities of yes are near each other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalibrationBin {
    /// Mean of the predicted probabilities.
    pub predicted: f64,
    /// Fraction of the rows that are yes.
    pub observed: f64,
    /// Number of rows, at least 1.
    pub rows: u64,
}

/// The ROC curve from (0, 0) to (1, 1): false positive rate and true positive rate at each threshold, the highest
/// first. `None` without rows of both kinds. `roc_auc` is the area under it.
pub fn roc_curve(rows: impl Iterator<Item = (f64, bool)>) -> Option<Vec<[f64; 2]>> {
    let mut rows: Vec<_> = rows.collect();
    rows.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    let mut reached = [0_u64; 2];
    let mut counts = vec![reached];
    for equal in rows.chunk_by(|a, b| a.0 == b.0) {
        equal.iter().for_each(|row| reached[usize::from(row.1)] += 1);
        counts.push(reached);
    }
    let share = |count: u64, of: u64| count as f64 / of as f64;
    (reached[0] > 0 && reached[1] > 0)
        .then(|| counts.iter().map(|count| [share(count[0], reached[0]), share(count[1], reached[1])]).collect())
}

/// The calibration curve in `bins` equal parts of the range from 0 to 1, without empty ones:
/// `calibration_curve(strategy="uniform")`.
pub fn calibration(rows: impl Iterator<Item = (f64, bool)>, bins: usize) -> Vec<CalibrationBin> {
    let mut sums = vec![(0.0, 0_u64, 0_u64); bins];
    for (p, yes) in rows {
        // Bins are open below, as scikit-learn's are, and the first has 0.
        let bin = ((p * bins as f64).ceil() as usize).clamp(1, bins) - 1;
        sums[bin].0 += p;
        sums[bin].1 += u64::from(yes);
        sums[bin].2 += 1;
    }
    let mean = |&(p, yes, rows): &(f64, u64, u64)| CalibrationBin {
        predicted: p / rows as f64,
        observed: yes as f64 / rows as f64,
        rows,
    };
    sums.iter().filter(|sums| sums.2 > 0).map(mean).collect()
}
