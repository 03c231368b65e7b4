//! IDX files, MNIST's format: two bytes 0, a byte for the type of the values, a byte for the number of dimensions, each
//! dimension as a big-endian u32, then the values. In: a path. Out: bytes with their shape, and data sets of images and
//! labels. Source: yann.lecun.com/exdb/mnist.

use std::io::Read;
use std::path::Path;

use super::bytes::{Bytes, Origin};
use super::dataset::Dataset;
use crate::error::{Error, Result};

/// The type byte of unsigned bytes, the only type that is read.
const UNSIGNED_BYTES: u8 = 0x08;

/// An array of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idx {
    /// Its dimensions, at least one; the rows first.
    pub shape: Vec<usize>,
    /// Its values, the last dimension varying fastest.
    pub values: Vec<u8>,
}

/// Reads an IDX file of unsigned bytes, gzipped or not.
///
/// Whatever its header says, it takes memory only for values that are in the file.
///
/// # Errors
/// [`Error::Io`] where the file can't be read; [`Error::MalformedIdx`] for one of another format or type, with fewer or
/// more values than its dimensions make, or with broken gzip data.
pub fn read_idx(path: impl AsRef<Path>) -> Result<Idx> {
    let path = path.as_ref();
    let mut source = Source::open(path)?;
    let [zero, also_zero, kind, dimensions] = source.word("the magic number")?;
    if [zero, also_zero] != [0, 0] || dimensions == 0 {
        let magic = u32::from_be_bytes([zero, also_zero, kind, dimensions]);
        return Err(source.malformed(format!("it begins with {magic:#010x}")));
    }
    if kind != UNSIGNED_BYTES {
        return Err(source.malformed(format!("its values have the type {kind:#04x}")));
    }
    let mut shape = Vec::with_capacity(dimensions.into());
    for dimension in 1..=dimensions {
        let size = u32::from_be_bytes(source.word(&format!("dimension {dimension} of {dimensions}"))?);
        shape.push(size as usize);
    }
    let product = shape.iter().try_fold(1_u64, |product, &size| product.checked_mul(size as u64));
    let Some(expected) = product.filter(|&product| product < u64::MAX) else {
        return Err(source.malformed(format!("its dimensions {shape:?} make more values than any file has")));
    };
    let values = source.read(expected + 1)?;
    match values.len() as u64 {
        found if found < expected => {
            Err(source.malformed(format!("it ends after {found} of the {expected} values of its dimensions {shape:?}")))
        }
        found if found > expected => {
            Err(source.malformed(format!("it goes on after the {expected} values of its dimensions {shape:?}")))
        }
        _ => Ok(Idx { shape, values }),
    }
}

impl Dataset {
    /// Images with their classes: features `[images, values of one image]` in [0, 1], a byte divided by 255, and the
    /// labels as class numbers. `images` is `[images, …]`, as MNIST's `[60000, 28, 28]`, and `labels` `[images]`.
    ///
    /// # Errors
    /// [`Error::Shape`] for labels that aren't one for each image, and for images without values.
    pub fn from_idx(images: &Idx, labels: &Idx) -> Result<Self> {
        let shape = |what: &str, found, expected| Error::Shape { what: what.into(), found, expected };
        let rows = images.shape.first().copied().unwrap_or(0);
        if labels.shape != [rows] || labels.values.len() != rows {
            return Err(shape("the list of labels", labels.values.len(), format!("{rows}, one an image")));
        }
        let inputs = images.shape.iter().skip(1).try_fold(1_usize, |product, &size| product.checked_mul(size));
        let Some(inputs) = inputs.filter(|inputs| inputs.checked_mul(rows) == Some(images.values.len())) else {
            let expected = format!("as many as its shape {:?} makes", images.shape);
            return Err(shape("the array of images", images.values.len(), expected));
        };
        let features = images.values.iter().map(|&value| f32::from(value) / 255.0).collect();
        Self::new(features, labels.values.iter().copied().map(f32::from).collect(), inputs, 1)
    }
}

/// A file's bytes.
struct Source<'a> {
    path: &'a Path,
    bytes: Bytes,
}

impl<'a> Source<'a> {
    fn open(path: &'a Path) -> Result<Self> {
        let bytes = Origin::Path(path).open().map_err(Error::io("read the array", path))?;
        Ok(Self { path, bytes })
    }

    /// The next four bytes.
    fn word(&mut self, what: &str) -> Result<[u8; 4]> {
        let bytes = self.read(4)?;
        bytes.try_into().map_err(|_| self.malformed(format!("it ends within {what}")))
    }

    /// At most `most` bytes, fewer at the end of the file. The memory grows with what comes.
    fn read(&mut self, most: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match self.bytes.by_ref().take(most).read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(error) => Err(match self.bytes.gzip_problem(&error) {
                Some(problem) => self.malformed(problem),
                None => Error::io("read the array", self.path)(error),
            }),
        }
    }

    fn malformed(&self, problem: String) -> Error {
        Error::MalformedIdx { path: self.path.into(), problem }
    }
}
