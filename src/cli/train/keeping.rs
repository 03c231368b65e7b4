//! What a run leaves in its folder. While it goes on nothing of that ends it: what cannot be written is tried again, and training is worth
//! more than its log.

use std::path::{Path, PathBuf};

use super::journal::Journal;
use super::saves::SaveArgs;
use crate::checkpoint::{Checkpoint, Checkpoints};
use crate::error::{Error, Result};
use crate::files::AtomicFile;
use crate::folder::{self, CONFIG, MODEL, Origin, RUN_COMMENT, RunFolder, RunName};
use crate::model::Model;
use crate::train::{Epoch, TrainState, Trainer};

/// The folder of `--out`, which is this run's alone.
pub struct Place<'a> {
    path: &'a Path,
    folder: RunFolder,
    checkpoints: Checkpoints,
}

impl<'a> Place<'a> {
    /// Locks the folder. One with checkpoints is refused unless the run goes on from one.
    pub fn take(path: &'a Path, saves: &SaveArgs, command: &str) -> Result<Self> {
        let checkpoints = Checkpoints::new(folder::running(path), saves.keep)?;
        let folder = RunFolder::lock(path, &format!("process {} ({command})", std::process::id()))?;
        if saves.resume.is_none() {
            folder.refuse_checkpoints()?;
        }
        Ok(Self { path, folder, checkpoints })
    }
}

/// What checkpoints hold besides the trainer's state.
pub struct Contents<'a> {
    /// The command's settings.
    pub settings: &'a str,
    /// A model with the parameters of now.
    pub model: &'a dyn Fn(&Trainer, Vec<f32>) -> Model,
    /// The checksum of the test rows.
    pub test: Option<u32>,
}

/// What is kept of a run as it goes on.
pub struct Keeping<'a> {
    contents: Contents<'a>,
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
    /// Makes the folder ready for the run. `origin`: what it goes on from.
    pub fn begin(
        place: Option<Place<'a>>,
        contents: Contents<'a>,
        run: RunName,
        origin: Option<&Origin>,
    ) -> Result<Self> {
        let begin = |place: Place<'a>| {
            place.folder.begin(origin, &run)?;
            let running = place.folder.running();
            let config = format!("{RUN_COMMENT}{run}\n{}", contents.settings);
            AtomicFile::create("write the configuration", &running.join(CONFIG))?.replace(config.as_bytes())?;
            place.checkpoints.prune()?;
            let journal = Journal::open(&running, origin.map_or(0, |origin| origin.epochs), run.to_string())?;
            Ok(Kept { place, journal, unsaved: None })
        };
        let kept = place.map(begin).transpose()?;
        Ok(Self { contents, run, kept })
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

    /// Writes a checkpoint of the trainer's state.
    pub fn checkpoint(&mut self, trainer: &Trainer, state: TrainState, score: Option<f64>) {
        let Some(kept) = &mut self.kept else { return };
        let Contents { settings, model, test } = &self.contents;
        let model = model(trainer, state.parameters.clone());
        let checkpoint = Checkpoint { model, state, settings: Some((*settings).into()), score, test: *test };
        match kept.place.checkpoints.save(trainer.epochs(), &checkpoint) {
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
