//! rayon's threads.

use std::error::Error as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder, Yield};

use crate::error::{Error, Result};

pub(crate) use rayon::{current_num_threads as current_threads, join, prelude};

/// Threads that share out work among themselves; clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Pool(Arc<ThreadPool>);

impl Pool {
    /// Starts so many threads; 0 takes one for each core, or as many as `RAYON_NUM_THREADS` says.
    ///
    /// # Errors
    /// [`Error::NoThread`] where the system does not grant them.
    pub fn new(threads: usize) -> Result<Self> {
        let pool = ThreadPoolBuilder::new().num_threads(threads).thread_name(|index| format!("mlp-{index}")).build();
        Ok(Self(Arc::new(pool.map_err(|error| Error::NoThread { problem: reason(&error) })?)))
    }

    /// How many threads work.
    pub fn threads(&self) -> usize {
        self.0.current_num_threads()
    }

    /// Does work on the pool's threads.
    pub fn install(&self, work: impl FnOnce() + Send) {
        self.0.install(work);
    }

    /// Runs `work` on a thread of the pool while others look for parts of it, and yield, but never sleep: to wake one costs as much
    /// as a dispatch of a small network.
    pub fn install_awake(&self, work: impl FnOnce() + Send) {
        /// Most threads that look: a small step has no more tasks.
        const MOST: usize = 16;
        /// Ends the others' search, in a panic too.
        struct Over<'a>(&'a AtomicBool);
        impl Drop for Over<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Release);
            }
        }
        let (work, looking, over) = (Mutex::new(Some(work)), AtomicUsize::new(0), AtomicBool::new(false));
        let others = self.threads().min(MOST) - 1;
        self.0.broadcast(|thread| match thread.index() {
            0 => {
                let _over = Over(&over);
                // One that began to look while it waits within a part of the work would never end that part.
                while looking.load(Ordering::Acquire) < others {
                    std::thread::yield_now();
                }
                let work = work.lock().ok().and_then(|mut work| work.take());
                work.into_iter().for_each(|work| work());
            }
            index if index <= others => {
                looking.fetch_add(1, Ordering::Release);
                while !over.load(Ordering::Acquire) {
                    if rayon::yield_now() != Some(Yield::Executed) {
                        std::thread::yield_now();
                    }
                }
            }
            _ => {}
        });
    }
}

/// Starts the threads that tables are read and encoded on, one for each core or as many as `RAYON_NUM_THREADS` says. rayon
/// would start them by itself and panic where it gets none.
pub(crate) fn start() -> Result<()> {
    /// How it went, once it was tried.
    static STARTED: Mutex<Option<Result<(), String>>> = Mutex::new(None);
    if cfg!(target_family = "wasm") {
        return Ok(()); // rayon does with this thread there
    }
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    let outcome = started.get_or_insert_with(|| match ThreadPoolBuilder::new().build_global() {
        // Without a cause, a pool of the program's own is there.
        Err(error) if error.source().is_some() => Err(reason(&error)),
        _ => Ok(()),
    });
    outcome.clone().map_err(|problem| Error::NoThread { problem })
}

/// The system's reason why a pool has no thread.
fn reason(error: &ThreadPoolBuildError) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

/// The current pool's threads, for a product of matrices.
pub(crate) fn gemm_threads() -> gemm_common::Parallelism {
    gemm_common::Parallelism::Rayon(rayon::current_num_threads())
}
