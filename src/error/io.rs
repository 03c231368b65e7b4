//! Errors of the operating system and of devices.

use std::path::Path;

use super::Error;

impl Error {
    /// Whether the device is gone: what was on it is lost, and only a device that is opened anew can go on.
    #[must_use]
    pub fn is_device_lost(&self) -> bool {
        matches!(self, Self::DeviceLost { .. })
    }

    /// For `map_err` on file operations: `fs::read(path).map_err(Error::io("read the table", path))`.
    pub fn io(action: &'static str, path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        move |source| Self::Io { action, path, source }
    }
}
