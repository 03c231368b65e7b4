//! What the generators share: checked settings, spaced numbers, the order of the rows and the noise.

use crate::data::column::{Cells, Column};
use crate::data::random::NumpyRandom;
use crate::data::table::Table;
use crate::error::{Error, Result};

/// A row: `x0`, `x1` and the label.
pub type Point = (f64, f64, f64);

/// The column of the class.
pub const TARGET: &str = "label";

/// Most samples: some gigabytes of them.
const MAX_SAMPLES: usize = 100_000_000;

/// Refuses no samples, too many of them, and a noise that is negative or not finite.
pub fn check(samples: usize, noise: f64) -> Result<()> {
    if samples == 0 || samples > MAX_SAMPLES {
        return Err(setting("samples", samples, &format!("1 to {MAX_SAMPLES}")));
    }
    if !(noise >= 0.0 && noise.is_finite()) {
        return Err(setting("noise", noise, "a finite number of at least 0"));
    }
    Ok(())
}

pub fn setting(what: &'static str, found: impl ToString, expected: &str) -> Error {
    Error::Setting { what, found: found.to_string(), expected: expected.into() }
}

/// `numpy.linspace(first, last, count)`, with numpy's arithmetic: `first` plus a multiple of the rounded step, and
/// the last one exactly `last`.
pub fn spaced(first: f64, last: f64, count: usize) -> impl Iterator<Item = f64> {
    let end = count.saturating_sub(1);
    let step = if end == 0 { 0.0 } else { (last - first) / end as f64 };
    (0..count).map(move |i| if i == end && i > 0 { last } else { i as f64 * step + first })
}

/// Shuffles the points and then adds normal noise to them, row by row: the end of scikit-learn's `make_moons` and
/// `make_circles`.
pub fn shuffled(name: &str, mut points: Vec<Point>, noise: f64, seed: u32) -> Result<Table> {
    let mut random = NumpyRandom::new(seed);
    random.shuffle(&mut points);
    table(name, noisy(points, noise, &mut random))
}

/// The points with normal noise on both coordinates, drawn row by row.
pub fn noisy(mut points: Vec<Point>, noise: f64, random: &mut NumpyRandom) -> Vec<Point> {
    for (x0, x1, _) in &mut points {
        *x0 += noise * random.standard_normal();
        *x1 += noise * random.standard_normal();
    }
    points
}

/// The table of the points, in their order.
pub fn table(name: &str, points: Vec<Point>) -> Result<Table> {
    let mut columns = [(); 3].map(|()| Vec::with_capacity(points.len()));
    for (x0, x1, label) in points {
        columns[0].push(x0);
        columns[1].push(x1);
        columns[2].push(label);
    }
    let names = ["x0", "x1", TARGET];
    let columns =
        names.into_iter().zip(columns).map(|(name, values)| Column::new(name, Cells::Number(values))).collect();
    Table::new(name, columns)
}
