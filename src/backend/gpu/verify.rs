//! Whether a device computes at all: a driver may take all work, report nothing and leave anything as the result.

use std::sync::atomic::Ordering::Relaxed;

use super::{GpuBackend, GpuDevice};
use crate::backend::Backend;
use crate::error::{Error, Result};
use crate::kernels::Step;
use crate::plan::Plan;

/// Rows, columns and depth of the product: several workgroups of its tile, none of them full.
const SIZES: [usize; 3] = [17, 18, 19];

impl GpuDevice {
    /// Has the device multiply two small matrices, once in its life, and compares the product.
    ///
    /// # Errors
    /// [`Error::CheckFailed`] for a product that is wrong.
    pub(super) async fn verify(&self) -> Result<()> {
        if self.0.verified.load(Relaxed) {
            return Ok(());
        }
        let [m, n, k] = SIZES;
        let (a, b) = (pattern(m * k, 7), pattern(k * n, 5));
        let mut backend = GpuBackend::load_unverified(self, Plan::product(SIZES.map(|size| size as u32), 1)).await?;
        backend.write(0, &a)?;
        backend.write(1, &b)?;
        backend.submit(&[(0, Step::default())])?;
        backend.collect().await?;
        let found = backend.read(2).await?;
        // Small whole numbers: every sum is exact, whatever its order.
        let element = |at: usize| (0..k).map(|i| a[at / n * k + i] * b[i * n + at % n]).sum::<f32>();
        let expected: Vec<f32> = (0..m * n).map(element).collect();
        // Not `!=` of the lists alone: a NaN is counted too.
        let wrong: Vec<usize> = (0..m * n).filter(|&at| found.get(at) != Some(&expected[at])).collect();
        let Some(&first) = wrong.first() else {
            self.0.verified.store(true, Relaxed);
            return Ok(());
        };
        Err(Error::CheckFailed(format!(
            "{} ({}): it computes wrong results: of a small product of matrices {} of {} elements are wrong, the first in row {} \
             and column {}: found {:?}, expected {:?}; nothing was done on it: take another device (`mlp devices` lists them, \
             --device cpu takes the processor), or install or update its driver",
            self.name(),
            self.backend(),
            wrong.len(),
            m * n,
            first / n + 1,
            first % n + 1,
            found.get(first).copied().unwrap_or(f32::NAN),
            expected[first],
        )))
    }
}

/// Whole numbers from 1 to 11: no sum of their products is 0, so nothing is right by chance where nothing was written.
fn pattern(count: usize, step: usize) -> Vec<f32> {
    (0..count).map(|index| (index * step % 11 + 1) as f32).collect()
}
