//! How much a run may take. Operations are counted and no clock is asked, so the same table and settings make the same run on every
//! machine.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result, named};
use crate::spec::HiddenLayers;

/// Epochs of a network at the most: those of RealMLP.
pub(super) const MOST_EPOCHS: u64 = 256;
/// How much a run may take whose layers, networks and epochs nobody says: operations of its matrix products, which are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effort {
    /// 10¹⁰ operations and two layers of 64 units: about a quarter of a second on a core of a CPU.
    Fast,
    /// 2 · 10¹²: about half a minute (docs/tables.md has measured times).
    #[default]
    Normal,
    /// 2 · 10¹³: some five minutes.
    Best,
}

/// Networks that may be trained: so many folds, so many networks of each, and the epochs that each has at the least. Without folds there are
/// as many networks.
pub(super) type Networks = (usize, usize, u64);

/// The most first. More folds are worth little (Holzmüller, Grinsztajn and Steinwart 2024, appendix B.4), and 5 networks of 128 epochs are no
/// worse than 8 of 80. Three that share weights in each fold are better than one of three times the epochs, if these are not few
/// (docs/training.md).
const NETWORKS: [Networks; 4] = [(8, 3, MOST_EPOCHS), (8, 3, 64), (8, 1, 128), (5, 1, 64)];

impl Effort {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Fast, Self::Normal, Self::Best];

    /// The name on the command line and in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Normal => "normal",
            Self::Best => "best",
        }
    }

    /// Operations of the matrix products of a whole run, at most.
    pub(super) fn operations(self) -> u64 {
        match self {
            Self::Fast => 10_000_000_000,
            Self::Normal => 2_000_000_000_000,
            Self::Best => 20_000_000_000_000,
        }
    }

    /// Widths of the hidden layers. RealMLP's 256 have no lower loss at the same operations, and take three times as many on small tables
    /// (docs/training.md).
    pub(super) fn hidden(self) -> HiddenLayers {
        HiddenLayers::plain(if self == Self::Fast { &[64, 64] } else { &[128, 128, 128] })
    }

    /// The networks that it has room for on small tables.
    pub(super) fn networks(self) -> &'static [Networks] {
        match self {
            Self::Fast => &NETWORKS[2..],
            Self::Normal => &NETWORKS[1..],
            Self::Best => &NETWORKS,
        }
    }
}

impl FromStr for Effort {
    type Err = Error;
    fn from_str(name: &str) -> Result<Self> {
        named("effort", name, Self::ALL, Self::name)
    }
}

impl fmt::Display for Effort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
