//! An array of numbers or texts as a table's columns. In: bytes as numpy and IDX files have them, with their shape and
//! type. Out: the columns that are wanted, one for each value of a row.

use std::borrow::Cow;

use crate::data::column::{Categorical, Cells, Column};
use crate::data::read::input::present;
use crate::data::read::moment::Unit;
use crate::data::read::whole::{Exact, exact};
use crate::data::read_as::ReadAs;
use crate::error::shorten;
use crate::limits;
use crate::parallel::prelude::*;

/// How an array lies in bytes. The first dimension is the rows.
pub(in crate::data) struct Layout {
    pub shape: Vec<usize>,
    /// Whether the first dimension varies fastest, not the last one.
    pub fortran: bool,
    /// What an item consists of.
    pub fields: Vec<Field>,
    /// Bytes of an item.
    pub size: usize,
}

/// An array with all its items.
pub(in crate::data) struct Array {
    pub layout: Layout,
    /// What shape and size make.
    pub bytes: Vec<u8>,
}

/// A part of an item.
pub(in crate::data) struct Field {
    /// None where it is all of the item.
    pub name: Option<String>,
    /// Its type, or why it is none that is read.
    pub kind: Result<Kind, String>,
    /// Its first byte in the item.
    pub offset: usize,
}

/// The type of a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::data) struct Kind {
    /// numpy's letter.
    code: u8,
    big_endian: bool,
    /// Bytes of a value, at least one.
    pub size: usize,
    /// Of dates: what they count, and how many of it at a time.
    unit: Option<(Unit, u32)>,
}

impl Kind {
    /// A number by numpy's letter, its last byte last.
    pub const fn big_endian(code: u8, size: usize) -> Self {
        Self { code, big_endian: true, size, unit: None }
    }

    /// A type as numpy writes it: `<f8`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let unknown =
            || format!("its values have the type `{}`: expected numbers, booleans, texts or dates", shorten(text));
        let [order, code, size @ ..] = text.as_bytes() else { return Err(unknown()) };
        let number = std::str::from_utf8(size).ok().and_then(|size| size.parse::<usize>().ok());
        let mut unit = None;
        let size = match (code, number) {
            (b'O', _) => {
                let hint = "save it by `array.astype(float)` or `array.astype(str)`";
                return Err(format!("it holds Python's objects: {hint}"));
            }
            (b'f', Some(size @ (2 | 4 | 8))) | (b'i' | b'u', Some(size @ (1 | 2 | 4 | 8))) => size,
            (b'b', Some(size @ 1)) | (b'S', Some(size @ 1..)) => size,
            (b'U', Some(size @ 1..)) => size.checked_mul(4).ok_or_else(unknown)?,
            (b'M', _) => {
                unit = Some(unit_of(size).ok_or_else(unknown)?);
                8
            }
            _ => return Err(unknown()),
        };
        Ok(Self { code: *code, big_endian: *order == b'>', size, unit })
    }

    /// The bytes of a value of a type as numpy writes it, also of one that is not read.
    pub fn size_of(text: &str) -> Option<usize> {
        let digits = text.get(2..)?.split('[').next()?;
        let size: usize = digits.parse().ok().filter(|&size| size > 0)?;
        match text.as_bytes()[1] {
            b'U' => size.checked_mul(4),
            b'O' => None, // what stands in the file is no value of a size
            _ => Some(size),
        }
    }

    /// Whether its values are whole numbers.
    pub fn is_whole(self) -> bool {
        matches!(self.code, b'i' | b'u' | b'b')
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

    fn whole(self, bytes: &[u8]) -> i128 {
        let word = self.word(bytes);
        match self.code {
            b'i' | b'M' => {
                let unused = 64 - 8 * self.size as u32;
                ((word << unused) as i64 >> unused).into()
            }
            _ => word.into(),
        }
    }

    fn number(self, bytes: &[u8]) -> f64 {
        match (self.code, self.size) {
            (b'f', 2) => half::f16::from_bits(self.word(bytes) as u16).to_f64(),
            (b'f', 4) => f32::from_bits(self.word(bytes) as u32).into(),
            (b'f', _) => f64::from_bits(self.word(bytes)),
            _ => self.whole(bytes) as f64,
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

/// What numpy's `8[25s]` counts, and how many of it at a time.
fn unit_of(text: &[u8]) -> Option<(Unit, u32)> {
    let text = std::str::from_utf8(text).ok()?.strip_prefix("8[")?.strip_suffix(']')?;
    let unit = text.trim_start_matches(|char: char| char.is_ascii_digit());
    let multiple = &text[..text.len() - unit.len()];
    let multiple = if multiple.is_empty() { 1 } else { multiple.parse().ok()? };
    Some((Unit::of_numpy(unit)?, multiple))
}

impl Layout {
    /// Columns of an array that has at least one row.
    fn width(&self) -> usize {
        self.shape[1..].iter().product()
    }

    /// How many columns it makes; an error where it makes no table.
    pub fn columns(&self) -> Result<usize, String> {
        if self.shape.is_empty() {
            return Err("it is a single value: expected rows".into());
        }
        if self.shape.contains(&0) || self.fields.is_empty() {
            return Err(format!("its dimensions {:?} have no values: expected rows and columns", self.shape));
        }
        let mut columns = self.shape[1..].iter().copied().chain([self.fields.len()]);
        let columns = columns.try_fold(1_usize, usize::checked_mul);
        columns.ok_or_else(|| format!("its dimensions {:?} make more columns than a table may have", self.shape))
    }

    /// The columns' names: of `x`, one is called `x` and several are `x0`, `x1`, … (`x1_0`, … of `x1`); dimensions
    /// behind the second are counted through, the last one fastest. Fields have names of their own.
    pub fn names(&self, name: &str) -> Result<Vec<String>, String> {
        self.columns()?;
        let width = self.width();
        let named = |column| {
            self.fields.iter().map(move |field| match field.name.as_deref().unwrap_or(name) {
                name if width == 1 => name.to_string(),
                name if name.ends_with(|char: char| char.is_ascii_digit()) => format!("{name}_{column}"),
                name => format!("{name}{column}"),
            })
        };
        Ok((0..width).flat_map(named).collect())
    }
}

impl Array {
    /// The columns that are not skipped; there is a name and a word for each of its columns.
    pub fn columns(&self, names: &[String], how: &[ReadAs]) -> Result<Vec<Column>, String> {
        self.layout.columns()?;
        let fields = self.layout.fields.len();
        let column = |at: usize| {
            let (name, field) = (&names[at], &self.layout.fields[at % fields]);
            let cells = self.cells(at / fields, field).map_err(|problem| match &field.name {
                Some(name) => format!("field `{}`: {problem}", shorten(name)),
                None => problem,
            });
            let (cells, exact) = cells?;
            Ok(Column { exact, ..Column::new(name, cells) })
        };
        (0..names.len()).into_par_iter().filter(|&at| how[at] != ReadAs::Skip).map(column).collect()
    }

    fn cells(&self, column: usize, field: &Field) -> Result<Exact, String> {
        let Layout { shape, fortran, size, .. } = &self.layout;
        let kind = field.kind.clone()?;
        let step = |at: usize| if *fortran { &shape[..at] } else { &shape[at + 1..] }.iter().product::<usize>();
        let (mut first, mut rest) = (0, column);
        for (at, size) in shape.iter().enumerate().skip(1).rev() {
            first += rest % size * step(at);
            rest /= size;
        }
        let row_step = step(0);
        let cell = |row: usize| {
            let start = (first + row * row_step) * size + field.offset;
            &self.bytes[start..start + kind.size]
        };
        let rows = 0..shape[0];
        if kind.is_text() {
            let text = |row: usize| {
                let text = kind.text(cell(row)).ok_or_else(|| format!("row {} is not text", row + 1))?;
                Ok(present(&text).map(ToString::to_string))
            };
            return Ok((Cells::Text(rows.map(text).collect::<Result<Categorical, String>>()?), None));
        }
        if let Some((unit, multiple)) = kind.unit {
            let moment = |row: usize| {
                let count = kind.whole(cell(row));
                (count != NOT_A_TIME).then(|| unit.text(count * i128::from(multiple)))
            };
            return Ok((Cells::Text(rows.map(moment).collect()), None));
        }
        if kind.is_whole() && kind.size == 8 {
            return Ok(exact(rows.map(|row| Some(kind.whole(cell(row))))));
        }
        let mut values = limits::room("a column", rows.len()).map_err(|error| error.to_string())?;
        values.extend(rows.map(|row| kind.number(cell(row))));
        Ok((Cells::Number(values), None))
    }
}

/// numpy's NaT.
const NOT_A_TIME: i128 = i64::MIN as i128;
