//! Parquet files: columns of numbers, truth values and texts. In: a file, and which columns are read. Out: a table. Other
//! types, and what is nested in others, are refused by name unless the column is left out.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};

use parquet::basic::{ConvertedType, LogicalType};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;

use super::column::{Cells, Column, Texts, present};
use super::format::{Fault, Input, Kinds};
use super::parse::ReadAs;
use super::table::{Table, shorten};
use crate::error::Result;

/// Rows that are decoded at a time.
const ROWS: usize = 1 << 13;

/// The columns that `kinds` does not leave out.
pub(super) fn table(mut input: Input<'_>, kinds: Kinds<'_>) -> Result<Table> {
    let file = input.take_file()?;
    let reader = guarded(|| open(file)).map_err(|fault| input.error("", fault))?;
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let names: Vec<String> = schema.columns().iter().map(|column| column.path().string()).collect();
    let (mut columns, mut kept) = (Vec::new(), Vec::new());
    for (at, how) in input.kinds(&names, kinds)?.into_iter().enumerate().filter(|(_, how)| *how != ReadAs::Skip) {
        let of = format!("column `{}`: ", shorten(&names[at]));
        let cells = guarded(|| cells(&reader, at, &schema.columns()[at])).map_err(|fault| input.error(&of, fault))?;
        columns.push(Column::new(&names[at], cells));
        kept.push(how);
    }
    Table::of_rows(input.path, columns)?.read_as(&kept)
}

/// The footer is read, and all columns lie in the file.
fn open(file: File) -> Result<SerializedFileReader<File>, Fault> {
    let length = file.metadata()?.len();
    let reader = SerializedFileReader::new(file)?;
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

/// What the library makes of a file that may be broken, of which it takes some things for granted.
fn guarded<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err("it is broken".to_string().into()))
}

impl From<ParquetError> for Fault {
    fn from(error: ParquetError) -> Self {
        format!("it is broken, cut off, or of a kind that is not read ({error})").into()
    }
}

/// A column's cells over all groups of rows.
fn cells(reader: &SerializedFileReader<File>, at: usize, column: &ColumnDescriptor) -> Result<Cells, Fault> {
    use ColumnReader as Of;
    use ConvertedType::{DECIMAL, INT_8, INT_16, INT_32, INT_64, NONE, UINT_8, UINT_16, UINT_32, UINT_64};
    let (logical, converted) = (column.logical_type_ref(), column.converted_type());
    let is_text = matches!(logical, None | Some(LogicalType::String | LogicalType::Enum | LogicalType::Json));
    let is_number = matches!(logical, None | Some(LogicalType::Integer(_) | LogicalType::Unknown));
    let nested = column.path().parts().len() > 1 || column.max_rep_level() > 0;
    let refused = || {
        let kind = match logical {
            _ if nested => "nested in another".into(),
            Some(logical) => format!("{logical:?}").split(|char: char| !char.is_alphanumeric()).take(1).collect(),
            None => format!("{} {converted}", column.physical_type()),
        };
        format!("it is {kind}: expected numbers, truth values or texts; --ignore leaves it out")
    };
    if nested || !(is_text || is_number) {
        return Err(refused().into());
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
            (Of::Int64ColumnReader(cells), NONE | INT_64) => {
                each(cells, column, |cell| number(cell.map(|&cell| cell as f64)))?
            }
            (Of::Int64ColumnReader(cells), UINT_64) => {
                each(cells, column, |cell| number(cell.map(|&cell| cell as u64 as f64)))?
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
    Ok(if texts.is_empty() { Cells::Number(numbers) } else { Cells::Text(Texts::from_iter(texts)) })
}

/// Hands on each cell, none where it is missing.
fn each<T: DataType>(
    mut cells: ColumnReaderImpl<T>,
    column: &ColumnDescriptor,
    mut take: impl FnMut(Option<&T::T>) -> Result<(), Fault>,
) -> Result<(), Fault> {
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
