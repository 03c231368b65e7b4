//! `mlp eval`: how good a model is on a table with its target.

use std::path::PathBuf;

use serde::Serialize;

use super::device::DeviceArgs;
use super::notes;
use super::output::{print, print_json};
use super::reading::{ReadingArgs, UnseenArgs};
use super::source::{DataArgs, kinds_of};
use crate::data::{Encoder, Notes, ReadableColumns};
use crate::error::{Error, Result, shorten};
use crate::infer::Metrics;
use crate::metrics::Classification;
use crate::model::Model;
use crate::pipeline::{check_target, encoder_of, evaluate};
use crate::report::{class_table, confusion_table, metrics_table};

/// Most classes whose confusion matrix a terminal has room for.
const MOST_PRINTED: usize = 12;

/// Measure a model on a table that has the target column
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The model file, or the folder that `train --out` made
    model: PathBuf,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    reading: ReadingArgs,
    #[command(flatten)]
    unseen: UnseenArgs,
    #[command(flatten)]
    device: DeviceArgs,
    /// Also report how often the true class is among the K most probable ones; needs three or more classes and K below
    /// their number
    #[arg(long, value_name = "K")]
    top_k: Option<usize>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Evaluation {
    device: String,
    #[serde(flatten)]
    metrics: Metrics,
    notes: Notes,
}

pub async fn run(args: Args) -> Result<()> {
    let model = Model::load(&args.model)?;
    let encoder = encoder_of(&model, &args.model)?;
    args.top_k.map_or(Ok(()), |k| check_top_k(k, encoder))?;
    let reading = args.reading.reading_for(encoder)?;
    let table = args.data.source()?.read(&reading, |path, names| kinds_of(encoder, path, names, true, &[]))?;
    let path = table.source().to_path_buf();
    let mut readable = ReadableColumns::new(encoder);
    readable.add(&table)?;
    readable.check(&path, &reading)?;
    check_target(model.spec.loss(), encoder, &table)?;
    let (rows, mut notes) = ((0..table.rows()).collect::<Vec<_>>(), table.notes().clone());
    let encoded = encoder.encode_columns(table)?;
    notes.extend(encoded.notes().clone());
    args.reading.check(&notes, &path)?;
    args.unseen.check(&notes, &path)?;
    let data = encoded.rows(&rows)?;
    let device = args.device.open(args.json).await?.device;
    let metrics = evaluate(&device, &model, &data, args.top_k).await?;
    if args.json {
        return print_json(&Evaluation { device: device.name(), metrics, notes });
    }
    let table = metrics_table(&[("data", &metrics)]);
    print(format!("{table}{}", metrics.classification().map(class_tables).unwrap_or_default()))?;
    notes::tell(&notes);
    Ok(())
}

/// Refuses a k that the classes do not allow, before any work is done.
fn check_top_k(k: usize, encoder: &Encoder) -> Result<()> {
    let target = shorten(&encoder.target().name);
    let expected = match encoder.classes().map_or(0, <[String]>::len) {
        0 => format!("no such flag: `{target}` is a number"),
        2 => format!("no such flag: `{target}` has two classes, so the accuracy is enough"),
        classes if (1..classes).contains(&k) => return Ok(()),
        classes => format!("1 to {}: `{target}` has {classes} classes", classes - 1),
    };
    Err(Error::Setting { what: "--top-k", found: k.to_string(), expected })
}

/// The score of each class, and which are taken for which.
fn class_tables(metrics: &Classification) -> String {
    let scores = class_table(metrics);
    match confusion_table(metrics) {
        Some(confusion) if metrics.classes.len() <= MOST_PRINTED => {
            format!("\n{scores}\nconfusion matrix: rows are the true classes, columns the predicted ones\n{confusion}")
        }
        Some(_) => format!("\n{scores}\n--json has the confusion matrix of the {} classes\n", metrics.classes.len()),
        None => format!("\n{scores}"),
    }
}
