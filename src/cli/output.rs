//! Results on stdout, and notes on stderr. What people read goes through [`visible`], whoever wrote it; data go out as they
//! are.

use std::io::{ErrorKind, Write, stdout};

use serde::Serialize;

use crate::error::{Error, Result};
use crate::report::visible;

#[cfg(feature = "mpi")]
pub use crate::report::silence;
pub use crate::report::tell;

/// Writes text for people to stdout. A reader that has left, as `head` does, is no error.
pub fn print(text: impl AsRef<str>) -> Result<()> {
    print_data(visible(text.as_ref()).as_bytes()).map(|_| ())
}

/// Writes data to stdout as they are, and tells whether the reader is still there.
pub fn print_data(bytes: impl AsRef<[u8]>) -> Result<bool> {
    match stdout().write_all(bytes.as_ref()).and_then(|()| stdout().flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Error::Stdout(error)),
    }
}

/// Writes a value to stdout as one JSON object on a line of its own.
pub fn print_json(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string(value).map_err(|error| Error::Stdout(error.into()))?;
    print_data(text + "\n").map(|_| ())
}
