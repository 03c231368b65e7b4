//! How long a run is.

use crate::train::{Budget, EarlyStopping, TrainConfig};

/// How long a run is, as far as it is said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Length {
    /// Epochs; none where the table's size decides.
    pub epochs: Option<u64>,
    /// The rule by which it ends before.
    pub rule: EarlyStopping,
    /// Whether the patience of that rule was said, a number of epochs or none; else the table's size decides it.
    pub is_patient: bool,
}

/// The rows that a run learns from and those that its epochs are judged by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows {
    /// Those that are learned.
    pub train: usize,
    /// Those that judge.
    pub validation: usize,
}

impl Default for Length {
    /// The table's size decides all.
    fn default() -> Self {
        Self { epochs: None, rule: EarlyStopping::new(1), is_patient: false }
    }
}

impl Length {
    /// The part of the rows that is held out for validation, where nobody says it; None where their number decides
    /// ([`Budget::validation_fraction`]).
    pub fn validation_fraction(&self) -> Option<f64> {
        match (self.is_patient, self.rule.patience, self.epochs) {
            (true, Some(_), _) => Some(Budget::VALIDATION_FRACTION),
            (false, _, Some(_)) => Some(0.0),
            (true, None, _) | (false, _, None) => None,
        }
    }

    /// The configuration as far as it is said: no epochs, 0, where the table's size decides.
    pub fn shown(&self, config: TrainConfig) -> TrainConfig {
        let early_stopping = self.is_patient.then_some(self.rule);
        TrainConfig { epochs: self.epochs.unwrap_or(0), early_stopping, ..config }
    }

    /// Takes over what was made of a configuration that was [shown](Self::shown); whether that says what epochs are judged by.
    pub fn take(&mut self, config: &TrainConfig) -> bool {
        self.epochs = Some(config.epochs).filter(|epochs| *epochs > 0);
        self.is_patient = config.early_stopping.is_some();
        let rule = config.early_stopping.unwrap_or(self.rule);
        std::mem::replace(&mut self.rule, rule).monitor != rule.monitor
    }

    /// The configuration with what was said and decided.
    pub fn apply(&self, config: TrainConfig, rows: Rows) -> TrainConfig {
        let budget = Budget::new(rows.train, config.batch, config.schedule, rows.validation > 0);
        let rule = match (self.is_patient, self.epochs, budget.patience) {
            // The training rows' own loss is no measure of which epoch is best.
            (true, ..) if self.rule.patience.is_none() && rows.validation == 0 => None,
            (true, ..) => Some(self.rule),
            (false, None, Some(patience)) => Some(EarlyStopping { patience: Some(patience), ..self.rule }),
            _ => None,
        };
        TrainConfig { epochs: self.epochs.unwrap_or(budget.epochs), early_stopping: rule, ..config }
    }
}
