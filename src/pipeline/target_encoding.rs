//! Whether columns of many rare categories are encoded by the target's mean in each, too. The encoder does it.

use super::estimator::Estimator;
use crate::data::Task;
use crate::error::{Error, Result};

impl Estimator {
    /// Encodes each column of which a tenth of the training rows or more have a rare category by the target's mean in each category, too
    /// ([`TargetMean`](crate::data::TargetMean)). The target has to be a number or one of two classes.
    pub fn target_encoding(self, encodes: bool) -> Self {
        Self { encodes_target: Some(encodes), ..self }
    }

    /// Settles whether it is done: not where there are more than two classes, and as a model to start from has it.
    pub(super) fn settle_target_encoding(&mut self, task: Task) -> Result<()> {
        if self.encodes_target == Some(true) && task == Task::Multiclass {
            let expected = "a target of numbers or of two classes".into();
            return Err(Error::Setting { what: "target_encoding", found: "of more classes".into(), expected });
        }
        self.encodes_target.get_or_insert(task != Task::Multiclass);
        Ok(())
    }
}
