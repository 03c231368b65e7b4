//! Plain tables and numbers for the terminal.

use std::fmt;

/// Rows of cells, printed in columns: numbers flush right, words flush left.
#[derive(Clone, Debug, Default)]
pub struct Table(Vec<Vec<String>>);

impl Table {
    /// A table with a heading.
    pub fn new(heading: &[&str]) -> Self {
        Self(vec![heading.iter().map(ToString::to_string).collect()])
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.0.push(cells);
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
        let width =
            |column: usize| self.0.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
        let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
        let numeric: Vec<bool> = (0..columns).map(|column| self.is_numeric(column)).collect();
        for row in &self.0 {
            let cells = row.iter().zip(&widths).zip(&numeric).map(|((cell, &width), &numeric)| match numeric {
                true => format!("{cell:>width$}"),
                false => format!("{cell:<width$}"),
            });
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

/// A whole number with its thousands apart: 10,000.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of things a second: whole from 10 on.
pub fn rate(number: f64) -> String {
    if number < 10.0 { format!("{number:.2}") } else { count(number as u64) }
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
    fn counts_have_their_thousands_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), text);
        }
    }

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
    }
}
