//! Clouds of points around centres.

use super::points::{Point, check, setting, table};
use crate::data::random::NumpyRandom;
use crate::data::table::Table;
use crate::error::Result;

/// Normal clouds around centres that are drawn from a square, one for each class: scikit-learn 1.9's
/// `make_blobs(samples, centers=centers, cluster_std=noise, random_state=seed)`, row for row.
///
/// What [`Moons`](super::Moons) says of draws and last bits holds here, too.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Blobs {
    /// Number of rows, from 1. The first classes have a row more where they cannot all have as many.
    pub samples: usize,
    /// Number of centres, which is the number of classes, from 2. They are drawn from -10 to 10 in both coordinates.
    pub centers: usize,
    /// Standard deviation of each cloud in both coordinates, from 0.
    pub noise: f64,
    /// Seed of the centres, of the clouds and of the order of the rows.
    pub seed: u32,
}

/// The most centres, which no table of them reaches.
const MOST_CENTERS: usize = 1_000_000;

impl Blobs {
    /// Generates the table: `samples` rows of `x0`, `x1` and `label`, the number of the row's centre from 0.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for no samples, fewer than two centres, or a noise that is negative
    /// or not finite.
    pub fn table(&self) -> Result<Table> {
        check(self.samples, self.noise)?;
        if !(2..=MOST_CENTERS).contains(&self.centers) {
            return Err(setting("centers", self.centers, &format!("2 to {MOST_CENTERS}")));
        }
        let mut random = NumpyRandom::new(self.seed);
        let centers: Vec<[f64; 2]> =
            (0..self.centers).map(|_| [(); 2].map(|()| -10.0 + 20.0 * random.random_sample())).collect();
        let (each, more) = (self.samples / self.centers, self.samples % self.centers);
        let mut points: Vec<Point> = Vec::with_capacity(self.samples);
        for (at, [c0, c1]) in centers.into_iter().enumerate() {
            points.extend((0..each + usize::from(at < more)).map(|_| {
                let x0 = c0 + self.noise * random.standard_normal();
                (x0, c1 + self.noise * random.standard_normal(), at as f64)
            }));
        }
        random.shuffle(&mut points);
        table("blobs", points)
    }
}
