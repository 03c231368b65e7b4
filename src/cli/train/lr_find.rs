//! `--lr-find`: the learning-rate range test, as a table, JSON or a picture.

use std::path::Path;

use crate::cli::output::{print, print_json};
use crate::error::{Error, Result};
use crate::files::AtomicFile;
use crate::report::{Table, figure, plot_lr_curve};
use crate::train::{LrCurve, LrRange, Trainer};

const FILE_NAME: &str = "lr-find.svg";
/// Rows of the table.
const ROWS: usize = 20;

/// Makes the folder and shows that the picture can be written there, before any work is done.
pub fn writable(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(Error::io("make the output folder", folder))?;
    AtomicFile::create("write the picture", &folder.join(FILE_NAME)).map(drop)
}

/// Runs the test and shows what it saw.
pub async fn run(trainer: Trainer, folder: Option<&Path>, json: bool) -> Result<()> {
    let curve = trainer.lr_find_async(LrRange::default()).await?;
    let picture = folder.map(|folder| folder.join(FILE_NAME));
    if let Some(path) = &picture {
        AtomicFile::create("write the picture", path)?.replace(plot_lr_curve(&curve)?.as_bytes())?;
    }
    if json {
        return print_json(&curve);
    }
    let mut text = table(&curve).to_string();
    text += &match curve.suggestion {
        Some(rate) => format!("the loss falls fastest at --lr {rate:.2e}\n"),
        None => "the loss never falls: check the data, or --init\n".to_string(),
    };
    text += &match picture {
        Some(path) => format!("picture: {}\n", path.display()),
        None => format!("--out DIR draws it as DIR/{FILE_NAME}\n"),
    };
    print(text)
}

fn table(curve: &LrCurve) -> Table {
    let mut table = Table::new(&["learning rate", "loss", "smoothed"]);
    for point in curve.points.iter().step_by(curve.points.len().div_ceil(ROWS).max(1)) {
        table.row([format!("{:.2e}", point.rate), figure(point.loss), figure(point.smoothed)].into());
    }
    table
}
