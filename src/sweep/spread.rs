//! A runner for several devices: each trains its part of a group, on a thread of its own.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;

use super::folded_table::FoldedTable;
use super::job::{Group, Job, Runner, Told};
use super::side_by_side::{SideBySide, Together};
use crate::backend::Device;
use crate::error::{Error, Result};

/// Spreads the jobs of a group over devices.
#[derive(Debug)]
pub struct Spread<'a> {
    runners: Vec<SideBySide<'a>>,
}

impl<'a> Spread<'a> {
    /// A runner on these devices, at least one.
    #[must_use]
    pub fn new(devices: &[Device], data: &'a FoldedTable) -> Self {
        Self { runners: devices.iter().map(|device| SideBySide::new(device, data)).collect() }
    }
}

impl Runner for Spread<'_> {
    fn capacity(&mut self, job: &Job) -> Result<usize> {
        let mut each = self.runners.iter_mut().map(|runner| runner.capacity(job));
        each.try_fold(0, |sum: usize, capacity| Ok(sum.saturating_add(capacity?)))
    }

    fn start(&mut self, jobs: &[Job]) -> Result<Box<dyn Group + '_>> {
        let each = jobs.len().div_ceil(self.runners.len().max(1)).max(1);
        let parts = self.runners.iter_mut().zip(jobs.chunks(each));
        let parts = parts.map(|(runner, jobs)| runner.together(jobs)).collect::<Result<Vec<_>>>()?;
        Ok(Box::new(Parts { parts, each }))
    }
}

/// The parts of a group, `each` jobs on each device but the last.
struct Parts<'a> {
    parts: Vec<Together<'a>>,
    each: usize,
}

/// What a device says.
enum Said {
    Told(Told),
    Ended(Result<ControlFlow<()>>),
}

impl Group for Parts<'_> {
    fn epochs(&self) -> u64 {
        self.parts.iter().map(Group::epochs).max().unwrap_or(0)
    }

    fn train_to(
        &mut self,
        epoch: Option<u64>,
        told: &mut dyn FnMut(Told) -> Result<ControlFlow<()>>,
    ) -> Result<ControlFlow<()>> {
        if let [alone] = &mut self.parts[..] {
            return alone.train_to(epoch, told);
        }
        let (stop, each) = (AtomicBool::new(false), self.each);
        let stop = &stop;
        thread::scope(|scope| {
            let (sender, heard) = mpsc::channel();
            for (part, group) in self.parts.iter_mut().enumerate() {
                let sender = sender.clone();
                let train = move || {
                    let mut tell = |told: Told| {
                        let stopped =
                            stop.load(Ordering::Relaxed) || sender.send(Said::Told(told.behind(part * each))).is_err();
                        Ok(if stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
                    };
                    let ended = group.train_to(epoch, &mut tell);
                    // Nobody listens any more where the receiver has failed.
                    let _ = sender.send(Said::Ended(ended));
                };
                if let Err(error) = thread::Builder::new().name(format!("mlp-device-{part}")).spawn_scoped(scope, train)
                {
                    stop.store(true, Ordering::Relaxed);
                    return Err(Error::NoThread { problem: error.to_string() });
                }
            }
            drop(sender);
            let mut result = Ok(ControlFlow::Continue(()));
            for said in heard {
                let now = match said {
                    Said::Told(message) if result.is_ok() => told(message),
                    Said::Told(_) => continue,
                    Said::Ended(ended) => ended,
                };
                if !matches!(now, Ok(ControlFlow::Continue(()))) {
                    stop.store(true, Ordering::Relaxed);
                }
                result = match (result, now) {
                    (Err(error), _) | (Ok(_), Err(error)) => Err(error),
                    (Ok(before), Ok(now)) => Ok(if before.is_break() { before } else { now }),
                };
            }
            result
        })
    }

    fn drop_job(&mut self, job: usize) {
        if let Some(part) = self.parts.get_mut(job / self.each) {
            part.drop_job(job % self.each);
        }
    }
}
