//! A layer's affine map in f32 of which every row is the same bits, whatever rows stand beside it: the way that its sums go is
//! chosen by the layer's shape and never by the number of rows. Small layers have it from [`small`]; the `gemm` crate
//! chooses by the number of rows too, and is asked for numbers of rows here for which it chooses alike.

use super::product::Product;
use super::real::Real;
use super::small;

/// Most rows of a product with one column: `gemm` sums up to so many by rows.
const OF_ONE_COLUMN: usize = 256;
/// Most columns, and most rows with them, for which `gemm` takes its way for small matrices, which cuts long sums elsewhere.
const SMALL_SIDE: usize = 64;

/// `c[m, n] = x[m, k] w[k, n] + bias`, all by rows.
///
/// # Panics
/// Where a slice is shorter than its shape.
pub(crate) fn affine([m, n, k]: [usize; 3], x: &[f32], w: &[f32], bias: &[f32], c: &mut [f32]) {
    let product = Product::new(m, n, k);
    if small::takes(&product) {
        return f32::affine(&product, x, w, bias, c);
    }
    if n > 1 && m == 1 {
        // A single row would be the product of a matrix and a vector, which is summed otherwise.
        return f32::with_scratch(2 * (k + n), |memory| {
            let (twice, both) = memory.split_at_mut(2 * k);
            twice.chunks_exact_mut(k).for_each(|row| row.copy_from_slice(&x[..k]));
            f32::affine(&Product { m: 2, ..product }, twice, w, bias, both);
            c[..n].copy_from_slice(&both[..n]);
        });
    }
    let most = match n {
        1 => OF_ONE_COLUMN,
        _ if n <= SMALL_SIDE => SMALL_SIDE,
        _ => m,
    };
    // Even runs, so that none is of a single row.
    let rows = m.div_ceil(m.div_ceil(most).max(1)).max(1);
    for (c, x) in c[..m * n].chunks_mut(rows * n).zip(x.chunks(rows * k)) {
        f32::affine(&Product { m: c.len() / n, ..product }, x, w, bias, c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(len: usize, step: usize) -> Vec<f32> {
        (0..len).map(|i| (i * step % 1009) as f32 / 500.0 - 1.0).collect()
    }

    /// Layers on both sides of every size that something is chosen by, alone and among others.
    #[test]
    fn a_row_is_the_same_among_any_others() {
        let shapes = [
            (1, 1),
            (1, 7),
            (1, 9000),
            (2, 1),
            (2, 5000),
            (3, 3),
            (7, 1),
            (128, 64),
            (129, 64),
            (130, 63),
            (300, 30),
            (600, 64),
            (600, 65),
            (700, 1),
            (1025, 1),
            (1100, 2),
            (1100, 64),
            (1100, 129),
            (513, 17),
            (784, 256),
            (2500, 6),
        ];
        for (k, n) in shapes {
            let most = 1000;
            let (x, w, bias) = (numbers(most * k, 7919), numbers(k * n, 104_729), numbers(n, 31));
            let mut one = vec![0.0; most * n];
            for (c, x) in one.chunks_exact_mut(n).zip(x.chunks_exact(k)) {
                affine([1, n, k], x, &w, &bias, c);
            }
            for m in [2, 3, 5, 7, 17, 63, 64, 65, 66, 129, 255, 256, 257, 1000] {
                let mut all = vec![f32::NAN; m * n];
                affine([m, n, k], &x, &w, &bias, &mut all);
                let differ = all.iter().zip(&one).filter(|(a, b)| a.to_bits() != b.to_bits()).count();
                assert_eq!(differ, 0, "{k}→{n}: of {m} rows");
            }
            // And it is the map: sums in f64 are as near as k rounded products let them be.
            let (row, column) = (most / 2, n / 2);
            let exact = (0..k).map(|l| f64::from(x[row * k + l]) * f64::from(w[l * n + column])).sum::<f64>();
            let error = (f64::from(one[row * n + column]) - exact - f64::from(bias[column])).abs();
            let size = (0..k).map(|l| f64::from((x[row * k + l] * w[l * n + column]).abs())).sum::<f64>() + 1.0;
            assert!(error <= (k + 2) as f64 * f64::from(f32::EPSILON) * size, "{k}→{n}: {error:e}");
        }
    }
}
