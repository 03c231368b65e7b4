//! From a table to a model and from a model to predictions: what `mlp train`, `mlp eval` and `mlp predict` do, for programs.
//!
//! In: a [`Table`](crate::data::Table) and an [`Estimator`], what is to be learned of it. The estimator makes it [`Prepared`], splits,
//! encoded rows and a network; a device makes that a [`Fitting`], a run that its program drives; at its end it is [`Fitted`], a
//! [`Model`](crate::model::Model) with its metrics and what was noticed on the way. [`Estimator::fit`] is all of it in one call.
//! Nothing here knows of files, flags or terminals.

mod arrays;
mod baseline;
#[cfg(not(target_family = "wasm"))]
mod blocking;
mod budget;
mod by_preset;
mod candidates;
mod effort;
mod estimator;
mod evaluate;
mod fit;
mod fitted;
mod fitting;
mod fold_by;
mod held_out;
mod hint;
mod interval;
mod judge;
mod length;
mod members;
mod portfolio;
mod predict;
#[cfg(feature = "cli")]
mod predictions_csv;
mod prepare;
mod preset;
mod record;
mod sample_weights;
mod sharing;
mod split_by;
mod splits;
mod start;
mod table_predictor;
mod target_encoding;
mod temperature;
mod timings;

pub use baseline::Baseline;
pub use effort::Effort;
pub use estimator::Estimator;
#[cfg(feature = "cli")]
pub(crate) use evaluate::{check_target, encoder_of, evaluate};
pub use fitted::Fitted;
pub use fitting::Fitting;
pub use fold_by::FoldBy;
pub use held_out::HeldOutTables;
pub use hint::Hint;
#[cfg(feature = "cli")]
pub(crate) use length::Length;
pub use members::{Member, OutOfFold};
pub use predict::Prediction;
#[cfg(feature = "cli")]
pub(crate) use predictions_csv::{write_csv, write_heading, write_rows};
pub use prepare::Prepared;
pub use preset::Preset;
pub use sample_weights::ClassWeight;
pub use split_by::{SplitBy, SplitSizes};
pub use splits::Splits;
pub use table_predictor::TablePredictor;
pub use timings::Timings;
