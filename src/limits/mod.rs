//! What memory the system grants. In: how much is needed. Out: it, or an error that says what to do.

mod cgroup;

use std::path::Path;

use crate::error::{Error, Result};

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
