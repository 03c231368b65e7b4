//! Meetings of all ranks. A rank that fails tells the others at the next one, so that none waits for a rank that has gone.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use super::transport::Transport;
use crate::error::{Error, Result};

/// What a meeting is for. Ranks that come to different ones do not do the same, and all end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Meeting {
    /// All ranks have to have the same.
    Agreement,
    /// The gradient of a step, counted from 1.
    Step(u64),
    /// A part of the validation rows, behind so many steps.
    Validation(u64),
    /// The meeting of a sweep with this number, counted from 1.
    Sweep(u64),
    /// The end of the common work.
    End,
}

impl Meeting {
    fn words(self) -> (u8, u64) {
        match self {
            Self::Agreement => (0, 0),
            Self::Step(step) => (1, step),
            Self::Validation(step) => (2, step),
            Self::End => (3, 0),
            Self::Sweep(meeting) => (4, meeting),
        }
    }

    fn of((kind, step): (u8, u64)) -> Option<Self> {
        [Self::Agreement, Self::Step(step), Self::Validation(step), Self::End, Self::Sweep(step)]
            .into_iter()
            .find(|known| known.words().0 == kind)
    }
}

impl fmt::Display for Meeting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agreement => f.write_str("the start of the run"),
            Self::Step(step) => write!(f, "step {step}"),
            Self::Validation(step) => write!(f, "the validation behind step {step}"),
            Self::Sweep(meeting) => write!(f, "meeting {meeting} of the sweep"),
            Self::End => f.write_str("the end of the run"),
        }
    }
}

/// What a rank says at a meeting.
struct Said {
    failed: bool,
    wrong_use: bool,
    /// The number by which it asks all to end; 0 where it does not.
    asked: u8,
    meeting: Option<Meeting>,
    /// What it brings, or in words why it failed.
    content: Vec<u8>,
}

/// Bytes in front of the content.
const HEAD: usize = 12;

impl Said {
    fn to_bytes(&self) -> Vec<u8> {
        let (kind, step) = self.meeting.map_or((u8::MAX, 0), Meeting::words);
        let mut bytes = vec![u8::from(self.failed), u8::from(self.wrong_use), self.asked, kind];
        bytes.extend(step.to_le_bytes());
        bytes.extend(&self.content);
        bytes
    }

    fn of(bytes: &[u8]) -> Self {
        let Some((head, content)) = bytes.split_first_chunk::<HEAD>() else {
            let content = b"it sent a message that is too short".to_vec();
            return Self { failed: true, wrong_use: false, asked: 0, meeting: None, content };
        };
        let [failed, wrong_use, asked, kind, step @ ..] = *head;
        Self {
            failed: failed != 0,
            wrong_use: wrong_use != 0,
            asked,
            meeting: Meeting::of((kind, u64::from_le_bytes(step))),
            content: content.to_vec(),
        }
    }
}

#[derive(Debug)]
struct Inner {
    transport: Box<dyn Transport>,
    /// Whether an error means that what was asked for is wrong.
    is_wrong_use: fn(&Error) -> bool,
    /// What this rank will ask for at the next meeting.
    asks: AtomicU8,
    /// What some rank has asked for.
    asked: AtomicU8,
    /// Whether the common work has ended: there are no more meetings.
    over: AtomicBool,
}

/// The ranks of a job. Clones are the same job.
#[derive(Clone, Debug)]
pub struct Ranks(Arc<Inner>);

impl Ranks {
    /// The ranks that a transport connects.
    pub fn new(transport: impl Transport + 'static) -> Self {
        Self::with_judge(transport, |error| matches!(error, Error::Setting { .. }))
    }

    /// The same, where `is_wrong_use` says of which errors [`Error::Ranks`] is to say that what was asked for is wrong.
    pub(crate) fn with_judge(transport: impl Transport + 'static, is_wrong_use: fn(&Error) -> bool) -> Self {
        let (asks, asked, over) = Default::default();
        Self(Arc::new(Inner { transport: Box::new(transport), is_wrong_use, asks, asked, over }))
    }

    /// This process's rank, counted from 0. Rank 0 keeps the books: it alone writes files and tells what happens.
    pub fn rank(&self) -> usize {
        self.0.transport.rank()
    }

    /// The number of ranks.
    pub fn size(&self) -> usize {
        self.0.transport.size()
    }

    /// What moves data between them.
    pub fn transport(&self) -> &dyn Transport {
        &*self.0.transport
    }

    /// Asks all ranks to end, by a number of at least 1 that [`asked`](Self::asked) has on all of them from the next meeting on.
    pub fn ask_to_end(&self, number: u8) {
        self.0.asks.store(number, Ordering::Relaxed);
    }

    /// The number by which some rank has asked all to end. It is the same on all ranks between two meetings.
    pub fn asked(&self) -> Option<u8> {
        Some(self.0.asked.load(Ordering::Relaxed)).filter(|&number| number > 0)
    }

    /// Whether the common work has ended, well or not: no rank waits for another.
    pub fn is_over(&self) -> bool {
        self.0.over.load(Ordering::Relaxed)
    }

    /// Meets all ranks and returns what each brings. A rank that has failed brings its error, and gets it back.
    ///
    /// # Errors
    /// The error that was brought; [`Error::Ranks`] where another rank has failed or came to another meeting. From then on the work is
    /// over on all ranks.
    pub fn meet(&self, meeting: Meeting, mine: Result<Vec<u8>>) -> Result<Vec<Vec<u8>>> {
        if self.is_over() {
            let problem = "the common work of the ranks has ended".into();
            return Err(mine.err().unwrap_or(Error::Ranks(problem, false)));
        }
        let asked = self.0.asks.load(Ordering::Relaxed);
        let said = match &mine {
            Ok(content) => {
                Said { failed: false, wrong_use: false, asked, meeting: Some(meeting), content: content.clone() }
            }
            Err(error) => Said {
                failed: true,
                wrong_use: (self.0.is_wrong_use)(error),
                asked,
                meeting: Some(meeting),
                content: error.to_string().into_bytes(),
            },
        };
        let found = self.0.transport.gather(&said.to_bytes());
        let judged = found.and_then(|all| self.judge(all.iter().map(|bytes| Said::of(bytes)).collect()));
        if judged.is_err() || mine.is_err() || meeting == Meeting::End {
            self.0.over.store(true, Ordering::Relaxed);
        }
        mine.and(judged)
    }

    /// What all ranks brought, if all have come to the same meeting.
    fn judge(&self, all: Vec<Said>) -> Result<Vec<Vec<u8>>> {
        let ranks = all.len();
        if let Some((rank, said)) = all.iter().enumerate().find(|(_, said)| said.failed) {
            let problem = format!("rank {rank} of {ranks}: {}", String::from_utf8_lossy(&said.content));
            return Err(Error::Ranks(problem, said.wrong_use));
        }
        if let Some((rank, said)) = all.iter().enumerate().find(|(_, said)| said.meeting != all[0].meeting) {
            let at =
                |said: &Said| said.meeting.map_or("a place that is not known".into(), |meeting| meeting.to_string());
            let problem = format!("rank {rank} of {ranks} is at {}, rank 0 at {}", at(said), at(&all[0]));
            return Err(Error::Ranks(problem, false));
        }
        let asked = all.iter().map(|said| said.asked).max().unwrap_or(0);
        self.0.asked.fetch_max(asked, Ordering::Relaxed);
        Ok(all.into_iter().map(|said| said.content).collect())
    }

    /// Passes on what went well. What did not is told at the meeting that the others come to.
    ///
    /// # Errors
    /// The error given.
    pub fn or_tell<T>(&self, meeting: Meeting, mine: Result<T>) -> Result<T> {
        mine.inspect_err(|error| {
            // Its words are enough for the others; the error itself stays here.
            let wrong_use = (self.0.is_wrong_use)(error);
            let _ = self.meet(meeting, Err(Error::Ranks(error.to_string(), wrong_use)));
        })
    }

    /// Makes sure that all ranks have the same: `items` has names and checksums.
    ///
    /// # Errors
    /// [`Error::Ranks`] that names the first item that differs and the ranks whose item is not that of rank 0; those of
    /// [`meet`](Self::meet).
    pub fn agree(&self, meeting: Meeting, items: &[(&str, u64)]) -> Result<()> {
        let mine = items.iter().flat_map(|(_, checksum)| checksum.to_le_bytes()).collect();
        let all = self.meet(meeting, Ok(mine))?;
        for (index, (name, _)) in items.iter().enumerate() {
            let of = |content: &Vec<u8>| content.get(index * 8..index * 8 + 8).map(<[u8]>::to_vec);
            let others: Vec<_> = (0..all.len()).filter(|&rank| of(&all[rank]) != of(&all[0])).collect();
            if !others.is_empty() {
                self.0.over.store(true, Ordering::Relaxed);
                let who = if others.len() == 1 { "rank " } else { "ranks " };
                let numbers = others.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                let problem = format!(
                    "{who}{numbers} of {}: not the {name} of rank 0: expected the same program, settings and files on \
                     every rank",
                    all.len()
                );
                return Err(Error::Ranks(problem, meeting == Meeting::Agreement));
            }
        }
        Ok(())
    }

    /// Ends the common work, unless it has ended: the ranks tell each other how it went.
    ///
    /// # Errors
    /// The error given, else [`Error::Ranks`] where another rank has one.
    pub fn end<T>(&self, mine: Result<T>) -> Result<T> {
        if self.is_over() {
            return mine;
        }
        match mine {
            Ok(value) => self.meet(Meeting::End, Ok(Vec::new())).map(|_| value),
            Err(error) => self.or_tell(Meeting::End, Err(error)),
        }
    }
}
