//! Two spirals, one in the other.

use std::f64::consts::PI;

use super::points::{Point, check, shuffled, spaced};
use crate::data::table::Table;
use crate::error::Result;

/// Two arms of a spiral, one for each class. An arm leaves the centre by 1 with each half turn, so the arms are 1
/// apart; it starts at radius 1/2 and ends at radius 3.
///
/// scikit-learn has none. In numpy they are
///
/// ```python
/// def arm(count):
///     r = np.sqrt(np.linspace(0.25, 9, count))  # even steps along the arm
///     return np.stack([r * np.cos(np.pi * r), r * np.sin(np.pi * r)], axis=1)
///
/// random = np.random.RandomState(seed)
/// x = np.concatenate([arm(samples // 2), -arm(samples - samples // 2)])
/// label = np.arange(samples) >= samples // 2
/// order = random.permutation(samples)
/// x, label = x[order] + random.normal(scale=noise, size=x.shape), label[order]
/// ```
///
/// and what [`Moons`](super::Moons) says of draws and last bits holds here, too.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spirals {
    /// Number of rows, from 1. An odd one goes to class 1.
    pub samples: usize,
    /// Standard deviation of the normal noise that is added to both coordinates, from 0.
    pub noise: f64,
    /// Seed of the order of the rows and of the noise.
    pub seed: u32,
}

impl Spirals {
    /// Generates the table: `samples` rows of `x0`, `x1` and `label`, the number of the arm.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for no samples, or a noise that is negative or not finite.
    pub fn table(&self) -> Result<Table> {
        check(self.samples, self.noise)?;
        let first = self.samples / 2;
        let mut points: Vec<Point> = Vec::with_capacity(self.samples);
        points.extend(arm(first).map(|[x0, x1]| (x0, x1, 0.0)));
        points.extend(arm(self.samples - first).map(|[x0, x1]| (-x0, -x1, 1.0)));
        shuffled("spirals", points, self.noise, self.seed)
    }
}

/// The points of one arm, from the centre outwards.
fn arm(count: usize) -> impl Iterator<Item = [f64; 2]> {
    // The length of an arm grows about as the square of its radius.
    spaced(0.25, 9.0, count).map(f64::sqrt).map(|r| [r * (PI * r).cos(), r * (PI * r).sin()])
}
