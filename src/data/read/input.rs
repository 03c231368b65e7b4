//! A file of one format on its way to a table.

use std::io::{ErrorKind, Read};
use std::path::Path;

use crate::data::column::Column;
use crate::data::read::bytes::{Bytes, Whole, read_most};
use crate::data::read::problem::Problem;
use crate::data::read_as::ReadAs;
use crate::data::reading::{MissingWords, Reading};
use crate::data::table::{Table, unfit_names};
use crate::error::{Error, Result};

/// Says as what the columns of these names are read.
pub(in crate::data) type Kinds<'a> = &'a mut dyn FnMut(&[String]) -> Result<Vec<ReadAs>>;

/// What messages call the format of a file that is of none.
pub(in crate::data) const TABLE: &str = "a table";

/// A file of one format on its way to a table: its bytes, and messages that name both.
pub(in crate::data) struct Input<'a> {
    pub path: &'a Path,
    pub format: &'static str,
    pub bytes: Bytes,
    pub reading: &'a Reading,
    /// Whether there may be files beside it that belong to it.
    pub beside: bool,
}

/// What is wrong with a file's content.
pub(in crate::data) enum FileFault {
    Io(std::io::Error),
    Malformed(String),
}

impl Input<'_> {
    pub fn malformed(&self, problem: impl Into<String>) -> Error {
        Error::MalformedFile { path: self.path.into(), format: self.format, problem: problem.into() }
    }

    /// The error for a fault in what `of` names.
    pub fn error(&self, of: &str, fault: impl Into<FileFault>) -> Error {
        use ErrorKind::{InvalidData, InvalidInput, UnexpectedEof, Unsupported};
        if let Some(problem) = self.bytes.change(self.path) {
            return self.malformed(problem);
        }
        match fault.into() {
            FileFault::Malformed(problem) => self.malformed(format!("{of}{problem}")),
            FileFault::Io(error) => match Problem::of(&error) {
                Some(problem) => self.malformed(problem),
                None if matches!(error.kind(), InvalidData | InvalidInput | Unsupported | UnexpectedEof) => {
                    self.malformed(format!("{of}it is damaged or truncated ({error})"))
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

    /// All bytes, to be read in any order.
    pub fn take_whole(&mut self) -> Result<Whole> {
        self.bytes.take_whole().map_err(|error| self.error("", error))
    }
}

impl From<std::io::Error> for FileFault {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<String> for FileFault {
    fn from(problem: String) -> Self {
        Self::Malformed(problem)
    }
}

/// The bytes of values whose number a header tells; an error where there are fewer or more.
pub(in crate::data) fn read_values(reader: &mut dyn Read, shape: &[usize], size: usize) -> Result<Vec<u8>, FileFault> {
    let product = shape.iter().chain([&size]).try_fold(1_u64, |product, &size| product.checked_mul(size as u64));
    let Some(expected) = product.filter(|&product| product < u64::MAX) else {
        return Err(format!("its dimensions {shape:?} have more values than a file can hold").into());
    };
    let mut values = read_most(reader, expected + 1)?;
    match values.len() as u64 {
        found if found < expected => {
            let [found, expected] = [found, expected].map(|bytes| bytes / size.max(1) as u64);
            Err(format!("it ends after {found} of the {expected} values of its dimensions {shape:?}").into())
        }
        found if found > expected => {
            Err(format!("it continues after the {} values of its dimensions {shape:?}", expected / size.max(1) as u64)
                .into())
        }
        _ => {
            values.shrink_to_fit();
            Ok(values)
        }
    }
}

/// A text without white space around it, none where it stands for a cell that is missing.
pub(super) fn present(cell: &str) -> Option<&str> {
    Some(cell.trim()).filter(|cell| !MissingWords::default().contains(cell))
}
