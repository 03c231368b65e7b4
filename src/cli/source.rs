//! Where the data comes from: a CSV file or a built-in name.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::data::{Moons, Table};
use crate::error::{Error, Result};

#[derive(Debug, clap::Args)]
pub struct DataArgs {
    /// A CSV file with a header, or the built-in data `moons`
    data: String,
    /// Rows of built-in data
    #[arg(long, value_name = "N")]
    samples: Option<usize>,
    /// Standard deviation of the noise of built-in data
    #[arg(long, value_name = "F")]
    noise: Option<f64>,
    /// Seed of built-in data
    #[arg(long, value_name = "N")]
    data_seed: Option<u32>,
}

/// Data that has been named and not read yet.
#[derive(Debug)]
pub enum Source {
    /// scikit-learn's two moons; the article's unless flags say otherwise.
    Moons(Moons),
    /// A CSV file.
    File(PathBuf),
}

/// The target column of the built-in data.
pub const MOONS_TARGET: &str = "label";

impl DataArgs {
    /// What the flags name.
    pub fn source(&self) -> Result<Source> {
        if self.data == "moons" {
            let Self { samples, noise, data_seed, .. } = self;
            let (samples, noise) = (samples.unwrap_or(1000), noise.unwrap_or(0.2));
            return Ok(Source::Moons(Moons { samples, noise, seed: data_seed.unwrap_or(100) }));
        }
        let flags = [
            ("--samples", self.samples.map(|value| value.to_string())),
            ("--noise", self.noise.map(|value| value.to_string())),
            ("--data-seed", self.data_seed.map(|value| value.to_string())),
        ];
        match flags.into_iter().find_map(|(what, value)| Some((what, value?))) {
            Some((what, found)) => Err(Error::Setting {
                what,
                found,
                expected: "to stand with built-in data (moons), not with a file".into(),
            }),
            None if self.is_unknown_name() => Err(Error::Setting {
                what: "DATA",
                found: format!("`{}`", self.data),
                expected: "a CSV file that exists, or the built-in `moons`".into(),
            }),
            None => Ok(Source::File(PathBuf::from(&self.data))),
        }
    }
}

impl DataArgs {
    /// Whether the data is neither a file nor looks like the path of one.
    fn is_unknown_name(&self) -> bool {
        let path = Path::new(&self.data);
        !path.exists() && path.extension().is_none() && path.components().count() == 1
    }
}

impl Source {
    /// What is in force of the flags, as words of the command line.
    pub fn words(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Moons(Moons { samples, noise, seed }) => {
                vec![("samples", samples.to_string()), ("noise", noise.to_string()), ("data-seed", seed.to_string())]
            }
            Self::File(_) => Vec::new(),
        }
    }

    /// Reads the table with its target column, and without those of `left_out` that it has. A file needs `target`;
    /// built-in data knows its own.
    pub fn read(&self, target: Option<&str>, left_out: &[&str]) -> Result<(Table, String)> {
        match self {
            Self::Moons(moons) => Ok((moons.table()?, target.unwrap_or(MOONS_TARGET).to_string())),
            Self::File(path) => match target {
                Some(target) => Ok((Table::read_csv_without(path, Some(target), left_out)?, target.to_string())),
                None => Err(Error::TargetRequired { path: path.clone(), available: Table::csv_names(path)? }),
            },
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Moons(Moons { samples, noise, seed }) => {
                write!(f, "moons ({samples} samples, noise {noise}, seed {seed})")
            }
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}
