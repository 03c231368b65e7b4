//! What the system grants: threads and memory. In: how much is needed. Out: it, or an error that says what to do.

mod cgroup;

use std::error::Error as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rayon::{ThreadPoolBuildError, ThreadPoolBuilder};

use crate::error::{Error, Result};

/// Starts the threads that tables are read and encoded on, one for each core or as many as `RAYON_NUM_THREADS` says. rayon
/// would start them by itself and panic where it gets none.
pub(crate) fn threads() -> Result<()> {
    /// How it went, once it was tried.
    static STARTED: Mutex<Option<Result<(), String>>> = Mutex::new(None);
    if cfg!(target_family = "wasm") {
        return Ok(()); // rayon does with this thread there
    }
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    let outcome = started.get_or_insert_with(|| match ThreadPoolBuilder::new().build_global() {
        // Without a cause, a pool of the program's own is there.
        Err(error) if error.source().is_some() => Err(no_thread(&error)),
        _ => Ok(()),
    });
    outcome.clone().map_err(|problem| Error::NoThread { problem })
}

/// The system's reason why a pool has no thread.
pub(crate) fn no_thread(error: &ThreadPoolBuildError) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

/// An empty list with room for so many values; an error where the system has no memory for them. For what grows with a
/// file, a data set or a network: other lists are small beside these.
pub(crate) fn room<T>(what: &'static str, len: usize) -> Result<Vec<T>> {
    let mut values = Vec::new();
    more_room(what, &mut values, len)?;
    Ok(values)
}

/// The same for a list that grows.
pub(crate) fn more_room<T>(what: &'static str, values: &mut Vec<T>, more: usize) -> Result<()> {
    values.try_reserve(more).map_err(|_| {
        let len = (values.len() as u64).saturating_add(more as u64);
        Error::NoMemory { what, bytes: len.saturating_mul(size_of::<T>() as u64) }
    })
}

/// So many equal values.
pub(crate) fn filled<T: Clone>(what: &'static str, value: T, len: usize) -> Result<Vec<T>> {
    let mut values = room(what, len)?;
    values.resize(len, value);
    Ok(values)
}

/// Bytes of memory that can be had without swapping: what the machine has free, and where the process's control group or one
/// above it has a limit, what that leaves. As many as there are where nobody knows.
pub(crate) fn free_memory() -> u64 {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    let machine = if system.total_memory() == 0 { u64::MAX } else { system.available_memory() };
    let group = match cfg!(target_os = "linux") {
        true => cgroup::free_memory(Path::new("/proc"), Path::new("/sys/fs/cgroup")),
        false => None,
    };
    group.map_or(machine, |group| machine.min(group))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_is_not_there_is_an_error() {
        let error = room::<f32>("the test", usize::MAX / 8).unwrap_err();
        let bytes = (usize::MAX / 8) as u64 * 4;
        assert!(matches!(error, Error::NoMemory { what: "the test", bytes: found } if found == bytes), "{error}");
        let mut some = vec![1_u8; 8];
        assert!(more_room("the test", &mut some, usize::MAX).is_err());
        assert_eq!(some, [1; 8]);
        assert_eq!(filled("the test", 2_u8, 3).unwrap(), [2; 3]);
        assert!(filled("the test", 2_u8, usize::MAX).is_err());
    }

    #[test]
    fn some_memory_is_free() {
        assert!(free_memory() > 0);
    }
}
