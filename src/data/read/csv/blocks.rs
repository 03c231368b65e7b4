//! Cuts a delimited file into blocks of whole rows. In: bytes as they come. Out: the header's names, then blocks with the
//! line on which each begins; only what is worked on is held.

use std::io::Read;
use std::path::Path;

use memchr::{memchr, memchr_iter};

use crate::data::read::bytes::Bytes;
use crate::data::read::csv::header::{Header, Start};
use crate::data::read::csv::parse::Block;
use crate::data::read::csv::scan::whole_rows;
use crate::data::read::encoding::utf8;
use crate::data::read::problem::Problem;
use crate::data::reading::Reading;
use crate::error::{Error, Place, Result};

/// Bytes that are read at a time.
const BLOCK: usize = 1 << 18;

/// The rows of a file that are still to come.
pub(in crate::data) struct Blocks<'a> {
    path: &'a Path,
    source: Bytes,
    pub delimiter: u8,
    /// Read, but not part of a block yet.
    rest: Vec<u8>,
    /// The line on which the rest begins, counted from 1.
    line: u64,
    ended: bool,
    /// Whether lines end in a bare carriage return, as on old Macs, once a part of them is read: these are line feeds here.
    returns: Option<bool>,
    /// Whether there is a single column: then a blank line between rows is a cell that is missing.
    lone: bool,
}

impl<'a> Blocks<'a> {
    /// Reads the header.
    pub fn open(path: &'a Path, source: Bytes, reading: &Reading) -> Result<(Self, Header)> {
        let source = utf8(path, source, reading.encoding.as_deref())?;
        let (delimiter, rest) = (b',', Vec::new());
        let mut blocks = Self { path, source, delimiter, rest, line: 1, ended: false, returns: None, lone: false };
        blocks.read()?;
        let header = loop {
            let start = Start { path, text: &blocks.rest, ended: blocks.ended, reading };
            match Header::find(&start)? {
                Some(header) => break header,
                None if blocks.ended => return Err(Error::EmptyTable { path: path.into() }),
                None => blocks.read()?, // the first row may be longer than a block
            }
        };
        blocks.rest.drain(..header.bytes);
        (blocks.delimiter, blocks.line, blocks.lone) = (header.delimiter, header.line, header.names.len() == 1);
        Ok((blocks, header))
    }

    /// Several blocks, none at the end of the file.
    pub fn batch(&mut self, most: usize) -> Result<Vec<Block>> {
        let mut batch = Vec::with_capacity(most);
        while batch.len() < most
            && let Some(block) = self.next()?
        {
            batch.push(block);
        }
        Ok(batch)
    }

    fn next(&mut self) -> Result<Option<Block>> {
        let whole = self.whole_rows()?;
        if whole == 0 {
            return Ok(None);
        }
        let rest = self.rest.split_off(whole);
        let block = Block { bytes: std::mem::replace(&mut self.rest, rest), line: self.line };
        self.line += memchr_iter(b'\n', &block.bytes).count() as u64;
        Ok(Some(block))
    }

    /// Reads until there are whole rows, and tells how many bytes they have; 0 at the end of the file.
    fn whole_rows(&mut self) -> Result<usize> {
        loop {
            if self.ended {
                return Ok(self.rows_to(self.rest.len()));
            }
            self.read()?;
            let whole = if self.ended { self.rest.len() } else { whole_rows(&self.rest, self.delimiter) };
            let whole = self.rows_to(whole);
            if whole > 0 {
                return Ok(whole);
            }
        }
    }

    /// The bytes of so many without blank lines at their end, where such a line counts only if a row comes behind it.
    fn rows_to(&self, whole: usize) -> usize {
        if !self.lone {
            return whole;
        }
        match self.rest[..whole].trim_ascii_end().len() {
            0 => 0,
            held => memchr(b'\n', &self.rest[held..whole]).map_or(whole, |end| held + end + 1),
        }
    }

    /// Reads on: a block, or as much as there is already where a row is longer than that.
    fn read(&mut self) -> Result<()> {
        let held = self.rest.len();
        let want = held.max(BLOCK);
        let found = self.source.by_ref().take(want as u64).read_to_end(&mut self.rest);
        let found = found.map_err(|error| self.unreadable(error))?;
        let new = &mut self.rest[held..];
        let returns = || memchr(b'\n', new).is_none() && memchr(b'\r', new).is_some();
        if *self.returns.get_or_insert_with(returns) {
            new.iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
        }
        if found < want {
            self.ended = true;
            // A row ends in a line feed, the last one too.
            if self.rest.last().is_some_and(|&byte| byte != b'\n') {
                self.rest.push(b'\n');
            }
        }
        Ok(())
    }

    fn malformed(&self, line: u64, problem: String) -> Error {
        Error::MalformedTable { path: self.path.into(), place: Place::Line(line), problem }
    }

    fn unreadable(&self, error: std::io::Error) -> Error {
        match Problem::of(&error) {
            Some(problem) => {
                let lines = memchr_iter(b'\n', &self.rest).count() as u64;
                self.malformed(self.line + lines, problem.into())
            }
            None => Error::io("read the table", self.path)(error),
        }
    }
}
