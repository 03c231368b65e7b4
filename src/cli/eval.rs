//! `mlp eval`: how good a model is on a table with its target.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::device::DeviceArgs;
use super::output::{print, print_json};
use super::source::DataArgs;
use super::train::metrics_table;
use crate::backend::Device;
use crate::data::{Dataset, Encoder};
use crate::error::{Error, Result};
use crate::infer::{Metrics, Predictor};
use crate::model::Model;

/// Measure a model on data that has the target column
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The model file, or the folder that `train --out` made
    model: PathBuf,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    device: DeviceArgs,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Evaluation {
    device: String,
    rows: usize,
    #[serde(flatten)]
    metrics: Metrics,
}

pub async fn run(args: Args) -> Result<()> {
    let model = Model::load(&args.model)?;
    let encoder = encoder_of(&model, &args.model)?;
    let (target, weights) = (&encoder.target().name, encoder.weight_column());
    let (table, _) = args.data.source()?.read(Some(target), weights.as_slice())?;
    let data = encoder.encode(&table)?;
    let device = args.device.open(args.json).await?.device;
    let metrics = evaluate(&device, &model, &data).await?;
    if args.json {
        return print_json(&Evaluation { device: device.name(), rows: data.rows(), metrics });
    }
    print(metrics_table(&[("data", data.rows(), metrics)]).to_string())
}

/// The encoder that a model needs to read tables.
pub fn encoder_of<'a>(model: &'a Model, path: &Path) -> Result<&'a Encoder> {
    model.encoder.as_ref().ok_or_else(|| Error::ModelFile {
        path: path.into(),
        problem: "it does not say which columns it takes; train from it with --init-from".into(),
    })
}

/// Runs a model over a data set and judges it.
pub async fn evaluate(device: &Device, model: &Model, data: &Dataset) -> Result<Metrics> {
    let mut predictor = Predictor::new(device, &model.spec, &model.parameters, data.rows()).await?;
    let outputs = predictor.outputs(data.features()).await?;
    Metrics::new(&model.spec, &outputs, data, model.encoder.as_ref())
}
