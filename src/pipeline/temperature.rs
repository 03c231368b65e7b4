//! Probabilities that mean what they say. In: a network's logits of rows that it did not learn, and their classes. Out: what its logits
//! are divided by.
//!
//! It is temperature scaling (Guo, Pleiss, Sun and Weinberger 2017): logits are divided by the temperature with the least cross entropy on
//! these rows. It changes no ranking and no predicted class. The targets are Platt's (1999): of n rows of a class each counts as
//! (n + 1) / (n + 2) of it, and for the rest in equal parts as the others. So few rows without a mistake make nobody certain.
//!
//! The mean of several networks' probabilities is less sure than each of them, so networks that are calibrated one by one are too unsure
//! together (Rahaman and Thiery 2021). Of several networks logits are divided by the root of a temperature above 1.

use crate::error::{Error, Result, setting};

/// What the factor is searched between, by halves of its logarithm.
const RANGE: [f64; 2] = [0.01, 100.0];
const HALVINGS: usize = 40;

/// The temperature with the least cross entropy, above 0: of outputs, [rows, width], for the numbers of the rows' classes.
pub(super) fn temperature(outputs: &[f32], targets: &[f32], width: usize) -> f64 {
    1.0 / Judged::new(outputs, targets, width).factor()
}

/// The temperature of a network that predicts together with others.
pub(super) fn among_others(temperature: f64) -> f64 {
    if temperature > 1.0 { temperature.sqrt() } else { temperature }
}

/// The logits of rows as those of K classes, and the class of each row.
struct Judged {
    logits: Vec<f64>,
    classes: Vec<usize>,
    count: usize,
}

impl Judged {
    /// One output is the logit of class 1 beside 0.
    fn new(outputs: &[f32], targets: &[f32], width: usize) -> Self {
        let logits = match width {
            1 => outputs.iter().flat_map(|&z| [0.0, f64::from(z)]).collect(),
            _ => outputs.iter().map(|&z| f64::from(z)).collect(),
        };
        Self { logits, classes: targets.iter().map(|&class| class as usize).collect(), count: width.max(2) }
    }

    /// What a row's target has of its own class and of each other, by class.
    fn targets(&self) -> Vec<[f64; 2]> {
        let mut rows = vec![0.0; self.count];
        self.classes.iter().for_each(|&class| rows[class] += 1.0);
        let others = (self.count - 1) as f64;
        rows.into_iter().map(|n| [(n + 1.0) / (n + 2.0), 1.0 / (n + 2.0) / others]).collect()
    }

    /// The slope of the sum of the cross entropies by the factor: it rises with the factor.
    fn slope(&self, targets: &[[f64; 2]], factor: f64) -> f64 {
        let of_row = |(z, &class): (&[f64], &usize)| {
            let top = z.iter().fold(f64::NEG_INFINITY, |top, &z| top.max(z));
            let weight = |z: f64| (factor * (z - top)).exp();
            let (sum, mean) = z.iter().fold((0.0, 0.0), |(sum, mean), &z| (sum + weight(z), mean + weight(z) * z));
            let [own, other] = targets[class];
            let expected = z.iter().map(|z| other * z).sum::<f64>() + (own - other) * z[class];
            mean / sum - expected
        };
        self.logits.chunks_exact(self.count).zip(&self.classes).map(of_row).sum()
    }

    /// The factor with the least cross entropy; 1 where logits say nothing or are not finite.
    fn factor(&self) -> f64 {
        let targets = self.targets();
        let first = self.slope(&targets, 1.0);
        if first == 0.0 || !self.logits.iter().all(|z| z.is_finite()) {
            return 1.0;
        }
        let [mut low, mut high] = RANGE.map(f64::ln);
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            if self.slope(&targets, middle.exp()) < 0.0 { low = middle } else { high = middle }
        }
        f64::midpoint(low, high).exp()
    }
}

/// Refuses to calibrate what has no probabilities, or no rows to do it by.
pub(super) fn check(has_classes: bool, holds_out: bool) -> Result<()> {
    let refused = |found: &str, expected| Err(Error::Setting { what: "calibrate", found: found.into(), expected });
    match (has_classes, holds_out) {
        (false, _) => refused("of numbers", "a target with classes, which have probabilities".into()),
        (true, false) => {
            let expected =
                format!("rows for validation or folds: {} or {}", setting("validation_fraction"), setting("folds"));
            refused("without rows that are held out", expected)
        }
        (true, true) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::Judged;

    fn cross_entropy(judged: &Judged, factor: f64) -> f64 {
        let targets = judged.targets();
        let of_row = |(z, &class): (&[f64], &usize)| {
            let log_sum = z.iter().map(|z| (factor * z).exp()).sum::<f64>().ln();
            let of = |(k, z): (usize, &f64)| targets[class][usize::from(k != class)] * (log_sum - factor * z);
            z.iter().enumerate().map(of).sum::<f64>()
        };
        judged.logits.chunks_exact(judged.count).zip(&judged.classes).map(of_row).sum()
    }

    /// No factor nearby has a lower cross entropy, for two classes and for more.
    #[test]
    fn the_factor_has_the_least_cross_entropy() {
        let z: Vec<f32> = (0..60).map(|i| ((i * 37 % 60) as f32 - 30.0) / 3.0).collect();
        let two: Vec<f32> =
            z.iter().enumerate().map(|(i, z)| f32::from(u8::from((*z > 0.0) != (i % 5 == 0)))).collect();
        let largest = |row: &[f32]| (0..3).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or(0);
        let rows = z.chunks_exact(3).enumerate();
        let three: Vec<f32> = rows.map(|(i, row)| ((largest(row) + usize::from(i % 4 == 0)) % 3) as f32).collect();
        for judged in [Judged::new(&z, &two, 1), Judged::new(&z, &three, 3)] {
            let factor = judged.factor();
            let [below, at, above] = [0.99, 1.0, 1.01].map(|by| cross_entropy(&judged, by * factor));
            assert!(at < below && at < above && factor < 0.9, "{factor}: {below} {at} {above}");
        }
    }

    /// Rows without a mistake raise the logits, and not without end; equal logits leave them.
    #[test]
    fn few_rows_make_nobody_certain() {
        let judged = Judged::new(&[-1.0, 1.0, -1.0, 1.0], &[0.0, 1.0, 0.0, 1.0], 1);
        // Both classes have two rows, so the targets are 3/4 and 1/4, whose logit is ln 3.
        assert!((judged.factor() - 3_f64.ln()).abs() < 1e-9, "{}", judged.factor());
        assert_eq!(Judged::new(&[0.0; 4], &[0.0, 1.0, 0.0, 1.0], 1).factor(), 1.0);
        assert_eq!(Judged::new(&[f32::NAN, 1.0], &[0.0, 1.0], 1).factor(), 1.0);
    }
}
