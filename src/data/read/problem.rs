//! What is wrong with a file's bytes, on its way through readers.

use std::fmt;
use std::io::{self, ErrorKind};

/// What is said of a file that changes under its reader.
pub(in crate::data) fn changed(before: u64, now: u64) -> String {
    format!("it changed while it was read, from {before} to {now} bytes: wait until it is complete")
}

/// What is wrong with the bytes of a file, in words for its user, as an error of reading.
#[derive(Debug)]
pub(in crate::data) struct Problem(String);

impl Problem {
    pub fn error(problem: impl Into<String>) -> io::Error {
        io::Error::new(ErrorKind::InvalidData, Self(problem.into()))
    }

    /// The words, if the error is about the bytes and not about the file.
    pub fn of(error: &io::Error) -> Option<&str> {
        error.get_ref()?.downcast_ref().map(|Self(problem)| problem.as_str())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Problem {}
