//! What a run leaves in its folder. While it goes on nothing of that ends it: what cannot be written is tried again, and training is worth
//! more than its log.

use std::path::{Path, PathBuf};

use super::journal::Journal;
use super::{Args, lr_find};
use crate::checkpoint::{Checkpoint, Checkpoints};
use crate::error::{Error, Result};
use crate::files::AtomicFile;
use crate::folder::{self, CONFIG, MODEL, Origin, RUN_COMMENT, RunFolder, RunName};
use crate::model::Model;
use crate::pipeline::Fitting;
use crate::train::Epoch;

/// The folder of `--out`, which is this run's alone.
pub struct Place<'a> {
    path: &'a Path,
    folder: RunFolder,
    checkpoints: Checkpoints,
}

impl<'a> Place<'a> {
    /// Locks the folder, where there is one; for a range test of learning rates only shows that its picture can be written. One with
    /// checkpoints is refused unless the run goes on from one.
    pub fn take(args: &'a Args) -> Result<Option<Self>> {
        let Args { out: Some(path), saves, .. } = args else { return Ok(None) };
        if args.lr_find {
            return lr_find::writable(path).map(|()| None);
        }
        let checkpoints = Checkpoints::new(folder::running(path), saves.keep)?;
        let folder = RunFolder::lock(path, &format!("process {} ({})", std::process::id(), args.said.command()))?;
        if saves.resume.is_none() {
            folder.refuse_checkpoints()?;
        }
        Ok(Some(Self { path, folder, checkpoints }))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.path
    }
}

/// What is kept of a run as it goes on.
pub struct Keeping<'a> {
    /// The command's settings, as a configuration file.
    pub config: &'a str,
    run: RunName,
    kept: Option<Kept<'a>>,
}

struct Kept<'a> {
    place: Place<'a>,
    journal: Journal,
    /// Why the last checkpoint that was due is not there.
    unsaved: Option<Error>,
}

impl<'a> Keeping<'a> {
    /// Names the run and makes the folder ready for it.
    pub async fn begin(place: Option<Place<'a>>, fitting: &mut Fitting, config: &'a str) -> Result<Self> {
        let done = fitting.trainer().epochs();
        let origin = fitting.prepared().origin().map(|checkpoint| Origin { epochs: done, run: checkpoint.run() });
        let epochs = fitting.trainer().config().epochs;
        let run = match origin.as_ref().and_then(|origin| origin.run.as_ref()) {
            Some(run) => run.with_epochs(epochs),
            None => RunName::new(fitting.key().await?, epochs),
        };
        fitting.name_run(run.to_string());
        let begin = |place: Place<'a>| {
            place.folder.begin(origin.as_ref(), &run)?;
            let running = place.folder.running();
            let config = format!("{RUN_COMMENT}{run}\n{config}");
            AtomicFile::create("write the configuration", &running.join(CONFIG))?.replace(config.as_bytes())?;
            place.checkpoints.prune()?;
            let done = origin.as_ref().map_or(0, |origin| origin.epochs);
            let journal = Journal::open(&running, done, run.to_string())?;
            Ok(Kept { place, journal, unsaved: None })
        };
        let kept = place.map(begin).transpose()?;
        Ok(Self { config, run, kept })
    }

    /// Takes note of an epoch that has ended.
    pub fn note(&mut self, epoch: &Epoch) {
        if let Some(kept) = &mut self.kept {
            kept.journal.write(epoch);
        }
    }

    /// Forgets the epochs behind this one: they are run once more.
    pub fn cut(&mut self, epochs: u64) {
        if let Some(kept) = &mut self.kept {
            kept.journal.cut(epochs);
        }
    }

    /// Whether a checkpoint that was due could not be written.
    pub fn lacks_checkpoint(&self) -> bool {
        self.kept.as_ref().is_some_and(|kept| kept.unsaved.is_some())
    }

    /// Writes a checkpoint of the end of an epoch.
    pub fn checkpoint(&mut self, epoch: u64, checkpoint: Checkpoint) {
        let Some(kept) = &mut self.kept else { return };
        let checkpoint = Checkpoint { settings: Some(self.config.into()), ..checkpoint };
        match kept.place.checkpoints.save(epoch, &checkpoint) {
            Ok(_) => kept.unsaved = None,
            Err(error) => {
                eprintln!("warning: {error}: training continues, and the next checkpoint is tried at its time");
                kept.unsaved = Some(error);
            }
        }
    }

    /// Saves the model and moves the run's files in: training has ended. Where the folder does not take it, it is saved beside the
    /// folder or in the system's temporary one. The file, if the model was to be kept, and what went wrong.
    pub fn finish(&mut self, model: &Model) -> (Option<PathBuf>, Result<()>) {
        let Some(kept) = &mut self.kept else { return (None, Ok(())) };
        let running = kept.place.folder.running().join(MODEL);
        let (path, ended) = match model.save(&running) {
            Ok(()) => match kept.place.folder.finish() {
                Ok(()) => (Some(kept.place.path.join(MODEL)), Ok(())),
                Err(error) => (Some(running), Err(error)),
            },
            Err(error) => match elsewhere(kept.place.path, &self.run).into_iter().find(|path| model.save(path).is_ok())
            {
                Some(path) => (Some(path), Err(error)),
                None => return (None, Err(error)),
            },
        };
        let logged = kept.journal.finish();
        let unsaved = kept.unsaved.take().map_or(Ok(()), Err);
        let kept = ended.and(logged).and(unsaved);
        let place = path.clone().unwrap_or_default();
        (path, kept.map_err(|error| Error::Incomplete { problem: error.to_string(), model: place }))
    }
}

/// Where else a model may be saved.
fn elsewhere(folder: &Path, run: &RunName) -> [PathBuf; 2] {
    let name = folder.file_name().map_or_else(|| "mlp".into(), |name| name.to_string_lossy().into_owned());
    let name = format!("{name}-{run}-{MODEL}");
    [folder.parent().unwrap_or(Path::new("")).join(&name), std::env::temp_dir().join(&name)]
}
