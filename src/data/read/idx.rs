//! IDX files, MNIST's format: two bytes 0, a byte for the type of the values, a byte for the number of dimensions, each
//! dimension as a big-endian u32, then the values. In: a path. Out: bytes with their shape, data sets of images and
//! labels, and tables of them. Source: yann.lecun.com/exdb/mnist.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::data::column::{Cells, Column};
use crate::data::dataset::Dataset;
use crate::data::read::array::{Array, Field, Kind, Layout};
use crate::data::read::bytes::read_most;
use crate::data::read::input::{FileFault, Input, Kinds, read_values};
use crate::data::read::origin::Origin;
use crate::data::read_as::ReadAs;
use crate::data::reading::Reading;
use crate::data::table::Table;
use crate::error::{Error, Result};

/// How files begin: two zeros and the type of the values.
pub(in crate::data) const BEGINS: [&[u8]; 6] =
    [b"\0\0\x08", b"\0\0\x09", b"\0\0\x0b", b"\0\0\x0c", b"\0\0\x0d", b"\0\0\x0e"];
/// The type byte of unsigned bytes.
const UNSIGNED_BYTES: u8 = 0x08;

/// An array of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idx {
    /// Its dimensions, at least one; the rows first.
    pub shape: Vec<usize>,
    /// Its values, the last dimension varying fastest.
    pub values: Vec<u8>,
}

/// Reads an IDX file of unsigned bytes, compressed or not.
///
/// Whatever its header says, it takes memory only for values that are in the file.
///
/// # Errors
/// [`Error::Io`] where the file can't be read; [`Error::MalformedFile`] for one of another format or type, with fewer or
/// more values than its dimensions make, or with broken compressed data.
pub fn read_idx(path: impl AsRef<Path>) -> Result<Idx> {
    let path = path.as_ref();
    let bytes = Origin::new(path).open()?;
    let mut input = Input { path, format: "IDX", bytes, reading: &Reading::default(), beside: true };
    idx(&mut input.bytes).map_err(|fault| input.error("", fault))
}

fn idx(reader: &mut dyn Read) -> Result<Idx, FileFault> {
    let (kind, shape) = header(reader)?;
    if kind != UNSIGNED_BYTES {
        let expected = format!("expected bytes, {UNSIGNED_BYTES:#04x}");
        return Err(format!("its values have the type {kind:#04x}: {expected}").into());
    }
    Ok(Idx { values: read_values(reader, &shape, 1)?, shape })
}

/// The type of the values and the dimensions.
fn header(reader: &mut dyn Read) -> Result<(u8, Vec<usize>), FileFault> {
    let mut word = |what: &str| -> Result<[u8; 4], FileFault> {
        let bytes = read_most(reader, 4)?;
        Ok(bytes.try_into().map_err(|_| format!("it ends within {what}"))?)
    };
    let magic = word("the magic number")?;
    let [0, 0, kind, dimensions @ 1..=255] = magic else {
        return Err(format!("it begins with {:#010x}", u32::from_be_bytes(magic)).into());
    };
    let mut shape = Vec::with_capacity(dimensions.into());
    for dimension in 1..=dimensions {
        shape.push(u32::from_be_bytes(word(&format!("dimension {dimension} of {dimensions}"))?) as usize);
    }
    Ok((kind, shape))
}

/// An array of any type.
fn array(reader: &mut dyn Read) -> Result<(Array, Kind), FileFault> {
    let (kind, shape) = header(reader)?;
    let (kind, values) = match kind {
        UNSIGNED_BYTES => (BYTE, "bytes"),
        0x09 => (Kind::big_endian(b'i', 1), "signed bytes"),
        0x0b => (Kind::big_endian(b'i', 2), "integers of 2 bytes"),
        0x0c => (Kind::big_endian(b'i', 4), "integers of 4 bytes"),
        0x0d => (Kind::big_endian(b'f', 4), "floats of 4 bytes"),
        0x0e => (Kind::big_endian(b'f', 8), "floats of 8 bytes"),
        other => return Err(format!("its values have the type {other:#04x}: expected one of 0x08 to 0x0e").into()),
    };
    let bytes = read_values(reader, &shape, kind.size).map_err(|fault| match fault {
        FileFault::Malformed(problem) if kind != BYTE => format!("its values are {values}, and {problem}").into(),
        other => other,
    })?;
    let fields = vec![Field { name: None, kind: Ok(kind), offset: 0 }];
    Ok((Array { layout: Layout { shape, fortran: false, fields, size: kind.size }, bytes }, kind))
}

const BYTE: Kind = Kind::big_endian(b'u', 1);

/// The table of images: `pixel0`, `pixel1`, … and in front of them `label` if there is a file of labels beside, under
/// MNIST's names; or the table of labels. Unsigned bytes of images are brought into [0, 1], other values stand as they are.
/// Whole numbers of labels are texts, so that they are classes.
pub(in crate::data) fn table(mut input: Input<'_>, kinds: Kinds<'_>) -> Result<Table> {
    let (images, kind) = array(&mut input.bytes).map_err(|fault| input.error("", fault))?;
    if images.layout.shape.len() == 1 {
        let how = input.kinds(&[LABEL.into()], kinds)?;
        let label = label(&images, kind, &how).map_err(|problem| input.malformed(problem))?;
        return input.table(label, &how);
    }
    let mut names = Vec::new();
    let labels = labels_of(input.path)
        .filter(|_| input.beside)
        .map(|path| labels(path, &input, images.layout.shape[0]))
        .transpose()?;
    if labels.is_some() {
        names.push(LABEL.to_string());
    }
    let pixels = names.len();
    names.extend(images.layout.names("pixel").map_err(|problem| input.malformed(problem))?);
    let how = input.kinds(&names, kinds)?;
    let mut columns = match &labels {
        Some((labels, kind)) => label(labels, *kind, &how).map_err(|problem| input.malformed(problem))?,
        None => Vec::new(),
    };
    let images = images.columns(&names[pixels..], how.get(pixels..).unwrap_or_default());
    let mut images = images.map_err(|problem| input.malformed(problem))?;
    if kind == BYTE {
        for column in &mut images {
            if let Cells::Number(values) = &mut column.cells {
                values.iter_mut().for_each(|value| *value /= 255.0);
            }
        }
    }
    columns.extend(images);
    input.table(columns, &how)
}

/// The labels beside images.
fn labels(path: PathBuf, images: &Input<'_>, rows: usize) -> Result<(Array, Kind)> {
    let bytes = Origin::new(&path).open()?;
    let mut input = Input { path: &path, format: images.format, bytes, reading: images.reading, beside: false };
    let (labels, kind) = array(&mut input.bytes).map_err(|fault| input.error("", fault))?;
    if labels.layout.shape != [rows] {
        let expected = format!("expected {rows}, one for each image of {}", images.path.display());
        return Err(input.malformed(format!("its dimensions are {:?}: {expected}", labels.layout.shape)));
    }
    Ok((labels, kind))
}

const LABEL: &str = "label";

/// The column of labels, the first one, if it is not skipped.
fn label(labels: &Array, kind: Kind, how: &[ReadAs]) -> Result<Vec<Column>, String> {
    let mut columns = labels.columns(&[LABEL.into()], how.get(..1).unwrap_or_default())?;
    if kind.is_whole() {
        for column in &mut columns {
            column.cells = Cells::Text(column.to_texts());
        }
    }
    Ok(columns)
}

/// The file of the labels of `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, compressed or not.
fn labels_of(images: &Path) -> Option<PathBuf> {
    const ENDINGS: [&str; 5] = [".gz", ".zip", ".zst", ".bz2", ".xz"];
    let name = images.file_name()?.to_str().filter(|name| name.contains("images"))?;
    let labels = name.replace("images", "labels").replace("idx3", "idx1");
    let plain = ENDINGS.iter().find_map(|ending| labels.strip_suffix(ending)).unwrap_or(&labels);
    let others = ENDINGS.iter().map(|ending| format!("{plain}{ending}"));
    let names = [labels.clone(), plain.to_string()].into_iter().chain(others);
    names.map(|name| images.with_file_name(name)).find(|path| path.is_file())
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
            return Err(shape("the list of labels", labels.values.len(), format!("{rows}, one for each image")));
        }
        let inputs = images.shape.iter().skip(1).try_fold(1_usize, |product, &size| product.checked_mul(size));
        let Some(inputs) = inputs.filter(|inputs| inputs.checked_mul(rows) == Some(images.values.len())) else {
            let expected = format!("as many as its shape {:?} has", images.shape);
            return Err(shape("the array of images", images.values.len(), expected));
        };
        let features = images.values.iter().map(|&value| f32::from(value) / 255.0).collect();
        Self::new(features, labels.values.iter().copied().map(f32::from).collect(), inputs, 1)
    }
}
