//! Parquet files: columns of numbers, truth values, texts, dates and times. In: a file, and which columns are read. Out: a
//! table. Other types, and what is nested in others, are refused by name unless the column is left out.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{DataType, Int96};
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{ChunkReader, FileReader, Length, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;

use crate::data::column::{Categorical, Cells, Column};
use crate::data::read::bytes::Whole;
use crate::data::read::input::{FileFault, Input, Kinds, present};
use crate::data::read::moment::Unit;
use crate::data::read::whole::{Exact, is_exact};
use crate::data::read_as::ReadAs;
use crate::data::table::Table;
use crate::error::{Result, setting, shorten};

/// Rows that are decoded at a time.
const ROWS: usize = 1 << 13;

/// The columns that `kinds` does not leave out.
pub(in crate::data) fn table(mut input: Input<'_>, kinds: Kinds<'_>) -> Result<Table> {
    let whole = input.take_whole()?;
    let reader = guarded(|| open(whole)).map_err(|fault| input.error("", fault))?;
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let names: Vec<String> = schema.columns().iter().map(|column| column.path().string()).collect();
    let how = input.kinds(&names, kinds)?;
    let mut columns = Vec::new();
    for at in (0..names.len()).filter(|&at| how[at] != ReadAs::Skip) {
        let of = format!("column `{}`: ", shorten(&names[at]));
        let (cells, exact) =
            guarded(|| cells(&reader, at, &schema.columns()[at])).map_err(|fault| input.error(&of, fault))?;
        columns.push(Column { exact, ..Column::new(&names[at], cells) });
    }
    input.table(columns, &how)
}

/// The footer is read, and all columns lie in the file.
fn open(whole: Whole) -> Result<SerializedFileReader<Source>, FileFault> {
    let source = match whole {
        Whole::File(file) => Source::File(file),
        Whole::Memory(bytes) => Source::Memory(Bytes::from_owner(bytes.into_inner())),
    };
    let length = source.len();
    let reader = SerializedFileReader::new(source)?;
    let is_there = |chunk: &ColumnChunkMetaData| {
        let start = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset());
        let [start, size] = [start, chunk.compressed_size()].map(|value| u64::try_from(value).ok());
        start.zip(size).and_then(|(start, size)| start.checked_add(size)).is_some_and(|end| end <= length)
    };
    if !reader.metadata().row_groups().iter().flat_map(|group| group.columns()).all(is_there) {
        return Err("it has columns outside the file".to_string().into());
    }
    Ok(reader)
}

/// A file as the library reads it.
enum Source {
    File(File),
    Memory(Bytes),
}

impl Length for Source {
    fn len(&self) -> u64 {
        match self {
            Self::File(file) => Length::len(file),
            Self::Memory(bytes) => Length::len(bytes),
        }
    }
}

impl ChunkReader for Source {
    type T = Ended<Box<dyn Read + Send>>;
    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        let reader: Box<dyn Read + Send> = match self {
            Self::File(file) => Box::new(file.get_read(start)?),
            Self::Memory(bytes) => Box::new(bytes.get_read(start)?),
        };
        Ok(Ended { reader, ended: false })
    }
    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        match self {
            Self::File(file) => file.get_bytes(start, length),
            Self::Memory(bytes) => bytes.get_bytes(start, length),
        }
    }
}

/// A reader that is at its end once. The library passes over what it does not know, and a list of 2³¹ values that are
/// not there takes it minutes, each of them an end of the file.
struct Ended<R> {
    reader: R,
    ended: bool,
}

impl<R: Read> Read for Ended<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        if read > 0 || buffer.is_empty() {
            return Ok(read);
        }
        if self.ended {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.ended = true;
        Ok(0)
    }
}

/// What the library makes of a file that may be broken, of which it takes some things for granted.
fn guarded<T>(work: impl FnOnce() -> Result<T, FileFault>) -> Result<T, FileFault> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err("it is broken".to_string().into()))
}

impl From<ParquetError> for FileFault {
    fn from(error: ParquetError) -> Self {
        format!("it is damaged, truncated, or of an unsupported kind ({error})").into()
    }
}

/// A column's cells over all groups of rows.
fn cells(reader: &SerializedFileReader<Source>, at: usize, column: &ColumnDescriptor) -> Result<Exact, FileFault> {
    use ColumnReader as Of;
    use ConvertedType::{DECIMAL, INT_8, INT_16, INT_32, INT_64, NONE, UINT_8, UINT_16, UINT_32, UINT_64};
    let (logical, converted) = (column.logical_type_ref(), column.converted_type());
    let is_text = matches!(logical, None | Some(LogicalType::String | LogicalType::Enum | LogicalType::Json));
    let is_number = matches!(logical, None | Some(LogicalType::Integer(_) | LogicalType::Unknown));
    let nested = column.path().parts().len() > 1 || column.max_rep_level() > 0;
    let unit = unit_of(column);
    let refused = || {
        let kind = match logical {
            _ if nested => "nested in another".into(),
            Some(logical) => format!("{logical:?}").split(|char: char| !char.is_alphanumeric()).take(1).collect(),
            None => format!("{} {converted}", column.physical_type()),
        };
        format!("it is {kind}: expected numbers, booleans, texts, dates or times; {} leaves it out", setting("ignore"))
    };
    if nested || !(is_text || is_number || unit.is_some()) {
        return Err(refused().into());
    }
    if let Some(unit) = unit {
        return Ok((Cells::Text(texts(reader, at, column, |count| unit.text(count.into()))?), None));
    }
    if is_number && column.physical_type() == Type::INT64 && matches!(converted, NONE | INT_64 | UINT_64) {
        return whole_numbers(reader, at, column, converted == UINT_64);
    }
    let (mut numbers, mut texts) = (Vec::new(), Vec::new());
    let mut number = |value: Option<f64>| {
        numbers.push(value.unwrap_or(f64::NAN));
        Ok(())
    };
    for group in 0..reader.num_row_groups() {
        match (reader.get_row_group(group)?.get_column_reader(at)?, converted) {
            (Of::BoolColumnReader(cells), NONE) if is_number => {
                each(cells, column, |cell| number(cell.map(|&cell| f64::from(u8::from(cell)))))?
            }
            (Of::Int32ColumnReader(cells), NONE | INT_8 | INT_16 | INT_32) => {
                each(cells, column, |cell| number(cell.map(|&cell| cell.into())))?
            }
            (Of::Int32ColumnReader(cells), UINT_8 | UINT_16 | UINT_32) => {
                each(cells, column, |cell| number(cell.map(|&cell| (cell as u32).into())))?
            }
            (Of::FloatColumnReader(cells), NONE) => each(cells, column, |cell| number(cell.map(|&cell| cell.into())))?,
            (Of::DoubleColumnReader(cells), NONE) => each(cells, column, |cell| number(cell.copied()))?,
            (Of::ByteArrayColumnReader(cells), _) if is_text && converted != DECIMAL => each(cells, column, |cell| {
                let text = cell.map(|cell| std::str::from_utf8(cell.data())).transpose();
                let text = text.map_err(|_| "it holds bytes that are not UTF-8 text".to_string())?;
                texts.push(text.and_then(present).map(ToString::to_string));
                Ok(())
            })?,
            _ => return Err(refused().into()),
        }
    }
    Ok((if texts.is_empty() { Cells::Number(numbers) } else { Cells::Text(Categorical::from_iter(texts)) }, None))
}

/// What the numbers of a column of dates or times count.
fn unit_of(column: &ColumnDescriptor) -> Option<Unit> {
    let of_time = |unit: &TimeUnit| match unit {
        TimeUnit::MILLIS => Unit::OfSecond(1_000),
        TimeUnit::MICROS => Unit::OfSecond(1_000_000),
        TimeUnit::NANOS => Unit::OfSecond(1_000_000_000),
    };
    match (column.physical_type(), column.logical_type_ref(), column.converted_type()) {
        // The time of older programs, which stands for itself.
        (Type::INT96, None, _) => Some(Unit::Seconds(1)),
        (Type::INT32, Some(LogicalType::Date), _) | (Type::INT32, None, ConvertedType::DATE) => Some(Unit::Days(1)),
        (Type::INT64, Some(LogicalType::Timestamp(time)), _) => Some(of_time(&time.unit)),
        (Type::INT64, None, ConvertedType::TIMESTAMP_MILLIS) => Some(of_time(&TimeUnit::MILLIS)),
        (Type::INT64, None, ConvertedType::TIMESTAMP_MICROS) => Some(of_time(&TimeUnit::MICROS)),
        _ => None,
    }
}

/// Whole numbers, with their digits where some are not numbers of f64, for which they are read again.
fn whole_numbers(
    reader: &SerializedFileReader<Source>,
    at: usize,
    column: &ColumnDescriptor,
    unsigned: bool,
) -> Result<Exact, FileFault> {
    let whole = |value: i64| if unsigned { i128::from(value as u64) } else { value.into() };
    let (mut numbers, mut exact) = (Vec::new(), true);
    each_whole(reader, at, column, |value| {
        exact &= value.is_none_or(|value| is_exact(whole(value)));
        numbers.push(value.map_or(f64::NAN, |value| whole(value) as f64));
    })?;
    let digits = if exact { None } else { Some(texts(reader, at, column, |value| whole(value).to_string())?) };
    Ok((Cells::Number(numbers), digits))
}

/// The texts of whole numbers.
fn texts(
    reader: &SerializedFileReader<Source>,
    at: usize,
    column: &ColumnDescriptor,
    text: impl Fn(i64) -> String,
) -> Result<Categorical, FileFault> {
    let mut cells = Vec::new();
    each_whole(reader, at, column, |value| cells.push(value.map(&text)))?;
    Ok(Categorical::from_iter(cells))
}

/// Hands on each whole number, none where it is missing.
fn each_whole(
    reader: &SerializedFileReader<Source>,
    at: usize,
    column: &ColumnDescriptor,
    mut take: impl FnMut(Option<i64>),
) -> Result<(), FileFault> {
    use ColumnReader as Of;
    let mut take = |value| {
        take(value);
        Ok(())
    };
    for group in 0..reader.num_row_groups() {
        match reader.get_row_group(group)?.get_column_reader(at)? {
            Of::Int32ColumnReader(cells) => each(cells, column, |cell| take(cell.map(|&cell| cell.into())))?,
            Of::Int64ColumnReader(cells) => each(cells, column, |cell| take(cell.copied()))?,
            Of::Int96ColumnReader(cells) => each(cells, column, |cell| take(cell.map(Int96::to_seconds)))?,
            _ => return Err("its type is not the one that the file declares".to_string().into()),
        }
    }
    Ok(())
}

/// Hands on each cell, none where it is missing.
fn each<T: DataType>(
    mut cells: ColumnReaderImpl<T>,
    column: &ColumnDescriptor,
    mut take: impl FnMut(Option<&T::T>) -> Result<(), FileFault>,
) -> Result<(), FileFault> {
    let (there, optional) = (column.max_def_level(), column.max_def_level() > 0);
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    loop {
        levels.clear();
        values.clear();
        let (rows, ..) = cells.read_records(ROWS, optional.then_some(&mut levels), None, &mut values)?;
        if rows == 0 {
            return Ok(());
        }
        let mut values = values.iter();
        for row in 0..rows {
            let is_there = !optional || levels.get(row) == Some(&there);
            let cell = is_there.then(|| values.next().ok_or_else(|| "it has fewer values than rows".to_string()));
            take(cell.transpose()?)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_is_at_its_end_once() {
        let mut ended = Ended { reader: &b"ab"[..], ended: false };
        let mut buffer = [0; 2];
        let mut read = || ended.read(&mut buffer).map_err(|error| error.kind());
        assert_eq!([read(), read(), read()], [Ok(2), Ok(0), Err(ErrorKind::UnexpectedEof)]);
    }
}
