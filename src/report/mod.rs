//! What a run shows: progress on stderr while it goes on, tables at its end. Knows events and figures, not
//! how they came about.

mod progress;
mod table;

pub use progress::Reporter;
pub use table::{Table, count, rate};
