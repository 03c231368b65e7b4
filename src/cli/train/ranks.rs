//! `--data-parallel`: one network on all ranks of an MPI job. Rank 0 tells, writes and judges; the others only train.

#[cfg(feature = "mpi")]
use crate::cli::exit;
#[cfg(feature = "mpi")]
use crate::cli::output;
use crate::error::{Error, Result};
use crate::ranks::{DataParallel, Ranks, shards_of};
#[cfg(feature = "mpi")]
use crate::ranks::{Meeting, Session};

use super::Args;

#[derive(Debug, clap::Args)]
pub struct RankArgs {
    /// Train one network on all ranks of an MPI job: `mpirun -n 4 mlp train … --data-parallel`. Each rank has its share of the rows on
    /// its device; rank 0 writes the files. Needs a build with the feature `mpi`
    #[arg(long, conflicts_with_all = ["lr_find", "folds"])]
    pub data_parallel: bool,
    /// Shards that the training rows are dealt into, at least as many as ranks. The same number gives the same model on any number of
    /// ranks [default: 8]
    #[arg(long, value_name = "N", requires = "data_parallel")]
    shards: Option<usize>,
}

/// The job that this process is a rank of.
pub struct Job {
    ranks: Ranks,
    // Dropped last.
    #[cfg(feature = "mpi")]
    session: Session,
}

impl RankArgs {
    /// How the job's ranks train one network.
    pub fn parallel(&self, job: &Job) -> DataParallel {
        let parallel = DataParallel::new(job.ranks.clone());
        match self.shards {
            Some(shards) => parallel.shards(shards),
            None => parallel,
        }
    }
}

#[cfg(feature = "mpi")]
impl Job {
    /// Joins the job. A rank other than 0 is silent from then on.
    pub fn join() -> Result<Self> {
        let (session, mpi) = Session::begin()?;
        let ranks = Ranks::with_judge(mpi, |error| exit::code(error) == 2);
        if ranks.rank() > 0 {
            output::silence();
        }
        let program = ranks.or_tell(Meeting::Agreement, program())?;
        let version = crc32fast::hash(env!("CARGO_PKG_VERSION").as_bytes());
        ranks.agree(Meeting::Agreement, &[("version of mlp", version.into()), ("program", program.into())])?;
        Ok(Self { ranks, session })
    }

    /// Leaves the job together with all ranks, which end with the exit code of rank 0.
    pub fn leave(self, ended: Result<u8>) -> Result<u8> {
        let ended = self.ranks.end(ended);
        let code = ended.as_ref().map_or_else(exit::code, |&code| code);
        let codes = self.ranks.transport().gather(&[code])?;
        drop(self.session);
        if self.ranks.rank() == 0 { ended } else { Ok(codes[0].first().copied().unwrap_or(1)) }
    }
}

/// The checksum of the program's file.
#[cfg(feature = "mpi")]
fn program() -> Result<u32> {
    let path = std::env::current_exe().map_err(Error::io("find the program's file", "mlp"))?;
    let bytes = std::fs::read(&path).map_err(Error::io("read the program's file", &path))?;
    Ok(crc32fast::hash(&bytes))
}

#[cfg(not(feature = "mpi"))]
impl Job {
    /// Refuses: this build has no ranks.
    pub fn join() -> Result<Self> {
        Err(Error::MissingFeature { what: "--data-parallel", feature: "mpi" })
    }

    /// Nothing has been joined.
    pub fn leave(self, ended: Result<u8>) -> Result<u8> {
        ended
    }
}

impl Job {
    /// The arguments as this rank follows them.
    pub fn args_of_rank(&self, args: Args) -> Args {
        if self.ranks.rank() == 0 {
            return args;
        }
        let mut args = Args { out: None, json: false, quiet: true, ..args };
        args.saves.checkpoint_every = None;
        args
    }
}

/// Says how the work is shared out.
pub fn tell(parallel: &DataParallel) {
    let (ranks, shards) = (parallel.ranks.size(), parallel.shards);
    let each: Vec<_> = (0..ranks).map(|rank| shards_of(rank, ranks, shards).len()).collect();
    let (least, most) = (each.iter().min().copied().unwrap_or(0), each.iter().max().copied().unwrap_or(0));
    let range = if least == most { most.to_string() } else { format!("{least} to {most}") };
    eprintln!("ranks: {ranks}, with {range} of {shards} shards of the training rows each");
}
