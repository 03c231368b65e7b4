//! Results on stdout.

use std::io::{ErrorKind, Write, stdout};

use serde::Serialize;

use crate::error::{Error, Result};

/// Writes to stdout. A reader that has left, as `head` does, is no error.
pub fn print(text: impl AsRef<[u8]>) -> Result<()> {
    print_on(text).map(|_| ())
}

/// Writes to stdout, and tells whether the reader is still there.
pub fn print_on(text: impl AsRef<[u8]>) -> Result<bool> {
    match stdout().write_all(text.as_ref()).and_then(|()| stdout().flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Error::Stdout(error)),
    }
}

/// Writes a value to stdout as one JSON object on a line of its own.
pub fn print_json(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string(value).map_err(|error| Error::Stdout(error.into()))?;
    print(&(text + "\n"))
}
