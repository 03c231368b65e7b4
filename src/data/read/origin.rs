//! Where the bytes of a table come from.

use std::fs::File;
use std::io::{self, Write, stdin};
use std::path::Path;

use crate::data::read::archive;
use crate::data::read::bytes::Bytes;
use crate::error::{Error, Result};
use crate::parallel;

/// Where bytes come from, for readers that may begin anew.
#[derive(Debug)]
pub(in crate::data) struct Origin<'a> {
    /// The file, or `-`, for messages too.
    path: &'a Path,
    /// What stdin had, in a temporary file without a name.
    kept: Option<File>,
}

impl<'a> Origin<'a> {
    /// A file, or stdin for `-`.
    pub fn new(path: &'a Path) -> Self {
        Self { path, kept: None }
    }

    /// Keeps what stdin has, so that it can be opened more than once.
    pub fn keep(self) -> Result<Self> {
        if !self.is_stdin() {
            return Ok(self);
        }
        let keep = || {
            let mut file = tempfile::tempfile()?;
            io::copy(&mut stdin().lock(), &mut file)?;
            file.flush()?;
            Ok(file)
        };
        let file = keep().map_err(Error::io("read the table", self.path))?;
        Ok(Self { kept: Some(file), ..self })
    }

    /// The bytes from the first one on; of an archive of one file, those of the file.
    ///
    /// # Errors
    /// [`Error::Io`] where they can't be read; [`Error::NoThread`] where nobody could work on them; [`Error::MalformedFile`] for an archive that is damaged or holds several files.
    pub fn open(&self) -> Result<Bytes> {
        parallel::start()?;
        let bytes = self.raw().map_err(Error::io("read the table", self.path))?;
        archive::unpacked(self.path, bytes)
    }

    fn raw(&self) -> io::Result<Bytes> {
        match &self.kept {
            Some(file) => Bytes::of_whole(file.try_clone()?),
            None if self.is_stdin() => Bytes::new(stdin()),
            None => Bytes::of_file(File::open(self.path)?),
        }
    }

    fn is_stdin(&self) -> bool {
        self.path == Path::new("-")
    }
}
