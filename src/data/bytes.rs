//! The bytes of a file or of stdin, inflated where they are gzipped. Knows nothing of what they mean.

use std::fs::File;
use std::io::{BufReader, Cursor, ErrorKind, Read, Seek, Write, stdin};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const BUFFER: usize = 1 << 16;

/// Where bytes come from, for readers that may begin anew.
#[derive(Debug)]
pub(super) enum Origin<'a> {
    Path(&'a Path),
    /// Stdin, which comes once.
    Stdin,
    /// What stdin had, in a temporary file without a name.
    Kept(File),
}

impl<'a> Origin<'a> {
    /// A file, or stdin for `-`.
    pub fn new(path: &'a Path) -> Self {
        if path == Path::new("-") { Self::Stdin } else { Self::Path(path) }
    }

    /// Keeps what stdin has, so that it can be opened more than once.
    pub fn keep(self) -> std::io::Result<Self> {
        let Self::Stdin = self else { return Ok(self) };
        let mut file = tempfile::tempfile()?;
        std::io::copy(&mut stdin().lock(), &mut file)?;
        file.flush()?;
        Ok(Self::Kept(file))
    }

    /// The bytes from the first one on.
    pub fn open(&self) -> std::io::Result<Bytes> {
        match self {
            Self::Path(path) => Bytes::of_file(File::open(path)?),
            Self::Stdin => Bytes::new(stdin()),
            Self::Kept(file) => {
                let mut file = file.try_clone()?;
                file.rewind()?;
                Bytes::of_file(file)
            }
        }
    }
}

/// Bytes as they come.
pub(super) struct Bytes {
    reader: Box<dyn Read + Send>,
    gzipped: bool,
    /// The file that holds them as they are, if one does.
    file: Option<File>,
}

impl Bytes {
    fn of_file(file: File) -> std::io::Result<Self> {
        let twin = file.metadata()?.is_file().then(|| file.try_clone()).transpose()?;
        let bytes = Self::new(file)?;
        Ok(Self { file: twin.filter(|_| !bytes.gzipped), ..bytes })
    }

    fn new(mut source: impl Read + Send + 'static) -> std::io::Result<Self> {
        let start = read_most(&mut source, GZIP.len() as u64)?;
        let gzipped = start == GZIP;
        let all = Cursor::new(start).chain(source);
        let reader: Box<dyn Read + Send> = match gzipped {
            true => Box::new(MultiGzDecoder::new(BufReader::with_capacity(BUFFER, all))),
            false => Box::new(all),
        };
        Ok(Self { reader, gzipped, file: None })
    }

    /// The first so many bytes, fewer if there are no more; they are read again.
    pub fn start(&mut self, most: usize) -> std::io::Result<Vec<u8>> {
        let start = read_most(&mut self.reader, most as u64)?;
        let rest = std::mem::replace(&mut self.reader, Box::new(std::io::empty()));
        self.reader = Box::new(Cursor::new(start.clone()).chain(rest));
        Ok(start)
    }

    /// All bytes as a file, to be read in any order: their own, or a temporary one without a name. None are left here.
    pub fn take_file(&mut self) -> std::io::Result<File> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => {
                let mut file = tempfile::tempfile()?;
                std::io::copy(self, &mut file)?;
                file
            }
        };
        file.rewind()?;
        Ok(file)
    }

    /// What an error tells of gzip data, if it is about that and not about the file.
    pub fn gzip_problem(&self, error: &std::io::Error) -> Option<String> {
        use ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        let broken = self.gzipped && matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof);
        broken.then(|| format!("its gzip data is broken or cut off ({error})"))
    }
}

impl Read for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.reader.read(buffer)
    }
}

/// At most `most` bytes, fewer at the end. The memory grows with what comes, whatever a header promises.
pub(super) fn read_most(reader: &mut dyn Read, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}
