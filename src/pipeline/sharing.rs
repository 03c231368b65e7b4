//! Whether the networks of an ensemble, or of each fold, share weights. The trainer does it.

use super::estimator::Estimator;
use super::preset::Preset;
use super::start::Start;
use crate::error::{Error, Result};
use crate::spec::HiddenLayers;

impl Estimator {
    /// Has the networks of an ensemble, or those of each fold, share all weights but those of the last layer and a factor on each input
    /// ([`TrainConfig::sharing`](crate::train::TrainConfig::sharing)). The model has ordinary networks. They end together, so there is no patience, and they begin with parameters that
    /// are drawn. [`Preset::Tabular`] has it where nothing speaks against it.
    pub fn share_weights(self, shares: bool) -> Self {
        Self { shares: Some(shares), ..self }
    }

    /// Whether they do, by what is known so far.
    pub(crate) fn shares_weights(&self) -> bool {
        self.ensemble > 1 && self.would_share()
    }

    /// Whether they would, if there are several.
    pub(super) fn would_share(&self) -> bool {
        self.shares.unwrap_or_else(|| self.preset == Preset::Tabular && self.can_share())
    }

    fn can_share(&self) -> bool {
        let has_patience = match self.length.is_patient {
            true => self.length.rule.patience.is_some(),
            false => self.length.epochs.is_none(),
        };
        let is_drawn = !matches!(self.start, Start::Model(_));
        is_drawn
            && self.hidden != HiddenLayers::plain(&[])
            && !has_patience
            && self.portfolio.len() < 2
            && self.parallel.is_none()
    }

    /// Refuses weights that are to be shared and that no two networks have, or that a model has.
    pub(super) fn check_sharing(&self) -> Result<()> {
        let refused = |found: &str, expected: &str| {
            Err(Error::Setting { what: "share_weights", found: found.into(), expected: expected.into() })
        };
        match (self.shares, &self.start) {
            (Some(true), _) if self.ensemble == 1 => {
                refused("with one network", "an ensemble of two networks or more, or as many for each fold")
            }
            (Some(true), Start::Model(_)) => {
                refused("with networks that begin with a model's", "networks that are drawn")
            }
            _ => Ok(()),
        }
    }
}
