//! `mlp predict`: a prediction for every row of a table, of which only a part is held at a time.

use std::path::PathBuf;

use super::device::DeviceArgs;
use super::list::List;
use super::notes;
use super::output::print_data;
use super::reading::{ReadingArgs, UnseenArgs};
use super::source::{DataArgs, TableChunks, kinds_of, refuse_input};
use crate::data::{Categorical, Encoder, Notes, ReadAs, ReadableColumns, Reading, Table};
use crate::error::{Error, Result};
use crate::files::AtomicFile;
use crate::infer::Predictor;
use crate::model::Model;
use crate::pipeline::{Prediction, encoder_of, write_heading, write_rows};

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
    /// Of an ensemble: add a last column `std`, the standard deviation over its networks of the number, or of the probability of the
    /// predicted class
    #[arg(long)]
    std: bool,
    /// Of numbers: add columns `lower` and `upper`, the ends of an interval that covers so many of a hundred new rows, 50 to 99 [default
    /// with no number: 90]
    #[arg(long, value_name = "PERCENT", num_args = 0..=1, default_missing_value = "90", require_equals = true)]
    interval: Option<u8>,
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
    if args.std && model.networks() == 1 {
        let (found, expected) =
            ("a model of one network".into(), "an ensemble: mlp train --ensemble or --folds makes one".into());
        return Err(Error::Setting { what: "--std", found, expected });
    }
    if let Some(percent) = args.interval {
        model.intervals(percent)?;
    }
    let source = args.data.source()?;
    args.out.iter().try_for_each(|out| refuse_input("--out", out, &[source.path(), &args.model]))?;
    let mut file = args.out.as_deref().map(|path| AtomicFile::create("write the predictions", path)).transpose()?;
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
    let mut next = part_of(&mut parts, encoder, &reading, &copies)?;
    // Features of the first part: what is wrong with them is told before a device is opened.
    let mut notes = Notes::default();
    let mut readable = ReadableColumns::new(encoder);
    let mut encode = |part: &Option<(Table, Vec<Categorical>)>| -> Result<(Vec<f32>, bool)> {
        let Some((part, _)) = part else { return readable.check(source.path(), &reading).map(|()| (Vec::new(), true)) };
        readable.add(part)?;
        let (features, found) = encoder.encode_features(part)?;
        notes.extend(part.notes().clone().into_iter().chain(found));
        args.reading.check(&notes, part.source())?;
        args.unseen.check(&notes, part.source())?;
        Ok((features, readable.unreadable().is_none()))
    };
    let (mut features, mut is_readable) = encode(&next)?;
    let device = args.device.open(false).await?.device;
    let rows = next.as_ref().map_or(0, |(part, _)| part.rows());
    let predictor = Predictor::new_async(&device, &model.spec, &model.parameters, rows).await?;
    let mut csv = Vec::new();
    let front: Vec<&str> =
        args.row_numbers.then_some("row").into_iter().chain(copies.iter().map(String::as_str)).collect();
    write_heading(&mut csv, encoder, &front, args.interval, args.std).map_err(|error| Error::Stdout(error.into()))?;
    let mut done = 0;
    while let Some((part, copied)) = &next {
        let outputs = predictor.outputs_async(&features).await?;
        let spread = match args.std {
            true => Some(spread(&model, encoder, &outputs, &predictor.outputs_of_each_async(&features).await?)),
            false => None,
        };
        let cells = |row: usize| -> Vec<String> {
            let number = args.row_numbers.then(|| (done + row + 1).to_string());
            let copied = copied.iter().map(|texts| texts.get(row).unwrap_or_default().to_string());
            number.into_iter().chain(copied).collect()
        };
        write_rows(&mut csv, &model, encoder, &outputs, args.interval, spread.as_deref(), cells)
            .map_err(|error| Error::Stdout(error.into()))?;
        done += part.rows();
        // As long as nothing of a column could be read, the rows wait for what the rest of the table says.
        if is_readable {
            match &mut file {
                Some(file) => file.write(&csv)?,
                None if print_data(&csv)? => {}
                None => return Ok(()),
            }
            csv.clear();
        }
        next = part_of(&mut parts, encoder, &reading, &copies)?;
        (features, is_readable) = encode(&next)?;
    }
    file.map_or(Ok(()), AtomicFile::finish)?;
    notes::tell(&notes);
    Ok(())
}

/// The next part, as the model wants it, and the columns to copy as they are written.
fn part_of(
    parts: &mut TableChunks<'_>,
    encoder: &Encoder,
    reading: &Reading,
    copies: &[String],
) -> Result<Option<(Table, Vec<Categorical>)>> {
    let Some(part) = parts.next()? else { return Ok(None) };
    let copied = copies.iter().map(|name| Ok(part.column_of(name)?.to_texts())).collect::<Result<Vec<_>>>()?;
    let part = if copies.is_empty() { part } else { parts.for_model(part, encoder, reading)? };
    Ok(Some((part, copied)))
}

/// How far the networks disagree on each row; `each` are their outputs, [networks, rows, outputs].
fn spread(model: &Model, encoder: &Encoder, outputs: &[f32], each: &[f32]) -> Vec<f64> {
    let width = encoder.outputs();
    let row = |(row, z): (usize, &[f32])| {
        let of = |all: &[f32]| Prediction::of_outputs(model, encoder, &all[row * width..][..width]);
        let each: Vec<_> = each.chunks_exact(outputs.len()).map(of).collect();
        Prediction::of_outputs(model, encoder, z).spread(&each)
    };
    outputs.chunks_exact(width).enumerate().map(row).collect()
}
