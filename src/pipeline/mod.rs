//! From a table to a model and from a model to predictions: what `mlp train`, `mlp eval` and `mlp predict` do, for programs.
//!
//! In: a [`Table`](crate::data::Table) and what is to be learned of it. Out: a [`Model`](crate::model::Model) with its metrics;
//! predictions of further tables. Nothing here knows of files, flags or terminals.

mod arrays;
mod baseline;
mod estimator;
mod evaluate;
mod length;
mod predict;
#[cfg(feature = "cli")]
mod predictions_csv;
mod record;
mod sample_weights;
mod split_by;
mod splits;
mod timings;

pub use baseline::Baseline;
pub use estimator::{Estimator, Fitted};
#[cfg(feature = "cli")]
pub(crate) use evaluate::{check_target, encoder_of, evaluate};
#[cfg(feature = "cli")]
pub(crate) use length::{Length, Rows};
pub use predict::Prediction;
#[cfg(feature = "cli")]
pub(crate) use predictions_csv::{write_csv, write_heading, write_rows};
#[cfg(feature = "cli")]
pub(crate) use record::record;
pub use sample_weights::ClassWeight;
#[cfg(feature = "cli")]
pub(crate) use sample_weights::SampleWeights;
pub use split_by::{SplitBy, SplitSizes};
#[cfg(feature = "cli")]
pub(crate) use splits::HeldOutTables;
pub use splits::Splits;
pub use timings::Timings;
