//! The formats of tables. A file is of the one that its first bytes tell, whatever its name; those that tell none are
//! delimited text. In: a path. Out: a [`Table`], or a reader of delimited text.

#[cfg(feature = "tables")]
mod archive;
#[cfg(feature = "tables")]
mod array;
#[cfg_attr(not(feature = "tables"), allow(dead_code, reason = "formats need more of it"))]
mod bytes;
#[cfg(feature = "tables")]
mod compression;
mod csv;
#[cfg_attr(not(feature = "tables"), path = "no_decode.rs")]
mod decode;
mod encoding;
mod foreign;
#[cfg(feature = "tables")]
mod idx;
#[cfg_attr(not(feature = "tables"), allow(dead_code, reason = "formats need more of it"))]
mod input;
#[cfg(feature = "tables")]
mod moment;
#[cfg(feature = "tables")]
mod npy;
#[cfg(feature = "tables")]
mod npy_literal;
#[cfg(feature = "tables")]
mod npz;
mod origin;
#[cfg(feature = "parquet")]
mod parquet;
mod problem;
#[cfg(feature = "tables")]
mod whole;

pub use csv::CsvReader;
#[cfg(feature = "tables")]
pub use idx::{Idx, read_idx};

use std::path::Path;
use std::sync::Arc;

use crate::data::read_as::ReadAs;
use crate::data::reading::Reading;
use crate::data::table::Table;
use crate::error::{Error, Result};
use bytes::Bytes;
use input::{Input, Kinds, TABLE};
use origin::Origin;

/// A format whose files are read whole.
struct Format {
    /// As messages call it.
    name: &'static str,
    /// How its files begin; any of these.
    begins: &'static [&'static [u8]],
    read: fn(Input<'_>, Kinds<'_>) -> Result<Table>,
}

/// Without the feature `tables` none of these is read, and [`foreign`] says so.
#[cfg(not(feature = "tables"))]
const FORMATS: [Format; 0] = [];
#[cfg(feature = "tables")]
const FORMATS: [Format; 4] = [
    Format { name: "npy", begins: &[b"\x93NUMPY"], read: npy::table },
    // Other archives have been unpacked or refused.
    Format { name: "npz", begins: &[b"PK\x03\x04"], read: npz::table },
    Format { name: "IDX", begins: &idx::BEGINS, read: idx::table },
    // Behind its name stands the first field of a page or of the footer, which no text has.
    Format { name: "Parquet", begins: &[b"PAR1\x15"], read: parquet },
];
/// A table's file that is open.
pub enum TableFile<'a> {
    /// Delimited text, its rows still to be read, and as what its columns are.
    Text(Box<CsvReader<'a>>, Vec<ReadAs>),
    /// Another format, all of it.
    Whole(Table),
}

impl<'a> TableFile<'a> {
    /// Opens a file, or stdin for `-`: delimited text as [`CsvReader::open`] takes it, npy, npz, IDX or Parquet, as it
    /// is, compressed (gzip, zstd, bzip2, xz) or the one file of a zip archive. Each column is read as `how` says,
    /// which is told all names.
    ///
    /// # Errors
    /// Those of [`CsvReader::open`], of `how` and of [`Table::read_as`]; [`Error::MalformedFile`] for another format
    /// that is truncated or holds what is not a table; [`Error::NonFinite`] for an infinite number in it.
    pub fn open(
        path: &'a Path,
        reading: &Reading,
        mut how: impl FnMut(&[String]) -> Result<Vec<ReadAs>>,
    ) -> Result<Self> {
        match open(path, &Origin::new(path), reading, &mut how)? {
            Opened::Whole(table) => Ok(Self::Whole(table)),
            Opened::Text(bytes) => {
                let mut reader = CsvReader::of_bytes(path, bytes, reading)?;
                let mut kinds = how(reader.names())?;
                reader.without_index(&mut kinds);
                Ok(Self::Text(reader.into(), kinds))
            }
        }
    }
}

impl Table {
    /// Reads a file as [`TableFile::open`] takes it, at least one row of it. [`read_csv`](Self::read_csv) says what the
    /// columns of delimited text are; other formats say it themselves.
    ///
    /// # Errors
    /// Those of [`TableFile::open`] and [`read_csv`](Self::read_csv).
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        Self::read_with(path, &Reading::default(), |names| Ok(vec![ReadAs::Infer; names.len()]))
    }

    /// The same with each column read as `how` says, which is told all names.
    ///
    /// # Errors
    /// Those of [`read`](Self::read), of `how` and of [`read_as`](Self::read_as).
    pub fn read_with(
        path: impl AsRef<Path>,
        reading: &Reading,
        how: impl FnMut(&[String]) -> Result<Vec<ReadAs>>,
    ) -> Result<Self> {
        let path = path.as_ref();
        read(path, &Origin::new(path).keep()?, reading, how)
    }

    /// Reads the bytes of a file, as [`read`](Self::read) does one on the disk: their first ones tell the format, compressed or not.
    /// Messages call them by `name`. Labels beside images of IDX are not looked for.
    ///
    /// # Errors
    /// Those of [`read`](Self::read).
    pub fn from_bytes(name: impl AsRef<Path>, bytes: impl Into<Arc<[u8]>>) -> Result<Self> {
        Self::from_bytes_with(name, bytes, &Reading::default(), |names| Ok(vec![ReadAs::Infer; names.len()]))
    }

    /// The same with each column read as `how` says, which is told all names.
    ///
    /// # Errors
    /// Those of [`read_with`](Self::read_with).
    pub fn from_bytes_with(
        name: impl AsRef<Path>,
        bytes: impl Into<Arc<[u8]>>,
        reading: &Reading,
        how: impl FnMut(&[String]) -> Result<Vec<ReadAs>>,
    ) -> Result<Self> {
        let name = name.as_ref();
        read(name, &Origin::of_memory(name, bytes.into()), reading, how)
    }
}

fn read(
    path: &Path,
    origin: &Origin<'_>,
    reading: &Reading,
    mut how: impl FnMut(&[String]) -> Result<Vec<ReadAs>>,
) -> Result<Table> {
    match open(path, origin, reading, &mut how)? {
        Opened::Text(bytes) => Table::read_text(path, origin, bytes, reading, how),
        Opened::Whole(table) => Ok(table),
    }
}

enum Opened {
    Text(Bytes),
    Whole(Table),
}

fn open(path: &Path, origin: &Origin<'_>, reading: &Reading, kinds: Kinds<'_>) -> Result<Opened> {
    let mut bytes = origin.open()?;
    let begin = bytes.start(foreign::BEGIN).map_err(Error::io("read the table", path))?;
    match FORMATS.iter().find(|format| format.begins.iter().any(|mark| begin.starts_with(mark))) {
        Some(format) => {
            let beside = origin.is_file();
            Ok(Opened::Whole((format.read)(Input { path, format: format.name, bytes, reading, beside }, kinds)?))
        }
        None => match foreign::named(&begin) {
            Some(problem) => Err(Input { path, format: TABLE, bytes, reading, beside: false }.malformed(problem)),
            None => Ok(Opened::Text(bytes)),
        },
    }
}

#[cfg(feature = "parquet")]
use crate::data::read::parquet::table as parquet;

#[cfg(all(feature = "tables", not(feature = "parquet")))]
fn parquet(input: Input<'_>, _: Kinds<'_>) -> Result<Table> {
    Err(input.malformed(
        "this build does not read Parquet: `cargo install --path . --features parquet` makes one that \
    does",
    ))
}
