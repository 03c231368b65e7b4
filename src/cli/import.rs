//! `mlp import`: a network of another program as a model.

use std::path::{Path, PathBuf};

use super::source::Source;
use crate::data::{ReadAs, Reading, Strays, Task, class_labels};
use crate::error::{Error, Result};
use crate::exchange::{Assumed, Foreign, import};
use crate::math::{Activation, Domain, Loss};

/// Make a model of an ONNX file, or of safetensors with PyTorch's names
#[derive(Debug, clap::Args)]
pub struct Args {
    /// An ONNX file, or safetensors with `0.weight`, `layers.0.weight`, `fc1.weight` or the like
    file: PathBuf,
    /// A table: its columns in their order are the network's inputs, and where the file names no classes, the target's
    /// values in theirs are its classes
    data: Option<PathBuf>,
    /// The table's column that the network predicts
    #[arg(long, value_name = "COLUMN", requires = "data")]
    target: Option<String>,
    /// Activation of the hidden layers, for safetensors: identity, relu, sigmoid, leaky_relu, elu, selu, gelu, gelu_tanh,
    /// silu, softplus, tanh, softsign
    #[arg(long, value_name = "NAME")]
    activation: Option<Activation>,
    /// What the outputs are, where they are plain numbers: logits for binary_cross_entropy and softmax_cross_entropy,
    /// numbers for mean_squared_error, mean_absolute_error and huber, logarithms for poisson
    #[arg(long, value_name = "NAME")]
    loss: Option<Loss>,
    /// The model file to write
    #[arg(long, value_name = "MODEL")]
    out: PathBuf,
}

pub fn run(args: Args) -> Result<()> {
    let Args { file, data, target, activation, loss, out } = args;
    let mut foreign = import(&file, Assumed { activation, loss })?;
    let model = match data {
        Some(path) => {
            let table =
                Source::File(path).read(&Reading::default(), |path, names| kinds(path, names, target.as_ref()))?;
            let target = target.unwrap_or_default();
            let features = table.names().into_iter().filter(|name| *name != target).collect();
            if foreign.classes.is_none() {
                foreign.classes = class_labels(&table, &target, Some(task(&foreign)))?;
            }
            foreign.with_columns(features, target)?
        }
        None => foreign.into_model()?,
    };
    model.save(&out)?;
    let columns =
        if model.encoder.is_some() { "" } else { ", without names of columns: a start for train --init-from" };
    eprintln!("{}: {}{columns}", out.display(), model.spec);
    Ok(())
}

/// A target as it is, and numbers: the inputs of a network that knows no categories.
fn kinds(path: &Path, names: &[String], target: Option<&String>) -> Result<Vec<ReadAs>> {
    let available = || names.to_vec();
    let Some(target) = target else {
        return Err(Error::TargetRequired { path: path.into(), available: available() });
    };
    if !names.contains(target) {
        let columns = vec![target.clone()];
        return Err(Error::MissingColumns { path: path.into(), columns, available: available() });
    }
    Ok(names.iter().map(|name| if name == target { ReadAs::Target } else { ReadAs::Number(Strays::Missing) }).collect())
}

/// What a network with one target does.
fn task(foreign: &Foreign) -> Task {
    match foreign.spec.loss().domain() {
        Domain::Share => Task::Binary,
        Domain::Class => Task::Multiclass,
        Domain::Number | Domain::Amount => Task::Regression,
    }
}
