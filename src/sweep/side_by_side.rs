//! A runner that trains jobs side by side: all of a group are replicas of one [`Trainer`], on one copy of the rows.

use std::ops::{ControlFlow, Range};
use std::time::Instant;

use super::folded_table::FoldedTable;
use super::job::{Group, Job, Runner, Score, Told};
use crate::backend::Device;
use crate::error::{Error, Result};
use crate::infer::Metric;
use crate::infer::{Metrics, Predictor};
use crate::kernels::MAX_RECORDS;
use crate::limits;
use crate::params::Layout;
use crate::pipeline::Prepared;
use crate::train::{Event, Replica, ReplicaEnd, ReplicaOutcome, Trainer};

/// Part of the host's free memory that a group may take on the CPU.
const SHARE: u64 = 2;
/// Bytes that a group may take on a GPU, which does not tell how much it has.
const GPU_BYTES: u64 = 1 << 30;

/// Trains jobs side by side. Those that have ended make room, and a job that is dropped costs nothing once half of them are.
#[derive(Debug)]
pub struct SideBySide<'a> {
    device: Device,
    data: &'a FoldedTable,
}

impl<'a> SideBySide<'a> {
    /// A runner on a device.
    #[must_use]
    pub fn new(device: &Device, data: &'a FoldedTable) -> Self {
        Self { device: device.clone(), data }
    }
}

impl Runner for SideBySide<'_> {
    fn capacity(&mut self, job: &Job) -> Result<usize> {
        let prepared = self.data.prepare(&job.estimator)?;
        let (spec, replica) = (&prepared.spec, replica(&prepared, job)?);
        let bytes = |count: usize| -> Result<u64> {
            let replicas = vec![replica.clone(); count];
            let data = &prepared.data;
            Ok(Trainer::plan_of_replicas(&self.device, spec, &replicas, &data.train, data.validation.as_ref())?
                .bytes(4))
        };
        // What has no plan, alone or beside another one, is told of when it is loaded.
        let (Ok(one), Ok(two)) = (bytes(1), bytes(2)) else { return Ok(1) };
        let room = match self.device {
            Device::Cpu(_) => limits::free_memory() / SHARE,
            Device::Gpu(_) => GPU_BYTES,
        };
        let more = room.saturating_sub(one) / two.saturating_sub(one).max(1);
        let most = (1 + usize::try_from(more).unwrap_or(MAX_RECORDS)).min(MAX_RECORDS);
        let halves = std::iter::successors(Some(most), |count| Some(count / 2)).take_while(|count| *count > 1);
        Ok(halves.into_iter().find(|&count| bytes(count).is_ok()).unwrap_or(1))
    }

    fn start(&mut self, jobs: &[Job]) -> Result<Box<dyn Group + '_>> {
        Ok(Box::new(self.together(jobs)?))
    }
}

impl SideBySide<'_> {
    /// Jobs of one shape as a group.
    pub(super) fn together(&mut self, jobs: &[Job]) -> Result<Together<'_>> {
        let Some(first) = jobs.first() else {
            return Err(Error::CheckFailed("a group of a sweep has no job".into()));
        };
        let estimator = first.estimator.clone().beside(jobs.iter().map(|job| &job.estimator));
        let prepared = self.data.prepare(&estimator)?;
        let replicas = jobs.iter().map(|job| replica(&prepared, job)).collect::<Result<Vec<_>>>()?;
        let epochs = replicas.iter().map(|replica| replica.config.epochs).max().unwrap_or(0);
        let seconds = vec![0.0; jobs.len()];
        let mut group = Together {
            device: &self.device,
            metric: self.data.metric(),
            prepared,
            replicas,
            trainers: Vec::new(),
            failed: Vec::new(),
            seconds,
            epochs,
        };
        group.load(0..jobs.len())?;
        Ok(group)
    }
}

/// What a job trains.
fn replica(prepared: &Prepared, job: &Job) -> Result<Replica> {
    let replica = prepared.replica(&job.estimator, job.seed)?;
    Ok(match prepared.folds.get(job.fold.saturating_sub(1)) {
        Some(rows) => replica.fold(rows.clone()),
        None => replica,
    })
}

/// The jobs of a group.
pub(super) struct Together<'a> {
    device: &'a Device,
    metric: Metric,
    prepared: Prepared,
    replicas: Vec<Replica>,
    trainers: Vec<Part>,
    /// Jobs that could not be loaded, and why; they have not been told of yet.
    failed: Vec<(usize, String)>,
    /// Of each job, as its part of the time that all have taken.
    seconds: Vec<f64>,
    epochs: u64,
}

/// The jobs of a trainer: all of a group, unless that is too large for the device.
struct Part {
    trainer: Trainer,
    /// Their places in the group.
    jobs: Range<usize>,
    /// Whether each of them is over.
    ended: Vec<bool>,
    has_begun: bool,
}

type Receiver<'a> = &'a mut dyn FnMut(Told) -> Result<ControlFlow<()>>;

impl Together<'_> {
    /// Loads jobs in one trainer, or where that is too large in two, and so on.
    fn load(&mut self, jobs: Range<usize>) -> Result<()> {
        let (data, replicas) = (&self.prepared.data, &self.replicas[jobs.clone()]);
        match Trainer::with_replicas(self.device, &self.prepared.spec, replicas, &data.train, data.validation.as_ref())
        {
            Ok(trainer) => {
                let ended = vec![false; jobs.len()];
                self.trainers.push(Part { trainer, jobs, ended, has_begun: false });
                Ok(())
            }
            Err(error @ (Error::TooLarge { .. } | Error::NoMemory { .. })) if jobs.len() == 1 => {
                self.failed.push((jobs.start, error.to_string()));
                Ok(())
            }
            Err(Error::TooLarge { .. } | Error::NoMemory { .. }) => {
                let middle = jobs.start + jobs.len() / 2;
                self.load(jobs.start..middle)?;
                self.load(middle..jobs.end)
            }
            Err(error) => Err(error),
        }
    }

    /// Trains the jobs of a trainer, and tells of each that is there.
    fn train(&mut self, part: usize, until: Option<u64>, told: Receiver<'_>) -> Result<ControlFlow<()>> {
        let began = Instant::now();
        let part = &mut self.trainers[part];
        let first = part.jobs.start;
        let running: Vec<usize> = (0..part.ended.len()).filter(|&place| !part.ended[place]).collect();
        let Some(&place) = running.first() else { return Ok(ControlFlow::Continue(())) };
        let stopped = match part.go_on(until, told) {
            // A trainer of one network ends in an error where it diverges.
            Err(Error::Diverged { epoch, .. }) => {
                part.ended.fill(true);
                return told(Told::Diverged { job: first + place, epoch });
            }
            stopped => stopped?,
        };
        let seconds = began.elapsed().as_secs_f64() / running.len() as f64;
        let outcomes = part.trainer.outcomes();
        let is_there = |place: &usize| {
            let outcome = &outcomes[*place];
            outcome.end.is_some() || until.is_some_and(|until| outcome.epochs >= until)
        };
        running.iter().for_each(|place| self.seconds[first + place] += seconds);
        let there: Vec<usize> = running.into_iter().filter(is_there).collect();
        let parameters = match part.trainer.best_parameters()? {
            Some(best) => best,
            None => part.trainer.parameters()?,
        };
        let judged: Vec<usize> = there.iter().copied().filter(|&place| !has_diverged(&outcomes[place])).collect();
        let mut metrics = self.judge(first, &judged, &parameters)?.into_iter();
        for place in there {
            let (job, outcome) = (first + place, &outcomes[place]);
            let found = if judged.contains(&place) { metrics.next() } else { None };
            let message = match found.filter(|metrics| metrics.loss.is_finite()) {
                None => Told::Diverged { job, epoch: outcome.epochs + 1 },
                Some(metrics) => {
                    let mut score = Score::new(outcome.epochs, self.metric.of(&metrics), metrics.loss);
                    (score.best_epoch, score.seconds) = (outcome.best_epoch, self.seconds[job]);
                    score.ended = outcome.end.is_some();
                    Told::Scored { job, score }
                }
            };
            if !matches!(&message, Told::Scored { score, .. } if !score.ended) {
                self.drop_job(job);
            }
            if told(message)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(if stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    /// The metrics of jobs on the rows that they have held out; `first` is the trainer's first job, whose parameters stand first. Jobs
    /// with the same rows go together.
    fn judge(&self, first: usize, places: &[usize], parameters: &[f32]) -> Result<Vec<Metrics>> {
        let count = Layout::new(&self.prepared.spec).len();
        let mut found: Vec<Option<Metrics>> = vec![None; places.len()];
        while let Some(next) = found.iter().position(Option::is_none) {
            let fold = &self.replicas[first + places[next]].fold;
            let alike: Vec<usize> =
                (next..places.len()).filter(|&at| self.replicas[first + places[at]].fold == *fold).collect();
            let own: Vec<f32> =
                alike.iter().flat_map(|&at| &parameters[places[at] * count..][..count]).copied().collect();
            let Some(rows) = self.prepared.held_out(fold.as_ref()) else {
                return Err(Error::CheckFailed("a sweep has a run without rows that are held out".into()));
            };
            let predictor = Predictor::new(self.device, &self.prepared.spec, &own, rows.rows())?;
            let outputs = predictor.outputs_of_each(rows.features())?;
            for (&at, outputs) in alike.iter().zip(outputs.chunks_exact(outputs.len() / alike.len())) {
                let spec = match self.replicas[first + places[at]].loss_parameter {
                    Some(value) => self.prepared.spec.clone().with_loss_parameter(value)?,
                    None => self.prepared.spec.clone(),
                };
                found[at] = Some(Metrics::new(&spec, outputs, &rows, Some(&self.prepared.encoder))?);
            }
        }
        Ok(found.into_iter().flatten().collect())
    }
}

fn has_diverged(outcome: &ReplicaOutcome) -> bool {
    matches!(outcome.end, Some(ReplicaEnd::Diverged { .. }))
}

impl Part {
    /// Trains to the end of an epoch; whether the receiver broke before.
    fn go_on(&mut self, until: Option<u64>, told: Receiver<'_>) -> Result<bool> {
        let first = self.jobs.start;
        // An epoch that ends the call is a barrier: no step behind it is taken.
        self.trainer.pause_every(until);
        let (mut heard, mut stopped) = (Ok(ControlFlow::Continue(())), false);
        let receive = |event| {
            let (message, epoch) = match event {
                Event::Epoch(epoch) => {
                    let (job, loss) = (first + epoch.replica, epoch.validation.map(|score| score.loss));
                    (Told::Epoch { job, epoch: epoch.epoch, loss }, Some(epoch.epoch))
                }
                _ => (Told::Steps { job: first }, None),
            };
            // Steps that were under way are told of after a break, too.
            if matches!(heard, Ok(ControlFlow::Continue(()))) {
                heard = told(message);
            }
            stopped |= !matches!(heard, Ok(ControlFlow::Continue(())));
            if stopped || (epoch.is_some() && epoch == until) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        match std::mem::replace(&mut self.has_begun, true) {
            true => self.trainer.resume_with(receive)?,
            false => self.trainer.fit_with(receive)?,
        };
        heard.map(|_| stopped)
    }
}

impl Group for Together<'_> {
    fn epochs(&self) -> u64 {
        self.epochs
    }

    fn train_to(&mut self, until: Option<u64>, told: Receiver<'_>) -> Result<ControlFlow<()>> {
        for (job, problem) in std::mem::take(&mut self.failed) {
            if told(Told::Failed { job, problem })?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        for part in 0..self.trainers.len() {
            let heard = self.train(part, until, told)?;
            if heard.is_break() {
                return Ok(heard);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn drop_job(&mut self, job: usize) {
        self.failed.retain(|(failed, _)| *failed != job);
        if let Some(part) = self.trainers.iter_mut().find(|part| part.jobs.contains(&job)) {
            let place = job - part.jobs.start;
            part.ended[place] = true;
            // It is there, so nothing refuses.
            let _ = part.trainer.drop_replica(place);
        }
    }
}
