//! Which process may write to a run's folder. The system lets the lock go when the process dies, however it dies.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::Path;

use crate::error::{Error, Result};

/// The file that is locked. It stays: to remove it would let two processes lock two files of one name.
const NAME: &str = ".lock";

/// The lock of a folder, until it is dropped. A file system without locks gives one that keeps nobody out.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "it is held")] File);

impl Lock {
    /// Takes the lock at once, and leaves word of who has it.
    ///
    /// # Errors
    /// [`Error::FolderInUse`] where another process has it.
    #[cfg(feature = "cli")]
    pub fn take(folder: &Path, owner: &str) -> Result<Self> {
        use std::fs::{TryLockError, read_to_string};
        use std::io::Write;
        let path = folder.join(NAME);
        let mut file = open(folder)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                // Where a locked file cannot be read, its owner has no name.
                let owner = read_to_string(&path).unwrap_or_default();
                let owner = if owner.is_empty() { "another process".into() } else { owner.trim_end().to_string() };
                return Err(Error::FolderInUse { path: folder.into(), owner });
            }
            Err(TryLockError::Error(error)) if error.kind() != ErrorKind::Unsupported => {
                return Err(Error::io("lock the folder", folder)(error));
            }
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        let told = file.set_len(0).and_then(|()| writeln!(file, "{owner}"));
        told.map_err(Error::io("write to the folder", folder))?;
        Ok(Self(file))
    }

    /// Waits for the lock.
    pub fn wait(folder: &Path) -> Result<Self> {
        let file = open(folder)?;
        match file.lock() {
            Err(error) if error.kind() != ErrorKind::Unsupported => Err(Error::io("lock the folder", folder)(error)),
            _ => Ok(Self(file)),
        }
    }
}

fn open(folder: &Path) -> Result<File> {
    let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(folder.join(NAME));
    file.map_err(Error::io("write to the folder", folder))
}
