//! How bytes are compressed, which the first of them tell. In: bytes as a file has them. Out: what was compressed, as it is
//! read, or one error that names the compression. Members and frames that stand one behind the other are one content.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::errors::{FrameDecoderError, FrameHeaderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::data::read::problem::Problem;

/// Bytes by which a compression is told.
pub(in crate::data) const BEGIN: usize = 10;
/// What a header may have a reader remember of what it has read, bytes: as much as `zstd --ultra -22` and `xz -9` need, and
/// what `zstd` reads without being told to.
const MEMORY: u32 = 128 << 20;
const BUFFER: usize = 1 << 16;

/// Bytes as they are read from a file.
type Source = BufReader<Box<dyn Read + Send>>;

struct Compression {
    /// As messages call it.
    name: &'static str,
    /// Whether bytes that begin so are compressed thus.
    is: fn(&[u8]) -> bool,
    open: fn(Source) -> Box<dyn Read + Send>,
}

const COMPRESSIONS: [Compression; 4] = [
    Compression {
        name: "gzip",
        is: |begin| begin.starts_with(b"\x1f\x8b"),
        open: |source| Box::new(MultiGzDecoder::new(source)),
    },
    Compression { name: "zstd", is: is_zstd, open: |source| Box::new(Frames { source, frame: None }) },
    Compression { name: "bzip2", is: is_bzip2, open: |source| Box::new(MultiBzDecoder::new(source)) },
    Compression {
        name: "xz",
        is: |begin| begin.starts_with(b"\xfd7zXZ\0"),
        open: |source| Box::new(XzReader::new_mem_limit(source, true, MEMORY / 1024)),
    },
];

/// A frame, or one that is to be skipped.
fn is_zstd(begin: &[u8]) -> bool {
    begin.starts_with(b"\x28\xb5\x2f\xfd") || matches!(begin, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// Three letters and a digit may begin a text; behind them stands the number of a block, or of the end.
fn is_bzip2(begin: &[u8]) -> bool {
    let [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..] = begin else { return false };
    let numbers = [b"1AY&SY", b"\x17\x72\x45\x38\x50\x90"];
    numbers.iter().any(|number| rest.iter().zip(*number).all(|(a, b)| a == b))
}

/// What was compressed into bytes that begin so; the bytes themselves where they are not compressed, and whether they are.
pub(in crate::data) fn unpacked(begin: &[u8], bytes: Box<dyn Read + Send>) -> (Box<dyn Read + Send>, bool) {
    let Some(kind) = COMPRESSIONS.iter().find(|kind| (kind.is)(begin)) else { return (bytes, false) };
    let reader = (kind.open)(BufReader::with_capacity(BUFFER, bytes));
    (Box::new(Unpacked::new(format!("its {} data", kind.name), reader)), true)
}

/// A decoder that says what is wrong with its data, and is left alone from then on.
pub(in crate::data) struct Unpacked {
    /// What is unpacked, for messages.
    what: String,
    reader: Box<dyn Read + Send>,
    problem: Option<String>,
}

impl Unpacked {
    pub fn new(what: String, reader: Box<dyn Read + Send>) -> Self {
        Self { what, reader, problem: None }
    }
}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.problem.is_none() {
            let what = &self.what;
            let problem = match self.reader.read(buffer) {
                Err(error) if error.kind() == ErrorKind::OutOfMemory => {
                    format!("{what} needs more than {} MiB of memory: unpack it first", MEMORY >> 20)
                }
                Err(error) if error.kind() != ErrorKind::Interrupted && !is_of_system(&error) => {
                    format!("{what} is damaged or truncated ({error})")
                }
                other => return other,
            };
            self.problem = Some(problem);
        }
        Err(Problem::error(self.problem.clone().unwrap_or_default()))
    }
}

/// Whether an error is the system's or has been told already, not a decoder's.
fn is_of_system(error: &io::Error) -> bool {
    if error.raw_os_error().is_some() || Problem::of(error).is_some() {
        return true;
    }
    let mut cause = error.get_ref().and_then(|inner| inner.source());
    while let Some(inner) = cause {
        if inner.downcast_ref::<io::Error>().is_some_and(is_of_system) {
            return true;
        }
        cause = inner.source();
    }
    false
}

/// The frames of zstd data.
struct Frames {
    source: Source,
    frame: Option<FrameDecoder>,
}

impl Read for Frames {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(frame) = &mut self.frame {
                while frame.can_collect() == 0 && !frame.is_finished() {
                    let one = BlockDecodingStrategy::UptoBlocks(1);
                    frame.decode_blocks(&mut self.source, one).map_err(io::Error::other)?;
                }
                let read = frame.read(buffer)?;
                if read > 0 || buffer.is_empty() {
                    return Ok(read);
                }
                if frame.get_checksum_from_data().is_some_and(|sum| frame.get_calculated_checksum() != Some(sum)) {
                    return Err(io::Error::new(ErrorKind::InvalidData, "the checksum does not match"));
                }
                self.frame = None;
            }
            if self.source.fill_buf()?.is_empty() {
                return Ok(0);
            }
            self.frame = self.next()?;
        }
    }
}

impl Frames {
    /// Reads the header of a frame; none where it is one to be skipped, which is done.
    fn next(&mut self) -> io::Result<Option<FrameDecoder>> {
        // A decoder that has had a frame takes the memory that the next one's header tells at once; a new one does not.
        let mut frame = FrameDecoder::new();
        frame.set_max_window_size(MEMORY.into());
        match frame.reset(&mut self.source) {
            Ok(()) => Ok(Some(frame)),
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                let skipped = io::copy(&mut self.source.by_ref().take(length.into()), &mut io::sink())?;
                if skipped < length.into() { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(None) }
            }
            Err(
                FrameDecoderError::WindowSizeTooBig { .. }
                | FrameDecoderError::FrameHeaderError(FrameHeaderError::WindowTooBig { .. }),
            ) => Err(ErrorKind::OutOfMemory.into()),
            Err(error) => Err(io::Error::other(error)),
        }
    }
}
