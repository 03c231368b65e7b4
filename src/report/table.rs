//! Plain tables and numbers for the terminal.

use std::fmt;

use super::digits::significant;
use crate::error::{count, shorten_to, width};

/// Most columns of a terminal that a cell takes; names of a user's files are shortened to fewer before.
const WIDEST: usize = 400;

/// Rows of cells, printed in columns: numbers flush right, words flush left. Each cell is on one line, and whatever text it
/// is, a terminal obeys none of its characters.
#[derive(Clone, Debug, Default)]
pub struct Table(Vec<Vec<String>>);

impl Table {
    /// A table with a heading.
    pub fn new(heading: &[&str]) -> Self {
        Self(vec![heading.iter().map(|cell| shorten_to(cell, WIDEST)).collect()])
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.0.push(cells.iter().map(|cell| shorten_to(cell, WIDEST)).collect());
    }
}

impl Table {
    /// The heading and the rows under it.
    pub fn rows(&self) -> &[Vec<String>] {
        &self.0
    }

    /// Whether every cell under the heading is a number, or stands for a missing one.
    pub fn is_numeric(&self, column: usize) -> bool {
        let mut cells = self.0.iter().skip(1).filter_map(|row| row.get(column));
        cells.all(|cell| cell.is_empty() || cell == "-" || cell.starts_with(|c: char| c.is_ascii_digit() || c == '-'))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.0.iter().map(Vec::len).max().unwrap_or(0);
        let widest = |column: usize| self.0.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max();
        let widths: Vec<usize> = (0..columns).map(|column| widest(column).unwrap_or(0)).collect();
        let numeric: Vec<bool> = (0..columns).map(|column| self.is_numeric(column)).collect();
        for row in &self.0 {
            let cells = row.iter().zip(&widths).zip(&numeric).map(|((cell, &wide), &numeric)| {
                // `format!` would count characters, not the columns that they take.
                let room = " ".repeat(wide - width(cell));
                if numeric { room + cell } else { cell.clone() + &room }
            });
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

/// A number of things a second: whole from 10 on, else three digits.
pub fn rate(number: f64) -> String {
    if number < 10.0 { significant(number, 3) } else { count(number as u64) }
}

/// Bytes, in the unit that leaves three digits or four: 894 KiB.
pub fn memory(bytes: u64) -> String {
    let kib = bytes.div_ceil(1024);
    let (unit, name) = if kib < 10 << 10 {
        (1, "KiB")
    } else if kib < 10 << 20 {
        (1 << 10, "MiB")
    } else {
        (1 << 20, "GiB")
    };
    format!("{} {name}", count(kib.div_ceil(unit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_rounded_up_in_a_unit_that_suits_it() {
        for (bytes, text) in [(1, "1 KiB"), (915_000, "894 KiB"), (10 << 20, "10 MiB"), ((20 << 30) + 1, "21 GiB")] {
            assert_eq!(memory(bytes), text);
        }
    }

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(&["name", "size"]);
        table.row(vec!["weight é".into(), "5".into()]);
        assert_eq!(table.to_string(), "name      size\nweight é     5\n");
        // By the columns of a terminal, not by characters or bytes.
        let mut table = Table::new(&["name", "size"]);
        for name in ["高さ", "👩‍🔬", "e\u{301}t", "plain"] {
            table.row(vec![name.into(), "5".into()]);
        }
        let lines = ["name   size", "高さ      5", "👩‍🔬        5", "e\u{301}t        5", "plain     5"];
        assert_eq!(table.to_string().lines().collect::<Vec<_>>(), lines);
    }

    #[test]
    fn cells_of_any_length_and_content_are_printed() {
        for length in [0, 1, 399, 400, 401, 65_535, 65_536, 200_000] {
            for text in ["x", "高", "\u{1b}[31m", "\u{202e}", "\u{7f}", "\u{85}", "\n", "\u{301}"] {
                let text = text.repeat(length);
                let mut table = Table::new(&[&text, "n"]);
                table.row(vec![text, "1".into()]);
                let printed = table.to_string();
                assert_eq!(printed.lines().count(), 2);
                assert!(printed.lines().all(|line| width(line) <= WIDEST + 4), "{length}");
                assert!(!printed.contains(['\u{1b}', '\u{202e}', '\u{7f}', '\u{85}']), "{length}");
            }
        }
    }
}
