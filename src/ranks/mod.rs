//! Several processes that work on one task, as MPI starts them: each has a rank, counted from 0. A [`Transport`] moves bytes between
//! them. On it stand meetings, at which all ranks learn whether one of them has failed or is asked to end ([`Ranks`]), and sums
//! whose order does not depend on the number of ranks ([`OrderedSum`], [`sum_over_ranks`]).
//!
//! Nothing here knows of networks.

mod meeting;
#[cfg(feature = "mpi")]
mod mpi;
mod order;
mod sum;
mod transport;

pub use meeting::{Meeting, Ranks};
#[cfg(feature = "mpi")]
pub use mpi::{Mpi, Session};
pub use order::{OrderedSum, PartialSum, shards_of};
pub use sum::sum_over_ranks;
pub use transport::{Alone, Transport};

/// How several ranks train one network.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DataParallel {
    /// The ranks.
    pub ranks: Ranks,
    /// The shards that the training rows are dealt into, at least as many as ranks. They decide on the batches and on the order of all
    /// sums, so that the same number gives the same result on any number of ranks.
    pub shards: usize,
}

impl DataParallel {
    /// Shards where nobody says how many.
    pub const SHARDS: usize = 8;

    /// These ranks with [`SHARDS`](Self::SHARDS).
    pub fn new(ranks: Ranks) -> Self {
        Self { ranks, shards: Self::SHARDS }
    }

    /// With another number of shards.
    #[must_use]
    pub fn shards(self, shards: usize) -> Self {
        Self { shards, ..self }
    }
}
