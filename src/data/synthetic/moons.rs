//! Two half circles.

use std::f64::consts::PI;

use super::points::{check, shuffled, spaced};
use crate::data::table::Table;
use crate::error::Result;

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

impl Moons {
    /// Generates the table: `samples` rows of `x0`, `x1` and `label`, which is 0 on the upper, outer half
    /// circle and 1 on the lower, inner one.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for no samples, or a noise that is negative or not finite.
    pub fn table(&self) -> Result<Table> {
        check(self.samples, self.noise)?;
        let outer = self.samples / 2;
        let inner = self.samples - outer;
        let mut points = Vec::with_capacity(self.samples);
        points.extend(spaced(0.0, PI, outer).map(|angle| (angle.cos(), angle.sin(), 0.0)));
        // This order of operations is scikit-learn's; another one would round otherwise.
        points.extend(spaced(0.0, PI, inner).map(|angle| (1.0 - angle.cos(), 1.0 - angle.sin() - 0.5, 1.0)));
        shuffled("moons", points, self.noise, self.seed)
    }
}
