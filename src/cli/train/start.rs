//! `--init-from`, `--resume`: what training starts from.

use std::path::Path;

use super::Args;
use crate::checkpoint::Checkpoint;
use crate::error::{Error, Result, shorten};
use crate::exchange::{self, Assumed};
use crate::math::{Activation, Loss};
use crate::model::Model;
use crate::pipeline::Estimator;

/// The estimator with the file that the flags name.
pub fn start(args: &Args, estimator: Estimator) -> Result<Estimator> {
    Ok(match (&args.saves.resume, &args.init_from) {
        (Some(path), _) => estimator.resume(Checkpoint::load(path)?),
        (None, Some(path)) => estimator.init_from(load(path, args)?),
        (None, None) => estimator,
    })
}

/// Reads the model. Flags that say otherwise than the file are refused: a network whose inputs or target change
/// their meaning is not a start.
fn load(path: &Path, args: &Args) -> Result<Model> {
    // Of another program's file. Its loss is the task's, once that is known.
    let activation = Some(args.activation.unwrap_or(Activation::Relu));
    let model = exchange::load(path, Assumed { activation, loss: Some(Loss::MeanSquaredError) })?;
    let contrary = |what, found: String, expected: String| {
        Err(Error::Setting { what, found, expected: format!("{expected}, as in {}", path.display()) })
    };
    let layers = model.spec.layers();
    let other = |wanted: &Activation| layers[..layers.len() - 1].iter().find(|layer| layer.activation != *wanted);
    if let Some(wanted) = args.activation
        && let Some(layer) = other(&wanted)
    {
        return contrary("--activation", wanted.to_string(), layer.activation.to_string());
    }
    let Some(encoder) = &model.encoder else { return Ok(model) };
    let target = &encoder.target().name;
    if let Some(wanted) = args.target.as_ref().filter(|wanted| *wanted != target) {
        return contrary("--target", format!("`{}`", shorten(wanted)), format!("`{}`", shorten(target)));
    }
    if let Some(wanted) = args.task.task().filter(|wanted| *wanted != encoder.task()) {
        return contrary("--task", wanted.to_string(), encoder.task().to_string());
    }
    if args.no_standardize {
        return contrary("--no-standardize", "given".into(), "the file's own scaling".into());
    }
    Ok(model)
}
