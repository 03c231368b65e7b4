//! Data with a picture: two columns of numbers, and a target. In: the name of built-in data, or the bytes of a table. Out: rows for the
//! network, points for the eye.

use wgpu_mlp::data::{BuiltIn, Cells, Column, ReadAs, Reading, Scaling};
use wgpu_mlp::{Dataset, Encoder, Error, Result, Table};

/// Columns that the picture has.
const AXES: usize = 2;
/// The part of its range that a picture shows beyond the points, on each side.
const MARGIN: f64 = 0.1;

/// A table of two columns of numbers and a target.
#[derive(Clone, Debug)]
pub struct Data {
    name: String,
    table: Table,
    encoder: Encoder,
    bounds: [f64; 2 * AXES],
}

impl Data {
    /// The built-in data of this name, as `mlp data` has them.
    ///
    /// # Errors
    /// [`Error::Setting`] for another name, for no rows, and for a noise that is negative or not finite.
    pub fn built_in(name: &str, rows: usize, noise: f64, seed: u32) -> Result<Self> {
        let set = BuiltIn::named(name).ok_or_else(|| Error::Setting {
            what: "name of the data",
            found: format!("`{name}`"),
            expected: BuiltIn::ALL.iter().map(|set| set.name).collect::<Vec<_>>().join(", "),
        })?;
        Self::new(set.name, set.table(rows, noise, seed)?, Some(BuiltIn::TARGET))
    }

    /// A table as the library reads a file of these bytes; messages call it by `name`. `target` is the column to predict, the last one where
    /// none is named. The first two columns of numbers that vary make the picture; others are left out.
    ///
    /// # Errors
    /// Those of [`Table::from_bytes`] and of [`Encoder::fit`]; [`Error::Shape`] where there are not two such columns.
    pub fn read(name: &str, bytes: Vec<u8>, target: Option<&str>) -> Result<Self> {
        let how = |names: &[String]| {
            let target = target.or(names.last().map(String::as_str));
            let kind = |name: &String| if Some(name.as_str()) == target { ReadAs::Target } else { ReadAs::Infer };
            Ok(names.iter().map(kind).collect())
        };
        let table = Table::from_bytes_with(name, bytes, &Reading::default(), how)?;
        Self::new(name, table, target)
    }

    fn new(name: &str, mut table: Table, target: Option<&str>) -> Result<Self> {
        let names = table.names();
        let target = target.map(String::from).or(names.last().cloned()).unwrap_or_default();
        table.column(&target)?;
        let mut bounds = Vec::with_capacity(2 * AXES);
        for name in names.iter().filter(|name| **name != target) {
            match range(table.column(name)?).filter(|_| bounds.len() < 2 * AXES) {
                Some(range) => bounds.extend(range),
                None => table.take(name).map(|_| ())?,
            }
        }
        let bounds = <[f64; 2 * AXES]>::try_from(bounds).map_err(|found| Error::Shape {
            what: format!("the columns of {name} that hold numbers, vary and are not the target `{target}`"),
            found: found.len() / 2,
            expected: format!("at least {AXES}, for the axes of the picture"),
        })?;
        let rows: Vec<usize> = (0..table.rows()).collect();
        let encoder = Encoder::fit(&table, &target, &rows, None, Scaling::ALL)?;
        Ok(Self { name: name.into(), table, encoder, bounds })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.table.rows()
    }

    /// How its cells become a network's numbers: standardised.
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// All rows as an encoder has them.
    ///
    /// # Errors
    /// Those of [`Encoder::encode`].
    pub fn encoded_by(&self, encoder: &Encoder) -> Result<Dataset> {
        encoder.encode(&self.table)
    }

    /// The names of both axes and of the target.
    pub fn names(&self) -> Vec<String> {
        let target = &self.encoder.target().name;
        let axes = self.table.names().into_iter().filter(|name| name != target);
        axes.chain([target.clone()]).collect()
    }

    /// The points [rows, 2], in the table's own units; NaN where a cell is missing.
    ///
    /// # Errors
    /// None: both columns hold numbers.
    pub fn points(&self) -> Result<Vec<f32>> {
        let names = self.names();
        let (x, y) = (self.table.numbers(&names[0])?, self.table.numbers(&names[1])?);
        Ok(x.iter().zip(y).flat_map(|(&x, &y)| [x as f32, y as f32]).collect())
    }

    /// The target of each row: the number of its class, or its value.
    ///
    /// # Errors
    /// None: the encoder was fitted to this column.
    pub fn targets(&self) -> Result<Vec<f32>> {
        match self.encoder.class_numbers(&self.table)? {
            Some(classes) => Ok(classes.into_iter().map(|class| class as f32).collect()),
            None => Ok(self.table.numbers(&self.encoder.target().name)?.iter().map(|&value| value as f32).collect()),
        }
    }

    /// What the picture shows: the least and the greatest x, then y, in the table's own units.
    pub fn bounds(&self) -> [f64; 4] {
        self.bounds
    }

    /// The middles of a picture's cells as an encoder has them, row by row from the top, which is the greatest y.
    ///
    /// # Errors
    /// [`Error::Setting`] for a picture without cells; those of [`Encoder::encode_features`].
    pub fn grid(&self, encoder: &Encoder, width: usize, height: usize) -> Result<Vec<f32>> {
        if width == 0 || height == 0 {
            let (found, expected) = (format!("{width} x {height} cells"), "at least 1 x 1".into());
            return Err(Error::Setting { what: "size of the picture", found, expected });
        }
        let [x0, x1, y0, y1] = self.bounds;
        let middle = |at: usize, count: usize| (at as f64 + 0.5) / count as f64;
        let cells = || (0..height).flat_map(|row| (0..width).map(move |column| (row, column)));
        let x = cells().map(|(_, column)| x0 + (x1 - x0) * middle(column, width)).collect();
        let y = cells().map(|(row, _)| y1 + (y0 - y1) * middle(row, height)).collect();
        let columns = self.names().into_iter().zip([x, y]);
        let columns = columns.map(|(name, values)| Column::new(name, Cells::Number(values))).collect();
        Ok(encoder.encode_features(&Table::new("the picture", columns)?)?.0)
    }
}

/// The range of a column of numbers that vary, with its margin.
fn range(cells: &Cells) -> Option<[f64; 2]> {
    let Cells::Number(values) = cells else { return None };
    // f64's min and max pass over cells that are missing.
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let margin = MARGIN * (greatest - least);
    (greatest > least).then_some([least - margin, greatest + margin])
}
