//! A runner that trains jobs side by side: all of a group are replicas of one [`Trainer`], on one copy of the rows.

use std::ops::{ControlFlow, Range};
use std::time::Instant;

use super::folded_table::FoldedTable;
use super::job::{Group, Job, Runner, Score, Told};
use crate::backend::Device;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::infer::{Metrics, Predictor};
use crate::kernels::MAX_RECORDS;
use crate::limits;
use crate::params::Layout;
use crate::pipeline::Prepared;
use crate::spec::MlpSpec;
use crate::train::{Event, Replica, ReplicaEnd, Trainer};

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
        let (prepared, spec) = (self.data.prepare(&job.estimator)?, self.data.network(&job.estimator)?);
        let replica = replica(&prepared, job)?;
        let bytes = |count: usize| -> Result<u64> {
            let replicas = vec![replica.clone(); count];
            let data = &prepared.data;
            Ok(Trainer::plan_of_replicas(&self.device, &spec, &replicas, &data.train, data.validation.as_ref())?
                .bytes(4))
        };
        let (one, two) = (bytes(1)?, bytes(2)?);
        let room = match self.device {
            Device::Cpu(_) => limits::free_memory() / SHARE,
            Device::Gpu(_) => GPU_BYTES,
        };
        let more = room.saturating_sub(one) / two.saturating_sub(one).max(1);
        Ok((1 + usize::try_from(more).unwrap_or(MAX_RECORDS)).min(MAX_RECORDS))
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
        let (prepared, spec) = (self.data.prepare(&first.estimator)?, self.data.network(&first.estimator)?);
        let replicas = jobs.iter().map(|job| replica(&prepared, job)).collect::<Result<Vec<_>>>()?;
        let epochs = replicas.iter().map(|replica| replica.config.epochs).max().unwrap_or(0);
        let ended = vec![false; jobs.len()];
        Ok(Together {
            device: &self.device,
            data: self.data,
            prepared,
            spec,
            replicas,
            trainer: None,
            ended,
            seconds: vec![0.0; jobs.len()],
            epochs,
        })
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
    data: &'a FoldedTable,
    prepared: Prepared,
    spec: MlpSpec,
    replicas: Vec<Replica>,
    /// None before the first call.
    trainer: Option<Trainer>,
    ended: Vec<bool>,
    /// Of each job, as its part of the time that all have taken.
    seconds: Vec<f64>,
    epochs: u64,
}

type Receiver<'a> = &'a mut dyn FnMut(Told) -> Result<ControlFlow<()>>;

impl Together<'_> {
    /// Trains to the end of an epoch; whether the receiver broke before.
    fn go_on(&mut self, until: Option<u64>, told: Receiver<'_>) -> Result<bool> {
        let is_new = self.trainer.is_none();
        let trainer = match &mut self.trainer {
            Some(trainer) => trainer,
            None => {
                let data = &self.prepared.data;
                let trainer = Trainer::with_replicas(
                    self.device,
                    &self.spec,
                    &self.replicas,
                    &data.train,
                    data.validation.as_ref(),
                )?;
                self.trainer.insert(trainer)
            }
        };
        // An epoch that ends the call is a barrier: no step behind it is taken.
        trainer.pause_every(until);
        let first = self.ended.iter().position(|ended| !ended).unwrap_or(0);
        let (mut heard, mut stopped) = (Ok(ControlFlow::Continue(())), false);
        let receive = |event| {
            let (message, epoch) = match event {
                Event::Epoch(epoch) => (Told::Epoch { job: epoch.replica, epoch: epoch.epoch }, Some(epoch.epoch)),
                _ => (Told::Steps { job: first }, None),
            };
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
        if is_new {
            trainer.fit_with(receive)?
        } else {
            trainer.resume_with(receive)?
        };
        heard.map(|_| stopped)
    }

    /// The metrics of jobs on the rows that they have held out, each by its best parameters, else by its last.
    fn judge(&mut self, jobs: &[usize]) -> Result<Vec<Metrics>> {
        let Some(trainer) = &mut self.trainer else { return Ok(Vec::new()) };
        let all = match trainer.best_parameters()? {
            Some(best) => best,
            None => trainer.parameters()?,
        };
        let count = Layout::new(&self.spec).len();
        let mut found: Vec<Option<Metrics>> = vec![None; jobs.len()];
        // Jobs with the same rows held out go together.
        let mut folds: Vec<Option<Range<usize>>> = jobs.iter().map(|&job| self.replicas[job].fold.clone()).collect();
        folds.dedup();
        for fold in folds {
            let places: Vec<usize> = (0..jobs.len())
                .filter(|&place| found[place].is_none() && self.replicas[jobs[place]].fold == fold)
                .collect();
            let (data, held_out) = (&self.prepared.data, self.held_out(fold));
            let Some(held_out) = held_out.as_ref().or(data.validation.as_ref()).filter(|_| !places.is_empty()) else {
                continue;
            };
            let own: Vec<f32> =
                places.iter().flat_map(|&place| &all[jobs[place] * count..][..count]).copied().collect();
            let predictor = Predictor::new(self.device, &self.spec, &own, held_out.rows())?;
            let outputs = predictor.outputs_of_each(held_out.features())?;
            for (&place, outputs) in places.iter().zip(outputs.chunks_exact(outputs.len() / places.len())) {
                let spec = match self.replicas[jobs[place]].loss_parameter {
                    Some(value) => self.spec.clone().with_loss_parameter(value)?,
                    None => self.spec.clone(),
                };
                found[place] = Some(Metrics::new(&spec, outputs, held_out, Some(&self.prepared.encoder))?);
            }
        }
        let lacking = || Error::CheckFailed("a sweep has a run without rows that are held out".into());
        found.into_iter().map(|metrics| metrics.ok_or_else(lacking)).collect()
    }

    /// The rows of a fold, unweighted as those of a validation set are.
    fn held_out(&self, fold: Option<Range<usize>>) -> Option<Dataset> {
        let rows: Vec<usize> = fold?.collect();
        Some(self.prepared.data.train.select(&rows).without_weights())
    }
}

impl Group for Together<'_> {
    fn epochs(&self) -> u64 {
        self.epochs
    }

    fn train_to(&mut self, until: Option<u64>, told: Receiver<'_>) -> Result<ControlFlow<()>> {
        let began = Instant::now();
        let running: Vec<usize> = (0..self.replicas.len()).filter(|&job| !self.ended[job]).collect();
        let stopped = match self.go_on(until, told) {
            Err(error @ (Error::TooLarge { .. } | Error::NoMemory { .. })) => {
                for job in running {
                    self.ended[job] = true;
                    if told(Told::Failed { job, problem: error.to_string() })?.is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
                return Ok(ControlFlow::Continue(()));
            }
            // A group of one job is one network, whose divergence is an error.
            Err(Error::Diverged { epoch, .. }) => {
                self.ended.fill(true);
                return told(Told::Diverged { job: running.first().copied().unwrap_or(0), epoch });
            }
            stopped => stopped?,
        };
        let seconds = began.elapsed().as_secs_f64() / running.len().max(1) as f64;
        running.iter().for_each(|&job| self.seconds[job] += seconds);
        let outcomes = self.trainer.as_ref().map_or_else(Vec::new, Trainer::outcomes);
        let is_there =
            |job: usize| outcomes[job].end.is_some() || until.is_some_and(|until| outcomes[job].epochs >= until);
        let (lost, there): (Vec<usize>, Vec<usize>) = running
            .into_iter()
            .filter(|&job| is_there(job))
            .partition(|&job| matches!(outcomes[job].end, Some(ReplicaEnd::Diverged { .. })));
        for job in lost {
            self.ended[job] = true;
            if told(Told::Diverged { job, epoch: outcomes[job].epochs + 1 })?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        let metrics = self.judge(&there)?;
        for (job, metrics) in there.into_iter().zip(metrics) {
            let outcome = &outcomes[job];
            let score = Score {
                epoch: outcome.epochs,
                value: self.data.metric().of(&metrics),
                loss: metrics.loss,
                best_epoch: outcome.best_epoch,
                seconds: self.seconds[job],
                ended: outcome.end.is_some(),
            };
            self.ended[job] = score.ended;
            if told(Told::Scored { job, score })?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(if stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    fn drop_job(&mut self, job: usize) {
        self.ended[job] = true;
        if let Some(trainer) = &mut self.trainer {
            // It is one of the trainer's.
            let _ = trainer.drop_replica(job);
        }
    }
}
