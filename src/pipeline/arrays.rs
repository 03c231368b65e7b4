//! Tables of arrays in memory.

use crate::data::{Cells, Column};

/// The columns of `rows`, [rows, columns] by rows, a name for each.
pub(super) fn columns_of(rows: &[f64], names: Vec<String>) -> Vec<Column> {
    let width = names.len();
    let cells = |at: usize| Cells::Number(rows.iter().skip(at).step_by(width).copied().collect());
    names.into_iter().enumerate().map(|(at, name)| Column::new(name, cells(at))).collect()
}
