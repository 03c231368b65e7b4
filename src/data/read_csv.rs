//! Reads delimited text: CSV, TSV, and their like. In: a path, and as what each column is to be read. Out: a checked
//! [`Table`], all at once or a part after the other, or an error that names line and column.
//!
//! The file is cut into blocks of whole rows (`blocks`), which all cores parse (`parse`) while the next ones are read.
//! Their cells are appended to the columns, and the text is gone: numbers take 8 bytes, texts 4 and once their own.
//! A column is taken for numbers until a text turns up. In the first blocks that is seen at once; later on, the file is
//! read once more, for what was taken for a number does not say whether it stood there as `1` or `1.0`.

use std::path::Path;

use foldhash::HashMap;
use rayon::prelude::*;

use super::blocks::Blocks;
use super::bytes::{Bytes, Origin};
use super::column::{Cells, Column, Texts, in_order};
use super::parse::{Block, Chunk, Parser, Piece, ReadAs};
use super::table::{Lines, Table};
use crate::error::{Error, Result};

/// A delimited file that is open, its header read.
pub struct CsvReader<'a> {
    path: &'a Path,
    blocks: Blocks<'a>,
    names: Vec<String>,
}

impl<'a> CsvReader<'a> {
    /// Opens a file, or stdin for `-`, as it is or compressed. Cells are separated by `,`, `;`, tabs or `|`, whichever suits the
    /// first rows best, and the first row has the columns' names. Cells may be quoted and have white space around
    /// them; blank lines are passed over. Text is UTF-8, or UTF-16 with a byte order mark.
    ///
    /// # Errors
    /// [`Error::Io`] where the file can't be read; [`Error::EmptyTable`] for nothing at all; [`Error::MalformedTable`] for a
    /// header with empty or equal names or that isn't UTF-8, and for broken compressed data.
    pub fn open(path: &'a Path) -> Result<Self> {
        Self::of_bytes(path, Origin::new(path).open()?, None)
    }

    /// The same of text in the encoding of this name, unless a byte order mark says another. Names are those of the Encoding
    /// Standard (encoding.spec.whatwg.org), as `windows-1252`, `latin1`, `shift_jis`, in any case.
    ///
    /// # Errors
    /// Those of [`open`](Self::open); [`Error::Setting`] for a name that no encoding has; [`Error::MalformedTable`] for bytes
    /// that are no text of it, also from [`next_table`](Self::next_table).
    pub fn open_encoded(path: &'a Path, encoding: &str) -> Result<Self> {
        Self::of_bytes(path, Origin::new(path).open()?, Some(encoding))
    }

    pub(super) fn of_bytes(path: &'a Path, bytes: Bytes, encoding: Option<&str>) -> Result<Self> {
        let (blocks, names) = Blocks::open(path, bytes, encoding)?;
        Ok(Self { path, blocks, names })
    }

    /// The columns' names, in the order of the file.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The next rows as a table of their own, a few megabytes of the file; none at its end. `kinds` says for each column
    /// as what it is read; [`ReadAs::Infer`] goes by these rows alone.
    ///
    /// # Errors
    /// [`Error::MalformedTable`] for a row with another number of cells and for text that isn't UTF-8;
    /// [`Error::NotANumber`] and [`Error::NonFinite`] for cells of numeric columns; [`Error::EmptyTable`] where all columns
    /// are skipped; [`Error::Shape`] for another number of kinds than of columns.
    pub fn next_table(&mut self, kinds: &[ReadAs]) -> Result<Option<Table>> {
        ReadAs::check(kinds, self.names.len())?;
        let batch = self.blocks.batch(batch_size())?;
        let mut growth = Growth::new(self.path, &self.names, self.blocks.delimiter, kinds.to_vec());
        growth.add(&batch)?;
        if growth.rows == 0 { Ok(None) } else { growth.table().map(Some) }
    }

    /// All rows; none where columns turned out to hold texts, which `kinds` then says.
    fn all(mut self, kinds: &mut Vec<ReadAs>) -> Result<Option<Table>> {
        let size = batch_size();
        let mut growth = Growth::new(self.path, &self.names, self.blocks.delimiter, std::mem::take(kinds));
        let mut batch = self.blocks.batch(size)?;
        while !batch.is_empty() {
            let (added, next) = rayon::join(|| growth.add(&batch), || self.blocks.batch(size));
            added?;
            batch = next?;
        }
        if growth.turned() {
            *kinds = growth.kinds;
            return Ok(None);
        }
        growth.table().map(Some)
    }
}

impl Table {
    /// Reads a delimited file as [`CsvReader::open`] takes it, at least one row of it. Each column holds finite numbers or
    /// texts, inferred from all of its cells; empty cells, `?`, and NA, NaN, N/A, null in any case are missing.
    ///
    /// # Errors
    /// Those of [`CsvReader::open`] and [`CsvReader::next_table`]; [`Error::EmptyTable`] without rows.
    pub fn read_csv(path: impl AsRef<Path>) -> Result<Self> {
        Self::read_csv_as(path, |names| Ok(vec![ReadAs::Infer; names.len()]))
    }

    /// The same with each column read as `how` says, which is told all names.
    ///
    /// # Errors
    /// Those of [`read_csv`](Self::read_csv) and of `how`; [`Error::EmptyTable`] where all columns are skipped.
    pub fn read_csv_as(path: impl AsRef<Path>, how: impl FnOnce(&[String]) -> Result<Vec<ReadAs>>) -> Result<Self> {
        let path = path.as_ref();
        let origin = Origin::new(path).keep()?;
        let bytes = origin.open()?;
        Self::read_text(path, &origin, bytes, how)
    }

    pub(super) fn read_text(
        path: &Path,
        origin: &Origin<'_>,
        bytes: Bytes,
        how: impl FnOnce(&[String]) -> Result<Vec<ReadAs>>,
    ) -> Result<Self> {
        let mut reader = CsvReader::of_bytes(path, bytes, None)?;
        let mut kinds = how(&reader.names)?;
        ReadAs::check(&kinds, reader.names.len())?;
        loop {
            if let Some(table) = reader.all(&mut kinds)? {
                return Ok(table);
            }
            // Once more: now all columns of texts are known.
            reader = CsvReader::of_bytes(path, origin.open()?, None)?;
        }
    }

    /// The names of a delimited file's columns, without a look at its rows.
    ///
    /// # Errors
    /// Those of [`CsvReader::open`].
    pub fn csv_names(path: impl AsRef<Path>) -> Result<Vec<String>> {
        Ok(CsvReader::open(path.as_ref())?.names)
    }
}

/// Blocks that are parsed at a time: each core has some, so that none is idle for long.
fn batch_size() -> usize {
    4 * rayon::current_num_threads()
}

/// Columns that grow block by block.
struct Growth<'a> {
    path: &'a Path,
    names: &'a [String],
    delimiter: u8,
    kinds: Vec<ReadAs>,
    columns: Vec<Growing>,
    rows: usize,
    lines: Lines,
}

enum Growing {
    Skipped,
    Number {
        values: Vec<f64>,
        infinite: Option<(usize, String)>,
    },
    Text {
        known: HashMap<String, u32>,
        codes: Vec<u32>,
    },
    /// To be read again, as texts.
    Turned,
}

impl<'a> Growth<'a> {
    fn new(path: &'a Path, names: &'a [String], delimiter: u8, kinds: Vec<ReadAs>) -> Self {
        let columns = kinds.iter().map(|&kind| Growing::new(kind)).collect();
        Self { path, names, delimiter, kinds, columns, rows: 0, lines: Lines::default() }
    }

    fn add(&mut self, batch: &[Block]) -> Result<()> {
        let mut chunks = self.parse(batch)?;
        if self.rows == 0 {
            // Nothing is lost yet: texts among what might have been numbers are parsed as such.
            let mut turned = false;
            for chunk in &chunks {
                for (at, _) in chunk.pieces.iter().enumerate().filter(|(_, piece)| matches!(piece, Piece::Turned)) {
                    self.kinds[at] = ReadAs::Text;
                    self.columns[at] = Growing::new(ReadAs::Text);
                    turned = true;
                }
            }
            if turned {
                chunks = self.parse(batch)?;
            }
        }
        self.append(chunks)
    }

    fn parse<'b>(&self, batch: &'b [Block]) -> Result<Vec<Chunk<'b>>> {
        let Self { path, names, ref kinds, delimiter, .. } = *self;
        let parser = Parser { path, names, kinds, delimiter };
        let chunks: Vec<_> = batch.par_iter().map(|block| parser.parse(block)).collect();
        chunks.into_iter().collect() // the first block's error is the one that is told
    }

    /// Appends the blocks' cells, all columns at once.
    fn append(&mut self, chunks: Vec<Chunk<'_>>) -> Result<()> {
        let mut pieces: Vec<Vec<_>> = self.columns.iter().map(|_| Vec::with_capacity(chunks.len())).collect();
        let first = self.rows;
        for chunk in chunks {
            for (column, piece) in pieces.iter_mut().zip(chunk.pieces) {
                column.push((piece, self.rows));
            }
            for (row, line) in chunk.lines {
                self.lines.push(self.rows + row, line);
            }
            self.rows += chunk.rows;
        }
        let columns = self.columns.par_iter_mut().zip(&mut self.kinds).zip(pieces);
        let appended = columns.map(|((growing, kind), pieces)| {
            for (piece, rows) in pieces {
                if matches!(piece, Piece::Turned) {
                    *kind = ReadAs::Skip; // for the rest of this time
                }
                growing.append(piece, rows)?;
            }
            Ok(())
        });
        appended.collect::<Result<(), String>>().map_err(|problem| {
            let (path, place) = (self.path.into(), self.lines.at(first));
            Error::MalformedTable { path, place, problem }
        })
    }

    /// Whether the file has to be read again; `kinds` then says as what.
    fn turned(&mut self) -> bool {
        let mut any = false;
        for (growing, kind) in self.columns.iter().zip(&mut self.kinds) {
            if matches!(growing, Growing::Turned) {
                *kind = ReadAs::Text;
                any = true;
            }
        }
        any
    }

    fn table(self) -> Result<Table> {
        let mut columns = Vec::with_capacity(self.names.len());
        for (growing, name) in self.columns.into_iter().zip(self.names) {
            let cells = match growing {
                Growing::Skipped | Growing::Turned => continue,
                Growing::Number { infinite: Some((row, cell)), .. } => {
                    let (path, place, column) = (self.path.into(), self.lines.at(row), name.clone());
                    return Err(Error::NonFinite { path, place, column, cell });
                }
                Growing::Number { values, .. } => Cells::Number(values),
                Growing::Text { known, codes } => Cells::Text(Texts::from_parts(in_order(known), codes)),
            };
            columns.push(Column { name: name.clone(), cells });
        }
        if self.rows == 0 || columns.is_empty() {
            return Err(Error::EmptyTable { path: self.path.into() });
        }
        Ok(Table::from_checked(self.path, columns, self.lines))
    }
}

impl Growing {
    fn new(kind: ReadAs) -> Self {
        match kind {
            ReadAs::Skip => Self::Skipped,
            ReadAs::Number | ReadAs::Infer => Self::Number { values: Vec::new(), infinite: None },
            ReadAs::Text => Self::Text { known: HashMap::default(), codes: Vec::new() },
        }
    }

    /// Appends a block's cells, behind so many rows.
    fn append(&mut self, piece: Piece<'_>, rows: usize) -> Result<(), String> {
        match (&mut *self, piece) {
            (Self::Number { values, infinite }, Piece::Number { values: more, infinite: found }) => {
                values.extend_from_slice(&more);
                if infinite.is_none() {
                    *infinite = found.map(|(row, cell)| (rows + row, cell));
                }
            }
            (Self::Text { known, codes }, Piece::Text { labels, codes: more, .. }) => {
                let mut places = Vec::with_capacity(labels.len());
                for label in labels {
                    let next = u32::try_from(known.len()).ok().filter(|&next| next != Texts::MISSING);
                    let next = next.ok_or("a column has more distinct texts than can be told apart")?;
                    places.push(match known.get(label.as_ref()) {
                        Some(&code) => code,
                        None => *known.entry(label.into_owned()).or_insert(next),
                    });
                }
                codes.extend(more.into_iter().map(|code| places.get(code as usize).copied().unwrap_or(Texts::MISSING)));
            }
            (_, Piece::Turned) => *self = Self::Turned,
            _ => {} // skipped, or to be read again
        }
        Ok(())
    }
}
