//! Generated tables. In: the generator's settings. Out: a [`Table`] with the columns `x0`, `x1` and the
//! target `label`.

use std::f64::consts::PI;

use crate::data::column::{Cells, Column};
use crate::data::random::NumpyRandom;
use crate::data::table::Table;
use crate::error::{Error, Result};

/// Two interleaving half circles, one for each class: scikit-learn 1.9's
/// `make_moons(samples, noise=noise, random_state=seed)`, row for row.
///
/// Every draw and the order of the rows are equal; the coordinates are too, except for the last bit of
/// sine and cosine, in which C libraries differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moons {
    /// Number of rows, from 1. An odd one goes to class 1.
    pub samples: usize,
    /// Standard deviation of the normal noise that is added to both coordinates, from 0. The half circles
    /// have radius 1.
    pub noise: f64,
    /// Seed of the order of the rows and of the noise.
    pub seed: u32,
}

/// Most samples: some gigabytes of them.
const MAX_SAMPLES: usize = 100_000_000;

impl Moons {
    /// Generates the table: `samples` rows of `x0`, `x1` and `label`, which is 0 on the upper, outer half
    /// circle and 1 on the lower, inner one.
    ///
    /// # Errors
    /// [`Error::Setting`] for no samples, or a noise that is negative or not finite.
    pub fn table(&self) -> Result<Table> {
        if self.samples == 0 || self.samples > MAX_SAMPLES {
            return Err(setting("samples", self.samples, &format!("1 to {MAX_SAMPLES}")));
        }
        if !(self.noise >= 0.0 && self.noise.is_finite()) {
            return Err(setting("noise", self.noise, "a finite number of at least 0"));
        }
        let outer = self.samples / 2;
        let mut points = Vec::with_capacity(self.samples);
        points.extend(half_turn(outer).map(|angle| (angle.cos(), angle.sin(), 0.0)));
        // This order of operations is scikit-learn's; another one would round otherwise.
        points.extend(half_turn(self.samples - outer).map(|angle| (1.0 - angle.cos(), 1.0 - angle.sin() - 0.5, 1.0)));

        let mut random = NumpyRandom::new(self.seed);
        random.shuffle(&mut points);
        let mut columns = [(); 3].map(|()| Vec::with_capacity(self.samples));
        for (x0, x1, label) in points {
            columns[0].push(x0 + self.noise * random.standard_normal());
            columns[1].push(x1 + self.noise * random.standard_normal());
            columns[2].push(label);
        }
        let names = ["x0", "x1", "label"];
        let columns =
            names.into_iter().zip(columns).map(|(name, values)| Column::new(name, Cells::Number(values))).collect();
        Table::new("moons", columns)
    }
}

/// `numpy.linspace(0, pi, count)`, with numpy's arithmetic: a multiple of the rounded step, and the last
/// one exactly π.
fn half_turn(count: usize) -> impl Iterator<Item = f64> {
    let last = count.saturating_sub(1);
    let step = if last == 0 { 0.0 } else { PI / last as f64 };
    (0..count).map(move |i| if i == last && i > 0 { PI } else { i as f64 * step })
}

fn setting(what: &'static str, found: impl ToString, expected: &str) -> Error {
    Error::Setting { what, found: found.to_string(), expected: expected.into() }
}
