//! Cells of delimited text, RFC 4180 with a delimiter of one's choice. In: bytes. Out: cells, and where rows end. The same
//! code finds the ends of rows where a file is cut into blocks and the cells in them.
//!
//! A quote counts at the start of a cell, spaces in front of it aside; a doubled one inside is one, and what stands behind the
//! closing one is taken as it is.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memrchr};

use crate::data::form::NumberForm;

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Rows that are looked at to find the delimiter.
const SAMPLE: usize = 100;

/// A cell and what ends it.
pub(in crate::data) struct Cell<'a> {
    pub bytes: Cow<'a, [u8]>,
    pub end: End,
    /// Whether it begins with a quote.
    pub quoted: bool,
}

/// What ends a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::data) enum End {
    /// A delimiter: the row goes on.
    Cell,
    /// A line feed.
    Row,
    /// The text itself, in quotes that are still open or not.
    Text,
}

/// Goes from cell to cell.
pub(in crate::data) struct Scanner<'a> {
    text: &'a [u8],
    pub at: usize,
    delimiter: u8,
}

impl<'a> Scanner<'a> {
    pub fn new(text: &'a [u8], delimiter: u8) -> Self {
        Self { text, at: 0, delimiter }
    }

    pub fn is_done(&self) -> bool {
        self.at >= self.text.len()
    }

    /// The cell that begins here; an empty one at the end of the text.
    pub fn cell(&mut self) -> Cell<'a> {
        let rest = &self.text[self.at.min(self.text.len())..];
        match rest.iter().position(|&byte| byte != b' ' && (byte != b'\t' || self.delimiter == b'\t')) {
            Some(spaces) if rest[spaces] == b'"' => {
                self.at += spaces;
                self.quoted()
            }
            _ => {
                let (bytes, end) = self.plain();
                Cell { bytes: Cow::Borrowed(bytes), end, quoted: false }
            }
        }
    }

    /// The cell that begins here, if it is a number below 2⁵³ with nothing around it; any other one is still to come then.
    /// Most cells are such, and the number itself tells where they end.
    pub fn number(&mut self) -> Option<(f64, End)> {
        let rest = self.text.get(self.at..)?;
        let (number, length) = fast_float2::parse_partial::<f64, _>(rest).ok()?;
        let end = match rest.get(length)? {
            b'\n' => End::Row,
            &byte if byte == self.delimiter => End::Cell,
            _ => return None,
        };
        // Beyond 2⁵³, and with a zero in front, the text has to be looked at.
        let padded = rest[0] == b'0' && rest[1].is_ascii_digit();
        (number.abs() < 9_007_199_254_740_992.0 && !padded).then(|| {
            self.at += length + 1;
            (number, end)
        })
    }

    /// All up to a delimiter or the end of the row.
    fn plain(&mut self) -> (&'a [u8], End) {
        let rest = &self.text[self.at.min(self.text.len())..];
        match memchr2(self.delimiter, b'\n', rest) {
            Some(end) => {
                self.at += end + 1;
                (&rest[..end], if rest[end] == b'\n' { End::Row } else { End::Cell })
            }
            None => {
                self.at = self.text.len();
                (rest, End::Text)
            }
        }
    }

    fn quoted(&mut self) -> Cell<'a> {
        let mut bytes = Cow::Borrowed(&[][..]);
        loop {
            let inside = &self.text[self.at + 1..];
            let Some(end) = memchr(b'"', inside) else {
                self.at = self.text.len();
                return Cell { bytes: joined(bytes, inside), end: End::Text, quoted: true };
            };
            self.at += end + 2; // behind the quote
            if self.text.get(self.at) != Some(&b'"') {
                bytes = joined(bytes, &inside[..end]);
                break;
            }
            bytes = joined(bytes, &inside[..=end]);
        }
        let (behind, end) = self.plain();
        Cell { bytes: joined(bytes, behind), end, quoted: true }
    }
}

fn joined<'a>(bytes: Cow<'a, [u8]>, more: &'a [u8]) -> Cow<'a, [u8]> {
    match (bytes.is_empty(), more.is_empty()) {
        (true, _) => Cow::Borrowed(more),
        (_, true) => bytes,
        _ => {
            let mut all = bytes.into_owned();
            all.extend_from_slice(more);
            Cow::Owned(all)
        }
    }
}

/// How many bytes at the start of a text are rows with their ends.
pub(in crate::data) fn whole_rows(text: &[u8], delimiter: u8) -> usize {
    if memchr(b'"', text).is_none() {
        return memrchr(b'\n', text).map_or(0, |end| end + 1);
    }
    let mut scanner = Scanner::new(text, delimiter);
    let mut whole = 0;
    while !scanner.is_done() {
        if scanner.cell().end == End::Row {
            whole = scanner.at;
        }
    }
    whole
}

/// The delimiter of a text's first rows: the one by which most of them have as many cells as the first, which are two or
/// more; then the one that makes most cells, but not by the decimal commas of another. A comma where there is none.
pub(in crate::data) fn delimiter(text: &[u8]) -> u8 {
    let score = |delimiter: u8| {
        let counts = cells_in_rows(text, delimiter);
        let first = counts.first().copied().unwrap_or(0);
        let alike = counts.iter().filter(|&&count| count == first).count();
        (first > 1).then_some((alike, first))
    };
    let mut best = (b',', None);
    for delimiter in DELIMITERS {
        let score = score(delimiter);
        if score > best.1 {
            best = (delimiter, score);
        }
    }
    if best.1.is_none() {
        let rows_named = DELIMITERS.into_iter().find(|&delimiter| names_rows(text, delimiter));
        // The commas of a single column of numbers are decimal separators.
        return rows_named.unwrap_or(if has_decimal_commas(text, b';') { b';' } else { b',' });
    }
    let alike = |score: Option<(usize, usize)>| score.map(|(alike, _)| alike);
    let others = DELIMITERS.into_iter().filter(|&other| best.0 == b',' && other != b',');
    let mut decimal = others.filter(|&other| alike(score(other)) == alike(best.1) && has_decimal_commas(text, other));
    decimal.next().unwrap_or(best.0)
}

/// Whether a header of one cell stands over rows of two, of which the first is quoted: R's table of one column with the rows' names.
fn names_rows(text: &[u8], delimiter: u8) -> bool {
    let counts = cells_in_rows(text, delimiter);
    let mut scanner = Scanner::new(text, delimiter);
    while !scanner.is_done() && scanner.cell().end == End::Cell {}
    let rows = &text[scanner.at..];
    counts.len() > 1
        && counts[0] == 1
        && counts[1..].iter().all(|&count| count == 2)
        && !rows.is_empty()
        && Scanner::new(rows, delimiter).cell().quoted
}

/// Whether commas stand in cells of the first rows, and in each of these as in a number.
fn has_decimal_commas(text: &[u8], delimiter: u8) -> bool {
    let form = NumberForm { decimal: ',', ..NumberForm::default() };
    let mut scanner = Scanner::new(text, delimiter);
    let (mut rows, mut any) = (0, false);
    while !scanner.is_done() && rows < SAMPLE {
        let cell = scanner.cell();
        rows += usize::from(cell.end == End::Row);
        if cell.bytes.contains(&b',') && cell.end != End::Text {
            any = true;
            if std::str::from_utf8(&cell.bytes).ok().and_then(|text| form.parse(text)).is_none() {
                return false;
            }
        }
    }
    any
}

/// The numbers of cells in the first rows that aren't blank; a last row that is cut off does not count unless it is alone.
pub(in crate::data) fn cells_in_rows(text: &[u8], delimiter: u8) -> Vec<usize> {
    let mut scanner = Scanner::new(text, delimiter);
    let (mut counts, mut cells, mut blank) = (Vec::new(), 0, true);
    while !scanner.is_done() && counts.len() < SAMPLE {
        let cell = scanner.cell();
        cells += 1;
        blank &= cell.bytes.trim_ascii().is_empty();
        if cell.end != End::Cell {
            if !(blank && cells == 1) && (cell.end == End::Row || counts.is_empty()) {
                counts.push(cells);
            }
            (cells, blank) = (0, true);
        }
    }
    counts
}
