//! Where the bytes of a table come from.

use std::fs::File;
use std::io::{self, Write, stdin};
use std::path::Path;
use std::sync::Arc;

#[cfg(feature = "tables")]
use crate::data::read::archive;
use crate::data::read::bytes::{Bytes, Whole};
use crate::error::{Error, Result};
use crate::parallel;

/// Where bytes come from, for readers that may begin anew.
#[derive(Debug)]
pub(in crate::data) struct Origin<'a> {
    /// The file, or `-`, for messages too.
    path: &'a Path,
    source: Source,
}

#[derive(Debug)]
enum Source {
    File,
    Stdin,
    /// What stdin had, in a temporary file without a name.
    Kept(File),
    Memory(Arc<[u8]>),
}

impl<'a> Origin<'a> {
    /// A file, or stdin for `-`.
    pub fn new(path: &'a Path) -> Self {
        Self { path, source: if path == Path::new("-") { Source::Stdin } else { Source::File } }
    }

    /// Bytes in memory, which messages call by this name.
    pub fn of_memory(name: &'a Path, bytes: Arc<[u8]>) -> Self {
        Self { path: name, source: Source::Memory(bytes) }
    }

    /// Whether there may be files beside it.
    pub fn is_file(&self) -> bool {
        matches!(self.source, Source::File)
    }

    /// Keeps what stdin has, so that it can be opened more than once.
    pub fn keep(self) -> Result<Self> {
        if !matches!(self.source, Source::Stdin) {
            return Ok(self);
        }
        let keep = || {
            let mut file = tempfile::tempfile()?;
            io::copy(&mut stdin().lock(), &mut file)?;
            file.flush()?;
            Ok(file)
        };
        let file = keep().map_err(Error::io("read the table", self.path))?;
        Ok(Self { source: Source::Kept(file), ..self })
    }

    /// The bytes from the first one on; of an archive of one file, those of the file.
    ///
    /// # Errors
    /// [`Error::Io`] where they can't be read; [`Error::NoThread`] where nobody could work on them; [`Error::MalformedFile`] for an archive that is damaged or holds several files.
    pub fn open(&self) -> Result<Bytes> {
        parallel::start()?;
        let bytes = self.raw().map_err(Error::io("read the table", self.path))?;
        #[cfg(feature = "tables")]
        let bytes = archive::unpacked(self.path, bytes)?;
        Ok(bytes)
    }

    fn raw(&self) -> io::Result<Bytes> {
        match &self.source {
            Source::Kept(file) => Bytes::of_whole(Whole::File(file.try_clone()?)),
            Source::Stdin => Bytes::new(stdin()),
            Source::File => Bytes::of_file(File::open(self.path)?),
            Source::Memory(bytes) => Bytes::of_memory(Arc::clone(bytes)),
        }
    }
}
