//! numpy's files of several arrays, `.npz`: a zip archive with an `.npy` file for each. In: a file. Out: a table with the
//! columns that are wanted. Of an array of which none is, only name and header are looked at.

use std::io::{self, BufReader, Read};

use zip::ZipArchive;

use crate::data::read::archive::is_left_by_a_system;
use crate::data::read::array::Layout;
use crate::data::read::bytes::Whole;
use crate::data::read::input::{FileFault, Input, Kinds};
use crate::data::read::npy::{array, layout};
use crate::data::read_as::ReadAs;
use crate::data::table::Table;
use crate::error::{Result, set, shorten};

/// Columns that a header may tell of without a look at whether the values are there.
const UNSEEN: usize = 1024;

/// Arrays that a message tells of.
const TOLD: usize = 12;

/// An array of the archive.
struct Part {
    name: String,
    /// How it lies in its file, or why it is not a table, which does not matter where none of it is wanted.
    layout: Result<Layout, FileFault>,
    /// Its columns; without a layout its own name stands for what it would be.
    columns: Vec<String>,
}

/// The wanted columns of all arrays, in the order of the file: of `y`, one is called `y`, several `y0`, `y1`, …
///
/// The archive says how large things are; memory is taken for what is there. An archive whose files share bytes is
/// refused: a few of them can stand for any number.
pub(in crate::data) fn table(mut input: Input<'_>, kinds: Kinds<'_>) -> Result<Table> {
    let whole = input.take_whole()?;
    let mut archive = ZipArchive::new(BufReader::new(whole)).map_err(|error| input.error("", error))?;
    if archive.has_overlapping_files().map_err(|error| input.error("", error))? {
        return Err(input.malformed("its arrays overlap"));
    }
    let mut parts = Vec::new();
    for at in 0..archive.len() {
        let entry = archive.by_index_data(at).map_err(|error| input.error("", error))?;
        let name = String::from_utf8_lossy(entry.name_raw());
        // What is none has been found not to matter.
        if let Some(name) = name.strip_suffix(".npy").filter(|_| !is_left_by_a_system(&name)) {
            parts.push((at, name.to_string()));
        }
    }
    let parts = parts.into_iter().map(|(at, name)| (at, Part::new(&mut archive, at, name))).collect::<Vec<_>>();
    let names: Vec<String> = parts.iter().flat_map(|(_, part)| part.columns.iter().cloned()).collect();
    let how = input.kinds(&names, kinds)?;
    let (mut wanted, mut rest) = (Vec::new(), &how[..]);
    for (at, part) in parts {
        let (of_part, more) = rest.split_at_checked(part.columns.len()).unwrap_or((rest, &[]));
        rest = more;
        if of_part.iter().any(|how| *how != ReadAs::Skip) {
            wanted.push((at, part, of_part));
        }
    }
    let mut rows = Vec::new();
    for (_, part, _) in &mut wanted {
        rows.push((part.name.clone(), part.rows().map_err(|fault| part.error(&input, fault))?));
    }
    if let Some(problem) = other_rows(&rows) {
        return Err(input.malformed(problem));
    }
    let mut columns = Vec::new();
    for (at, part, how) in &wanted {
        let mut entry = archive.by_index(*at).map_err(|error| part.error(&input, error.into()))?;
        let more = array(&mut entry).and_then(|array| Ok(array.columns(&part.columns, how)?));
        columns.extend(more.map_err(|fault| part.error(&input, fault))?);
    }
    input.table(columns, &how)
}

impl Part {
    fn new(archive: &mut ZipArchive<BufReader<Whole>>, at: usize, name: String) -> Self {
        let mut read = || {
            let mut entry = archive.by_index(at)?;
            let layout = layout(&mut entry)?;
            if layout.columns()? > UNSEEN {
                are_there(&mut entry, &layout)?;
            }
            let columns = layout.names(&name)?;
            Ok((layout, columns))
        };
        match read() {
            Ok((layout, columns)) => Self { name, layout: Ok(layout), columns },
            Err(fault) => Self { columns: vec![name.clone()], name, layout: Err(fault) },
        }
    }

    /// Its number of rows; what is wrong with it is told once.
    fn rows(&mut self) -> Result<usize, FileFault> {
        match &mut self.layout {
            Ok(layout) => Ok(layout.shape.first().copied().unwrap_or(0)),
            Err(fault) => Err(std::mem::replace(fault, FileFault::Malformed(String::new()))),
        }
    }

    fn error(&self, input: &Input<'_>, fault: FileFault) -> crate::Error {
        let name = shorten(&self.name);
        let fault = match fault {
            FileFault::Malformed(problem) => {
                FileFault::Malformed(format!("{problem}; {} leaves it out", set("ignore", &name)))
            }
            other => other,
        };
        input.error(&format!("array `{name}`: "), fault)
    }
}

/// An error where there are fewer values than the header tells. Takes no memory.
fn are_there(entry: &mut impl Read, layout: &Layout) -> Result<(), FileFault> {
    let bytes = layout.shape.iter().chain([&layout.size]).try_fold(1_u64, |all, &size| all.checked_mul(size as u64));
    let found = io::copy(entry, &mut io::sink())?;
    if bytes.is_some_and(|bytes| bytes <= found) {
        return Ok(());
    }
    Err(format!("it ends after {found} bytes, before the values of its dimensions {:?}", layout.shape).into())
}

/// What is wrong with arrays of these numbers of rows, if anything.
fn other_rows(rows: &[(String, usize)]) -> Option<String> {
    let most = rows.iter().map(|(_, rows)| *rows).max()?;
    let fewer: Vec<&str> = rows.iter().filter(|(_, rows)| *rows < most).map(|(name, _)| name.as_str()).collect();
    let (some, _) = rows.iter().find(|(_, rows)| *rows == most)?;
    if fewer.is_empty() {
        return None;
    }
    let mut told: Vec<_> = rows.iter().take(TOLD).map(|(name, rows)| format!("`{}` {rows}", shorten(name))).collect();
    if rows.len() > TOLD {
        told.push("…".into());
    }
    Some(format!(
        "its arrays have different numbers of rows, {}: name those that belong together, for example by {}, or leave \
        others out, for example by {}",
        told.join(", "),
        set("features", &shorten(some)),
        set("ignore", &shorten(&fewer.join(","))),
    ))
}
