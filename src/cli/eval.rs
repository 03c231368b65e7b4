//! `mlp eval`: how good a model is on a table with its target.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::device::DeviceArgs;
use super::notes;
use super::output::{print, print_json};
use super::reading::{ReadingArgs, UnseenArgs};
use super::source::{DataArgs, kinds_of};
use crate::backend::Device;
use crate::data::{Dataset, Encoder, Notes, Table, Task};
use crate::error::{Error, Result, shorten};
use crate::infer::{Metrics, Predictor};
use crate::math::{Domain, Loss};
use crate::metrics::{Classification, LARGEST};
use crate::model::Model;
use crate::report::{class_table, confusion_table, metrics_table, value};

/// Most classes whose confusion matrix a terminal has room for.
const MOST_PRINTED: usize = 12;

/// Measure a model on data that has the target column
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
    /// Also tell how often the true class is among the K likeliest; for three classes and more, of which K is not all
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
        2 => format!("no such flag: `{target}` has two classes, and the accuracy says it all"),
        classes if (1..classes).contains(&k) => return Ok(()),
        classes => format!("1 to {}: `{target}` has {classes} classes", classes - 1),
    };
    Err(Error::Setting { what: "--top-k", found: k.to_string(), expected })
}

/// The score of each class, and which are taken for which.
fn class_tables(figures: &Classification) -> String {
    let scores = class_table(figures);
    match confusion_table(figures) {
        Some(confusion) if figures.classes.len() <= MOST_PRINTED => {
            format!("\n{scores}\nconfusion matrix: rows are the true classes, columns the predicted ones\n{confusion}")
        }
        Some(_) => format!("\n{scores}\n--json has the confusion matrix of the {} classes\n", figures.classes.len()),
        None => format!("\n{scores}"),
    }
}

/// The encoder that a model needs to read tables.
pub fn encoder_of<'a>(model: &'a Model, path: &Path) -> Result<&'a Encoder> {
    model.encoder.as_ref().ok_or_else(|| Error::ModelFile {
        path: path.into(),
        problem:
            "it does not say which columns it takes: mlp import with a table does, or train from it with --init-from"
                .into(),
    })
}

/// Refuses numbers that the loss or the figures cannot take, while their lines are still known.
pub fn check_target(loss: Loss, encoder: &Encoder, table: &Table) -> Result<()> {
    if encoder.task() != Task::Regression {
        return Ok(());
    }
    let name = &encoder.target().name;
    let (least, expected) = match loss.domain() {
        Domain::Amount => (0.0, format!("expected 0 or more, for {loss}")),
        _ => (-LARGEST, format!("expected a number from {:e} to {LARGEST:e}", -LARGEST)),
    };
    let values = table.numbers(name)?;
    match values.iter().position(|value| *value < least || *value > LARGEST) {
        None => Ok(()),
        Some(row) => Err(Error::UnfitTarget {
            path: table.source().into(),
            column: name.clone(),
            problem: format!("is `{}` in {}: {expected}", value(values[row]), table.place(row)),
        }),
    }
}

/// Runs a model over a data set and judges it, with a top-k accuracy if it is asked for.
pub async fn evaluate(device: &Device, model: &Model, data: &Dataset, top_k: Option<usize>) -> Result<Metrics> {
    let predictor = Predictor::new_async(device, &model.spec, &model.parameters, data.rows()).await?;
    let outputs = predictor.outputs_async(data.features()).await?;
    Metrics::with_top_k(&model.spec, &outputs, data, model.encoder.as_ref(), top_k)
}
