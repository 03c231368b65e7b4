//! The course of a sweep, with a runner that only counts: which jobs it is given, how far they go, and what is known after a kill. And
//! the runners that train.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::rc::Rc;

use wgpu_mlp::data::{Cells, Column};
use wgpu_mlp::pipeline::ClassWeight;
use wgpu_mlp::sweep::{
    Axis, Candidate, End, FoldedTable, Group, Halving, Job, OverRanks, Record, Runner, Score, SideBySide, Space,
    Spread, Sweep, SweepEvent, Told, Trial,
};
use wgpu_mlp::{Batch, Error, Estimator, Optimizer, Result, Rule, Table, open};

use crate::train::ranks::on_ranks;

/// What happened to jobs, by trial, fold and seed.
type Name = (usize, usize, u64);

#[derive(Default)]
struct Log {
    groups: Vec<Vec<Name>>,
    /// Each epoch that was trained.
    epochs: Vec<(Name, u64)>,
}

/// Trains nothing. The score of trial t is t + 1 / epoch; trial 5 diverges in epoch 2, trial 6 fails, trial 7 ends after 4 epochs.
struct Counter {
    capacity: usize,
    log: Rc<RefCell<Log>>,
}

struct Counted {
    jobs: Vec<(Name, Option<u64>)>,
    log: Rc<RefCell<Log>>,
}

const EPOCHS: u64 = 9;

impl Runner for Counter {
    fn capacity(&mut self, _: &Job) -> Result<usize> {
        Ok(self.capacity)
    }

    fn start(&mut self, jobs: &[Job]) -> Result<Box<dyn Group + '_>> {
        let names: Vec<Name> = jobs.iter().map(|job| (job.trial, job.fold, job.seed)).collect();
        self.log.borrow_mut().groups.push(names.clone());
        let jobs = names.into_iter().map(|name| (name, Some(0))).collect();
        Ok(Box::new(Counted { jobs, log: self.log.clone() }))
    }
}

impl Group for Counted {
    fn epochs(&self) -> u64 {
        EPOCHS
    }

    fn train_to(
        &mut self,
        until: Option<u64>,
        told: &mut dyn FnMut(Told) -> Result<ControlFlow<()>>,
    ) -> Result<ControlFlow<()>> {
        for (job, (name, done)) in self.jobs.iter_mut().enumerate() {
            let Some(from) = *done else { continue };
            let last = if name.0 == 7 { 4 } else { EPOCHS };
            let to = until.unwrap_or(EPOCHS).min(last);
            let end = match name.0 {
                5 if to >= 2 => Some(Told::Diverged { job, epoch: 2 }),
                6 => Some(Told::Failed { job, problem: "too large".into() }),
                _ => None,
            };
            if let Some(end) = end {
                *done = None;
                if told(end)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
                continue;
            }
            for epoch in from + 1..=to {
                self.log.borrow_mut().epochs.push((*name, epoch));
                if told(Told::Epoch { job, epoch, loss: None })?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            *done = (to < last).then_some(to);
            let value = name.0 as f64 + 1.0 / to as f64;
            let mut score = Score::new(to, Some(value), value);
            score.ended = to == last;
            if told(Told::Scored { job, score })?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn drop_job(&mut self, job: usize) {
        assert!(self.jobs[job].1.take().is_some(), "a job that has ended is dropped");
    }
}

/// Nine trials of two shapes: those with an odd number have another network.
fn candidates() -> Vec<Candidate> {
    let axis = Axis::list("lr", (1..=9).map(|i| format!("{i}")).collect()).unwrap();
    let trials = Space::new(vec![axis]).unwrap().grid().unwrap();
    let width = |number: usize| if number % 2 == 1 { 3 } else { 4 };
    trials
        .into_iter()
        .map(|trial| {
            let estimator = Estimator::new("y").hidden(&[width(trial.number)]);
            Candidate::new(trial, estimator)
        })
        .collect()
}

fn run(sweep: &Sweep<'_>, capacity: usize, known: &[Record]) -> (Log, Vec<Record>) {
    let log = Rc::new(RefCell::new(Log::default()));
    let mut runner = Counter { capacity, log: log.clone() };
    let mut records = Vec::new();
    let finished = sweep.run(&mut runner, known, |event| {
        if let SweepEvent::Ended(record) = event {
            records.push(record.clone());
        }
        Ok(ControlFlow::Continue(()))
    });
    assert!(finished.unwrap());
    drop(runner);
    (Rc::into_inner(log).unwrap().into_inner(), records)
}

fn names(records: &[Record]) -> BTreeSet<Name> {
    records.iter().map(|record| (record.trial, record.fold, record.seed)).collect()
}

#[test]
fn each_job_is_trained_once_beside_those_of_its_shape() {
    let candidates = candidates();
    let sweep = Sweep::new(&candidates, 2, &[7, 8], true);
    let (log, records) = run(&sweep, 9, &[]);
    assert_eq!((records.len(), names(&records).len()), (36, 36));
    // Nine jobs at a time are two trials of four.
    let trials = |group: &Vec<Name>| group.iter().map(|name| name.0).collect::<BTreeSet<_>>().into_iter().collect();
    let groups: Vec<Vec<usize>> = log.groups.iter().map(trials).collect();
    assert_eq!(groups, [vec![1, 3], vec![5, 7], vec![9], vec![2, 4], vec![6, 8]]);
    assert_eq!(log.groups[2], [(9, 1, 7), (9, 1, 8), (9, 2, 7), (9, 2, 8)]);
    // No epoch is trained twice.
    assert_eq!(log.epochs.iter().collect::<BTreeSet<_>>().len(), log.epochs.len());
    for record in &records {
        let expected = match record.trial {
            5 => (End::Diverged, 2, None),
            6 => (End::Failed, 0, None),
            7 => (End::Finished, 4, Some(7.25)),
            trial => (End::Finished, 9, Some(trial as f64 + 1.0 / 9.0)),
        };
        assert_eq!((record.end, record.epoch, record.score), expected, "{record:?}");
        assert_eq!(record.settings, [("lr".into(), record.trial.to_string())]);
        assert!(record.rungs.is_empty() && record.problem.is_some() == (record.trial == 6));
    }
    // A trial that is larger than the device has room for is a group of its own.
    assert_eq!(run(&sweep, 1, &[]).0.groups.len(), 9);
}

#[test]
fn losers_are_dropped_and_the_others_go_on() {
    let candidates = candidates();
    let sweep = Sweep::new(&candidates, 1, &[0], true).halving(Some(Halving::new(3, Some(1)).unwrap()));
    let (log, mut records) = run(&sweep, 100, &[]);
    assert_eq!(log.groups.len(), 2);
    // 1, 3, 5, 7, 9 come to the first rung: ⌈5/3⌉ = 2 go on, and of these one. Of the others only 2 is among the best three of nine,
    // and then not the best of the three that came to the second rung.
    records.sort_by_key(|record| record.trial);
    let ends: Vec<_> = records.iter().map(|record| (record.trial, record.end, record.epoch)).collect();
    use End::{Failed, Finished, Stopped};
    let expected = [
        (1, Finished, 9),
        (2, Stopped, 3),
        (3, Stopped, 3),
        (4, Stopped, 1),
        (5, Stopped, 1),
        (6, Failed, 0),
        (7, Stopped, 1),
        (8, Stopped, 1),
        (9, Stopped, 1),
    ];
    assert_eq!(ends, expected);
    let trained = |trial: usize| log.epochs.iter().filter(move |(name, _)| name.0 == trial).map(|(_, epoch)| *epoch);
    assert!(trained(1).eq(1..=9) && trained(3).eq(1..=3) && trained(9).eq(1..=1));
    assert_eq!(records[0].rungs, [(1, Some(2.0)), (3, Some(1.0 + 1.0 / 3.0))]);
}

/// Whatever has ended before a kill is not trained again, and the sweep ends as if there had been none.
#[test]
fn a_sweep_goes_on_after_a_kill() {
    let candidates = candidates();
    for halving in [None, Some(Halving::new(2, Some(1)).unwrap())] {
        let sweep = Sweep::new(&candidates, 2, &[0], true).halving(halving);
        let (_, whole) = run(&sweep, 100, &[]);
        assert_eq!(names(&whole).len(), 18);
        for kill in 0..=whole.len() {
            let (log, more) = run(&sweep, 100, &whole[..kill]);
            let trained: BTreeSet<Name> = log.groups.iter().flatten().copied().collect();
            assert!(trained.is_disjoint(&names(&whole[..kill])), "after {kill}");
            let mut all = [&whole[..kill], &more].concat();
            let mut expected = whole.clone();
            [&mut all, &mut expected].into_iter().for_each(|all| all.sort_by_key(|record| (record.trial, record.fold)));
            assert_eq!(all, expected, "after {kill}");
        }
    }
}

#[test]
fn a_break_or_an_error_of_the_receiver_ends_it() {
    let candidates = candidates();
    let sweep = Sweep::new(&candidates, 1, &[0], true);
    for breaks in [true, false] {
        let log = Rc::new(RefCell::new(Log::default()));
        let mut runner = Counter { capacity: 100, log: log.clone() };
        let mut epochs = 0;
        let ended = sweep.run(&mut runner, &[], |event| {
            epochs += usize::from(matches!(event, SweepEvent::Epoch { .. }));
            match (epochs, breaks) {
                (12, true) => Ok(ControlFlow::Break(())),
                (12, false) => Err(Error::CheckFailed("the disk is full".into())),
                _ => Ok(ControlFlow::Continue(())),
            }
        });
        assert_eq!(ended.ok(), breaks.then_some(false));
        assert_eq!(log.borrow().epochs.len(), 12);
    }
}

/// A table of 60 rows with a number and a class to predict.
fn table() -> Table {
    let column =
        |name, of: fn(f64) -> f64| Column::new(name, Cells::Number((0..60).map(|i| of(f64::from(i))).collect()));
    let classes = (0..60).map(|i| Some(if (i * 37) % 60 > 20 { "yes" } else { "no" })).collect();
    let class = Column::new("class", Cells::Text(classes));
    let a = column("a", |i| (i * 37.0) % 60.0 / 10.0);
    Table::new(
        "t",
        vec![
            a,
            column("b", |i| (i * 23.0) % 60.0 / 10.0),
            column("y", |i| (i * 37.0) % 60.0 - 2.0 * ((i * 23.0) % 60.0)),
            class,
        ],
    )
    .unwrap()
}

/// What trains.
#[derive(Clone, Copy, Debug, PartialEq)]
enum On {
    /// A device for each job, which is alone there.
    Alone,
    /// One device.
    Beside,
    /// So many ranks.
    Ranks(usize),
}

/// Candidates with these rates, and what a runner made of them.
fn trained(
    target: &str,
    change: &(dyn Fn(Estimator, f64) -> Estimator + Sync),
    folds: Option<usize>,
    halving: bool,
    on: On,
) -> Vec<Record> {
    let rates = ["0.1", "0.03", "0.01", "0.001"];
    let space = Space::new(vec![Axis::list("lr", rates.map(String::from).to_vec()).unwrap()]).unwrap();
    let candidate = |trial: Trial| {
        let rate: f64 = trial.settings[0].1.parse().unwrap();
        let estimator = Estimator::new(target).hidden(&[6]).batch(Batch::Rows(8)).test_fraction(0.1);
        let estimator = change(estimator.optimizer(Optimizer::new(Rule::Adam, rate)), rate);
        Candidate::new(trial, folds.into_iter().fold(estimator, Estimator::folds))
    };
    let candidates: Vec<Candidate> = space.grid().unwrap().into_iter().map(candidate).collect();
    assert!(candidates.iter().all(|candidate| candidate.shape() == candidates[0].shape()));
    let (data, _) = FoldedTable::new(table(), &candidates[0].estimator, None).unwrap();
    let sweep = Sweep::new(&candidates, folds.unwrap_or(1), &[3, 4], data.metric().lower_is_better());
    let sweep = sweep.halving(halving.then(|| Halving::new(2, Some(2)).unwrap()));
    let device = open("cpu").unwrap().device;
    let run = |runner: &mut dyn Runner| {
        let mut records = Vec::new();
        let finished = sweep.run(runner, &[], |event| {
            if let SweepEvent::Ended(record) = event {
                records.push(record.clone());
            }
            Ok(ControlFlow::Continue(()))
        });
        finished.map(|finished| (finished, records))
    };
    let (finished, mut records) = match on {
        On::Alone => run(&mut Spread::new(&vec![device; 64], &data)).unwrap(),
        On::Beside => run(&mut SideBySide::new(&device, &data)).unwrap(),
        On::Ranks(ranks) => {
            let ended = on_ranks(ranks, |ranks| {
                let mut own = OverRanks::new(&ranks, &device, &data);
                if ranks.rank() > 0 {
                    own.follow(&sweep, || ()).unwrap();
                    return None;
                }
                let ended = run(&mut own);
                Some(own.dismiss(ended).unwrap())
            });
            ended.into_iter().flatten().next().unwrap()
        }
    };
    assert!(finished);
    records.sort_by_key(|record| (record.trial, record.fold, record.seed));
    records
}

/// Ranks share the jobs, more of them than there are or fewer, and come to what one comes to.
#[test]
fn ranks_come_to_what_one_comes_to() {
    let change = |estimator: Estimator, _| estimator.validation_fraction(0.2).epochs(9);
    for halving in [false, true] {
        let mut alone = trained("y", &change, None, halving, On::Beside);
        alone.iter_mut().for_each(|record| record.seconds = 0.0);
        assert!(alone.len() == 8 && halving == alone.iter().any(|record| record.end == End::Stopped));
        for ranks in [1, 3, 11] {
            let mut found = trained("y", &change, None, halving, On::Ranks(ranks));
            found.iter_mut().for_each(|record| record.seconds = 0.0);
            assert_eq!(found, alone, "{ranks} ranks, halving {halving}");
        }
    }
}

/// Whichever rank fails or asks for an end, none waits for another.
#[test]
fn ranks_end_together() {
    let candidates: Vec<Candidate> = candidates().into_iter().take(3).collect();
    let candidates: Vec<Candidate> = candidates
        .into_iter()
        .map(|candidate| {
            let estimator = candidate.estimator.epochs(1_000_000_000).test_fraction(0.1).validation_fraction(0.2);
            Candidate::new(candidate.trial, estimator)
        })
        .collect();
    let (data, _) = FoldedTable::new(table(), &candidates[0].estimator, None).unwrap();
    let sweep = Sweep::new(&candidates, 1, &[0], true);
    let device = open("cpu").unwrap().device;
    // Rank 0's receiver fails or breaks; or another rank asks for an end.
    for case in 0..3 {
        let ended = on_ranks(3, |ranks| {
            let mut own = OverRanks::new(&ranks, &device, &data);
            if ranks.rank() > 0 {
                let asks = || {
                    if case == 2 && ranks.rank() == 2 {
                        ranks.ask_to_end(2)
                    }
                };
                return own.follow(&sweep, asks).map(|()| false).map_err(|error| error.to_string());
            }
            let ended = sweep.run(&mut own, &[], |event| match (event, case) {
                (SweepEvent::Epoch { epoch: 20.., .. }, 0) => Err(Error::CheckFailed("the disk is full".into())),
                (SweepEvent::Epoch { epoch: 20.., .. }, 1) => Ok(ControlFlow::Break(())),
                _ if ranks.asked().is_some() => Ok(ControlFlow::Break(())),
                _ => Ok(ControlFlow::Continue(())),
            });
            own.dismiss(ended).map_err(|error| error.to_string())
        });
        let others = if case == 0 { Err("rank 0 of 3: the disk is full".to_string()) } else { Ok(false) };
        let first = if case == 0 { Err("the disk is full".to_string()) } else { Ok(false) };
        assert_eq!(ended, [first, others.clone(), others], "case {case}");
    }
}

/// Jobs that train side by side come to what each comes to alone: scores, epochs, ends, with early stopping, with rungs, with settings of
/// their own in the loss and in dropout.
#[test]
fn side_by_side_comes_to_what_each_comes_to_alone() {
    type Change = fn(Estimator, f64) -> Estimator;
    let changes: [(&str, Change); 5] = [
        ("y", |estimator, _| estimator.validation_fraction(0.2).epochs(9)),
        ("y", |estimator, rate| {
            let estimator = estimator.validation_fraction(0.2).epochs(40).patience(2);
            estimator.train_config(|config| config.dropout(&[rate]))
        }),
        ("class", |estimator, rate| {
            estimator.validation_fraction(0.2).epochs(9).loss_parameter("label_smoothing", rate)
        }),
        ("class", |estimator, rate| {
            let class_weight = match rate {
                0.1 => ClassWeight::None,
                0.03 => ClassWeight::Balanced,
                _ => ClassWeight::Given(vec![("no".into(), rate)]),
            };
            estimator.validation_fraction(0.2).epochs(9).class_weight(class_weight)
        }),
        // A rate at which the first trial diverges.
        ("y", |estimator, rate| {
            let rate = if rate == 0.1 { 1e30 } else { rate };
            let estimator = estimator.validation_fraction(0.2).epochs(9).standardize(false);
            estimator.optimizer(Optimizer::sgd(rate / 100.0))
        }),
    ];
    for (number, (target, change)) in changes.iter().enumerate() {
        for halving in [false, true] {
            let [alone, beside] = [On::Alone, On::Beside].map(|on| trained(target, change, None, halving, on));
            assert_eq!(alone.len(), 8);
            for (alone, beside) in alone.iter().zip(&beside) {
                let what = |record: &Record| {
                    (record.trial, record.seed, record.end, record.best_epoch, record.score.is_some())
                };
                assert_eq!(what(alone), what(beside), "case {number}, halving {halving}: {alone:?} {beside:?}");
                let close = |a: Option<f64>, b: Option<f64>| match (a, b) {
                    (Some(a), Some(b)) => (a - b).abs() <= 1e-5 * a.abs().max(b.abs()),
                    (a, b) => a.is_none() && b.is_none(),
                };
                assert!(close(alone.score, beside.score), "case {number}, halving {halving}: {alone:?} {beside:?}");
                if alone.end != End::Diverged {
                    assert!(alone.epoch == beside.epoch && close(alone.loss, beside.loss), "{alone:?} {beside:?}");
                }
            }
            assert!(number != 4 || beside.iter().any(|record| record.end == End::Diverged));
            assert!(!halving || beside.iter().any(|record| record.end == End::Stopped && record.epoch < 9));
        }
    }
}

/// The same with folds: the scores are the same numbers.
#[test]
fn folds_side_by_side_hold_out_their_rows() {
    let change = |estimator: Estimator, _| estimator.epochs(12);
    let [alone, beside] = [On::Alone, On::Beside].map(|on| trained("y", &change, Some(3), false, on));
    assert_eq!((alone.len(), beside.len()), (24, 24));
    for (alone, beside) in alone.iter().zip(&beside) {
        assert_eq!((alone.trial, alone.fold, alone.seed), (beside.trial, beside.fold, beside.seed));
        assert_eq!((alone.score, alone.loss), (beside.score, beside.loss));
        assert!(alone.score.is_some());
    }
    let folds: BTreeSet<_> =
        beside.iter().filter(|record| record.trial == 1).map(|record| record.score.unwrap().to_bits()).collect();
    assert_eq!(folds.len(), 6, "each fold has its own score");
}
