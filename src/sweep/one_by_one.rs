//! A runner that trains one job after the other, each by the library's [`Fitting`].

use std::ops::ControlFlow;
use std::time::Instant;

use pollster::block_on;

use super::folded_table::FoldedTable;
use super::job::{Group, Job, Runner, Score, Told};
use crate::backend::Device;
use crate::error::{Error, Result};
use crate::limits;
use crate::params::Layout;
use crate::pipeline::{Fitting, Prepared};
use crate::train::Event;

/// Most jobs of a group: so many runs are kept between two rungs.
const MOST: usize = 256;
/// Part of the free memory that the runs of a group may take.
const SHARE: u64 = 2;

/// Trains jobs one after the other. Between two rungs each keeps its run on the device, so nothing begins anew.
#[derive(Debug)]
pub struct OneByOne<'a> {
    device: Device,
    data: &'a FoldedTable,
}

impl<'a> OneByOne<'a> {
    /// A runner on a device.
    #[must_use]
    pub fn new(device: &Device, data: &'a FoldedTable) -> Self {
        Self { device: device.clone(), data }
    }
}

impl Runner for OneByOne<'_> {
    fn capacity(&mut self, job: &Job) -> Result<usize> {
        let spec = self.data.network(&job.estimator)?;
        // The host and the device have the rows; of each parameter there are some eight values: gradients, state, snapshots.
        let bytes = 2 * self.data.bytes() + 8 * size_of::<f32>() as u64 * Layout::new(&spec).len() as u64;
        let room = limits::free_memory() / SHARE / bytes.max(1);
        Ok(usize::try_from(room).unwrap_or(MOST).clamp(1, MOST))
    }

    fn start(&mut self, jobs: &[Job]) -> Result<Box<dyn Group + '_>> {
        let mut runs: Vec<_> = jobs.iter().map(|_| State::Waiting).collect();
        let mut epochs = 0;
        if let (Some(job), Some(run)) = (jobs.first(), runs.first_mut()) {
            let prepared = self.data.prepare(job)?;
            epochs = prepared.config().epochs;
            *run = State::Prepared(Box::new(prepared));
        }
        Ok(Box::new(Queue { device: &self.device, data: self.data, jobs: jobs.to_vec(), runs, epochs }))
    }
}

fn goes_on(heard: &Result<ControlFlow<()>>) -> bool {
    matches!(heard, Ok(ControlFlow::Continue(())))
}

/// The jobs of a group.
struct Queue<'a> {
    device: &'a Device,
    data: &'a FoldedTable,
    jobs: Vec<Job>,
    runs: Vec<State>,
    epochs: u64,
}

enum State {
    Waiting,
    Prepared(Box<Prepared>),
    /// With the seconds of its training.
    Going(Box<Fitting>, f64),
    Ended,
}

impl Queue<'_> {
    /// Trains a job to the end of an epoch, or to its own.
    fn train(
        &mut self,
        job: usize,
        until: Option<u64>,
        told: &mut dyn FnMut(Told) -> Result<ControlFlow<()>>,
    ) -> Result<ControlFlow<()>> {
        let began = Instant::now();
        let (mut fitting, seconds) = match std::mem::replace(&mut self.runs[job], State::Ended) {
            State::Ended => return Ok(ControlFlow::Continue(())),
            State::Going(fitting, seconds) => (fitting, seconds),
            State::Prepared(prepared) => (Box::new(block_on(prepared.start_async(self.device))?), 0.0),
            State::Waiting => {
                let prepared = self.data.prepare(&self.jobs[job])?;
                (Box::new(block_on(prepared.start_async(self.device))?), 0.0)
            }
        };
        // An epoch that ends the call is a barrier: no step behind it is taken.
        fitting.pause_every(until);
        let mut heard = Ok(ControlFlow::Continue(()));
        let receive = |event| {
            let ended = if let Event::Epoch(epoch) = event { Some(epoch.epoch) } else { None };
            // Steps that were under way are told of after a break, too.
            if goes_on(&heard) {
                heard = told(ended.map_or(Told::Steps { job }, |epoch| Told::Epoch { job, epoch }));
            }
            if goes_on(&heard) && (ended.is_none() || ended != until) {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        };
        let outcome = block_on(fitting.run_with_async(receive))?;
        let is_there = fitting.is_finished() || until.is_some_and(|until| fitting.trainer().epochs() >= until);
        if heard?.is_break() && !is_there {
            return Ok(ControlFlow::Break(()));
        }
        let metrics = block_on(fitting.evaluate_async())?;
        let Some(metrics) = &metrics.validation else {
            return Err(Error::CheckFailed("a sweep has a run without rows for validation".into()));
        };
        let (value, loss) = (self.data.metric().of(metrics), metrics.loss);
        let seconds = seconds + began.elapsed().as_secs_f64();
        let ended = fitting.is_finished();
        let epoch = fitting.trainer().epochs();
        if !ended {
            self.runs[job] = State::Going(fitting, seconds);
        }
        told(Told::Scored { job, score: Score { epoch, value, loss, best_epoch: outcome.best_epoch, seconds, ended } })
    }
}

impl Group for Queue<'_> {
    fn epochs(&self) -> u64 {
        self.epochs
    }

    fn train_to(
        &mut self,
        epoch: Option<u64>,
        told: &mut dyn FnMut(Told) -> Result<ControlFlow<()>>,
    ) -> Result<ControlFlow<()>> {
        for job in 0..self.jobs.len() {
            let heard = match self.train(job, epoch, told) {
                Err(Error::Diverged { epoch, .. }) => told(Told::Diverged { job, epoch })?,
                Err(error @ (Error::TooLarge { .. } | Error::NoMemory { .. })) => {
                    told(Told::Failed { job, problem: error.to_string() })?
                }
                heard => heard?,
            };
            if heard.is_break() {
                return Ok(heard);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn drop_job(&mut self, job: usize) {
        self.runs[job] = State::Ended;
    }
}
