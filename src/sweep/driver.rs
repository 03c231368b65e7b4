//! The course of a sweep: trials of one shape form groups, a group trains from rung to rung, and what ends is told at once.

use std::collections::HashMap;
use std::ops::ControlFlow;

use super::halving::{Halving, Ladder};
use super::job::{Candidate, Group, Job, Name, Runner, Score, Told};
use super::record::{End, Record};
use crate::error::Result;

/// The trials of a sweep, and how often each is trained.
#[derive(Clone, Debug)]
pub struct Sweep<'a> {
    candidates: &'a [Candidate],
    folds: usize,
    seeds: Vec<u64>,
    halving: Option<Halving>,
    lower_is_better: bool,
}

/// What happens in a sweep.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SweepEvent<'a> {
    /// Trials of one shape begin.
    Group {
        /// Their numbers.
        trials: Vec<usize>,
        /// Trainings of them that are to be done.
        trainings: usize,
    },
    /// A training goes on; a receiver that wants to end the sweep need not wait for an epoch.
    Steps,
    /// A training has finished an epoch.
    Epoch {
        /// The trial's number.
        trial: usize,
        /// The fold, counted from 1.
        fold: usize,
        /// The seed.
        seed: u64,
        /// The epoch, counted from 1.
        epoch: u64,
        /// The loss on the rows that are held out, where it is known.
        loss: Option<f64>,
    },
    /// A trial has come to a rung.
    Rung {
        /// The trial's number.
        trial: usize,
        /// Epochs of the rung.
        epoch: u64,
        /// Mean over folds and seeds; none where one of them was lost.
        score: Option<f64>,
        /// Whether it goes on.
        goes_on: bool,
    },
    /// A training has ended.
    Ended(&'a Record),
}

/// A training of a group.
struct Run {
    job: Job,
    settings: Vec<(String, String)>,
    /// Its place in the runner's group; none for one whose record was known.
    place: Option<usize>,
    rungs: Vec<(u64, Option<f64>)>,
    last: Option<Score>,
    record: Option<Record>,
}

type Receiver<'a> = &'a mut dyn FnMut(SweepEvent<'_>) -> Result<ControlFlow<()>>;

impl<'a> Sweep<'a> {
    /// A sweep over these candidates. Each is trained on each of `folds` folds (1 where there are none) with each seed.
    #[must_use]
    pub fn new(candidates: &'a [Candidate], folds: usize, seeds: &[u64], lower_is_better: bool) -> Self {
        Self { candidates, folds: folds.max(1), seeds: seeds.to_vec(), halving: None, lower_is_better }
    }

    /// With successive halving.
    #[must_use]
    pub fn halving(self, halving: Option<Halving>) -> Self {
        Self { halving, ..self }
    }

    /// Trainings of a trial.
    #[must_use]
    pub fn trainings(&self) -> usize {
        self.folds * self.seeds.len()
    }

    /// Trains what has no record in `known` yet, and tells of each training as it ends. A break of the receiver ends the sweep after
    /// the steps that are under way. Whether it came to its end.
    ///
    /// # Errors
    /// What the runner and the receiver say; what was told before stays true.
    pub fn run(
        &self,
        runner: &mut dyn Runner,
        known: &[Record],
        mut on_event: impl FnMut(SweepEvent<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<bool> {
        let halving = self.halving.map(|halving| (halving, Ladder::new(halving, self.lower_is_better)));
        let known: HashMap<_, _> = known.iter().map(|record| (record.job(), record)).collect();
        let mut halving = halving;
        for shape in self.shapes() {
            let trials = match shape.first().and_then(|candidate| self.jobs(candidate).next()) {
                Some(job) => (runner.capacity(&job)? / self.trainings().max(1)).max(1),
                None => continue,
            };
            for group in shape.chunks(trials) {
                let runs = group.iter().flat_map(|candidate| self.runs(candidate, &known)).collect();
                if run_group(runner, runs, halving.as_mut(), &mut on_event)?.is_break() {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// The candidates by their shapes, in the order in which each came first.
    fn shapes(&self) -> Vec<Vec<&'a Candidate>> {
        let (mut places, mut shapes) = (HashMap::new(), Vec::<Vec<&Candidate>>::new());
        for candidate in self.candidates {
            let place = *places.entry(candidate.shape()).or_insert(shapes.len());
            if place == shapes.len() {
                shapes.push(Vec::new());
            }
            shapes[place].push(candidate);
        }
        shapes
    }

    /// The job of this name, if it is one of the sweep.
    pub(super) fn job(&self, name: Name) -> Option<Job> {
        let candidate = self.candidates.iter().find(|candidate| candidate.trial.number == name.0)?;
        self.jobs(candidate).find(|job| job.name() == name)
    }

    fn jobs<'b>(&'b self, candidate: &'b Candidate) -> impl Iterator<Item = Job> + 'b {
        let trial = candidate.trial.number;
        let job = move |fold, seed| Job { trial, fold, seed, estimator: candidate.estimator.clone() };
        (1..=self.folds).flat_map(move |fold| self.seeds.iter().map(move |&seed| job(fold, seed)))
    }

    fn runs<'b>(
        &'b self,
        candidate: &'b Candidate,
        known: &'b HashMap<Name, &Record>,
    ) -> impl Iterator<Item = Run> + 'b {
        self.jobs(candidate).map(|job| {
            let record = known.get(&job.name()).map(|&record| record.clone());
            let rungs = record.as_ref().map_or_else(Vec::new, |record| record.rungs.clone());
            Run { job, settings: candidate.trial.settings.clone(), place: None, rungs, last: None, record }
        })
    }
}

/// Trains a group from rung to rung.
fn run_group(
    runner: &mut dyn Runner,
    mut runs: Vec<Run>,
    halving: Option<&mut (Halving, Ladder)>,
    on_event: Receiver<'_>,
) -> Result<ControlFlow<()>> {
    let fresh: Vec<usize> = (0..runs.len()).filter(|&at| runs[at].record.is_none()).collect();
    fresh.iter().enumerate().for_each(|(place, &at)| runs[at].place = Some(place));
    let mut trials: Vec<usize> = runs.iter().map(|run| run.job.trial).collect();
    trials.dedup();
    let mut group = None;
    if !fresh.is_empty() {
        if on_event(SweepEvent::Group { trials: trials.clone(), trainings: fresh.len() })?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        let jobs: Vec<Job> = fresh.iter().map(|&at| runs[at].job.clone()).collect();
        group = Some(runner.start(&jobs)?);
    }
    if let Some((halving, ladder)) = halving {
        // Of trials that all have records, the rungs that they came to.
        let rungs = match &group {
            Some(group) => halving.rungs(group.epochs()),
            None => known_rungs(&runs),
        };
        for rung in rungs {
            if let Some(group) = &mut group
                && train(group.as_mut(), &mut runs, &fresh, Some(rung), on_event)?.is_break()
            {
                return Ok(ControlFlow::Break(()));
            }
            let arrived: Vec<_> = trials.iter().map(|&trial| (trial, score_at(&runs, trial, rung))).collect();
            let goes_on = ladder.judge(rung, &arrived);
            for (&(trial, score), &goes_on) in arrived.iter().zip(&goes_on) {
                let own = |run: &&mut Run| run.job.trial == trial && run.record.is_none();
                let mut told = ControlFlow::Continue(());
                if runs.iter().any(|run| run.job.trial == trial && run.place.is_some()) {
                    told = on_event(SweepEvent::Rung { trial, epoch: rung, score, goes_on })?;
                }
                for run in runs.iter_mut().filter(own).filter(|_| !goes_on) {
                    if let (Some(group), Some(place)) = (&mut group, run.place) {
                        group.drop_job(place);
                    }
                    let ended = on_event(SweepEvent::Ended(run.end(End::Stopped, None)))?;
                    told = if ended.is_break() { ended } else { told };
                }
                if told.is_break() {
                    return Ok(told);
                }
            }
            let mut stays = goes_on.into_iter();
            trials.retain(|_| stays.next().unwrap_or(false));
        }
    }
    match &mut group {
        Some(group) => train(group.as_mut(), &mut runs, &fresh, None, on_event),
        None => Ok(ControlFlow::Continue(())),
    }
}

/// Has the group train, and takes note of what it tells.
fn train(
    group: &mut dyn Group,
    runs: &mut [Run],
    fresh: &[usize],
    rung: Option<u64>,
    on_event: Receiver<'_>,
) -> Result<ControlFlow<()>> {
    if runs.iter().all(|run| run.record.is_some()) {
        return Ok(ControlFlow::Continue(()));
    }
    group.train_to(rung, &mut |told| {
        let (Told::Steps { job }
        | Told::Epoch { job, .. }
        | Told::Scored { job, .. }
        | Told::Diverged { job, .. }
        | Told::Failed { job, .. }) = &told;
        let run = &mut runs[fresh[*job]];
        let Job { trial, fold, seed, .. } = run.job;
        match told {
            Told::Steps { .. } => on_event(SweepEvent::Steps),
            Told::Epoch { epoch, loss, .. } => on_event(SweepEvent::Epoch { trial, fold, seed, epoch, loss }),
            Told::Scored { score, .. } => {
                run.last = Some(score);
                run.rungs.extend(rung.map(|rung| (rung, score.value)));
                let ended = score.ended.then(|| run.end(End::Finished, None));
                ended.map_or(Ok(ControlFlow::Continue(())), |record| on_event(SweepEvent::Ended(record)))
            }
            Told::Diverged { epoch, .. } => {
                run.lose(epoch);
                on_event(SweepEvent::Ended(run.end(End::Diverged, None)))
            }
            Told::Failed { problem, .. } => {
                run.lose(0);
                on_event(SweepEvent::Ended(run.end(End::Failed, Some(problem))))
            }
        }
    })
}

/// The epochs of all rungs that records tell of.
fn known_rungs(runs: &[Run]) -> Vec<u64> {
    let mut rungs: Vec<u64> = runs.iter().flat_map(|run| &run.rungs).map(|(rung, _)| *rung).collect();
    rungs.sort_unstable();
    rungs.dedup();
    rungs
}

/// A trial's score at a rung: the mean over its trainings, or none where one of them has none.
fn score_at(runs: &[Run], trial: usize, rung: u64) -> Option<f64> {
    let own = runs.iter().filter(|run| run.job.trial == trial);
    let score = |run: &Run| match &run.record {
        Some(record) => record.at(rung),
        None => run.last.and_then(|score| score.value),
    };
    let scores: Vec<f64> = own.map(score).collect::<Option<_>>()?;
    Some(scores.iter().sum::<f64>() / scores.len() as f64)
}

impl Run {
    /// Takes its score away.
    fn lose(&mut self, epoch: u64) {
        let seconds = self.last.map_or(0.0, |score| score.seconds);
        self.last = Some(Score { seconds, ..Score::new(epoch, None, f64::NAN) });
    }

    /// Ends it with its last score.
    fn end(&mut self, end: End, problem: Option<String>) -> &Record {
        let last = self.last.unwrap_or(Score::new(0, None, f64::NAN));
        self.record.insert(Record {
            trial: self.job.trial,
            fold: self.job.fold,
            seed: self.job.seed,
            end,
            epoch: last.epoch,
            best_epoch: last.best_epoch,
            score: last.value,
            loss: Some(last.loss).filter(|loss| loss.is_finite()),
            seconds: last.seconds,
            rungs: self.rungs.clone(),
            problem,
            settings: self.settings.clone(),
        })
    }
}
