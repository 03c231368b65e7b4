//! Two circles, one inside the other.

use std::f64::consts::TAU;

use super::points::{check, setting, shuffled};
use crate::data::table::Table;
use crate::error::Result;

/// A circle of radius 1 around a smaller one, one for each class: scikit-learn 1.9's
/// `make_circles(samples, noise=noise, factor=factor, random_state=seed)`, row for row.
///
/// What [`Moons`](super::Moons) says of draws and last bits holds here, too.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Circles {
    /// Number of rows, from 1. An odd one goes to class 1.
    pub samples: usize,
    /// Radius of the inner circle, from 0 to less than 1.
    pub factor: f64,
    /// Standard deviation of the normal noise that is added to both coordinates, from 0.
    pub noise: f64,
    /// Seed of the order of the rows and of the noise.
    pub seed: u32,
}

impl Circles {
    /// Generates the table: `samples` rows of `x0`, `x1` and `label`, which is 0 on the outer circle and 1 on the
    /// inner one.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for no samples, a factor outside [0, 1), or a noise that is negative
    /// or not finite.
    pub fn table(&self) -> Result<Table> {
        check(self.samples, self.noise)?;
        if !(0.0..1.0).contains(&self.factor) {
            return Err(setting("factor", self.factor, "a radius in [0, 1)"));
        }
        let (outer, factor) = (self.samples / 2, self.factor);
        let mut points = Vec::with_capacity(self.samples);
        points.extend(turn(outer).map(|angle| (angle.cos(), angle.sin(), 0.0)));
        points.extend(turn(self.samples - outer).map(|angle| (angle.cos() * factor, angle.sin() * factor, 1.0)));
        shuffled("circles", points, self.noise, self.seed)
    }
}

/// `numpy.linspace(0, 2 * pi, count, endpoint=False)`, with numpy's arithmetic.
fn turn(count: usize) -> impl Iterator<Item = f64> {
    let step = TAU / count as f64;
    (0..count).map(move |i| i as f64 * step)
}
