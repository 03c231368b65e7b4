//! Files that are replaced whole or not at all: written beside their place, synced, then moved there. A kill at
//! any moment leaves the old file or the new one.

use std::io::{Error as IoError, ErrorKind, Write};
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

use crate::error::{Error, Result};

/// A file on its way. Dropped without [`AtomicFile::finish`], it leaves nothing behind.
#[derive(Debug)]
pub(crate) struct AtomicFile<'a> {
    action: &'static str,
    path: &'a Path,
    file: NamedTempFile,
}

impl<'a> AtomicFile<'a> {
    /// Opens a file beside `path`, and so shows that one can be written there. `action` says in messages what is
    /// being done: "write the model".
    pub fn create(action: &'static str, path: &'a Path) -> Result<Self> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let open = || {
            if path.is_dir() {
                return Err(IoError::from(ErrorKind::IsADirectory));
            }
            builder().tempfile_in(folder)
        };
        Ok(Self { action, path, file: open().map_err(plain).map_err(Error::io(action, path))? })
    }

    /// Appends bytes to what is on its way.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.as_file_mut().write_all(bytes).map_err(Error::io(self.action, self.path))
    }

    /// Puts what was written in the file's place.
    pub fn finish(self) -> Result<()> {
        self.file.as_file().sync_all().map_err(Error::io(self.action, self.path))?;
        self.file.persist(self.path).map_err(|error| Error::io(self.action, self.path)(error.error))?;
        Ok(())
    }

    /// Puts the bytes in the file's place.
    pub fn replace(mut self, bytes: &[u8]) -> Result<()> {
        self.write(bytes)?;
        self.finish()
    }
}

/// A refusal of the system without the temporary file's name, of which nobody knows; tempfile puts it at the end.
fn plain(error: IoError) -> IoError {
    let text = error.to_string();
    match text.rsplit_once(" at path ") {
        Some((reason, _)) => IoError::new(error.kind(), reason),
        None => error,
    }
}

/// Temporary files are for their owner alone by default; these are to become ordinary ones.
fn builder() -> Builder<'static, 'static> {
    let mut builder = Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder
}
