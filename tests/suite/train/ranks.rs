//! One network on several ranks, which are threads here: the same bytes on any number of them, and no rank waits for one that has gone.

use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use wgpu_mlp::backend::Device;
use wgpu_mlp::gradcheck::random_data;
use wgpu_mlp::math::Clip;
use wgpu_mlp::plan::PlanKind;
use wgpu_mlp::ranks::{Alone, DataParallel, Meeting, Ranks, Transport};
use wgpu_mlp::train::EarlyStopping;
use wgpu_mlp::{Activation, Batch, Dataset, Error, Loss, MlpSpec, Optimizer, Result, Rule, TrainConfig, Trainer, open};

use crate::train::gradients::{bits, everywhere};

/// Ranks that are threads of this process: what each gives lies in a place that all can see, between two barriers.
#[derive(Clone, Debug)]
struct Threads {
    rank: usize,
    places: Arc<Vec<Mutex<Vec<u8>>>>,
    barrier: Arc<Barrier>,
}

impl Threads {
    fn all(ranks: usize) -> Vec<Self> {
        let places: Arc<Vec<_>> = Arc::new((0..ranks).map(|_| Mutex::default()).collect());
        let barrier = Arc::new(Barrier::new(ranks));
        (0..ranks).map(|rank| Self { rank, places: places.clone(), barrier: barrier.clone() }).collect()
    }
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().copied().map(f32::from_ne_bytes).collect()
}

fn bytes(floats: &[f32]) -> Vec<u8> {
    floats.iter().flat_map(|value| value.to_ne_bytes()).collect()
}

impl Transport for Threads {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.places.len()
    }

    fn gather(&self, mine: &[u8]) -> Result<Vec<Vec<u8>>> {
        *self.places[self.rank].lock().unwrap() = mine.to_vec();
        self.barrier.wait();
        let all = self.places.iter().map(|place| place.lock().unwrap().clone()).collect();
        self.barrier.wait();
        Ok(all)
    }

    fn gather_floats(&self, mine: &[f32], counts: &[usize]) -> Result<Vec<f32>> {
        assert_eq!(mine.len(), counts[self.rank]);
        let all: Vec<_> = self.gather(&bytes(mine))?.iter().map(|bytes| floats(bytes)).collect();
        assert!(all.iter().map(Vec::len).eq(counts.iter().copied()));
        Ok(all.concat())
    }

    fn exchange_floats(&self, mine: &[f32], to: &[usize], from: &[usize]) -> Result<Vec<f32>> {
        assert_eq!(mine.len(), to.iter().sum::<usize>());
        // What is for whom stands in front.
        let counts = to.iter().flat_map(|count| (*count as u64).to_ne_bytes());
        let sent: Vec<u8> = counts.chain(bytes(mine)).collect();
        let mut received = Vec::new();
        for (all, &expected) in self.gather(&sent)?.iter().zip(from) {
            let (counts, values) = all.split_at(8 * self.size());
            let counts: Vec<_> = counts.as_chunks().0.iter().map(|&count| u64::from_ne_bytes(count) as usize).collect();
            let start = counts[..self.rank].iter().sum::<usize>();
            assert_eq!(counts[self.rank], expected);
            received.extend(&floats(values)[start..start + expected]);
        }
        Ok(received)
    }
}

/// What each rank of so many comes to.
pub fn on_ranks<T: Send>(ranks: usize, work: impl Fn(Ranks) -> T + Sync) -> Vec<T> {
    let work = &work;
    thread::scope(|scope| {
        let rank = |transport| scope.spawn(move || work(Ranks::new(transport)));
        let threads: Vec<_> = Threads::all(ranks).into_iter().map(rank).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn cpu() -> Device {
    open("cpu").unwrap().device
}

fn problem(hidden: usize, rows: usize) -> (MlpSpec, Dataset, Dataset) {
    let spec = MlpSpec::new(&[3, hidden, 5, 1], Activation::Tanh, Loss::BinaryCrossEntropy).unwrap();
    let [data, validation] = [(rows, 1), (19, 2)].map(|(rows, seed)| random_data(&spec, rows, seed).unwrap());
    (spec, data, validation)
}

/// The bits of the parameters after a run on so many ranks, which have to be the same on all.
fn trained(
    ranks: usize,
    shards: usize,
    spec: &MlpSpec,
    config: &TrainConfig,
    data: &Dataset,
    validation: Option<&Dataset>,
) -> (Vec<u32>, u64, f64) {
    let mut all = on_ranks(ranks, |ranks| {
        let parallel = DataParallel::new(ranks).shards(shards);
        let mut trainer = Trainer::data_parallel(&cpu(), spec, config, data, validation, &parallel).unwrap();
        let outcome = trainer.fit().unwrap();
        (bits(&trainer.parameters().unwrap()), outcome.epochs, outcome.last_epoch.unwrap().loss)
    });
    let first = all.remove(0);
    assert!(all.iter().all(|other| *other == first), "ranks differ among {ranks}");
    first
}

/// Mini-batches and whole ones, shards of unequal rows, plans, clipping, dropout, weights, early stopping: the number of ranks changes no
/// bit. The larger network's gradient goes by ranges.
#[test]
fn the_number_of_ranks_changes_no_bit() {
    let adam = Optimizer::new(Rule::Adam, 0.01);
    let run = |batch, optimizer| TrainConfig::new(6, batch, optimizer);
    let descent = TrainConfig::new(60, Batch::Rows(20), Optimizer::sgd(4.0));
    let cases = [
        (6, 8, run(Batch::Rows(20), adam)),
        (6, 8, run(Batch::Full, adam).plan(PlanKind::Layered)),
        (6, 5, run(Batch::Rows(3), adam).plan(PlanKind::Plain)),
        (3000, 8, run(Batch::Rows(40), adam)),
        (9, 6, run(Batch::Rows(20), adam.clip(Clip::Norm(0.05))).dropout(&[0.25])),
        (9, 8, descent.early_stopping(EarlyStopping::new(3))),
    ];
    for (number, (hidden, shards, config)) in cases.iter().enumerate() {
        let (spec, data, validation) = problem(*hidden, 101);
        let data = match number {
            4 => data.with_weights(&(0..101).map(|row| row as f32 / 50.0).collect::<Vec<_>>()).unwrap(),
            _ => data,
        };
        let alone = trained(1, *shards, &spec, config, &data, Some(&validation));
        for ranks in [2, 3, 4, 5] {
            let found = trained(ranks, *shards, &spec, config, &data, Some(&validation));
            assert!(found == alone, "case {number}, {ranks} ranks: other bits than on one");
        }
        if config.early_stopping.is_some() {
            assert!(alone.1 < 60, "early stopping ends the run");
        }
    }
}

/// On every device two ranks come to the bytes of one.
#[test]
fn every_device_can_be_a_ranks() {
    let (spec, data, validation) = problem(6, 44);
    let config = TrainConfig::new(3, Batch::Rows(16), Optimizer::new(Rule::Adam, 0.02));
    for device in everywhere() {
        let run = |ranks| {
            let parallel = DataParallel::new(ranks).shards(2);
            let mut trainer =
                Trainer::data_parallel(&device, &spec, &config, &data, Some(&validation), &parallel).unwrap();
            trainer.fit().unwrap();
            bits(&trainer.parameters().unwrap())
        };
        let alone = run(Ranks::new(Alone));
        let two = on_ranks(2, run);
        assert!(two[0] == alone && two[1] == alone, "{}", device.name());
    }
}

/// The batch is the same set of rows as that of a trainer alone, so the result is but for the order of sums; with one shard it is to the bit.
#[test]
fn whole_batches_and_single_shards_give_what_a_trainer_alone_gives() {
    let (spec, data, validation) = problem(7, 90);
    for (batch, shards) in [(Batch::Full, 8), (Batch::Full, 1), (Batch::Rows(32), 1)] {
        let config = TrainConfig::new(10, batch, Optimizer::sgd(0.3)).dropout(&[if shards == 1 { 0.5 } else { 0.0 }]);
        let mut alone = Trainer::with_validation(&cpu(), &spec, &config, &data, Some(&validation)).unwrap();
        let expected = alone.fit().unwrap();
        let parallel = DataParallel::new(Ranks::new(Alone)).shards(shards);
        let mut trainer = Trainer::data_parallel(&cpu(), &spec, &config, &data, Some(&validation), &parallel).unwrap();
        let found = trainer.fit().unwrap();
        let (expected_parameters, parameters) = (alone.parameters().unwrap(), trainer.parameters().unwrap());
        if shards == 1 {
            assert_eq!(bits(&parameters), bits(&expected_parameters), "{batch}");
        }
        // Ten steps of sums over 90 rows: far below a thousand roundings each.
        let close = |a: f64, b: f64| (a - b).abs() <= 1000.0 * f64::from(f32::EPSILON) * (1.0 + b.abs());
        for (a, b) in parameters.iter().zip(&expected_parameters) {
            assert!(close(f64::from(*a), f64::from(*b)), "{batch}: {a} and {b}");
        }
        let [a, b] = [found, expected].map(|outcome| outcome.last_epoch.unwrap());
        assert!(close(a.loss, b.loss) && a.accuracy == b.accuracy);
        assert!(close(a.validation.unwrap().loss, b.validation.unwrap().loss));
    }
}

/// A loss that is not finite ends all ranks at the same step, with the parameters before it.
#[test]
fn a_divergence_ends_all_ranks_alike() {
    let (spec, _, _) = problem(6, 64);
    let spec = MlpSpec::from_layers(spec.layers().to_vec(), Loss::MeanSquaredError).unwrap();
    let data = random_data(&spec, 64, 3).unwrap();
    let config = TrainConfig::new(500, Batch::Rows(16), Optimizer::sgd(1e30));
    let ends = on_ranks(3, |ranks| {
        let parallel = DataParallel::new(ranks);
        let mut trainer = Trainer::data_parallel(&cpu(), &spec, &config, &data, None, &parallel).unwrap();
        let error = trainer.fit().unwrap_err();
        assert!(matches!(error, Error::Diverged { .. }), "{error}");
        let parameters = trainer.parameters().unwrap();
        assert!(parameters.iter().all(|value| value.is_finite()));
        (error.to_string(), bits(&parameters))
    });
    assert!(ends.iter().all(|end| *end == ends[0]));
}

/// Other data, other settings, fewer shards than ranks, a batch that cannot be dealt.
#[test]
fn ranks_that_differ_are_told() {
    let (spec, data, _) = problem(6, 40);
    let config = TrainConfig::new(3, Batch::Rows(8), Optimizer::sgd(0.1));
    let told = |ranks, change: &(dyn Fn(usize, &mut Dataset, &mut TrainConfig) + Sync)| {
        on_ranks(ranks, |ranks| {
            let (mut data, mut config) = (data.clone(), config.clone());
            change(ranks.rank(), &mut data, &mut config);
            let parallel = DataParallel::new(ranks);
            Trainer::data_parallel(&cpu(), &spec, &config, &data, None, &parallel).unwrap_err().to_string()
        })
    };
    let expected = "expected the same program, settings and files on every rank";
    let other_data = told(3, &|rank, data, _| {
        if rank == 1 {
            *data = random_data(&spec, 40, 9).unwrap();
        }
    });
    assert!(
        other_data.iter().all(|error| *error == format!("rank 1 of 3: not the data of rank 0: {expected}")),
        "{other_data:?}"
    );
    let other_settings = told(4, &|rank, _, config| config.seed = u64::from(rank > 1));
    let error = format!("ranks 2, 3 of 4: not the settings of rank 0: {expected}");
    assert!(other_settings.iter().all(|found| *found == error), "{other_settings:?}");
    let epochs = told(2, &|rank, _, config| config.epochs += rank as u64);
    assert!(epochs[0].contains("not the settings"), "{epochs:?}");
    let many = told(9, &|_, _, _| {});
    assert!(
        many.iter().all(|error| error.contains("shards is 8: expected at least one for each of 9 ranks")),
        "{many:?}"
    );
    let batch = told(2, &|_, _, config| config.batch = Batch::Rows(39));
    assert!(batch[0].contains("batch is 39 of 40 rows: expected all of them, or at most 32"), "{batch:?}");
}

/// A rank that fails between two steps is heard at the next one; so is one that asks to end, and one that goes another way.
#[test]
fn no_rank_waits_for_one_that_has_gone() {
    let (spec, data, _) = problem(6, 40);
    let config = TrainConfig::new(300, Batch::Rows(8), Optimizer::sgd(0.1));
    let start = |ranks: &Ranks| {
        Trainer::data_parallel(&cpu(), &spec, &config, &data, None, &DataParallel::new(ranks.clone())).unwrap()
    };
    let ends = on_ranks(3, |ranks| {
        let mut trainer = start(&ranks);
        let went = match ranks.rank() {
            2 => trainer.step().and_then(|_| Err(Error::CheckFailed("no more".into()))),
            _ => trainer.fit().map(drop),
        };
        ranks.end(went).unwrap_err().to_string()
    });
    assert_eq!(ends, ["rank 2 of 3: no more", "rank 2 of 3: no more", "no more"]);

    let ends = on_ranks(2, |ranks| {
        let mut trainer = start(&ranks);
        let went = trainer.step().and_then(|_| if ranks.rank() == 0 { Ok(()) } else { trainer.step().map(drop) });
        ranks.end(went).unwrap_err().to_string()
    });
    assert_eq!(ends[0], "rank 1 of 2 is at step 2, rank 0 at the end of the run");

    let steps = on_ranks(4, |ranks| {
        let mut trainer = start(&ranks);
        let outcome = trainer.fit_with(|event| {
            if let wgpu_mlp::Event::Steps(progress) = event
                && progress.step == 7
                && ranks.rank() == 3
            {
                ranks.ask_to_end(15);
            }
            if ranks.asked().is_some() { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) }
        });
        let outcome = ranks.end(outcome).unwrap();
        assert!(outcome.stopped && ranks.asked() == Some(15) && ranks.is_over());
        assert!(ranks.meet(Meeting::End, Ok(Vec::new())).is_err());
        trainer.steps()
    });
    assert_eq!(steps, [8; 4]);
}

/// Rows that are streamed take another number of shards: that is refused, and the trainer is as before.
#[test]
fn a_network_of_several_ranks_takes_no_other_data() {
    let (spec, data, _) = problem(6, 40);
    let config = TrainConfig::new(1, Batch::Full, Optimizer::sgd(0.1));
    let parallel = DataParallel::new(Ranks::new(Alone));
    let mut trainer = Trainer::data_parallel(&cpu(), &spec, &config, &data, None, &parallel).unwrap();
    let error = trainer.load(&data).unwrap_err().to_string();
    assert!(error.contains("one of several ranks' network"), "{error}");
    trainer.fit().unwrap();
}

/// A checkpoint that one number of ranks has written is gone on from by another, to the bytes of the unbroken run.
#[test]
fn a_run_goes_on_with_another_number_of_ranks() {
    let (spec, data, validation) = problem(6, 60);
    let config =
        TrainConfig::new(8, Batch::Rows(16), Optimizer::new(Rule::Adam, 0.02)).early_stopping(EarlyStopping::new(50));
    let unbroken = trained(3, 8, &spec, &config, &data, Some(&validation)).0;
    let start = |ranks: Ranks| {
        let parallel = DataParallel::new(ranks);
        Trainer::data_parallel(&cpu(), &spec, &config, &data, Some(&validation), &parallel).unwrap()
    };
    let states = on_ranks(2, |ranks| {
        let mut trainer = start(ranks);
        for _ in 0..11 {
            trainer.step().unwrap();
        }
        trainer.state().unwrap()
    });
    assert_eq!(states[0], states[1]);
    let ends = on_ranks(4, |ranks| {
        let mut trainer = start(ranks);
        trainer.restore(&states[0]).unwrap();
        trainer.resume().unwrap();
        bits(&trainer.parameters().unwrap())
    });
    assert!(ends.iter().all(|end| *end == unbroken));
}
