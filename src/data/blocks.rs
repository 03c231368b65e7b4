//! Cuts a delimited file into blocks of whole rows. In: bytes as they come. Out: the header's names, then blocks with the
//! line on which each begins; only what is worked on is held.

use std::io::Read;
use std::path::Path;

use memchr::memchr_iter;

use super::bytes::{Bytes, Problem};
use super::encoding::{not_utf8, utf8};
use super::parse::Block;
use super::scan::{End, Scanner, delimiter, whole_rows};
use super::table::unfit_names;
use crate::error::{Error, Place, Result};

/// Bytes that are read at a time.
const BLOCK: usize = 1 << 18;

/// The rows of a file that are still to come.
pub(super) struct Blocks<'a> {
    path: &'a Path,
    source: Bytes,
    pub delimiter: u8,
    /// Read, but not part of a block yet.
    rest: Vec<u8>,
    /// The line on which the rest begins, counted from 1.
    line: u64,
    ended: bool,
}

impl<'a> Blocks<'a> {
    /// Reads the header of text in the encoding of this name, of UTF-8 without one; a byte order mark goes before.
    pub fn open(path: &'a Path, source: Bytes, encoding: Option<&str>) -> Result<(Self, Vec<String>)> {
        let source = utf8(path, source, encoding)?;
        let mut blocks = Self { path, source, delimiter: b',', rest: Vec::new(), line: 1, ended: false };
        blocks.read()?;
        blocks.delimiter = delimiter(&blocks.rest);
        let names = blocks.header()?;
        Ok((blocks, names))
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
                return Ok(self.rest.len());
            }
            self.read()?;
            let whole = if self.ended { self.rest.len() } else { whole_rows(&self.rest, self.delimiter) };
            if whole > 0 {
                return Ok(whole);
            }
        }
    }

    /// Reads on: a block, or as much as there is already where a row is longer than that.
    fn read(&mut self) -> Result<()> {
        let want = self.rest.len().max(BLOCK);
        let found = self.source.by_ref().take(want as u64).read_to_end(&mut self.rest);
        let found = found.map_err(|error| self.unreadable(error))?;
        if found < want {
            self.ended = true;
            // A row ends in a line feed, the last one too.
            if self.rest.last().is_some_and(|&byte| byte != b'\n') {
                self.rest.push(b'\n');
            }
        }
        Ok(())
    }

    fn header(&mut self) -> Result<Vec<String>> {
        loop {
            // The first row may be longer than a block.
            let whole = if self.ended { self.rest.len() } else { whole_rows(&self.rest, self.delimiter) };
            if whole == 0 && !self.ended {
                self.read()?;
                continue;
            }
            let mut scanner = Scanner::new(&self.rest[..whole], self.delimiter);
            let (mut cells, mut line) = (Vec::new(), self.line);
            while !scanner.is_done() {
                let start = scanner.at;
                cells.clear();
                loop {
                    let cell = scanner.cell();
                    cells.push(cell.bytes);
                    if cell.end != End::Cell {
                        break;
                    }
                }
                if cells.len() > 1 || cells.iter().any(|cell| !cell.trim_ascii().is_empty()) {
                    let names = cells.iter().map(|cell| Some(std::str::from_utf8(cell).ok()?.trim().to_string()));
                    let names = names.collect::<Option<Vec<_>>>();
                    let names = names.ok_or_else(|| self.malformed(line, not_utf8("the header", &self.rest)))?;
                    self.check(&names, line)?;
                    let at = scanner.at;
                    self.line = line + memchr_iter(b'\n', &self.rest[start..at]).count() as u64;
                    self.rest.drain(..at);
                    return Ok(names);
                }
                line += memchr_iter(b'\n', &self.rest[start..scanner.at]).count() as u64;
            }
            if self.ended {
                return Err(Error::EmptyTable { path: self.path.into() });
            }
            self.line = line;
            self.rest.drain(..whole);
        }
    }

    fn check(&self, names: &[String], line: u64) -> Result<()> {
        let problem = if names.iter().any(|name| name.contains(['\r', '\n'])) {
            let hint = "a quote is not closed, or lines end in a bare carriage return";
            Some(format!("a name in the header goes over the end of the line: {hint}"))
        } else {
            unfit_names(&names.iter().map(String::as_str).collect::<Vec<_>>())
        };
        problem.map_or(Ok(()), |problem| Err(self.malformed(line, problem)))
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
