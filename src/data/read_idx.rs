//! IDX files, MNIST's format: two bytes 0, a byte for the type of the values, a byte for the number of dimensions, each
//! dimension as a big-endian u32, then the values. In: a path. Out: bytes with their shape, data sets of images and
//! labels, and tables of them. Source: yann.lecun.com/exdb/mnist.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::array::{Array, Field, Kind};
use super::bytes::{Origin, read_most};
use super::column::{Cells, Column};
use super::dataset::Dataset;
use super::format::{Fault, Input, Kinds, read_values};
use super::reading::Reading;
use super::table::Table;
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
/// [`Error::Io`] where the file can't be read; [`Error::MalformedFile`] for one of another format or type, with fewer or
/// more values than its dimensions make, or with broken gzip data.
pub fn read_idx(path: impl AsRef<Path>) -> Result<Idx> {
    let path = path.as_ref();
    let bytes = Origin::Path(path).open().map_err(Error::io("read the table", path))?;
    let mut input = Input { path, format: "IDX", bytes, reading: &Reading::default() };
    idx(&mut input.bytes).map_err(|fault| input.error("", fault))
}

fn idx(reader: &mut dyn Read) -> Result<Idx, Fault> {
    let mut word = |what: &str| -> Result<[u8; 4], Fault> {
        let bytes = read_most(reader, 4)?;
        Ok(bytes.try_into().map_err(|_| format!("it ends within {what}"))?)
    };
    let magic = word("the magic number")?;
    let [0, 0, kind, dimensions @ 1..=255] = magic else {
        return Err(format!("it begins with {:#010x}", u32::from_be_bytes(magic)).into());
    };
    if kind != UNSIGNED_BYTES {
        let expected = format!("expected bytes, {UNSIGNED_BYTES:#04x}");
        return Err(format!("its values have the type {kind:#04x}: {expected}").into());
    }
    let mut shape = Vec::with_capacity(dimensions.into());
    for dimension in 1..=dimensions {
        shape.push(u32::from_be_bytes(word(&format!("dimension {dimension} of {dimensions}"))?) as usize);
    }
    Ok(Idx { values: read_values(reader, &shape, 1)?, shape })
}

/// The table of images: `pixel0`, `pixel1`, … in [0, 1], and in front of them `label` if there is a file of labels beside,
/// under MNIST's names; or the table of labels. Labels are texts, so that they are classes.
pub(super) fn table(mut input: Input<'_>, kinds: Kinds<'_>) -> Result<Table> {
    let Idx { shape, values } = idx(&mut input.bytes).map_err(|fault| input.error("", fault))?;
    if shape.len() == 1 {
        return input.table(vec![label(&values)], kinds);
    }
    let mut columns = Vec::new();
    if let Some(path) = labels_of(input.path) {
        let labels = read_idx(&path)?;
        if labels.shape != shape[..1] {
            let expected = format!("expected {}, one for each image of {}", shape[0], input.path.display());
            let problem = format!("its dimensions are {:?}: {expected}", labels.shape);
            return Err(Error::MalformedFile { path, format: input.format, problem });
        }
        columns.push(label(&labels.values));
    }
    let fields = vec![Field { name: None, kind: Kind::BYTE, offset: 0 }];
    let images = Array { shape, fortran: false, fields, size: 1, bytes: values };
    let mut pixels = images.columns("pixel").map_err(|problem| input.malformed(problem))?;
    for column in &mut pixels {
        if let Cells::Number(values) = &mut column.cells {
            values.iter_mut().for_each(|value| *value /= 255.0);
        }
    }
    columns.extend(pixels);
    input.table(columns, kinds)
}

fn label(values: &[u8]) -> Column {
    let cells = Cells::Text(values.iter().map(|value| Some(value.to_string())).collect());
    Column::new("label", cells)
}

/// The file of the labels of `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, gzipped or not.
fn labels_of(images: &Path) -> Option<PathBuf> {
    let name = images.file_name()?.to_str().filter(|name| name.contains("images"))?;
    let labels = name.replace("images", "labels").replace("idx3", "idx1");
    let other = labels.strip_suffix(".gz").map_or_else(|| format!("{labels}.gz"), ToString::to_string);
    [labels, other].into_iter().map(|name| images.with_file_name(name)).find(|path| path.is_file())
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
