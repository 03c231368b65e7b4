//! Files that are replaced whole or not at all: written beside their place, synced, then moved there. A kill at
//! any moment leaves the old file or the new one.

use std::fs::File;
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
        let open = || {
            if path.is_dir() {
                return Err(IoError::from(ErrorKind::IsADirectory));
            }
            let file = builder().tempfile_in(folder_of(path))?;
            // For as long as it is on its way: see `sweep`. A file system without locks is left alone there.
            let _ = file.as_file().try_lock();
            Ok(file)
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
        sync_folder(folder_of(self.path));
        Ok(())
    }

    /// Puts the bytes in the file's place.
    pub fn replace(mut self, bytes: &[u8]) -> Result<()> {
        self.write(bytes)?;
        self.finish()
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Has the disk keep what was renamed in a folder, where the system lets folders be synced. The names are right without it until the
/// machine itself fails, so a refusal is none of the file.
pub(crate) fn sync_folder(folder: &Path) {
    if cfg!(unix) {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}

/// Removes the temporary files that processes have left in a folder which died. Those of living ones are locked.
#[cfg(feature = "cli")]
pub(crate) fn sweep(folder: &Path) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| is_temporary(path)) {
        if File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
            std::fs::remove_file(&path).map_err(Error::io("remove a temporary file of a process that died", &path))?;
        }
    }
    Ok(())
}

/// Whether a file has a name as tempfile makes them: `.tmp` and six letters or digits.
pub(crate) fn is_temporary(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_prefix(".tmp"));
    name.is_some_and(|rest| rest.len() == 6 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())) && path.is_file()
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
