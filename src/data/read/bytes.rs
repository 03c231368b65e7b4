//! The bytes of a file or of stdin, unpacked where they are compressed or a zip archive of one file. Knows nothing of what
//! they mean.

use std::fs::{File, metadata};
use std::io::{self, Cursor, Read, Seek};
use std::path::Path;

use crate::data::read::compression::{self, unpacked};
use crate::data::read::problem::{Problem, changed};

/// Bytes as they come.
pub(in crate::data) struct Bytes {
    /// Read already, but not handed on.
    start: Cursor<Vec<u8>>,
    rest: Box<dyn Read + Send>,
    /// The file that holds them as they are, if one does.
    file: Option<File>,
    /// Bytes that their file had when it was opened, packed or not.
    length: Option<u64>,
}

impl Bytes {
    /// All of a file, whatever of it has been read.
    pub fn of_whole(mut file: File) -> io::Result<Self> {
        file.rewind()?;
        Self::of_file(file)
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
        Ok(Self { file: twin.filter(|_| !is_packed), length, ..bytes })
    }

    /// What comes, unpacked if it is compressed.
    pub fn new(source: impl Read + Send + 'static) -> io::Result<Self> {
        Ok(Self::unpacked(source)?.0)
    }

    /// What comes, as it is.
    pub fn plain(source: impl Read + Send + 'static) -> Self {
        Self { start: Cursor::default(), rest: Box::new(source), file: None, length: None }
    }

    fn unpacked(source: impl Read + Send + 'static) -> io::Result<(Self, bool)> {
        let mut bytes = Self::plain(source);
        let begin = bytes.start(compression::BEGIN)?;
        let Self { start, rest, .. } = bytes;
        let all = start.chain(rest);
        let (rest, is_packed) = unpacked(&begin, Box::new(all));
        Ok((Self { start: Cursor::default(), rest, file: None, length: None }, is_packed))
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
        self.file = self.file.take().filter(|_| count == 0);
    }

    /// What has become of their file, if it has another length than when it was opened: what is wrong with it may come of that.
    pub fn change(&self, path: &Path) -> Option<String> {
        let (before, now) = (self.length?, metadata(path).ok()?.len());
        (before != now).then(|| changed(before, now))
    }

    /// All bytes as a file, to be read in any order: their own, or a temporary one without a name. None are left here.
    pub fn take_file(&mut self) -> io::Result<File> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => {
                let mut file = tempfile::tempfile()?;
                io::copy(self, &mut file)?;
                file
            }
        };
        file.rewind()?;
        Ok(file)
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
