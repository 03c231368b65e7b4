//! Checkpoints: model files with the state of the training, from which a run continues as if it had never been
//! interrupted, and a folder that keeps the last few of them and the best.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result, setting};
use crate::folder::{self, CHECKPOINTS, checkpoint_name, checkpoints_in, score_of};
use crate::model::{EXTRA, Extras, IN_MEMORY, Model};
use crate::spec::MlpSpec;
use crate::train::{TrainProgress, TrainState};

const PROGRESS: &str = "mlp.progress";
const SETTINGS: &str = "mlp.settings";
const SCORE: &str = "mlp.score";
const TEST: &str = "mlp.test";
const CHECKSUM: &str = "mlp.checksum";
const OPTIMIZER: &str = "optimizer";
const BEST: &str = "best";
const TRAINED: &str = "trained";

/// A point between two steps of a run. Its file is a model file, which every command takes.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Checkpoint {
    /// The model at this point.
    pub model: Model,
    /// The further state that training needs to continue. Its parameters are the model's.
    pub state: TrainState,
    /// The program's own settings, in any form.
    pub settings: Option<String>,
    /// Its loss, the lower the better: the mean validation loss of the last epoch, if there was one.
    pub score: Option<f64>,
    /// [`Dataset::checksum`](crate::data::Dataset::checksum) of the test rows, if there are any.
    pub test: Option<u32>,
}

impl Checkpoint {
    /// The run that it belongs to, if its file says so.
    #[cfg(feature = "cli")]
    pub(crate) fn run(&self) -> Option<folder::RunName> {
        self.model.training.as_ref()?.run.as_ref()?.parse().ok()
    }

    /// The state of a trainer as a checkpoint of `spec`: its parameters are the model's.
    ///
    /// # Errors
    /// [`Error::Shape`] for a state of another number of parameters.
    pub fn new(spec: MlpSpec, state: TrainState) -> Result<Self> {
        let model = Model::new(spec, state.parameters.clone())?;
        Ok(Self { model, state, settings: None, score: None, test: None })
    }

    /// Writes a temporary file and renames it.
    ///
    /// # Errors
    /// Those of [`Model::save`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        self.model.save_with(path, &self.extras(path)?)
    }

    /// The bytes of the file that [`save`](Self::save) writes.
    ///
    /// # Errors
    /// Those of [`Model::to_bytes`].
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let path = Path::new(IN_MEMORY);
        self.model.encode(path, &self.extras(path)?)
    }

    /// A checkpoint from the bytes of a file that [`save`](Self::save) wrote.
    ///
    /// # Errors
    /// [`Error::ModelFile`] for other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let path = Path::new(IN_MEMORY);
        Self::of(Model::decode(bytes, path)?, path)
    }

    fn extras(&self, path: &Path) -> Result<Extras> {
        let Self { model, state, settings, score, test } = self;
        let mut extras = Extras::default();
        extras.lists.push((format!("{EXTRA}{OPTIMIZER}"), state.optimizer.clone()));
        extras.lists.extend(state.best.iter().map(|best| (format!("{EXTRA}{BEST}"), best.clone())));
        extras.lists.extend(state.trained.iter().map(|trained| (format!("{EXTRA}{TRAINED}"), trained.clone())));
        let progress = serde_json::to_string(&state.progress)
            .map_err(|error| Error::ModelFile { path: path.into(), problem: error.to_string() })?;
        extras.texts.insert(PROGRESS.into(), progress);
        extras.texts.extend(settings.iter().map(|settings| (SETTINGS.into(), settings.clone())));
        extras.texts.extend(score.iter().map(|score| (SCORE.into(), score.to_string())));
        extras.texts.extend(test.iter().map(|test| (TEST.into(), test.to_string())));
        extras.texts.insert(CHECKSUM.into(), checksum(model, &extras));
        Ok(extras)
    }

    /// Reads a file that [`Checkpoint::save`] wrote. In a folder it reads the newest checkpoint, in the folder itself,
    /// in its `checkpoints`, or of the run that was interrupted there.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be read; [`Error::ModelFile`] for another file or a damaged one;
    /// [`Error::Setting`] for a folder without checkpoints.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let newest;
        let path = if path.is_dir() {
            newest = newest_in(path)?;
            newest.as_path()
        } else {
            path
        };
        Self::of(Model::load_with(path)?, path)
    }

    fn of((model, mut extras): (Model, Extras), path: &Path) -> Result<Self> {
        let refused = |problem: String| Error::ModelFile { path: path.into(), problem };
        let Some(progress) = extras.texts.get(PROGRESS) else {
            let problem = format!(
                "it is a model without a checkpoint: {} starts a new run from its parameters",
                setting("init_from")
            );
            return Err(refused(problem));
        };
        let written = extras.texts.get(CHECKSUM).cloned().unwrap_or_default();
        let found = checksum(&model, &extras);
        if found != written {
            let problem = format!("its content has the checksum {found}, not {written}: it is damaged; use another");
            return Err(refused(problem));
        }
        let progress: TrainProgress =
            serde_json::from_str(progress).map_err(|error| refused(format!("its `{PROGRESS}`: {error}")))?;
        let mut list = |name: &str| {
            let place = extras.lists.iter().position(|(other, _)| other.strip_prefix(EXTRA) == Some(name))?;
            Some(extras.lists.swap_remove(place).1)
        };
        let optimizer = list(OPTIMIZER).ok_or_else(|| refused(format!("tensor `{EXTRA}{OPTIMIZER}` is missing")))?;
        let state = TrainState {
            parameters: model.parameters.clone(),
            optimizer,
            best: list(BEST),
            trained: list(TRAINED),
            progress,
        };
        let score =
            extras.texts.get(SCORE).and_then(|score| score.parse().ok()).filter(|score: &f64| score.is_finite());
        let test = extras.texts.get(TEST).and_then(|test| test.parse().ok());
        Ok(Self { model, state, settings: extras.texts.remove(SETTINGS), score, test })
    }
}

/// CRC-32 of everything that a run continues from, in a fixed order.
fn checksum(model: &Model, extras: &Extras) -> String {
    let mut hasher = crc32fast::Hasher::new();
    let mut texts: Vec<_> =
        extras.texts.iter().filter(|(key, _)| [PROGRESS, SETTINGS, SCORE, TEST].contains(&&***key)).collect();
    let mut lists: Vec<_> = extras.lists.iter().map(|(name, values)| (name.as_str(), &values[..])).collect();
    // Of a model's own part, what decides how the run goes on.
    let network = serde_json::to_string(&(&model.spec, &model.encoder)).unwrap_or_default();
    hasher.update(network.as_bytes());
    texts.sort();
    lists.push(("", &model.parameters));
    lists.sort_by_key(|(name, _)| *name);
    for (key, text) in texts {
        [key, text].into_iter().for_each(|text| hasher.update(text.as_bytes()));
    }
    for (name, values) in lists {
        hasher.update(name.as_bytes());
        hasher.update(bytemuck::cast_slice(values));
    }
    format!("{:08x}", hasher.finalize())
}

/// The checkpoints of a run under way, in a folder `checkpoints`.
#[derive(Debug)]
pub struct Checkpoints {
    folder: PathBuf,
    keep: usize,
}

impl Checkpoints {
    /// A folder that keeps the last `keep` checkpoints, at least 1, and the best.
    pub fn new(folder: impl AsRef<Path>, keep: usize) -> Result<Self> {
        if keep == 0 {
            return Err(Error::Setting { what: "keep", found: "0".into(), expected: "at least 1".into() });
        }
        Ok(Self { folder: folder.as_ref().join(CHECKPOINTS), keep })
    }

    /// Saves a checkpoint of an epoch and removes those that are neither among the last nor the best. One of the same
    /// epoch is replaced.
    pub fn save(&self, epoch: u64, checkpoint: &Checkpoint) -> Result<PathBuf> {
        fs::create_dir_all(&self.folder).map_err(Error::io("make the folder", &self.folder))?;
        let path = self.folder.join(checkpoint_name(epoch));
        checkpoint.save(&path)?;
        self.prune()?;
        Ok(path)
    }

    /// Removes those that are neither among the last nor the best: a run that was killed may have left one too many.
    pub fn prune(&self) -> Result<()> {
        let all = checkpoints_in(&self.folder)?;
        let best = all.iter().filter_map(|(_, path)| Some((score_of(path)?, path))).min_by(|a, b| a.0.total_cmp(&b.0));
        let best = best.map(|(_, path)| path);
        for (_, path) in all.iter().rev().skip(self.keep).filter(|(_, path)| Some(path) != best) {
            fs::remove_file(path).map_err(Error::io("remove the checkpoint", path))?;
        }
        Ok(())
    }
}

/// The newest checkpoint, of the run that was interrupted rather than of one that has ended.
fn newest_in(folder: &Path) -> Result<PathBuf> {
    folder::settle(folder)?;
    let places = [folder::running(folder).join(CHECKPOINTS), folder.join(CHECKPOINTS), folder.to_path_buf()];
    for place in places {
        if let Some((_, path)) = checkpoints_in(&place)?.pop() {
            return Ok(path);
        }
    }
    Err(Error::Setting {
        what: "resume",
        found: format!("{}, a folder without checkpoints", folder.display()),
        expected: format!("a checkpoint, or a folder with checkpoints: {} writes them", setting("checkpoint_every")),
    })
}
