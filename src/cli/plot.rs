//! `mlp plot`: the pictures of a run's report as files.

use std::path::PathBuf;

use super::output::print;
use crate::error::{Error, Result};
use crate::files::AtomicFile;
use crate::report::run::Run;

/// Write the pictures of a run's report as SVG files
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder that `train --out` made
    folder: PathBuf,
    /// Folder for the pictures [default: `plots` in the run's folder]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

pub fn run(args: &Args) -> Result<()> {
    let pictures = Run::load(&args.folder)?.pictures()?;
    let folder = args.out.clone().unwrap_or_else(|| args.folder.join("plots"));
    std::fs::create_dir_all(&folder).map_err(Error::io("make the output folder", &folder))?;
    let mut written = String::new();
    for picture in pictures {
        let path = folder.join(picture.name).with_extension("svg");
        AtomicFile::create("write the picture", &path)?.replace(picture.svg.as_bytes())?;
        written += &format!("{}\n", path.display());
    }
    print(written)
}
