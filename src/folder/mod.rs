//! The folder of a run: what is in it, which run may write there, and how a run's files come into it.
//!
//! While a run goes on its files lie in `running/` inside the folder, beside those of an earlier run. When training ends, they are
//! moved in and the earlier run's go. The model in `running/` is the journal of that move: it is written once training has ended and
//! moved last, so whoever finds it there finishes the move.

mod lock;
mod names;
#[cfg(feature = "cli")]
mod run;

use std::fs;
use std::io::Error as IoError;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::files::{is_temporary, sync_folder};

pub(crate) use lock::Lock;
pub(crate) use names::score_of;
#[cfg(feature = "cli")]
pub(crate) use names::{RunName, data_of};
#[cfg(feature = "cli")]
pub(crate) use run::{Origin, RunFolder};

/// The model.
pub(crate) const MODEL: &str = "model.safetensors";
/// A line for each epoch.
pub(crate) const METRICS: &str = "metrics.jsonl";
/// The settings in force.
pub(crate) const CONFIG: &str = "config.toml";
/// How its first line begins, in front of the run's name.
pub(crate) const RUN_COMMENT: &str = "# run ";
/// The folder of checkpoints.
pub(crate) const CHECKPOINTS: &str = "checkpoints";
/// What the pictures of the report are drawn from.
pub(crate) const FINDINGS: &str = "report.json";
/// The report.
pub(crate) const PAGE: &str = "report.html";
/// The predictions of the test rows.
pub(crate) const PREDICTIONS: &str = "predictions.csv";
/// What the networks of folds say of the training rows that they held out.
pub(crate) const OUT_OF_FOLD: &str = "out-of-fold.csv";
/// The files that a run writes over those of an earlier one.
#[cfg(feature = "cli")]
pub(crate) const FILES: [&str; 7] = [MODEL, METRICS, CONFIG, FINDINGS, PAGE, PREDICTIONS, OUT_OF_FOLD];
/// The folder of pictures.
pub(crate) const PLOTS: &str = "plots";
/// The folder of the run that goes on.
const RUNNING: &str = "running";

/// Where the files of the run lie that goes on in a folder, or went on until it was killed.
pub(crate) fn running(folder: &Path) -> PathBuf {
    folder.join(RUNNING)
}

/// Moves the files of a run whose training has ended from `running/` into its folder, in place of those of an earlier
/// run. Of a move that was interrupted it does what is left; without a model in `running/` it does nothing.
fn move_in(folder: &Path) -> Result<()> {
    let running = running(folder);
    if !running.join(MODEL).is_file() {
        return Ok(());
    }
    for name in [PAGE, FINDINGS, PREDICTIONS, OUT_OF_FOLD] {
        let path = folder.join(name);
        if path.is_file() {
            fs::remove_file(&path).map_err(failed(&path))?;
        }
    }
    clear_plots(&folder.join(PLOTS))?;
    for entry in fs::read_dir(&running).map_err(failed(&running))? {
        let entry = entry.map_err(failed(&running))?;
        let (from, to) = (entry.path(), folder.join(entry.file_name()));
        if entry.file_name() == MODEL || is_temporary(&from) {
            continue;
        }
        if to.is_dir() {
            fs::remove_dir_all(&to).map_err(failed(&to))?;
        }
        fs::rename(&from, &to).map_err(failed(&to))?;
    }
    sync_folder(folder);
    let model = folder.join(MODEL);
    fs::rename(running.join(MODEL), &model).map_err(failed(&model))?;
    sync_folder(folder);
    fs::remove_dir_all(&running).map_err(failed(&running))
}

fn failed(path: &Path) -> impl FnOnce(IoError) -> Error + use<> {
    let path = path.to_path_buf();
    move |source| Error::Io { action: "move the run's files in", path, source }
}

/// Removes an earlier run's pictures, and their folder if nothing else is in it.
fn clear_plots(folder: &Path) -> Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if path.extension().is_some_and(|ending| ending == "svg") {
            fs::remove_file(&path).map_err(Error::io("remove the earlier run's picture", &path))?;
        }
    }
    // Other files in it are its user's.
    let _ = fs::remove_dir(folder);
    Ok(())
}

/// For whoever reads a run's folder: finishes a move that was interrupted, and refuses files of different runs.
pub(crate) fn settle(folder: &Path) -> Result<()> {
    if running(folder).join(MODEL).is_file() {
        // A run that moves its files in holds the lock for as long as that takes.
        let _lock = Lock::wait(folder)?;
        move_in(folder)?;
    }
    let names = names::all(folder);
    let Some((first, run)) = names.first() else { return Ok(()) };
    match names.iter().find(|(_, other)| other != run) {
        None => Ok(()),
        Some((second, other)) => Err(Error::MixedRuns {
            path: folder.into(),
            files: [(*first).into(), (*second).into()],
            runs: [run.to_string(), other.to_string()],
        }),
    }
}

/// How a checkpoint's file is called, before and behind its epoch.
const CHECKPOINT: (&str, &str) = ("epoch-", ".safetensors");

/// The name of an epoch's checkpoint.
pub(crate) fn checkpoint_name(epoch: u64) -> String {
    format!("{}{epoch:06}{}", CHECKPOINT.0, CHECKPOINT.1)
}

fn epoch_of(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    name.strip_prefix(CHECKPOINT.0)?.strip_suffix(CHECKPOINT.1)?.parse().ok()
}

/// The checkpoints of a folder by their epochs, the first one first; none where it does not exist.
pub(crate) fn checkpoints_in(folder: &Path) -> Result<Vec<(u64, PathBuf)>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::io("list the folder", folder))? {
        let path = entry.map_err(Error::io("list the folder", folder))?.path();
        all.extend(epoch_of(&path).map(|epoch| (epoch, path)));
    }
    all.sort();
    Ok(all)
}
