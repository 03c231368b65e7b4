//! The generated tables by name. A new one is a generator beside this file and a row here.

use std::fmt;

use super::points::TARGET;
use super::{Blobs, Circles, Moons, Spirals, Xor};
use crate::data::table::Table;
use crate::error::Result;

/// A data set that a name stands for: points of a plane in classes, drawn from a seed.
pub struct BuiltIn {
    /// Its name, which is the table's, too.
    pub name: &'static str,
    /// What it is, in a few words.
    pub about: &'static str,
    /// Standard deviation of the noise, unless another one is asked for.
    pub noise: f64,
    /// Generates the table of `samples`, `noise` and `seed`.
    table: fn(usize, f64, u32) -> Result<Table>,
}

impl BuiltIn {
    /// scikit-learn's two moons, on which docs/article.md trains.
    pub const MOONS: Self = Self {
        name: "moons",
        about: "two half circles, the data of the article",
        noise: 0.2,
        table: |samples, noise, seed| Moons { samples, noise, seed }.table(),
    };

    /// All of them.
    pub const ALL: &[Self] = &[
        Self::MOONS,
        Self {
            name: "circles",
            about: "a circle around another of half its radius",
            noise: 0.1,
            // scikit-learn's factor of 0.8 leaves less between the circles than their noise takes.
            table: |samples, noise, seed| Circles { samples, factor: 0.5, noise, seed }.table(),
        },
        Self {
            name: "blobs",
            about: "two clouds of points",
            noise: 2.0,
            table: |samples, noise, seed| Blobs { samples, centers: 2, noise, seed }.table(),
        },
        Self {
            name: "spirals",
            about: "two arms of a spiral",
            noise: 0.1,
            table: |samples, noise, seed| Spirals { samples, noise, seed }.table(),
        },
        Self {
            name: "xor",
            about: "a square in four quarters, of which those that touch at a corner are alike",
            noise: 0.1,
            table: |samples, noise, seed| Xor { samples, noise, seed }.table(),
        },
    ];

    /// The column of the class.
    pub const TARGET: &str = TARGET;
    /// The number of rows, unless another one is asked for.
    pub const SAMPLES: usize = 1000;
    /// The seed, unless another one is asked for.
    pub const SEED: u32 = 100;

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|set| set.name == name)
    }

    /// Generates the table: `samples` rows of `x0`, `x1` and `label`.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for no samples, or a noise that is negative or not finite.
    pub fn table(&self, samples: usize, noise: f64, seed: u32) -> Result<Table> {
        (self.table)(samples, noise, seed)
    }
}

impl fmt::Debug for BuiltIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
