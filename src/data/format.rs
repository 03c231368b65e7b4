//! The formats of tables. A file is of the one that its first bytes tell, whatever its name; those that tell none are
//! delimited text. In: a path. Out: a [`Table`], or a reader of delimited text.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::bytes::{Bytes, Origin, Problem, read_most};
use super::column::Column;
use super::parse::ReadAs;
use super::read_csv::CsvReader;
use super::reading::Reading;
use super::table::{Table, unfit_names};
use super::{foreign, read_idx, read_npy, read_npz};
use crate::error::{Error, Result};

/// A format whose files are read whole.
struct Format {
    /// As messages call it.
    name: &'static str,
    /// How its files begin; any of these.
    begins: &'static [&'static [u8]],
    read: fn(Input<'_>, Kinds<'_>) -> Result<Table>,
}

/// Says as what the columns of these names are read.
pub(super) type Kinds<'a> = &'a mut dyn FnMut(&[String]) -> Result<Vec<ReadAs>>;

const FORMATS: [Format; 4] = [
    Format { name: "npy", begins: &[b"\x93NUMPY"], read: read_npy::table },
    // Other archives have been unpacked or refused.
    Format { name: "npz", begins: &[b"PK\x03\x04"], read: read_npz::table },
    Format { name: "IDX", begins: &read_idx::BEGINS, read: read_idx::table },
    // Behind its name stands the first field of a page or of the footer, which no text has.
    Format { name: "Parquet", begins: &[b"PAR1\x15"], read: parquet },
];
/// What messages call the format of a file that is of none.
pub(super) const TABLE: &str = "a table";

/// A table's file that is open.
pub enum TableFile<'a> {
    /// Delimited text, its rows still to be read, and as what its columns are.
    Text(Box<CsvReader<'a>>, Vec<ReadAs>),
    /// Another format, all of it.
    Whole(Table),
}

impl<'a> TableFile<'a> {
    /// Opens a file, or stdin for `-`: delimited text as [`CsvReader::open`] takes it, npy, npz, IDX or Parquet, as it is,
    /// compressed (gzip, zstd, bzip2, xz) or the one file of a zip archive. Each column is read as `how` says, which is told all names.
    ///
    /// # Errors
    /// Those of [`CsvReader::open`], of `how` and of [`Table::read_as`]; [`Error::MalformedFile`] for another format that is
    /// truncated or holds what is no table; [`Error::NonFinite`] for an infinite number in it.
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
        mut how: impl FnMut(&[String]) -> Result<Vec<ReadAs>>,
    ) -> Result<Self> {
        let path = path.as_ref();
        let origin = Origin::new(path).keep()?;
        match open(path, &origin, reading, &mut how)? {
            Opened::Text(bytes) => Self::read_text(path, &origin, bytes, reading, how),
            Opened::Whole(table) => Ok(table),
        }
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
        Some(format) => Ok(Opened::Whole((format.read)(Input { path, format: format.name, bytes, reading }, kinds)?)),
        None => match foreign::named(&begin) {
            Some(problem) => Err(Input { path, format: TABLE, bytes, reading }.malformed(problem)),
            None => Ok(Opened::Text(bytes)),
        },
    }
}

#[cfg(feature = "parquet")]
use super::read_parquet::table as parquet;

#[cfg(not(feature = "parquet"))]
fn parquet(input: Input<'_>, _: Kinds<'_>) -> Result<Table> {
    Err(input.malformed("this build reads none: `cargo install --path . --features parquet` makes one that does"))
}

/// A file of one format on its way to a table: its bytes, and messages that name both.
pub(super) struct Input<'a> {
    pub path: &'a Path,
    pub format: &'static str,
    pub bytes: Bytes,
    pub reading: &'a Reading,
}

/// What is wrong with a file's content.
pub(super) enum Fault {
    Io(std::io::Error),
    Malformed(String),
}

impl Input<'_> {
    pub fn malformed(&self, problem: impl Into<String>) -> Error {
        Error::MalformedFile { path: self.path.into(), format: self.format, problem: problem.into() }
    }

    /// The error for a fault in what `of` names.
    pub fn error(&self, of: &str, fault: impl Into<Fault>) -> Error {
        use ErrorKind::{InvalidData, InvalidInput, UnexpectedEof, Unsupported};
        if let Some(problem) = self.bytes.change(self.path) {
            return self.malformed(problem);
        }
        match fault.into() {
            Fault::Malformed(problem) => self.malformed(format!("{of}{problem}")),
            Fault::Io(error) => match Problem::of(&error) {
                Some(problem) => self.malformed(problem),
                None if matches!(error.kind(), InvalidData | InvalidInput | Unsupported | UnexpectedEof) => {
                    self.malformed(format!("{of}it is broken or cut off ({error})"))
                }
                None => Error::io("read the table", self.path)(error),
            },
        }
    }

    /// The table of the columns that are wanted; `how` has a word for those that are skipped, too.
    pub fn table(&self, columns: Vec<Column>, how: &[ReadAs]) -> Result<Table> {
        let kept: Vec<ReadAs> = how.iter().copied().filter(|how| *how != ReadAs::Skip).collect();
        Table::of_rows(self.path, columns)?.read_as(&kept, self.reading)
    }

    /// As what the columns of these names are read, a word for each.
    pub fn kinds(&self, names: &[String], kinds: Kinds<'_>) -> Result<Vec<ReadAs>> {
        match unfit_names(&names.iter().map(String::as_str).collect::<Vec<_>>()) {
            Some(problem) => Err(self.malformed(problem)),
            None => {
                let how = kinds(names)?;
                ReadAs::check(&how, names.len())?;
                Ok(how)
            }
        }
    }

    /// The file, to be read in any order.
    pub fn take_file(&mut self) -> Result<File> {
        self.bytes.take_file().map_err(|error| self.error("", error))
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<String> for Fault {
    fn from(problem: String) -> Self {
        Self::Malformed(problem)
    }
}

/// The bytes of values whose number a header tells; an error where there are fewer or more.
pub(super) fn read_values(reader: &mut dyn Read, shape: &[usize], size: usize) -> Result<Vec<u8>, Fault> {
    let product = shape.iter().chain([&size]).try_fold(1_u64, |product, &size| product.checked_mul(size as u64));
    let Some(expected) = product.filter(|&product| product < u64::MAX) else {
        return Err(format!("its dimensions {shape:?} make more values than any file has").into());
    };
    let mut values = read_most(reader, expected + 1)?;
    match values.len() as u64 {
        found if found < expected => {
            let [found, expected] = [found, expected].map(|bytes| bytes / size.max(1) as u64);
            Err(format!("it ends after {found} of the {expected} values of its dimensions {shape:?}").into())
        }
        found if found > expected => {
            Err(format!("it goes on after the {} values of its dimensions {shape:?}", expected / size.max(1) as u64)
                .into())
        }
        _ => {
            values.shrink_to_fit();
            Ok(values)
        }
    }
}
