//! numpy's files of several arrays, `.npz`: a zip archive with an `.npy` file for each. In: a file. Out: a table with the
//! columns of all arrays.

use std::io::BufReader;

use zip::ZipArchive;
use zip::result::ZipError;

use super::column::Column;
use super::format::{Fault, Input, Kinds};
use super::read_npy::array;
use super::table::{Table, shorten};
use crate::error::Result;

/// The columns of all arrays, in the order of the file: of `y`, one is called `y`, several `y0`, `y1`, …
///
/// The archive says how large things are; memory is taken for what is there. An archive whose files share bytes is
/// refused: a few of them can stand for any number.
pub(super) fn table(mut input: Input<'_>, kinds: Kinds<'_>) -> Result<Table> {
    let file = input.take_file()?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| input.error("", error))?;
    if archive.has_overlapping_files().map_err(|error| input.error("", error))? {
        return Err(input.malformed("its arrays overlap"));
    }
    let mut columns: Vec<Column> = Vec::new();
    let mut first: Option<(String, usize)> = None;
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at).map_err(|error| input.error("", error))?;
        let file = entry.name().map_err(|error| input.error("", error))?.into_owned();
        let Some(name) = file.strip_suffix(".npy") else {
            let problem = format!("it holds `{}`: expected arrays, as numpy.savez writes them", shorten(&file));
            return Err(input.malformed(problem));
        };
        let of = format!("array `{}`: ", shorten(name));
        let more = array(&mut entry).and_then(|array| Ok(array.columns(name)?));
        let more = more.map_err(|fault| input.error(&of, fault))?;
        let rows = more.first().map_or(0, |column| column.cells.len());
        let (other, expected) = first.get_or_insert_with(|| (name.to_string(), rows));
        if rows != *expected {
            let hint = "expected as many in each; save by numpy.savez what belongs together";
            let problem = format!("it has {rows} rows, `{}` has {expected}: {hint}", shorten(other));
            return Err(input.error(&of, Fault::Malformed(problem)));
        }
        columns.extend(more);
    }
    input.table(columns, kinds)
}

impl From<ZipError> for Fault {
    fn from(error: ZipError) -> Self {
        std::io::Error::from(error).into()
    }
}
