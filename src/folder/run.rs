//! The folder as the run that goes on in it has it.

use std::fs;
use std::io::{Error as IoError, ErrorKind};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::lock::Lock;
use super::names::{name_in_model, parsed};
use super::{CHECKPOINTS, CONFIG, METRICS, MODEL, RunName, checkpoints_in, epoch_of, move_in, running};
use crate::error::{Error, Result, setting};
use crate::files::{AtomicFile, sweep};

/// A folder that is this run's alone until it is dropped.
#[derive(Debug)]
pub(crate) struct RunFolder {
    path: PathBuf,
    _lock: Lock,
}

/// The checkpoint that a run continues from.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub epochs: u64,
    /// Its run; none in files that name none.
    pub run: Option<RunName>,
}

impl Origin {
    /// Whether a file that names this run, or none, is of the run that goes on.
    fn is_of(&self, run: Option<&RunName>) -> bool {
        match (run, &self.run) {
            (Some(run), Some(own)) => run.is_longer_or_shorter(own),
            (None, None) => true,
            _ => false,
        }
    }

    /// Whether a checkpoint is one of the run that goes on, and not a later one.
    fn has(&self, checkpoint: &Path) -> bool {
        self.is_of(name_in_model(checkpoint).as_ref()) && epoch_of(checkpoint).is_some_and(|epoch| epoch <= self.epochs)
    }
}

impl RunFolder {
    /// Makes the folder, locks it, finishes what a killed run has left half-done, and shows that files can be written there.
    /// `owner` is what another run is told.
    ///
    /// # Errors
    /// [`Error::FolderInUse`] where another run goes on there; [`Error::Io`].
    pub fn lock(path: &Path, owner: &str) -> Result<Self> {
        fs::create_dir_all(path).map_err(Error::io("make the output folder", path))?;
        let folder = Self { path: path.into(), _lock: Lock::take(path, owner)? };
        move_in(path)?;
        for place in [path.to_path_buf(), folder.running(), path.join(CHECKPOINTS), folder.running().join(CHECKPOINTS)]
        {
            sweep(&place)?;
        }
        for (name, action) in
            [(MODEL, "write the model"), (METRICS, "write the metrics"), (CONFIG, "write the configuration")]
        {
            let path = path.join(name);
            if path.is_dir() {
                return Err(Error::io(action, path)(IoError::from(ErrorKind::IsADirectory)));
            }
        }
        Ok(folder)
    }

    /// Refuses a folder with checkpoints: a new run would be mixed up with theirs, or take its place.
    pub fn refuse_checkpoints(&self) -> Result<()> {
        let mut all = checkpoints_in(&self.running().join(CHECKPOINTS))?;
        all.extend(checkpoints_in(&self.path.join(CHECKPOINTS))?);
        all.last().map_or(Ok(()), |(_, path)| Err(refused(path)))
    }

    /// Where the run's files lie until it ends.
    pub fn running(&self) -> PathBuf {
        running(&self.path)
    }

    /// Makes `running/` ready: empty for a new run; with the epochs and the checkpoints up to there for one that goes on.
    /// `run` is the name that the run has from now on.
    pub fn begin(&self, origin: Option<&Origin>, run: &RunName) -> Result<()> {
        let running = self.running();
        let checkpoints = running.join(CHECKPOINTS);
        let is_same = |path: &Path| origin.is_some_and(|origin| origin.has(path));
        let there = checkpoints_in(&checkpoints)?;
        let goes_on = there.iter().any(|(_, path)| is_same(path));
        if let (Some(origin), Some((_, other))) = (origin, there.last())
            && !origin.is_of(name_in_model(other).as_ref())
        {
            return Err(refused(other));
        }
        if !goes_on {
            if running.exists() {
                fs::remove_dir_all(&running)
                    .map_err(Error::io("remove the files of a run that was killed", &running))?;
            }
            fs::create_dir(&running).map_err(Error::io("make the folder", &running))?;
        }
        let Some(origin) = origin else { return Ok(()) };
        // A run that was interrupted in `running/` goes on there; one that has been moved in comes back, and is there
        // once a checkpoint is: the newest first, so that a kill in between leaves the one to continue from.
        let (from, lines) = match goes_on {
            true => (checkpoints.clone(), running.join(METRICS)),
            false => (self.path.join(CHECKPOINTS), self.path.join(METRICS)),
        };
        let kept = lines_until(&lines, origin, run)?;
        AtomicFile::create("write the metrics", &running.join(METRICS))?.replace(kept.as_bytes())?;
        for (_, path) in checkpoints_in(&from)?.into_iter().rev() {
            match (goes_on, is_same(&path), path.file_name()) {
                (true, false, _) => fs::remove_file(&path).map_err(Error::io("remove the later checkpoint", &path))?,
                (false, true, Some(name)) => {
                    fs::create_dir_all(&checkpoints).map_err(Error::io("make the folder", &checkpoints))?;
                    let to = checkpoints.join(name);
                    let linked = fs::hard_link(&path, &to).or_else(|_| fs::copy(&path, &to).map(|_| ()));
                    linked.map_err(Error::io("take the checkpoint along", &path))?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Moves the run's files in; the model in `running/` is there by now.
    pub fn finish(&self) -> Result<()> {
        move_in(&self.path)
    }
}

fn refused(checkpoint: &Path) -> Error {
    Error::Setting {
        what: "out",
        found: format!("a folder with checkpoints of another run, {}", checkpoint.display()),
        expected: format!("another folder; {} continues that run, or remove its checkpoints", setting("resume")),
    }
}

/// The lines of `metrics.jsonl` of the run that goes on, up to where it does, under the name that it has from now on.
fn lines_until(path: &Path, origin: &Origin, run: &RunName) -> Result<String> {
    let mut kept = String::new();
    if !path.exists() {
        return Ok(kept);
    }
    let text = fs::read_to_string(path).map_err(Error::io("read the metrics", path))?;
    for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
        let Ok(value) = serde_json::from_str::<Value>(line) else { break };
        let is_part = origin.is_of(value.get("run").and_then(parsed).as_ref());
        let epoch = value.get("epoch").and_then(Value::as_u64);
        let (true, Some(end)) = (is_part && epoch.is_some_and(|epoch| epoch <= origin.epochs), line.rfind('}')) else {
            break;
        };
        // The name stands last.
        let end = line.rfind(",\"run\":").unwrap_or(end);
        kept += &format!("{},\"run\":\"{run}\"}}\n", &line[..end]);
    }
    Ok(kept)
}
