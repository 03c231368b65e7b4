//! Work that is shared out to threads. In: loops over parts of slices and lists, as rayon has them. Out: their results, the same
//! with any number of threads, since who calls cuts the parts by the work alone.
//!
//! With the feature `threads` rayon does it; without it the same calls are plain loops on the caller's thread.

// Which of these a build needs is up to its other features.
#[cfg(feature = "threads")]
#[allow(dead_code, unused_imports, reason = "tables alone need some of them")]
#[path = "threads.rs"]
mod chosen;
#[cfg(not(feature = "threads"))]
#[allow(dead_code, unused_imports, reason = "tables alone need some of them")]
#[path = "alone.rs"]
mod chosen;

pub(crate) use chosen::{Pool, gemm_threads, prelude, start};
#[cfg(feature = "text")]
pub(crate) use chosen::{current_threads, join};
