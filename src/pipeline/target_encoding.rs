//! Whether columns of many rare categories are encoded by the target's mean in each, too. The encoder does it.

use super::estimator::Estimator;

impl Estimator {
    /// Encodes each column of which a tenth of the training rows or more have a rare category by the target's mean in each category, too
    /// ([`TargetMean`](crate::data::TargetMean)).
    pub fn target_encoding(self, encodes: bool) -> Self {
        Self { encodes_target: encodes, ..self }
    }
}
