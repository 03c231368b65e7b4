//! `mlp import`: a network of another program as a model.

use std::path::{Path, PathBuf};

use super::columns::ColumnArgs;
use super::help;
use super::reading::ReadingArgs;
use super::source::{Source, refuse_input};
use crate::data::ReadAs;
use crate::error::{Error, Result, list};
use crate::exchange::{Assumed, import};
use crate::math::{Activation, Loss};

/// What the target is called where nothing says it.
const TARGET: &str = "target";

/// Make a model from an ONNX file, or from safetensors with PyTorch's names
#[derive(Debug, clap::Args)]
pub struct Args {
    /// An ONNX file, or safetensors with names such as `0.weight`, `layers.0.weight` or `fc1.weight`
    file: PathBuf,
    /// A table that names the network's inputs and classes. Its columns are matched by the names in the file, or by
    /// their order if the file has no names. If the file names no classes, they are the target's values in order
    data: Option<PathBuf>,
    /// Column that the network predicts; without a table, the name of the target [default: target]
    #[arg(long, value_name = "COLUMN")]
    target: Option<String>,
    #[command(flatten)]
    columns: ColumnArgs,
    #[command(flatten)]
    reading: ReadingArgs,
    #[arg(long, value_name = "NAME", help = help::activations("Activation of the hidden layers, for safetensors"))]
    activation: Option<Activation>,
    #[arg(long, value_name = "NAME",
          help = help::losses_by_output("Loss, which says what the outputs are if the file does not"))]
    loss: Option<Loss>,
    /// The model file to write
    #[arg(long, value_name = "MODEL")]
    out: PathBuf,
}

pub fn run(args: Args) -> Result<()> {
    let Args { file, data, target, columns, reading, activation, loss, out } = args;
    let inputs: Vec<&Path> = [&file].into_iter().chain(&data).map(PathBuf::as_path).collect();
    refuse_input("--out", &out, &inputs)?;
    let mut foreign = import(&file, Assumed { activation, loss })?;
    let (model, notes) = match data {
        Some(path) => {
            let named = foreign.features.clone();
            let said = reading.reading()?.with_names_only();
            let mut names_of = Vec::new();
            let table = Source::File(path).read(&said, |path, names| {
                names_of = names.to_vec();
                kinds(path, names, &columns, target.as_deref(), named.as_deref())
            })?;
            reading.check(table.notes(), table.source())?;
            super::notes::tell(table.notes());
            let (mut model, notes) = foreign.with_table(&table, &target.unwrap_or_default())?;
            model.encoder = model.encoder.map(|encoder| encoder.with_reading(&said, &names_of));
            (model, notes)
        }
        None => {
            columns.expect_none()?;
            let mut notes = std::mem::take(&mut foreign.notes);
            match (&foreign.features, &foreign.target, target) {
                (Some(_), _, Some(target)) => foreign.target = Some(target),
                (Some(_), None, None) => {
                    notes.push(format!(
                        "the file does not name its target, so it is called `{TARGET}`; --target NAME \
                    renames it"
                    ));
                    foreign.target = Some(TARGET.into());
                }
                (None, _, Some(_)) => {
                    let expected = "a table beside it, or a file that names its inputs".into();
                    return Err(Error::Setting { what: "--target", found: "given".into(), expected });
                }
                _ => {}
            }
            (foreign.into_model()?, notes)
        }
    };
    model.save(&out)?;
    for note in notes {
        eprintln!("note: {}: {note}", file.display());
    }
    let columns =
        if model.encoder.is_some() { "" } else { ", without column names; train --init-from can start from it" };
    eprintln!("{}: {}{columns}", out.display(), model.spec);
    Ok(())
}

/// As what the columns of these names are read: the target as it is, of the others those that are inputs.
fn kinds(
    path: &Path,
    names: &[String],
    columns: &ColumnArgs,
    target: Option<&str>,
    inputs: Option<&[String]>,
) -> Result<Vec<ReadAs>> {
    let Some(target) = target else {
        return Err(Error::TargetRequired { path: path.into(), available: names.to_vec() });
    };
    let kinds = columns.kinds(path, names, Some(target), None)?;
    if kinds.contains(&ReadAs::Text) {
        let (found, expected) = (
            "given".into(),
            "no such flag with import: a network of another program takes \
        numbers"
                .into(),
        );
        return Err(Error::Setting { what: "--categorical", found, expected });
    }
    let Some(inputs) = inputs else { return Ok(kinds) };
    let missing: Vec<_> = inputs.iter().filter(|&input| !names.contains(input)).cloned().collect();
    if !missing.is_empty() {
        return Err(Error::MissingColumns { path: path.into(), columns: missing, available: names.to_vec() });
    }
    let is_extra =
        |(name, kind): &(&String, ReadAs)| *kind != ReadAs::Skip && name.as_str() != target && !inputs.contains(name);
    let extra: Vec<_> =
        names.iter().zip(kinds.iter().copied()).filter(is_extra).map(|(name, _)| name.clone()).collect();
    if !extra.is_empty() {
        eprintln!("note: {}: the file does not take the columns {}: they are skipped", path.display(), list(&extra));
    }
    let kind = |(name, kind): (&String, ReadAs)| if extra.contains(name) { ReadAs::Skip } else { kind };
    Ok(names.iter().zip(kinds).map(kind).collect())
}
