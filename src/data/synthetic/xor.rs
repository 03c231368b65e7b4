//! A square in four quarters.

use super::points::{Point, check, noisy, table};
use crate::data::random::NumpyRandom;
use crate::data::table::Table;
use crate::error::Result;

/// Exclusive or: points of the square from -1 to 1, of class 1 where one coordinate is positive and the other is not.
///
/// scikit-learn has none. In numpy they are
///
/// ```python
/// random = np.random.RandomState(seed)
/// x = random.uniform(-1, 1, size=(samples, 2))
/// label = (x[:, 0] > 0) != (x[:, 1] > 0)
/// x += random.normal(scale=noise, size=x.shape)
/// ```
///
/// draw for draw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Xor {
    /// Number of rows, from 1. The classes have as many as are drawn.
    pub samples: usize,
    /// Standard deviation of the normal noise that is added to both coordinates, from 0. The label is of the point
    /// before it.
    pub noise: f64,
    /// Seed of the points and of the noise.
    pub seed: u32,
}

impl Xor {
    /// Generates the table: `samples` rows of `x0`, `x1` and `label`.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for no samples, or a noise that is negative or not finite.
    pub fn table(&self) -> Result<Table> {
        check(self.samples, self.noise)?;
        let mut random = NumpyRandom::new(self.seed);
        let points: Vec<Point> = (0..self.samples)
            .map(|_| {
                let [x0, x1] = [(); 2].map(|()| -1.0 + 2.0 * random.random_sample());
                (x0, x1, f64::from((x0 > 0.0) != (x1 > 0.0)))
            })
            .collect();
        table("xor", noisy(points, self.noise, &mut random))
    }
}
