//! The calls of rayon that this crate makes, on the caller's thread.

use crate::error::{Error, Result};

/// The caller's thread.
#[derive(Clone, Debug)]
pub(crate) struct Pool;

impl Pool {
    /// One thread, or 0 for as many as there are.
    ///
    /// # Errors
    /// [`Error::MissingFeature`] for more.
    pub fn new(threads: usize) -> Result<Self> {
        match threads {
            0 | 1 => Ok(Self),
            _ => Err(Error::MissingFeature { what: "more than one thread", feature: "threads" }),
        }
    }

    /// How many threads work.
    pub fn threads(&self) -> usize {
        1
    }

    /// Does work.
    pub fn install(&self, work: impl FnOnce()) {
        work();
    }

    /// The same.
    pub fn install_awake(&self, work: impl FnOnce()) {
        work();
    }
}

/// There is nothing to start.
pub(crate) fn start() -> Result<()> {
    Ok(())
}

pub(crate) fn current_threads() -> usize {
    1
}

/// One after the other.
pub(crate) fn join<A, B>(first: impl FnOnce() -> A, second: impl FnOnce() -> B) -> (A, B) {
    (first(), second())
}

pub(crate) fn gemm_threads() -> gemm_common::Parallelism {
    gemm_common::Parallelism::None
}

pub(crate) mod prelude {
    use std::slice::{Chunks, ChunksMut, Iter, IterMut};

    /// Parts of a slice.
    pub(crate) trait ParallelSlice<T> {
        fn par_iter(&self) -> Iter<'_, T>;
        fn par_iter_mut(&mut self) -> IterMut<'_, T>;
        fn par_chunks(&self, size: usize) -> Chunks<'_, T>;
        fn par_chunks_mut(&mut self, size: usize) -> ChunksMut<'_, T>;
    }

    impl<T> ParallelSlice<T> for [T] {
        fn par_iter(&self) -> Iter<'_, T> {
            self.iter()
        }
        fn par_iter_mut(&mut self) -> IterMut<'_, T> {
            self.iter_mut()
        }
        fn par_chunks(&self, size: usize) -> Chunks<'_, T> {
            self.chunks(size)
        }
        fn par_chunks_mut(&mut self, size: usize) -> ChunksMut<'_, T> {
            self.chunks_mut(size)
        }
    }

    /// What can be gone through.
    pub(crate) trait IntoParallelIterator: IntoIterator + Sized {
        fn into_par_iter(self) -> Self::IntoIter {
            self.into_iter()
        }
    }

    impl<I: IntoIterator> IntoParallelIterator for I {}
}
