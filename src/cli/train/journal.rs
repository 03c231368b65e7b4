//! `metrics.jsonl`: a line of JSON for each epoch, written as it ends, so that it can be read while training goes on. Lines that cannot be
//! written stay in memory and are tried again with each epoch, in their order.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::folder::METRICS;
use crate::train::Epoch;

/// The file, and what is not in it yet.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    /// Where each line that is in it ends, with its epoch.
    ends: Vec<(u64, u64)>,
    /// Lines that are still to be written, with their epochs.
    waiting: VecDeque<(u64, String)>,
    /// Whether its user knows that some wait.
    told: bool,
    started: Instant,
    /// Seconds that earlier parts of the run took.
    seconds: f64,
    run: String,
}

#[derive(Serialize)]
struct Line<'a> {
    /// Since training began.
    seconds: f64,
    #[serde(flatten)]
    epoch: &'a Epoch,
    run: &'a str,
}

/// What is read of a line.
#[derive(Deserialize)]
struct Written {
    epoch: u64,
    seconds: f64,
}

impl Journal {
    /// The file in a folder, with the epochs that are there already up to this one.
    pub fn open(folder: &Path, epochs: u64, run: String) -> Result<Self> {
        let path = folder.join(METRICS);
        let (mut ends, mut seconds) = (Vec::new(), 0.0);
        if epochs > 0 && path.exists() {
            let text = std::fs::read_to_string(&path).map_err(Error::io("read the metrics", &path))?;
            let mut end = 0;
            for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
                let Ok(written) = serde_json::from_str::<Written>(line) else { break };
                end += line.len() as u64;
                if written.epoch > epochs {
                    break;
                }
                ends.push((written.epoch, end));
                seconds = written.seconds;
            }
        }
        let open = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = open.map_err(Error::io("write the metrics", &path))?;
        let waiting = VecDeque::new();
        let mut journal = Self { path, file, ends, waiting, told: false, started: Instant::now(), seconds, run };
        journal.rewind().map_err(Error::io("write the metrics", &journal.path))?;
        Ok(journal)
    }

    /// Adds an epoch.
    pub fn write(&mut self, epoch: &Epoch) {
        let seconds = self.seconds + self.started.elapsed().as_secs_f64();
        // Numbers and a name: nothing in it can refuse.
        let text = serde_json::to_string(&Line { seconds, epoch, run: &self.run }).unwrap_or_default();
        self.waiting.push_back((epoch.epoch, text + "\n"));
        if let Err(error) = self.flush()
            && !std::mem::replace(&mut self.told, true)
        {
            eprintln!("warning: {error}: training continues, and its lines are written later");
        }
    }

    /// Forgets the epochs behind this one.
    pub fn cut(&mut self, epochs: u64) {
        self.ends.retain(|(epoch, _)| *epoch <= epochs);
        self.waiting.retain(|(epoch, _)| *epoch <= epochs);
    }

    /// Writes what still waits.
    pub fn finish(&mut self) -> Result<()> {
        self.flush()
    }

    fn flush(&mut self) -> Result<()> {
        let written = self.write_all();
        if written.is_err() {
            // Whoever follows the file sees whole lines.
            let _ = self.rewind();
        }
        written.map_err(Error::io("write the metrics", &self.path))
    }

    fn write_all(&mut self) -> std::io::Result<()> {
        // Whatever stands behind the last whole line was written in part, or cut.
        let mut end = self.rewind()?;
        while let Some((epoch, line)) = self.waiting.front() {
            self.file.write_all(line.as_bytes())?;
            end += line.len() as u64;
            self.ends.push((*epoch, end));
            self.waiting.pop_front();
        }
        Ok(())
    }

    /// Cuts the file behind its last whole line, and goes there.
    fn rewind(&mut self) -> std::io::Result<u64> {
        let end = self.ends.last().map_or(0, |(_, end)| *end);
        self.file.set_len(end)?;
        self.file.seek(SeekFrom::Start(end))
    }
}
