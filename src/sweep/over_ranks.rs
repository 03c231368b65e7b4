//! A runner whose jobs are spread over several processes, the [ranks](crate::ranks) of a job. Rank 0 has the sweep and gives orders; the
//! others [follow](OverRanks::follow). All train their part of a group at the same time, and meet every [`PAUSE`] to tell rank 0 of it.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::driver::Sweep;
use super::folded_table::FoldedTable;
use super::job::{Group, Job, Name, Runner, Told};
use super::side_by_side::{SideBySide, Together};
use crate::backend::Device;
use crate::error::{Error, Result};
use crate::ranks::{Meeting, Ranks};

/// How long a rank trains between two meetings. It decides when something is told, not what comes of it.
const PAUSE: Duration = Duration::from_millis(50);

/// What rank 0 has all ranks do. Ranks with the same sweep need no more of a job than its name.
#[derive(Debug, Serialize, Deserialize)]
enum Order {
    /// Say how many jobs like this one the rank takes.
    Capacity(Name),
    /// Get these ready: `each` of them on each rank, as far as there are so many.
    Start { jobs: Vec<Name>, each: usize },
    /// Give up some jobs of the group, by their places, then train the others.
    Train { dropped: Vec<usize>, until: Option<u64> },
    /// The sweep has ended.
    End,
}

/// What a rank tells at a meeting while a group trains.
#[derive(Debug, Default, Serialize, Deserialize)]
struct News {
    told: Vec<Told>,
    /// Whether its jobs are where they were to come.
    is_there: bool,
    /// Whether all are to stop, which rank 0 decides.
    stop: bool,
}

/// A rank's part of a sweep.
#[derive(Debug)]
pub struct OverRanks<'a> {
    link: Link,
    own: SideBySide<'a>,
}

impl<'a> OverRanks<'a> {
    /// This rank, with its device. All ranks have the same table.
    #[must_use]
    pub fn new(ranks: &Ranks, device: &Device, data: &'a FoldedTable) -> Self {
        Self { link: Link { ranks: ranks.clone(), meetings: 0 }, own: SideBySide::new(device, data) }
    }

    /// What ranks other than 0 do until rank 0 [dismisses](Self::dismiss) them. All have the same sweep. `at_meetings` is called again and
    /// again while a group trains, as to pass on a signal.
    ///
    /// # Errors
    /// What ends the whole sweep: [`Error::Ranks`] where another rank has failed, and what this rank's device says.
    pub fn follow(mut self, sweep: &Sweep<'_>, mut at_meetings: impl FnMut()) -> Result<()> {
        let (link, own) = (&mut self.link, &mut self.own);
        let job = |name| sweep.job(name).ok_or_else(|| Error::Ranks("rank 0 has another sweep".into(), false));
        let mut next = link.order(None)?;
        loop {
            next = match next {
                Order::End => return Ok(()),
                Order::Capacity(name) => {
                    capacity(link, own, job(name))?;
                    link.order(None)?
                }
                Order::Start { jobs, each } => {
                    let jobs = jobs.into_iter().map(job).collect::<Result<Vec<_>>>();
                    let jobs = link.or_tell(jobs)?;
                    let mut part = Part::start(link, own, &jobs, each)?;
                    loop {
                        match link.order(None)? {
                            Order::Train { dropped, until } => {
                                dropped.into_iter().for_each(|place| part.drop_job(place));
                                // Whether all go on is what the next order says.
                                let _ = part.train(link, until, &mut |_| {
                                    at_meetings();
                                    Ok(ControlFlow::Continue(()))
                                })?;
                            }
                            other => break other,
                        }
                    }
                }
                Order::Train { .. } => return Err(Error::Ranks("a group trains that was not started".into(), false)),
            };
        }
    }

    /// Lets the other ranks go, once the sweep has ended so on rank 0, which calls this.
    ///
    /// # Errors
    /// The error given; [`Error::Ranks`] where another rank has failed.
    pub fn dismiss<T>(mut self, ended: Result<T>) -> Result<T> {
        let value = self.link.or_tell(ended)?;
        self.link.order(Some(Order::End))?;
        Ok(value)
    }
}

impl Runner for OverRanks<'_> {
    fn capacity(&mut self, job: &Job) -> Result<usize> {
        self.link.order(Some(Order::Capacity(job.name())))?;
        capacity(&mut self.link, &mut self.own, Ok(job.clone()))
    }

    fn start(&mut self, jobs: &[Job]) -> Result<Box<dyn Group + '_>> {
        let each = jobs.len().div_ceil(self.link.ranks.size()).max(1);
        self.link.order(Some(Order::Start { jobs: jobs.iter().map(Job::name).collect(), each }))?;
        let part = Part::start(&mut self.link, &mut self.own, jobs, each)?;
        Ok(Box::new(Led { part, link: &mut self.link, dropped: Vec::new() }))
    }
}

/// How many jobs all ranks take. Each gets as many as the one with the least room takes.
fn capacity(link: &mut Link, own: &mut SideBySide<'_>, job: Result<Job>) -> Result<usize> {
    let own = link.or_tell(job.and_then(|job| own.capacity(&job)))?;
    let all: Vec<usize> = link.meet(&own)?;
    Ok(all.iter().min().map_or(1, |least| least.saturating_mul(all.len())))
}

/// The ranks, and how often they have met.
#[derive(Debug)]
struct Link {
    ranks: Ranks,
    meetings: u64,
}

impl Link {
    /// What each rank says.
    fn meet<T: Serialize + for<'de> Deserialize<'de>>(&mut self, mine: &T) -> Result<Vec<T>> {
        let unreadable = |error: serde_json::Error| Error::Ranks(format!("a message between ranks: {error}"), false);
        let mine = serde_json::to_vec(mine).map_err(unreadable);
        self.meetings += 1;
        let all = self.ranks.meet(Meeting::Sweep(self.meetings), mine)?;
        all.iter().map(|bytes| serde_json::from_slice(bytes).map_err(unreadable)).collect()
    }

    /// Passes on what went well; what did not is told at the next meeting.
    fn or_tell<T>(&self, mine: Result<T>) -> Result<T> {
        match mine {
            Err(error) if self.ranks.is_over() => Err(error),
            mine => self.ranks.or_tell(Meeting::Sweep(self.meetings + 1), mine),
        }
    }

    /// What rank 0 has all do. Rank 0 alone says what.
    fn order(&mut self, mine: Option<Order>) -> Result<Order> {
        let first = self.meet(&mine)?.into_iter().next().flatten();
        first.ok_or_else(|| Error::Ranks("rank 0 gave no order".into(), false))
    }
}

/// A rank's part of a group.
struct Part<'a> {
    /// None where there are fewer jobs than ranks.
    own: Option<Together<'a>>,
    /// The place of its first job in the group.
    first: usize,
    each: usize,
}

/// The group as rank 0 has it.
struct Led<'a> {
    part: Part<'a>,
    link: &'a mut Link,
    /// Jobs that are to be dropped before the others train on.
    dropped: Vec<usize>,
}

impl Group for Led<'_> {
    fn epochs(&self) -> u64 {
        self.part.own.as_ref().map_or(0, Group::epochs)
    }

    fn train_to(
        &mut self,
        until: Option<u64>,
        told: &mut dyn FnMut(Told) -> Result<ControlFlow<()>>,
    ) -> Result<ControlFlow<()>> {
        let dropped = std::mem::take(&mut self.dropped);
        self.link.order(Some(Order::Train { dropped, until }))?;
        self.part.train(self.link, until, &mut |news| {
            for message in news.into_iter().flat_map(|news| news.told) {
                if told(message)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        })
    }

    fn drop_job(&mut self, job: usize) {
        self.dropped.push(job);
        self.part.drop_job(job);
    }
}

impl<'a> Part<'a> {
    /// Gets this rank's part of a group ready.
    fn start(link: &mut Link, own: &'a mut SideBySide<'_>, jobs: &[Job], each: usize) -> Result<Self> {
        let rank = link.ranks.rank();
        let own = link.or_tell(jobs.chunks(each.max(1)).nth(rank).map(|jobs| own.together(jobs)).transpose())?;
        link.meet(&())?;
        Ok(Self { own, first: rank * each, each })
    }

    fn drop_job(&mut self, job: usize) {
        if let (Some(own), Some(place)) = (&mut self.own, job.checked_sub(self.first).filter(|&at| at < self.each)) {
            own.drop_job(place);
        }
    }

    /// Trains until the jobs of all ranks are there. `heard` gets what all have told, rank 0's first; where it breaks on rank 0, all stop.
    fn train(
        &mut self,
        link: &mut Link,
        until: Option<u64>,
        heard: &mut dyn FnMut(Vec<News>) -> Result<ControlFlow<()>>,
    ) -> Result<ControlFlow<()>> {
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let (sender, news) = channel();
            let (stop, own, first) = (&stop, &mut self.own, self.first);
            let train = move || {
                let Some(own) = own else { return Ok(()) };
                let mut tell = |told: Told| {
                    let stopped = stop.load(Ordering::Relaxed) || sender.send(told.behind(first)).is_err();
                    Ok(if stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
                };
                own.train_to(until, &mut tell).map(|_| ())
            };
            let begun = thread::Builder::new().name("mlp-training".into()).spawn_scoped(scope, train);
            let mut thread = Some(link.or_tell(begun.map_err(|e| Error::NoThread { problem: e.to_string() }))?);
            let mut ended = || match thread.take().map(|thread| thread.join()) {
                Some(Ok(ended)) => ended,
                Some(Err(panic)) => resume_unwind(panic),
                None => Ok(()),
            };
            let went = meet_until_all_are_there(link, &news, &mut ended, stop, heard);
            stop.store(true, Ordering::Relaxed);
            went
        })
    }
}

/// Meets the other ranks while this one trains. `ended` says how the training went, once there is no more news of it.
fn meet_until_all_are_there(
    link: &mut Link,
    news: &Receiver<Told>,
    ended: &mut dyn FnMut() -> Result<()>,
    stop: &AtomicBool,
    heard: &mut dyn FnMut(Vec<News>) -> Result<ControlFlow<()>>,
) -> Result<ControlFlow<()>> {
    let mut mine = News::default();
    loop {
        if mine.is_there {
            thread::sleep(PAUSE);
        } else {
            (mine.told, mine.is_there) = collect(news);
            if mine.is_there {
                link.or_tell(ended())?;
            }
        }
        let all = link.meet(&mine)?;
        mine.told.clear();
        if all.iter().any(|news| news.stop) {
            stop.store(true, Ordering::Relaxed);
        }
        let (were_there, stopped) = (all.iter().all(|news| news.is_there), mine.stop);
        if !stopped {
            mine.stop = link.or_tell(heard(all))?.is_break();
        }
        if were_there {
            // A break that came with the last news is too late to stop anybody.
            return Ok(if mine.stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) });
        }
    }
}

/// What is told within a pause, and whether the training has ended. Of the epochs of a job only the last is kept, of steps one message.
fn collect(news: &Receiver<Told>) -> (Vec<Told>, bool) {
    let (end, mut all, mut last) = (Instant::now() + PAUSE, Vec::new(), HashMap::new());
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return (all, false);
        }
        let told = match news.recv_timeout(left) {
            Ok(told) => told,
            Err(RecvTimeoutError::Timeout) => return (all, false),
            Err(RecvTimeoutError::Disconnected) => return (all, true),
        };
        let of = match &told {
            Told::Steps { .. } => Some(None),
            Told::Epoch { job, .. } => Some(Some(*job)),
            Told::Scored { .. } | Told::Diverged { .. } | Told::Failed { .. } => None,
        };
        match of.and_then(|of| last.insert(of, all.len()).map(|before| (of, before))) {
            Some((of, before)) => {
                all[before] = told;
                last.insert(of, before);
            }
            None => all.push(told),
        }
    }
}
