//! `mlp predict`: a prediction for every row of a table.

use std::io::Write;
use std::path::PathBuf;

use serde::Serialize;

use super::device::DeviceArgs;
use super::eval::encoder_of;
use super::output::print;
use super::source::{DataArgs, Source};
use crate::data::{Encoder, Table, TargetKind};
use crate::error::{Error, Result};
use crate::files::AtomicFile;
use crate::infer::Predictor;
use crate::model::Model;

/// Predict the target of every row; a target column in the data is not looked at
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The model file, or the folder that `train --out` made
    model: PathBuf,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    device: DeviceArgs,
    /// Write the CSV here instead of stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub async fn run(args: Args) -> Result<()> {
    let model = Model::load(&args.model)?;
    let encoder = encoder_of(&model, &args.model)?;
    let opened = args.out.as_deref().map(|path| AtomicFile::create("write the predictions", path)).transpose()?;
    let table = match args.data.source()? {
        Source::File(path) => {
            let unused: Vec<_> = [encoder.target().name.as_str()].into_iter().chain(encoder.weight_column()).collect();
            Table::read_csv_without(&path, None, &unused)?
        }
        Source::Moons(moons) => moons.table()?,
    };
    let features = encoder.encode_features(&table)?;
    let device = args.device.open(false).await?.device;
    let mut predictor = Predictor::new(&device, &model.spec, &model.parameters, table.rows()).await?;
    let outputs = predictor.outputs(&features).await?;
    let mut csv = Vec::new();
    write_csv(&mut csv, &model, encoder, &outputs, &[], |_| [0_u8; 0]).map_err(|error| Error::Stdout(error.into()))?;
    match opened {
        Some(file) => file.replace(&csv),
        None => print(&csv),
    }
}

/// `prediction`, and for classes `p_<class>` for each: a line for each row, in the table's order. Of classes with equal
/// probabilities the first one is predicted. In front of them stand cells that `front` names, and `cells` gives for a row.
pub fn write_csv<T: Serialize>(
    out: impl Write,
    model: &Model,
    encoder: &Encoder,
    outputs: &[f32],
    front: &[&str],
    cells: impl Fn(usize) -> T,
) -> csv::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    let prediction = |z: f64| model.spec.loss().prediction(z);
    let names = encoder.classes().unwrap_or_default().iter().map(|class| format!("p_{class}"));
    csv.write_record(front.iter().chain(&["prediction"]).map(ToString::to_string).chain(names))?;
    for (row, z) in outputs.chunks(encoder.outputs()).enumerate() {
        let first = f64::from(z[0]);
        match &encoder.target().kind {
            TargetKind::Binary { classes: [negative, positive] } => {
                let class = if prediction(first) > 0.5 { positive } else { negative };
                csv.serialize((cells(row), class, prediction(-first), prediction(first)))?;
            }
            TargetKind::Multiclass { classes } => {
                let mut probabilities: Vec<f64> = z.iter().map(|&z| z.into()).collect();
                model.spec.loss().predictions(&mut probabilities);
                let first_largest = |best: usize, class: usize| if z[class] > z[best] { class } else { best };
                let class = (0..z.len()).fold(0, first_largest);
                csv.serialize((cells(row), &classes[class], probabilities))?;
            }
            TargetKind::Regression { .. } => {
                csv.serialize((cells(row), encoder.decode_regression(prediction(first))))?;
            }
        }
    }
    csv.flush()?;
    Ok(())
}
