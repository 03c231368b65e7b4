//! Ranking of rows by scores.

/// The area under the ROC curve: the fraction of pairs of a positive and a negative row in which the positive row has
/// the higher score. Equal scores count one half. `None` without such a pair. `rows`: score, which must not be NaN, and
/// whether the row is positive. Sorts once; the count of the pairs is exact.
pub fn roc_auc(rows: impl Iterator<Item = (f64, bool)>) -> Option<f64> {
    let mut rows: Vec<_> = rows.collect();
    rows.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    // Twice the pairs, so that a half is a whole number.
    let (mut positives, mut negatives, mut won_twice) = (0u128, 0u128, 0u128);
    for equal in rows.chunk_by(|a, b| a.0 == b.0) {
        let positive = equal.iter().filter(|row| row.1).count() as u128;
        let negative = equal.len() as u128 - positive;
        won_twice += positive * (2 * negatives + negative);
        positives += positive;
        negatives += negative;
    }
    let pairs_twice = 2 * positives * negatives;
    (pairs_twice > 0).then(|| won_twice as f64 / pairs_twice as f64)
}
