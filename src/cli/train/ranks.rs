//! `--data-parallel`: one network on all ranks of an MPI job. Rank 0 tells, writes and judges; the others only train.

use super::Args;
use crate::cli::job::Job;
use crate::ranks::{DataParallel, shards_of};

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

impl RankArgs {
    /// How the job's ranks train one network.
    pub fn parallel(&self, job: &Job) -> DataParallel {
        let parallel = DataParallel::new(job.ranks().clone());
        match self.shards {
            Some(shards) => parallel.shards(shards),
            None => parallel,
        }
    }
}

/// The arguments as a rank follows them.
pub fn args_of_rank(args: Args, rank: usize) -> Args {
    if rank == 0 {
        return args;
    }
    let mut args = Args { out: None, json: false, quiet: true, ..args };
    args.saves.checkpoint_every = None;
    args
}

/// Says how the work is shared out.
pub fn tell(parallel: &DataParallel) {
    let (ranks, shards) = (parallel.ranks.size(), parallel.shards);
    let each: Vec<_> = (0..ranks).map(|rank| shards_of(rank, ranks, shards).len()).collect();
    let (least, most) = (each.iter().min().copied().unwrap_or(0), each.iter().max().copied().unwrap_or(0));
    let range = if least == most { most.to_string() } else { format!("{least} to {most}") };
    eprintln!("ranks: {ranks}, with {range} of {shards} shards of the training rows each");
}
