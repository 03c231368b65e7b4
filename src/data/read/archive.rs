//! Zip archives. In: bytes. Out: the bytes of the one file that an archive holds; an archive of numpy's arrays, and all that
//! is no archive, as it is. Other archives are refused by what they are.

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use crc32fast::Hasher;
use flate2::bufread::DeflateDecoder;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use crate::data::read::bytes::{Bytes, Whole};
use crate::data::read::compression::Unpacked;
use crate::data::read::input::{FileFault, Input, TABLE};
use crate::data::reading::Reading;
use crate::error::{Result, list, shorten};

/// How archives begin: with a file, with none, or as the first part of several.
const BEGINS: [&[u8]; 3] = [b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08PK\x03\x04"];
/// Archives in archives that are followed.
const DEPTH: usize = 2;
/// Bytes of a file's header in front of its name.
const HEADER: usize = 30;
/// The ending of numpy's arrays.
const ARRAY: &str = ".npy";

/// The bytes of the one file in an archive, unpacked; without an archive, and of one of arrays, the bytes themselves.
pub(in crate::data) fn unpacked(path: &Path, bytes: Bytes) -> Result<Bytes> {
    let reading = Reading::default();
    let mut input = Input { path, format: TABLE, bytes, reading: &reading, beside: false };
    for _ in 0..DEPTH {
        let begin = input.bytes.start(HEADER + 256).map_err(|error| input.error("", error))?;
        if !BEGINS.iter().any(|known| begin.starts_with(known)) {
            return Ok(input.bytes);
        }
        let first = usize::from(begin.get(26).copied().unwrap_or(0)); // the length of a name is below 256, or no array's
        let is_array = begin.get(HEADER..HEADER + first).is_some_and(|name| name.ends_with(ARRAY.as_bytes()));
        input.format = if is_array { "npz" } else { "zip" };
        let whole = input.take_whole()?;
        match only_file(&mut input, whole)? {
            (bytes, true) => return Ok(bytes),
            (bytes, false) => input.bytes = bytes,
        }
    }
    input.format = TABLE;
    let begin = input.bytes.start(4).map_err(|error| input.error("", error))?;
    match BEGINS.iter().any(|known| known.starts_with(&begin) && !begin.is_empty()) {
        true => Err(input.malformed("it is a zip archive inside a zip archive: unpack it")),
        false => Ok(input.bytes),
    }
}

/// What an archive holds: the bytes of its one file, or its own where it is one of arrays, and whether it is.
fn only_file(input: &mut Input<'_>, whole: Whole) -> Result<(Bytes, bool)> {
    let mut archive = ZipArchive::new(BufReader::new(whole)).map_err(|error| input.error("", error))?;
    let mut files = Vec::new();
    for at in 0..archive.len() {
        let entry = archive.by_index_data(at).map_err(|error| input.error("", error))?;
        let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
        if !(entry.is_dir() || is_left_by_a_system(&name)) {
            files.push((name, at));
        }
    }
    let is_there = |wanted: &str| files.iter().any(|(name, _)| name == wanted);
    let refused =
        |problem: &str| Err(Input { bytes: Bytes::plain(io::empty()), format: TABLE, ..*input }.malformed(problem));
    if is_there("[Content_Types].xml") {
        let is_sheet = files.iter().any(|(name, _)| name.starts_with("xl/"));
        return refused(match is_sheet {
            true => "it is an Excel workbook: save the sheet as CSV",
            false => "it is an office document: save its table as CSV",
        });
    }
    if is_there("mimetype") && is_there("content.xml") {
        return refused("it is an OpenDocument file (LibreOffice): save the sheet as CSV");
    }
    if files.iter().any(|(name, _)| name == "data.pkl" || name.ends_with("/data.pkl")) {
        return refused("it is a file of PyTorch: save its arrays by `numpy.savez`");
    }
    if !files.is_empty() && files.iter().all(|(name, _)| name.ends_with(ARRAY)) {
        let whole = archive.into_inner().into_inner();
        return Bytes::of_whole(whole).map(|bytes| (bytes, true)).map_err(|error| input.error("", error));
    }
    let (name, at) = match &files[..] {
        [] => return refused("it is a zip archive without a file"),
        [one] => one,
        several => {
            let names: Vec<String> = several.iter().map(|(name, _)| shorten(name)).collect();
            let problem =
                format!("it is a zip archive of {} files, {}: unpack the right one", names.len(), list(&names));
            return refused(&problem);
        }
    };
    let of = format!("file `{}`: ", shorten(name));
    let entry = archive.by_index_raw(*at).map_err(|error| input.error(&of, error))?;
    if entry.encrypted() {
        return refused(&format!("its file `{}` is encrypted: unpack it", shorten(name)));
    }
    let method = entry.compression();
    let Some(start) = entry.data_start() else { return refused("it is broken") };
    let (packed, left, sum) = (entry.compressed_size(), entry.size(), entry.crc32());
    drop(entry);
    let open = |mut whole: Whole| {
        whole.seek(SeekFrom::Start(start))?;
        let packed = BufReader::new(whole.take(packed));
        let reader: Box<dyn Read + Send> = match method {
            CompressionMethod::Stored => Box::new(packed),
            _ => Box::new(DeflateDecoder::new(packed)),
        };
        let entry = Entry { reader, left, sum, found: Hasher::new() };
        Bytes::new(Unpacked::new(format!("its file `{}`", shorten(name)), Box::new(entry)))
    };
    if !matches!(method, CompressionMethod::Stored | CompressionMethod::Deflated) {
        let name = shorten(name);
        return refused(&format!("its file `{name}` is compressed by {method}: unpack it, or use deflate"));
    }
    let bytes = open(archive.into_inner().into_inner()).map_err(|error| input.error("", error))?;
    Ok((bytes, false))
}

/// Whether it is no file of the user's.
pub(in crate::data) fn is_left_by_a_system(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or(name);
    name.starts_with("__MACOSX/") || [".DS_Store", "Thumbs.db", "desktop.ini"].contains(&last)
}

/// A file of an archive as it is unpacked; at its end, length and checksum are compared.
struct Entry {
    reader: Box<dyn Read + Send>,
    left: u64,
    sum: u32,
    found: Hasher,
}

impl Read for Entry {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        let broken = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why);
        let left = self.left.checked_sub(read as u64);
        self.left = left.ok_or_else(|| broken("it is longer than the archive declares"))?;
        self.found.update(&buffer[..read]);
        if read == 0 && !buffer.is_empty() {
            if self.left > 0 {
                return Err(broken("it is shorter than the archive declares"));
            }
            if self.found.clone().finalize() != self.sum {
                return Err(broken("the checksum does not match"));
            }
        }
        Ok(read)
    }
}

impl From<ZipError> for FileFault {
    fn from(error: ZipError) -> Self {
        match error {
            ZipError::Io(error) => error.into(),
            other => io::Error::from(other).into(),
        }
    }
}
