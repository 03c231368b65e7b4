//! What moves data between ranks.

use std::fmt::Debug;

use crate::error::Result;

/// Moves data between the processes of a job. All calls are collective: each rank makes the same calls in the same order, and waits for
/// the others.
pub trait Transport: Debug + Send + Sync {
    /// This process's rank, counted from 0.
    fn rank(&self) -> usize;

    /// The number of ranks.
    fn size(&self) -> usize;

    /// What every rank gave, in the order of their ranks.
    ///
    /// # Errors
    /// Those of the transport.
    fn gather(&self, mine: &[u8]) -> Result<Vec<Vec<u8>>>;

    /// What every rank gave, one behind the other; `counts` says how many numbers each gives.
    ///
    /// # Errors
    /// Those of the transport.
    fn gather_floats(&self, mine: &[f32], counts: &[usize]) -> Result<Vec<f32>>;

    /// Sends each rank its piece of `mine`, in which those of all ranks stand one behind the other, `to` many numbers for each. Returns
    /// the pieces of all ranks for this one, `from` many numbers of each.
    ///
    /// # Errors
    /// Those of the transport.
    fn exchange_floats(&self, mine: &[f32], to: &[usize], from: &[usize]) -> Result<Vec<f32>>;
}

/// A job of one process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Transport for Alone {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn gather(&self, mine: &[u8]) -> Result<Vec<Vec<u8>>> {
        Ok(vec![mine.to_vec()])
    }

    fn gather_floats(&self, mine: &[f32], _: &[usize]) -> Result<Vec<f32>> {
        Ok(mine.to_vec())
    }

    fn exchange_floats(&self, mine: &[f32], _: &[usize], _: &[usize]) -> Result<Vec<f32>> {
        Ok(mine.to_vec())
    }
}
