//! How good a model is on data whose target is known.

use std::path::Path;

use crate::backend::Device;
use crate::data::{Dataset, Encoder, Table, Task};
use crate::error::{Error, Result, setting};
use crate::infer::{Metrics, Predictor};
use crate::math::{Loss, TargetDomain};
use crate::metrics::LARGEST;
use crate::model::Model;

/// The encoder that a model needs to read tables.
pub(crate) fn encoder_of<'a>(model: &'a Model, path: &Path) -> Result<&'a Encoder> {
    model.encoder.as_ref().ok_or_else(|| Error::ModelFile {
        path: path.into(),
        problem: format!(
            "it does not say which columns it takes: mlp import with a table does, or train from it with {}",
            setting("init_from")
        ),
    })
}

/// Refuses numbers that the loss or the figures cannot take, while their lines are still known.
pub(crate) fn check_target(loss: Loss, encoder: &Encoder, table: &Table) -> Result<()> {
    if encoder.task() != Task::Regression {
        return Ok(());
    }
    let name = &encoder.target().name;
    let (least, expected) = match loss.domain() {
        TargetDomain::NonNegative => (0.0, format!("expected 0 or more, for {loss}")),
        _ => (-LARGEST, format!("expected a number from {:e} to {LARGEST:e}", -LARGEST)),
    };
    let values = table.numbers(name)?;
    match values.iter().position(|value| *value < least || *value > LARGEST) {
        None => Ok(()),
        Some(row) => {
            let found = values[row];
            let found = if found.abs() < 1e16 { found.to_string() } else { format!("{found:e}") };
            Err(Error::UnfitTarget {
                path: table.source().into(),
                column: name.clone(),
                problem: format!("is `{found}` in {}: {expected}", table.place(row)),
            })
        }
    }
}

/// Runs a model over a data set and judges it, with a top-k accuracy if it is asked for.
pub(crate) async fn evaluate(device: &Device, model: &Model, data: &Dataset, top_k: Option<usize>) -> Result<Metrics> {
    let predictor = Predictor::new_async(device, &model.spec, &model.parameters, data.rows()).await?;
    let outputs = predictor.outputs_async(data.features()).await?;
    Metrics::with_top_k(&model.spec, &outputs, data, model.encoder.as_ref(), top_k)
}
