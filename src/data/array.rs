//! An array of numbers or texts as a table's columns. In: bytes as numpy and IDX files have them, with their shape and
//! type. Out: columns, one for each value of a row.

use std::borrow::Cow;

use rayon::prelude::*;

use super::column::{Cells, Column, Texts, present};
use super::table::shorten;

/// The first dimension is the rows.
pub(super) struct Array {
    /// At least one dimension.
    pub shape: Vec<usize>,
    /// Whether the first dimension varies fastest, not the last one.
    pub fortran: bool,
    /// What an item consists of.
    pub fields: Vec<Field>,
    /// Bytes of an item.
    pub size: usize,
    /// All items.
    pub bytes: Vec<u8>,
}

/// A part of an item.
pub(super) struct Field {
    /// None where it is all of the item.
    pub name: Option<String>,
    pub kind: Kind,
    /// Its first byte in the item.
    pub offset: usize,
}

/// The type of a value.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    /// numpy's letter.
    code: u8,
    big_endian: bool,
    /// Bytes of a value, at least one.
    pub size: usize,
}

impl Kind {
    pub const BYTE: Self = Self { code: b'u', big_endian: false, size: 1 };

    /// A type as numpy writes it: `<f8`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let unknown =
            || format!("its values have the type `{}`: expected numbers, truth values or texts", shorten(text));
        let [order, code, size @ ..] = text.as_bytes() else { return Err(unknown()) };
        let number = std::str::from_utf8(size).ok().and_then(|size| size.parse::<usize>().ok());
        let size = match (code, number) {
            (b'O', _) => {
                let hint = "save it by `array.astype(float)` or `array.astype(str)`";
                return Err(format!("it holds Python's objects: {hint}"));
            }
            (b'f', Some(size @ (2 | 4 | 8))) | (b'i' | b'u', Some(size @ (1 | 2 | 4 | 8))) => size,
            (b'b', Some(size @ 1)) | (b'S', Some(size @ 1..)) => size,
            (b'U', Some(size @ 1..)) => size.checked_mul(4).ok_or_else(unknown)?,
            _ => return Err(unknown()),
        };
        Ok(Self { code: *code, big_endian: *order == b'>', size })
    }

    fn is_text(self) -> bool {
        matches!(self.code, b'S' | b'U')
    }

    /// A whole number of at most eight bytes.
    fn word(self, bytes: &[u8]) -> u64 {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        if self.big_endian {
            word[..bytes.len()].reverse();
        }
        u64::from_le_bytes(word)
    }

    fn number(self, bytes: &[u8]) -> f64 {
        let word = self.word(bytes);
        match (self.code, self.size) {
            (b'f', 2) => half::f16::from_bits(word as u16).to_f64(),
            (b'f', 4) => f32::from_bits(word as u32).into(),
            (b'f', _) => f64::from_bits(word),
            (b'i', size) => {
                let unused = 64 - 8 * size as u32;
                ((word << unused) as i64 >> unused) as f64
            }
            _ => word as f64,
        }
    }

    /// A text without the zeros that fill it up; none where it isn't one.
    fn text(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        if self.code == b'S' {
            let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
            return std::str::from_utf8(&bytes[..end]).ok().map(Cow::Borrowed);
        }
        let text =
            bytes.chunks_exact(4).map(|char| char::from_u32(self.word(char) as u32)).collect::<Option<String>>()?;
        Some(Cow::Owned(text.trim_end_matches('\0').to_string()))
    }
}

impl Array {
    /// The columns: of `x`, one is called `x` and several are `x0`, `x1`, … (`x1_0`, … of `x1`); dimensions behind the
    /// second are counted through, the last one fastest. Fields have names of their own.
    ///
    /// `bytes` must be what `shape` and `size` make.
    pub fn columns(&self, name: &str) -> Result<Vec<Column>, String> {
        let [rows, inner @ ..] = &self.shape[..] else { return Err("it is a single value".into()) };
        if self.shape.contains(&0) || self.fields.is_empty() {
            return Err(format!("its dimensions {:?} make no values: expected rows and columns", self.shape));
        }
        let width: usize = inner.iter().product();
        let steps: Vec<usize> = (0..self.shape.len())
            .map(|at| if self.fortran { &self.shape[..at] } else { &self.shape[at + 1..] }.iter().product())
            .collect();
        let column = |(column, field): (usize, &Field)| {
            let (mut first, mut rest) = (0, column);
            for (size, step) in inner.iter().zip(&steps[1..]).rev() {
                first += rest % size * step;
                rest /= size;
            }
            let cell = |row: usize| {
                let start = (first + row * steps[0]) * self.size + field.offset;
                &self.bytes[start..start + field.kind.size]
            };
            let name = field.name.as_deref().unwrap_or(name);
            let name = match name {
                name if width == 1 => name.to_string(),
                name if name.ends_with(|char: char| char.is_ascii_digit()) => format!("{name}_{column}"),
                name => format!("{name}{column}"),
            };
            let cells = if field.kind.is_text() {
                let text = |row: usize| {
                    let text = field.kind.text(cell(row));
                    let text =
                        text.ok_or_else(|| format!("column `{}` is no text in row {}", shorten(&name), row + 1))?;
                    Ok(present(&text).map(ToString::to_string))
                };
                Cells::Text((0..*rows).map(text).collect::<Result<Texts, String>>()?)
            } else {
                Cells::Number((0..*rows).map(|row| field.kind.number(cell(row))).collect())
            };
            Ok(Column::new(name, cells))
        };
        (0..width)
            .into_par_iter()
            .flat_map_iter(|at| self.fields.iter().map(move |field| (at, field)))
            .map(column)
            .collect()
    }
}
