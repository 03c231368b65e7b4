//! What a run shows: progress on stderr while it goes on, tables and pictures at its end. Knows events and figures, not
//! how they came about.
mod bench;
mod digits;
mod figures;
mod members;
mod plot;
mod progress;
pub mod run;
pub mod sweep;
mod table;
mod tell;

pub use bench::{bench_text, plot_throughput};
pub use digits::{count_of, figure, score, significant, value};
pub use figures::{class_table, confusion_table, main_figures, metrics_table};
pub use members::{member_cells, member_heading};
pub use plot::plot_lr_curve;
pub use progress::{Reporter, mean_epochs};
pub use table::{Table, memory, rate};
#[cfg(feature = "mpi")]
pub use tell::silence;
pub use tell::{tell, visible};

pub use crate::error::count;
