//! Where a run's first parameters come from.

use crate::checkpoint::Checkpoint;
use crate::data::Encoder;
use crate::error::{Error, Result, shorten};
use crate::math::Loss;
use crate::model::Model;
use crate::spec::MlpSpec;

/// Where they come from.
#[derive(Clone, Debug, Default)]
pub(crate) enum Start {
    /// They are drawn.
    #[default]
    Drawn,
    /// From a model.
    Model(Box<Model>),
    /// From a run that is to go on.
    Checkpoint(Box<Checkpoint>),
}

impl Start {
    fn model(&self) -> Option<&Model> {
        match self {
            Self::Drawn => None,
            Self::Model(model) => Some(model),
            Self::Checkpoint(checkpoint) => Some(&checkpoint.model),
        }
    }

    /// The encoder that it brings.
    pub fn encoder(&self) -> Option<&Encoder> {
        self.model()?.encoder.as_ref()
    }

    /// The network that it brings, with the loss of an encoder's task; that of a run that goes on is as it is.
    pub fn spec(&self, encoder: &Encoder, loss: Loss, parameters: &[(&'static str, f64)]) -> Result<Option<MlpSpec>> {
        let model = match self {
            Self::Drawn => return Ok(None),
            Self::Checkpoint(checkpoint) => return Ok(Some(checkpoint.model.spec.clone())),
            Self::Model(model) => model,
        };
        if model.networks() > 1 {
            let (found, expected) = (format!("an ensemble of {} networks", model.networks()), "a model of one".into());
            return Err(Error::Setting { what: "init_from", found, expected });
        }
        let (found, expected) = (model.spec.outputs(), encoder.outputs());
        if found != expected {
            let expected = format!("{expected}, for target `{}`", shorten(&encoder.target().name));
            return Err(Error::Setting { what: "number of outputs of init_from", found: found.to_string(), expected });
        }
        MlpSpec::from_layers(model.spec.layers().to_vec(), loss)?.with_named_parameters(parameters).map(Some)
    }
}
