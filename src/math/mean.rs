//! What several networks predict together: the mean of their predictions, as an output that stands for it.

use super::loss::Loss;

impl Loss {
    /// The output of which [`predictions`](Self::predictions) makes the mean of what it makes of `each`, outputs of one row of several
    /// networks, [networks, outputs]: of probabilities, counts or numbers. Its own loss is then the loss of the mean.
    pub(crate) fn mean_output(self, each: &[Vec<f64>], out: &mut [f64]) {
        let count = each.len() as f64;
        match self {
            Self::MeanSquaredError | Self::MeanAbsoluteError | Self::Huber => {
                for (place, out) in out.iter_mut().enumerate() {
                    *out = each.iter().map(|row| row[place]).sum::<f64>() / count;
                }
            }
            // Of both probabilities, since 1 - p would lose the small ones; ln p = -ln(1 + e^-z).
            Self::BinaryCrossEntropy => {
                for (place, out) in out.iter_mut().enumerate() {
                    let of = |sign: f64| log_sum_exp(each.iter().map(|row| -ln_1p_exp(-sign * row[place])));
                    *out = of(1.0) - of(-1.0);
                }
            }
            Self::SoftmaxCrossEntropy => {
                let whole: Vec<f64> = each.iter().map(|row| log_sum_exp(row.iter().copied())).collect();
                for (place, out) in out.iter_mut().enumerate() {
                    *out = log_sum_exp(each.iter().zip(&whole).map(|(row, whole)| row[place] - whole)) - count.ln();
                }
            }
            Self::Poisson => {
                for (place, out) in out.iter_mut().enumerate() {
                    *out = log_sum_exp(each.iter().map(|row| row[place])) - count.ln();
                }
            }
        }
    }
}

/// ln Σ e^x without overflow.
fn log_sum_exp(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = values.clone().fold(f64::NEG_INFINITY, f64::max);
    if largest.is_infinite() {
        return largest;
    }
    largest + values.map(|value| (value - largest).exp()).sum::<f64>().ln()
}

/// ln(1 + e^x) without overflow.
fn ln_1p_exp(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is made of the mean output is the mean of what is made of each, also far out, where a probability is no longer 1 less another.
    #[test]
    fn the_mean_output_stands_for_the_mean_prediction() {
        let rows = [[0.3, -1.2, 40.0], [2.0, 0.4, -38.5], [-700.0, 5.0, 1.0]];
        for &loss in Loss::ALL {
            let each: Vec<Vec<f64>> = rows
                .iter()
                .map(|row| row.map(|z: f64| if loss == Loss::Poisson { z / 20.0 } else { z }).to_vec())
                .collect();
            let mut out = [0.0; 3];
            loss.mean_output(&each, &mut out);
            loss.predictions(&mut out);
            for place in 0..3 {
                let mean = each.iter().map(|row| {
                    let mut row = row.clone();
                    loss.predictions(&mut row);
                    row[place] / 3.0
                });
                let mean: f64 = mean.sum();
                assert!((out[place] - mean).abs() <= 1e-14 * mean.abs(), "{loss}: {} and {mean}", out[place]);
            }
        }
        let mut out = [0.0];
        Loss::BinaryCrossEntropy.mean_output(&[vec![60.0], vec![50.0]], &mut out);
        // 1 - p is the mean of e^-60 and e^-50.
        assert!((out[0] - (50.0 + 2f64.ln() - (-10f64).exp().ln_1p())).abs() < 1e-12, "{}", out[0]);
        Loss::BinaryCrossEntropy.mean_output(&[vec![f64::INFINITY], vec![f64::INFINITY]], &mut out);
        assert_eq!(out[0], f64::INFINITY);
    }
}
