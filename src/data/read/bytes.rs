//! The bytes of a file or of stdin, unpacked where they are compressed or a zip archive of one file. Knows nothing of what
//! they mean.

use std::fs::{File, metadata};
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

#[cfg(feature = "tables")]
use crate::data::read::compression;
use crate::data::read::problem::{Problem, changed};

/// Bytes as they come.
pub(in crate::data) struct Bytes {
    /// Read already, but not handed on.
    start: Cursor<Vec<u8>>,
    rest: Box<dyn Read + Send>,
    /// What holds all of them as they are, if anything does.
    whole: Option<Whole>,
    /// Bytes that their file had when it was opened, packed or not.
    length: Option<u64>,
}

impl Bytes {
    /// All of what can be read in any order, whatever of it has been read.
    pub fn of_whole(mut whole: Whole) -> io::Result<Self> {
        whole.rewind()?;
        match whole {
            Whole::File(file) => Self::of_file(file),
            Whole::Memory(bytes) => Self::of_memory(bytes.into_inner()),
        }
    }

    /// Bytes in memory, unpacked if they are compressed.
    pub fn of_memory(bytes: Arc<[u8]>) -> io::Result<Self> {
        let whole = Whole::Memory(Cursor::new(Arc::clone(&bytes)));
        let (bytes, is_packed) = Self::unpacked(Cursor::new(bytes))?;
        Ok(Self { whole: Some(whole).filter(|_| !is_packed), ..bytes })
    }

    pub fn of_file(file: File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        let twin = metadata.is_file().then(|| file.try_clone()).transpose()?;
        // Files that the system makes up as they are read tell no length.
        let (bytes, is_packed) = match metadata.len() {
            length if metadata.is_file() && length > 0 => Self::unpacked(Watched { file, length, read: 0 })?,
            _ => Self::unpacked(file)?,
        };
        let length = metadata.is_file().then_some(metadata.len());
        Ok(Self { whole: twin.filter(|_| !is_packed).map(Whole::File), length, ..bytes })
    }

    /// What comes, unpacked if it is compressed.
    pub fn new(source: impl Read + Send + 'static) -> io::Result<Self> {
        Ok(Self::unpacked(source)?.0)
    }

    /// What comes, as it is.
    pub fn plain(source: impl Read + Send + 'static) -> Self {
        Self { start: Cursor::default(), rest: Box::new(source), whole: None, length: None }
    }

    /// What comes, unpacked if it is compressed, and whether it is.
    #[cfg(feature = "tables")]
    fn unpacked(source: impl Read + Send + 'static) -> io::Result<(Self, bool)> {
        let mut bytes = Self::plain(source);
        let begin = bytes.start(compression::BEGIN)?;
        let Self { start, rest, .. } = bytes;
        let all = start.chain(rest);
        let (rest, is_packed) = compression::unpacked(&begin, Box::new(all));
        Ok((Self { start: Cursor::default(), rest, whole: None, length: None }, is_packed))
    }

    /// The same without the feature `tables`, which unpacks nothing.
    #[cfg(not(feature = "tables"))]
    fn unpacked(source: impl Read + Send + 'static) -> io::Result<(Self, bool)> {
        Ok((Self::plain(source), false))
    }

    /// The first so many bytes, fewer if there are no more; they are read again. What is wrong with those behind is told when
    /// they are read.
    pub fn start(&mut self, most: usize) -> io::Result<Vec<u8>> {
        let read = self.start.position() as usize;
        let known = self.start.get_ref().len() - read;
        let more = most.saturating_sub(known) as u64;
        match self.rest.by_ref().take(more).read_to_end(self.start.get_mut()) {
            Err(error) if Problem::of(&error).is_none() => return Err(error),
            _ => {}
        }
        let start = &self.start.get_ref()[read..];
        Ok(start[..start.len().min(most)].to_vec())
    }

    /// Passes over so many of the bytes that [`start`](Self::start) has told.
    pub fn skip(&mut self, count: usize) {
        self.start.set_position(self.start.position() + count as u64);
        self.whole = self.whole.take().filter(|_| count == 0);
    }

    /// What has become of their file, if it has another length than when it was opened: what is wrong with it may come of that.
    pub fn change(&self, path: &Path) -> Option<String> {
        let (before, now) = (self.length?, metadata(path).ok()?.len());
        (before != now).then(|| changed(before, now))
    }

    /// All bytes, to be read in any order: where they lie, or else in a temporary file without a name. None are left here.
    pub fn take_whole(&mut self) -> io::Result<Whole> {
        let mut whole = match self.whole.take() {
            Some(whole) => whole,
            None => {
                let mut file = tempfile::tempfile()?;
                io::copy(self, &mut file)?;
                Whole::File(file)
            }
        };
        whole.rewind()?;
        Ok(whole)
    }
}

/// Bytes that can be read in any order.
#[derive(Debug)]
pub(in crate::data) enum Whole {
    File(File),
    Memory(Cursor<Arc<[u8]>>),
}

impl Read for Whole {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::Memory(bytes) => bytes.read(buffer),
        }
    }
}

impl Seek for Whole {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Self::File(file) => file.seek(to),
            Self::Memory(bytes) => bytes.seek(to),
        }
    }
}

impl Read for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.start.read(buffer)? {
            0 => self.rest.read(buffer),
            read => Ok(read),
        }
    }
}

/// A file as it is read, whose end has to be where it was when it was opened: one that is being written would be taken for less
/// than it is to hold, down to the digits of its last number.
struct Watched {
    file: File,
    length: u64,
    read: u64,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.read += read as u64;
        if read == 0 && !buffer.is_empty() && self.read != self.length {
            return Err(Problem::error(changed(self.length, self.read)));
        }
        Ok(read)
    }
}

/// At most `most` bytes, fewer at the end. The memory grows with what comes, whatever a header promises.
pub(in crate::data) fn read_most(reader: &mut dyn Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}
