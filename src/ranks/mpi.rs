//! Ranks that `mpirun` has started, by the MPI that the system has.

use ::mpi::Count;
use ::mpi::Threading;
use ::mpi::datatype::{Partition, PartitionMut};
use ::mpi::environment::{Universe, initialize_with_threading};
use ::mpi::topology::SimpleCommunicator;
use ::mpi::traits::{Communicator, CommunicatorCollectives};

use super::transport::Transport;
use crate::error::{Error, Result};

/// The processes of an MPI job.
#[derive(Debug)]
pub struct Mpi {
    rank: usize,
    size: usize,
}

/// MPI's part of the process. It is dropped last, once no rank sends any more: then MPI ends, which waits for all ranks.
pub struct Session(Option<Universe>);

impl Session {
    /// Begins MPI, once in a process. A process that `mpirun` has not started is a job of one.
    ///
    /// # Errors
    /// [`Error::Ranks`] where it has begun before.
    pub fn begin() -> Result<(Self, Mpi)> {
        let Some((universe, _)) = initialize_with_threading(Threading::Serialized) else {
            let problem = "MPI has begun in this process before: expected one session".into();
            return Err(Error::Ranks(problem, false));
        };
        let world = universe.world();
        let mpi = Mpi { rank: world.rank() as usize, size: world.size() as usize };
        Ok((Self(Some(universe)), mpi))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // The others may wait for what this rank will never send, and MPI's end would wait for them.
        if std::thread::panicking() {
            SimpleCommunicator::world().abort(1);
        }
        drop(self.0.take());
    }
}

/// Counts as MPI has them, and where each begins.
fn places(counts: &[usize]) -> Result<(Vec<Count>, Vec<Count>, usize)> {
    let mut end = 0_usize;
    let mut starts = Vec::with_capacity(counts.len());
    for count in counts {
        starts.push(end as Count);
        end += count;
    }
    if Count::try_from(end).is_err() {
        let problem = format!("a message of {end} elements between ranks: MPI takes at most {}", Count::MAX);
        return Err(Error::Ranks(problem, false));
    }
    Ok((counts.iter().map(|&count| count as Count).collect(), starts, end))
}

impl Transport for Mpi {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn gather(&self, mine: &[u8]) -> Result<Vec<Vec<u8>>> {
        let world = SimpleCommunicator::world();
        let mut lens = vec![0_u64; self.size];
        world.all_gather_into(&(mine.len() as u64), &mut lens[..]);
        let lens: Vec<_> = lens.into_iter().map(|len| len as usize).collect();
        let (counts, starts, total) = places(&lens)?;
        let mut all = vec![0_u8; total];
        world.all_gather_varcount_into(mine, &mut PartitionMut::new(&mut all[..], counts, starts));
        let mut rest = &all[..];
        let each = lens.iter().map(|&len| {
            let (content, behind) = rest.split_at(len);
            rest = behind;
            content.to_vec()
        });
        Ok(each.collect())
    }

    fn gather_floats(&self, mine: &[f32], counts: &[usize]) -> Result<Vec<f32>> {
        let (counts, starts, total) = places(counts)?;
        let mut all = vec![0.0_f32; total];
        let mut parts = PartitionMut::new(&mut all[..], counts, starts);
        SimpleCommunicator::world().all_gather_varcount_into(mine, &mut parts);
        Ok(all)
    }

    fn exchange_floats(&self, mine: &[f32], to: &[usize], from: &[usize]) -> Result<Vec<f32>> {
        let ((to, to_starts, _), (from, from_starts, total)) = (places(to)?, places(from)?);
        let mut all = vec![0.0_f32; total];
        let sent = Partition::new(mine, to, to_starts);
        let mut received = PartitionMut::new(&mut all[..], from, from_starts);
        SimpleCommunicator::world().all_to_all_varcount_into(&sent, &mut received);
        Ok(all)
    }
}
