//! What a model's file tells of its training.

use crate::model::TrainingRecord;
use crate::train::Trainer;

/// Of what the trainer's parameters have behind them: the data as it is named, the rows that were learned, the device, and the last
/// epoch's loss.
pub(crate) fn record(
    trainer: &Trainer,
    data: String,
    rows: usize,
    device: String,
    loss: Option<f64>,
) -> TrainingRecord {
    let config = trainer.config();
    TrainingRecord {
        data,
        rows,
        epochs: trainer.epochs(),
        steps: trainer.steps(),
        batch: trainer.batch(),
        optimizer: config.optimizer,
        seed: config.seed,
        device,
        loss,
        run: None,
        members: Vec::new(),
        temperatures: Vec::new(),
        intervals: None,
    }
}
