//! `DIR/metrics.jsonl`: a line of JSON for each epoch, written as it ends, so that it can be read while training goes on.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::train::Epoch;

const FILE_NAME: &str = "metrics.jsonl";

/// The file, open at its end.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    started: Instant,
    /// Seconds that earlier parts of the run took.
    seconds: f64,
}

#[derive(Serialize)]
struct Line<'a> {
    /// Since training began.
    seconds: f64,
    #[serde(flatten)]
    epoch: &'a Epoch,
}

/// What is read of a line.
#[derive(Deserialize)]
struct Written {
    epoch: u64,
    seconds: f64,
}

impl Journal {
    /// A new file in a folder; of a run that is resumed after `epochs`, the file that is there up to that epoch.
    pub fn open(folder: &Path, epochs: u64) -> Result<Self> {
        let path = folder.join(FILE_NAME);
        let (mut kept, mut seconds) = (0, 0.0);
        if epochs > 0 && path.exists() {
            let text = std::fs::read_to_string(&path).map_err(Error::io("read the metrics", &path))?;
            for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
                match serde_json::from_str::<Written>(line) {
                    Ok(written) if written.epoch <= epochs => (kept, seconds) = (kept + line.len(), written.seconds),
                    _ => break,
                }
            }
        }
        let open = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let mut file = open.map_err(Error::io("write the metrics", &path))?;
        let cut = file.set_len(kept as u64).and_then(|()| file.seek(SeekFrom::End(0)));
        cut.map_err(Error::io("write the metrics", &path))?;
        Ok(Self { path, file, started: Instant::now(), seconds })
    }

    /// Adds an epoch.
    pub fn write(&mut self, epoch: &Epoch) -> Result<()> {
        let line = Line { seconds: self.seconds + self.started.elapsed().as_secs_f64(), epoch };
        let text = serde_json::to_string(&line).map_err(std::io::Error::from);
        let written = text.and_then(|text| self.file.write_all((text + "\n").as_bytes()));
        written.map_err(Error::io("write the metrics", &self.path))
    }
}
