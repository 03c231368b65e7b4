//! `--init-from`: the model that training starts from.

use std::path::Path;

use super::Args;
use crate::data::Encoder;
use crate::error::{Error, Result, shorten};
use crate::exchange::{self, Assumed};
use crate::math::{Activation, Loss};
use crate::model::Model;
use crate::spec::MlpSpec;

/// Reads the model. Flags that say otherwise than the file are refused: a network whose inputs or target change
/// their meaning is not a start.
pub fn load(path: &Path, args: &Args) -> Result<Model> {
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

/// The model's network with the loss of an encoder's task.
pub fn spec(model: &Model, encoder: &Encoder, loss: Loss) -> Result<MlpSpec> {
    let (found, expected) = (model.spec.outputs(), encoder.outputs());
    if found != expected {
        let expected = format!("{expected}, for target `{}`", shorten(&encoder.target().name));
        return Err(Error::Setting { what: "number of outputs of --init-from", found: found.to_string(), expected });
    }
    MlpSpec::from_layers(model.spec.layers().to_vec(), loss)
}
