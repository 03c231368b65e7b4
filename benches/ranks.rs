//! What a step of several ranks sends, and how long that takes: `mpirun -n 4 BENCH` with the program that
//! `cargo bench --features mpi --bench ranks --no-run` names. A line for each number of parameters: seconds of a meeting, which every step
//! has before its sum, and of the sum over eight shards, the least and the median of many.

use std::time::Instant;

use wgpu_mlp::Result;
use wgpu_mlp::ranks::{Meeting, OrderedSum, PartialSum, Ranks, Session, shards_of, sum_over_ranks};

const SHARDS: usize = 8;

/// The least and the median, as text.
fn told(mut seconds: Vec<f64>) -> String {
    seconds.sort_by(f64::total_cmp);
    format!("{:.1} to {:.1} us", seconds[0] * 1e6, seconds[seconds.len() / 2] * 1e6)
}

fn time(runs: usize, mut work: impl FnMut() -> Result<()>) -> Result<String> {
    let timed = |_| {
        let start = Instant::now();
        work().map(|()| start.elapsed().as_secs_f64())
    };
    (0..runs).map(timed).collect::<Result<_>>().map(told)
}

fn main() -> Result<()> {
    let (session, mpi) = Session::begin()?;
    let ranks = Ranks::new(mpi);
    let (rank, size) = (ranks.rank(), ranks.size());
    let shards = shards_of(rank, size, SHARDS);
    for parameters in [100, 5_000, 16_384, 100_000, 1_000_000, 10_000_000] {
        let runs = (100_000_000 / (parameters + 100_000)).clamp(10, 500);
        let bytes = vec![0; 16 * shards.len()];
        let meeting = time(runs, || ranks.meet(Meeting::Step(1), Ok(bytes.clone())).map(drop))?;
        let mut mine = OrderedSum::default();
        shards.clone().for_each(|shard| mine.push(PartialSum::of_shard(shard, vec![shard as f32; parameters])));
        let mine = mine.into_parts();
        let sum = time(runs, || sum_over_ranks(ranks.transport(), SHARDS, mine.clone(), parameters).map(drop))?;
        if rank == 0 {
            println!("{size} ranks, {parameters} parameters: meeting {meeting}, sum {sum}");
        }
    }
    drop(session);
    Ok(())
}
