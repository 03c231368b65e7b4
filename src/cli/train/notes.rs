//! What a user is told of the task before training: why it is this one, and what may be better said otherwise.

use std::path::Path;

use super::Args;
use crate::data::{Dataset, Encoder, Table, TargetKind, Task};
use crate::error::{Result, list, shorten};
use crate::report::count;

/// Most whole numbers that may stand for classes.
const MOST: usize = 20;
/// How much rarer than the most frequent class one has to be for a note.
const RARE: usize = 10;

/// Says which task it is and why.
pub fn tell_task(args: &Args, known: bool, encoder: &Encoder, table: &Table) -> Result<()> {
    let name = &encoder.target().name;
    let shown = shorten(name);
    let reason = match &encoder.target().kind {
        _ if known => "as in the model".to_string(),
        _ if args.task.task().is_some() => "as --task says".into(),
        TargetKind::Binary { classes } => format!("`{shown}` has two values, {}", list(classes)),
        TargetKind::Multiclass { classes } => format!("`{shown}` has {} texts, {}", classes.len(), list(classes)),
        TargetKind::Regression { .. } => format!("`{shown}` holds more than two different numbers"),
    };
    eprintln!("task: {}, {reason}", encoder.task());
    // Numbers that stand for classes look like any others.
    if encoder.task() == Task::Regression
        && !known
        && args.task.task().is_none()
        && let Some(count) = table.distinct_whole_numbers(name, MOST)?
    {
        eprintln!(
            "note: `{shown}` has {count} distinct whole numbers: taken as a regression; --task multiclass takes them as \
             classes"
        );
    }
    Ok(())
}

/// Says which columns of another part's table are passed over; those that the training rows' table has, too, are so on purpose.
pub fn tell_extra(path: &Path, extra: &[String], known: &[String]) {
    let extra: Vec<String> = extra.iter().filter(|name| !known.contains(name)).cloned().collect();
    if !extra.is_empty() {
        eprintln!("note: {}: DATA has no columns {}: they are skipped", path.display(), list(&extra));
    }
}

/// Says that one class is much rarer than another, unless weights are given already.
pub fn tell_imbalance(encoder: &Encoder, train: &Dataset) {
    let Some(classes) = encoder.classes().filter(|_| train.weights().is_none()) else { return };
    let mut counts = vec![0_usize; classes.len()];
    train.targets().iter().for_each(|&class| counts[class as usize] += 1);
    let by_count = |&class: &usize| counts[class];
    let (Some(most), Some(least)) = ((0..counts.len()).max_by_key(by_count), (0..counts.len()).min_by_key(by_count))
    else {
        return;
    };
    if counts[least] * RARE < counts[most] {
        eprintln!(
            "note: of {} training rows {} are `{}` and {} `{}`: --class-weight balanced makes classes count the same",
            count(train.rows() as u64),
            count(counts[most] as u64),
            shorten(&classes[most]),
            count(counts[least] as u64),
            shorten(&classes[least])
        );
    }
}
