//! `mlp predict`: a prediction for every row of a table, of which only a part is held at a time.

use std::path::PathBuf;

use super::device::DeviceArgs;
use super::list::List;
use super::notes;
use super::output::print_data;
use super::reading::{ReadingArgs, UnseenArgs};
use super::source::{DataArgs, kinds_of};
use crate::data::{Notes, ReadAs, Table};
use crate::error::{Error, Result};
use crate::files::AtomicFile;
use crate::infer::Predictor;
use crate::model::Model;
use crate::pipeline::{encoder_of, write_heading, write_rows};

/// Predict the target of every row; columns may be in any order, and extra ones are skipped
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The model file, or the folder that `train --out` made
    model: PathBuf,
    #[command(flatten)]
    data: DataArgs,
    /// Columns of the table to copy in front of the predictions, as they are written
    #[arg(long, value_name = "COLUMN,…")]
    copy: Vec<List>,
    /// Add a first column `row` with the row's number, from 1, without the header
    #[arg(long)]
    row_numbers: bool,
    #[command(flatten)]
    reading: ReadingArgs,
    #[command(flatten)]
    unseen: UnseenArgs,
    #[command(flatten)]
    device: DeviceArgs,
    /// Write the CSV to this file instead of stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub async fn run(args: Args) -> Result<()> {
    let model = Model::load(&args.model)?;
    let encoder = encoder_of(&model, &args.model)?;
    let mut file = args.out.as_deref().map(|path| AtomicFile::create("write the predictions", path)).transpose()?;
    let source = args.data.source()?;
    let reading = args.reading.reading_for(encoder)?;
    let mut copies = Vec::new();
    let mut parts = source.parts(&reading, |path, names| {
        copies = List::columns(&args.copy, names);
        let missing: Vec<String> = copies.iter().filter(|name| !names.contains(name)).cloned().collect();
        if !missing.is_empty() {
            return Err(Error::MissingColumns { path: path.into(), columns: missing, available: names.to_vec() });
        }
        let copied: Vec<_> = copies.iter().map(|name| (name.as_str(), ReadAs::Verbatim)).collect();
        kinds_of(encoder, path, names, false, &copied)
    })?;
    let mut next = parts.next()?;
    // Features of the first part: what is wrong with them is told before a device is opened.
    let mut notes = Notes::default();
    let mut encode = |part: &Option<Table>| -> Result<Vec<f32>> {
        let Some(part) = part else { return Ok(Vec::new()) };
        let (features, found) = encoder.encode_features(part)?;
        notes.extend(part.notes().clone().into_iter().chain(found));
        args.reading.check(&notes, part.source())?;
        args.unseen.check(&notes, part.source())?;
        Ok(features)
    };
    let mut features = encode(&next)?;
    let device = args.device.open(false).await?.device;
    let rows = next.as_ref().map_or(0, Table::rows);
    let predictor = Predictor::new_async(&device, &model.spec, &model.parameters, rows).await?;
    let mut csv = Vec::new();
    let front: Vec<&str> =
        args.row_numbers.then_some("row").into_iter().chain(copies.iter().map(String::as_str)).collect();
    write_heading(&mut csv, encoder, &front).map_err(|error| Error::Stdout(error.into()))?;
    let mut done = 0;
    while let Some(part) = &next {
        let outputs = predictor.outputs_async(&features).await?;
        let copied = copies.iter().map(|name| Ok(part.column(name)?.to_texts())).collect::<Result<Vec<_>>>()?;
        let cells = |row: usize| -> Vec<String> {
            let number = args.row_numbers.then(|| (done + row + 1).to_string());
            let copied = copied.iter().map(|texts| texts.get(row).unwrap_or_default().to_string());
            number.into_iter().chain(copied).collect()
        };
        write_rows(&mut csv, &model, encoder, &outputs, cells).map_err(|error| Error::Stdout(error.into()))?;
        done += part.rows();
        match &mut file {
            Some(file) => file.write(&csv)?,
            None if print_data(&csv)? => {}
            None => return Ok(()),
        }
        csv.clear();
        next = parts.next()?;
        features = encode(&next)?;
    }
    file.map_or(Ok(()), AtomicFile::finish)?;
    notes::tell(&notes);
    Ok(())
}
