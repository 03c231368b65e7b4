//! The folder of a sweep.

use std::fs::create_dir_all;
use std::path::{Path, PathBuf};

use super::Args;
use super::plan::Plan;
use crate::cli::config::SWEEP_FILE;
use crate::error::{Error, Result, shell_word};
use crate::files::{AtomicFile, sweep as remove_temporary};
use crate::folder::Lock;
use crate::sweep::{FoldedTable, Identity, Record, Results};

/// Flags that are none of a sweep's file: where it is kept and how it is told.
const UNKEPT: [&str; 6] = ["vary", "out", "resume", "refit", "json", "quiet"];

/// The folder of `--out` or `--resume`, which is this sweep's alone.
#[derive(Debug)]
pub struct Place {
    path: PathBuf,
    results: Option<Results>,
    _lock: Lock,
}

impl Place {
    /// Locks the folder, where there is one.
    pub fn take(args: &Args) -> Result<Option<Self>> {
        let Some(path) = args.resume.as_ref().or(args.out.as_ref()) else { return Ok(None) };
        create_dir_all(path).map_err(Error::io("make the output folder", path))?;
        let owner = format!("process {} ({})", std::process::id(), args.said.0.command());
        let lock = Lock::take(path, &owner)?;
        remove_temporary(path)?;
        Ok(Some(Self { path: path.clone(), results: None, _lock: lock }))
    }

    /// The results of a sweep that goes on; a new one's folder has none.
    pub fn known(&mut self, args: &Args, plan: &Plan, data: &FoldedTable) -> Result<Vec<Record>> {
        if args.resume.is_none() {
            return Results::refuse(&self.path).map(|()| Vec::new());
        }
        let identity = Identity::new(plan.identity(args, data));
        let results = Results::resume(&self.path, &identity, &plan.names())?;
        Ok(self.results.insert(results).records().to_vec())
    }

    /// Begins the results of a new sweep.
    pub fn begin(&mut self, args: &Args, plan: &Plan, data: &FoldedTable) -> Result<()> {
        if self.results.is_some() {
            return Ok(());
        }
        // The file comes first: whoever finds results finds what goes on with them.
        let path = self.path.join(SWEEP_FILE);
        AtomicFile::create("write the configuration", &path)?.replace(config(args, plan).as_bytes())?;
        let identity = Identity::new(plan.identity(args, data));
        self.results = Some(Results::create(&self.path, &identity, &plan.names())?);
        Ok(())
    }

    /// Writes a training that has ended.
    pub fn append(&mut self, record: &Record) -> Result<()> {
        self.results.as_mut().map_or(Ok(()), |results| results.append(record))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The sweep's short name.
    pub fn name(&self) -> &str {
        self.results.as_ref().map_or("", Results::name)
    }
}

/// The file that repeats a sweep.
pub fn config(args: &Args, plan: &Plan) -> String {
    let mut text = args.said.0.explicit_toml(&UNKEPT);
    text += "\n[vary]\n";
    for axis in plan.space.axes() {
        text += &format!("{} = {}\n", axis.name, toml::Value::String(axis.values.to_string()));
    }
    text
}

/// Tells what goes on with a sweep that has not come to its end.
pub fn what_goes_on(place: Option<&Place>) {
    match place.filter(|place| place.results.is_some()) {
        Some(place) => {
            let folder = place.path.to_string_lossy();
            eprintln!("mlp sweep --resume {} continues from here", shell_word(&folder));
        }
        None => eprintln!("the results are not kept: --out DIR would keep them"),
    }
}
