//! Reads delimited text: CSV, TSV, and their like. In: a path, and how each column is to be read. Out: a checked
//! [`Table`], all at once or a part after the other, or an error that names line and column.
//!
//! The file is cut into blocks of whole rows (`blocks`), which all cores parse (`parse`) while the next ones are read.
//! Their cells are appended to the columns, and the text is gone: numbers take 8 bytes, texts 4 and once their own.
//! A column is taken for numbers until a text turns up. In the first blocks that is seen at once; later on, the file is
//! read once more, for what was taken for a number does not say whether it stood there as `1` or `1.0`.

mod blocks;
mod header;
mod parse;
mod scan;

use std::path::Path;

use foldhash::HashMap;

use crate::data::column::{Categorical, Cells, Column, in_order};
use crate::data::infer::{Inference, Unfit, padded};
use crate::data::note::{Note, NoteKind, Notes};
use crate::data::read::bytes::Bytes;
use crate::data::read::csv::blocks::Blocks;
use crate::data::read::csv::header::Header;
use crate::data::read::csv::parse::{Block, Chunk, Parsed, Parser, Piece, StrayCells};
use crate::data::read::origin::Origin;
use crate::data::read_as::ReadAs;
use crate::data::reading::Reading;
use crate::data::table::{Lines, Table};
use crate::error::{Error, Place, Result};
use crate::limits;
use crate::parallel;
use crate::parallel::prelude::*;

/// A delimited file that is open, its header read.
pub struct CsvReader<'a> {
    path: &'a Path,
    reading: Reading,
    blocks: Blocks<'a>,
    header: Header,
}

impl<'a> CsvReader<'a> {
    /// Opens a file, or stdin for `-`, as it is or compressed. Cells are separated by `,`, `;`, tabs or `|`, whichever
    /// suits the first rows best or a first line `sep=;` says, and the first row has the columns' names, unless
    /// `reading` says otherwise. Cells may be quoted and have white space around them; blank lines are skipped, but for
    /// those between the rows of a single column, whose cells are missing. Lines with # in front of the header that
    /// have not as many cells as the rows are skipped. Names that occur twice and those that are empty are completed as
    /// pandas does. Text is UTF-8, or UTF-16 with a byte order mark, or in the encoding that `reading` names.
    ///
    /// # Errors
    /// [`Error::Io`] where the file can't be read; [`Error::EmptyTable`] for nothing at all; [`Error::Setting`] for an
    /// encoding that there is none; [`Error::MalformedTable`] for a header that isn't text, and for broken compressed
    /// data.
    pub fn open(path: &'a Path, reading: &Reading) -> Result<Self> {
        Self::of_bytes(path, Origin::new(path).open()?, reading)
    }

    pub(in crate::data) fn of_bytes(path: &'a Path, bytes: Bytes, reading: &Reading) -> Result<Self> {
        let (blocks, header) = Blocks::open(path, bytes, reading)?;
        Ok(Self { path, reading: reading.clone(), blocks, header })
    }

    /// The columns' names, in the order of the file.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.header.names
    }

    /// The next rows as a table of their own, a few megabytes of the file; none at its end. `kinds` says for each
    /// column how it is read; what is to be found out is found in these rows alone. The first part has the notes about
    /// the header.
    ///
    /// # Errors
    /// [`Error::MalformedTable`] for a row with another number of cells and for text that isn't UTF-8;
    /// [`Error::NotANumber`] and [`Error::NonFinite`] for cells of numeric columns; [`Error::EmptyTable`] where all columns
    /// are skipped; [`Error::Shape`] for another number of kinds than of columns.
    pub fn next_table(&mut self, kinds: &[ReadAs]) -> Result<Option<Table>> {
        ReadAs::check(kinds, self.names().len())?;
        let batch = self.blocks.batch(batch_size())?;
        let notes = std::mem::take(&mut self.header.notes);
        let parsed = kinds.iter().map(|kind| Parsed::of(kind.said(&self.reading), &self.reading)).collect();
        let mut growth = Growth::new(self, kinds.to_vec(), parsed);
        growth.add(&batch)?;
        if growth.rows == 0 { Ok(None) } else { growth.table(notes).map(Some) }
    }

    /// All rows; none where columns turned out to hold something else, which `parsed` then says.
    fn all(mut self, kinds: &[ReadAs], parsed: &mut Vec<Parsed>) -> Result<Option<Table>> {
        let size = batch_size();
        let Self { path, reading, blocks, header } = &mut self;
        let mut growth = Growth::of(path, reading, header, blocks.delimiter, kinds.to_vec(), std::mem::take(parsed));
        let mut batch = blocks.batch(size)?;
        while !batch.is_empty() {
            let (added, next) = parallel::join(|| growth.add(&batch), || blocks.batch(size));
            added?;
            batch = next?;
        }
        if growth.turned() {
            *parsed = growth.parsed;
            return Ok(None);
        }
        let notes = header.notes.clone();
        growth.table(notes).map(Some)
    }

    /// Leaves the column out that counts the rows, unless something is said of it.
    pub(in crate::data) fn without_index(&mut self, kinds: &mut [ReadAs]) {
        if let Some(index) = self.header.index.filter(|&index| kinds[index] == ReadAs::Infer) {
            kinds[index] = ReadAs::Skip;
            self.header.notes.push(Note::file(NoteKind::IndexColumn));
        }
    }
}

impl Table {
    /// Reads a delimited file as [`CsvReader::open`] takes it, at least one row of it. Each column holds finite
    /// numbers, dates or texts, inferred from all of its cells ([`ReadAs::Infer`]).
    ///
    /// # Errors
    /// Those of [`CsvReader::open`] and [`CsvReader::next_table`]; [`Error::EmptyTable`] without rows.
    pub fn read_csv(path: impl AsRef<Path>) -> Result<Self> {
        Self::read_csv_as(path, &Reading::default(), |names| Ok(vec![ReadAs::Infer; names.len()]))
    }

    /// The same with each column read as `how` says, which is told all names.
    ///
    /// # Errors
    /// Those of [`read_csv`](Self::read_csv) and of `how`; [`Error::EmptyTable`] where all columns are skipped.
    pub fn read_csv_as(
        path: impl AsRef<Path>,
        reading: &Reading,
        how: impl FnOnce(&[String]) -> Result<Vec<ReadAs>>,
    ) -> Result<Self> {
        let path = path.as_ref();
        let origin = Origin::new(path).keep()?;
        let bytes = origin.open()?;
        Self::read_text(path, &origin, bytes, reading, how)
    }

    pub(in crate::data) fn read_text(
        path: &Path,
        origin: &Origin<'_>,
        bytes: Bytes,
        reading: &Reading,
        how: impl FnOnce(&[String]) -> Result<Vec<ReadAs>>,
    ) -> Result<Self> {
        let mut reader = CsvReader::of_bytes(path, bytes, reading)?;
        let mut kinds = how(reader.names())?;
        ReadAs::check(&kinds, reader.names().len())?;
        let mut parsed: Option<Vec<Parsed>> = None;
        loop {
            let asked = kinds.clone();
            reader.without_index(&mut kinds);
            let mut as_what = parsed
                .take()
                .unwrap_or_else(|| kinds.iter().map(|kind| Parsed::of(kind.said(reading), reading)).collect());
            let names = reader.names().to_vec();
            if let Some(table) = reader.all(&kinds, &mut as_what)? {
                return Ok(table);
            }
            // Once more: now it is known which columns hold more than plain numbers.
            (kinds, parsed) = (asked, Some(as_what));
            reader = CsvReader::of_bytes(path, origin.open()?, reading)?;
            if *reader.names() != names {
                let problem = "it changed while it was read, and has other columns: wait until it is complete".into();
                return Err(Error::MalformedTable { path: path.into(), place: Place::Line(1), problem });
            }
        }
    }

    /// The names of a delimited file's columns, without a look at its rows.
    ///
    /// # Errors
    /// Those of [`CsvReader::open`].
    pub fn csv_names(path: impl AsRef<Path>) -> Result<Vec<String>> {
        Ok(CsvReader::open(path.as_ref(), &Reading::default())?.header.names)
    }
}

/// Blocks that are parsed at a time: each core has some, so that none is idle for long.
fn batch_size() -> usize {
    4 * parallel::current_threads()
}

/// Columns that grow block by block.
struct Growth<'a> {
    path: &'a Path,
    reading: &'a Reading,
    names: &'a [String],
    unnamed: &'a [usize],
    delimiter: u8,
    /// What the columns are to be, and how they are parsed.
    kinds: Vec<ReadAs>,
    parsed: Vec<Parsed>,
    columns: Vec<Growing>,
    rows: usize,
    lines: Lines,
}

enum Growing {
    Skipped,
    Number {
        values: Vec<f64>,
        infinite: Option<(usize, String)>,
        strays: StrayCells,
        codes: StrayCells,
    },
    Text {
        known: HashMap<String, u32>,
        codes: Vec<u32>,
    },
    /// To be read again, as texts.
    Turned,
}

impl<'a> Growth<'a> {
    fn new(reader: &'a CsvReader<'_>, kinds: Vec<ReadAs>, parsed: Vec<Parsed>) -> Self {
        Self::of(reader.path, &reader.reading, &reader.header, reader.blocks.delimiter, kinds, parsed)
    }

    fn of(
        path: &'a Path,
        reading: &'a Reading,
        header: &'a Header,
        delimiter: u8,
        kinds: Vec<ReadAs>,
        parsed: Vec<Parsed>,
    ) -> Self {
        let kinds = kinds.into_iter().map(|kind| kind.said(reading)).collect();
        let columns = parsed.iter().map(|&parsed| Growing::new(parsed)).collect();
        let Header { names, unnamed, .. } = header;
        Self { path, reading, names, unnamed, delimiter, kinds, parsed, columns, rows: 0, lines: Lines::default() }
    }

    fn add(&mut self, batch: &[Block]) -> Result<()> {
        let mut chunks = self.parse(batch)?;
        if self.rows == 0 {
            // Nothing is lost yet: what is among the plain numbers is parsed as texts.
            let mut turned = false;
            for chunk in &chunks {
                for (at, _) in chunk.pieces.iter().enumerate().filter(|(_, piece)| matches!(piece, Piece::Turned)) {
                    self.parsed[at] = Parsed::Text;
                    self.columns[at] = Growing::new(Parsed::Text);
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
        let Self { path, reading, names, ref kinds, ref parsed, delimiter, .. } = *self;
        let parser = Parser { path, names, kinds, parsed, reading, delimiter };
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
        let columns = self.columns.par_iter_mut().zip(&mut self.parsed).zip(pieces);
        let unfit = |problem: &str| {
            let (path, place) = (self.path.into(), self.lines.at(first));
            Error::MalformedTable { path, place, problem: problem.into() }
        };
        let appended = columns.map(|((growing, parsed), pieces)| {
            for (piece, rows) in pieces {
                if matches!(piece, Piece::Turned) {
                    *parsed = Parsed::Skip; // for the rest of this time
                }
                growing.append(piece, rows, unfit)?;
            }
            Ok(())
        });
        appended.collect()
    }

    /// Whether the file has to be read again; `parsed` then says as what.
    fn turned(&mut self) -> bool {
        let mut any = false;
        for (growing, parsed) in self.columns.iter().zip(&mut self.parsed) {
            if matches!(growing, Growing::Turned) {
                *parsed = Parsed::Text;
                any = true;
            }
        }
        any
    }

    fn table(self, header: Vec<Note>) -> Result<Table> {
        let Self { path, reading, names, unnamed, delimiter, kinds, columns, rows, lines, .. } = self;
        let mut notes = Notes::default();
        notes.extend(header);
        let place = |row| lines.at(row);
        let inference = Inference { reading, commas_free: matches!(delimiter, b';' | b'\t'), place: &place };
        let columns = columns.into_par_iter().zip(names).zip(kinds);
        let finished = columns.map(|((growing, name), kind)| growing.finish(&inference, path, name, kind));
        let mut all = Vec::with_capacity(names.len());
        for (at, found) in finished.collect::<Vec<_>>().into_iter().enumerate() {
            let Some((column, of_column)) = found? else { continue };
            if unnamed.contains(&at) && column.cells.missing() == rows {
                notes.push(Note::column(NoteKind::EmptyColumn, format!("column {}", at + 1)));
                continue;
            }
            if unnamed.contains(&at) {
                notes.push(Note::column(NoteKind::UnnamedColumn, &column.name));
            }
            notes.extend(of_column);
            all.push(column);
        }
        if rows == 0 || all.is_empty() {
            return Err(Error::EmptyTable { path: path.into() });
        }
        Ok(Table::from_checked(path, all, lines, notes))
    }
}

impl Growing {
    fn new(parsed: Parsed) -> Self {
        match parsed {
            Parsed::Skip => Self::Skipped,
            Parsed::Number { .. } => {
                let (values, infinite) = (Vec::new(), None);
                Self::Number { values, infinite, strays: StrayCells::default(), codes: StrayCells::default() }
            }
            Parsed::Text => Self::Text { known: HashMap::default(), codes: Vec::new() },
        }
    }

    /// The finished column, with what is noted of it; none of one that is skipped.
    fn finish(
        self,
        inference: &Inference<'_>,
        path: &Path,
        name: &str,
        kind: ReadAs,
    ) -> Result<Option<(Column, Vec<Note>)>> {
        let mut notes = Vec::new();
        match self {
            Self::Skipped | Self::Turned => Ok(None),
            Self::Number { infinite: Some((row, cell)), .. } => {
                Err(Unfit { row, cell, infinite: true }.error(path, (inference.place)(row), name))
            }
            Self::Number { values, strays, codes: StrayCells { count, first, examples }, .. } => {
                if count > 0 {
                    notes.push(padded(name, count, values.len(), examples, (inference.place)(first)));
                }
                if strays.count > 0 {
                    let StrayCells { count, first, examples } = strays;
                    let note = Note::column(kind.stray_note(), name).count(count, values.len(), examples);
                    notes.push(note.place((inference.place)(first)));
                }
                let form = if let ReadAs::Written(form, _) = kind { form } else { Default::default() };
                Ok(Some((Column { form, ..Column::new(name, Cells::Number(values)) }, notes)))
            }
            Self::Text { known, codes } => {
                let texts = Categorical::from_parts(in_order(known), codes);
                match inference.column(name, texts, kind, &mut notes) {
                    Ok(column) => Ok(Some((column, notes))),
                    Err(unfit) => {
                        let place = (inference.place)(unfit.row);
                        Err(unfit.error(path, place, name))
                    }
                }
            }
        }
    }

    /// Appends a block's cells, behind so many rows.
    fn append(&mut self, piece: Piece<'_>, rows: usize, unfit: impl Fn(&str) -> Error) -> Result<()> {
        match (&mut *self, piece) {
            (
                Self::Number { values, infinite, strays, codes },
                Piece::Number { values: more, infinite: found, strays: stray, codes: code, .. },
            ) => {
                limits::more_room("a column", values, more.len())?;
                values.extend_from_slice(&more);
                if infinite.is_none() {
                    *infinite = found.map(|(row, cell)| (rows + row, cell));
                }
                for (all, more) in [(strays, stray), (codes, code)].into_iter().filter(|(_, more)| more.count > 0) {
                    all.append(more, rows);
                }
            }
            (Self::Text { known, codes }, Piece::Text { labels, codes: more, .. }) => {
                let mut places = Vec::with_capacity(labels.len());
                for label in labels {
                    let next = u32::try_from(known.len()).ok().filter(|&next| next != Categorical::MISSING);
                    let next = next.ok_or_else(|| unfit("a column has more distinct texts than mlp can number"))?;
                    places.push(match known.get(label.as_ref()) {
                        Some(&code) => code,
                        None => *known.entry(label.into_owned()).or_insert(next),
                    });
                }
                limits::more_room("a column", codes, more.len())?;
                codes.extend(
                    more.into_iter().map(|code| places.get(code as usize).copied().unwrap_or(Categorical::MISSING)),
                );
            }
            (_, Piece::Turned) => *self = Self::Turned,
            _ => {} // skipped, or to be read again
        }
        Ok(())
    }
}
