//! The networks of an ensemble, a row each.

use super::digits::{figure, significant};
use crate::error::count;
use crate::model::MemberRecord;

/// The names of the columns. Learning rates have one where networks have different ones.
pub fn member_heading(record: &MemberRecord) -> Vec<&'static str> {
    let rate = record.learning_rate.map(|_| "learning rate");
    let columns = ["network", "seed", "fold", "epochs", "best epoch"];
    columns.into_iter().chain(rate).chain(["validation loss"]).collect()
}

/// The cells of a network, counted from 1.
pub fn member_cells(place: u64, record: &MemberRecord) -> Vec<String> {
    let number = |value: Option<u64>| value.map_or("-".into(), count);
    let mut cells = vec![
        count(place),
        record.seed.to_string(),
        number(record.fold.map(|fold| fold as u64 + 1)),
        count(record.epochs),
        number(record.best_epoch),
    ];
    cells.extend(record.learning_rate.map(|rate| significant(rate, 3)));
    cells.push(record.validation_loss.map_or("-".into(), figure));
    cells
}
