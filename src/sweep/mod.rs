//! Many trainings of one table with other settings, and which settings are best.
//!
//! In: a [`Space`], what is varied; the [`Candidate`]s that its trials make, each an [`Estimator`](crate::Estimator); a
//! [`Runner`], which trains them. Out: a [`Record`] for each training as it ends, and a [`Summary`] of them. [`Sweep`] puts trials of
//! one shape into groups, hands each group to the runner, and drops losers at the rungs of a [`Halving`]. It knows neither devices nor
//! terminals. [`Results`] keeps records in a folder, from which a sweep goes on after a kill.

mod axis;
mod driver;
mod folded_table;
mod folds;
mod halving;
mod job;
mod metric;
mod one_by_one;
mod range;
mod record;
mod results;
mod space;
mod summary;

pub use axis::{Axis, Values};
pub use driver::{Sweep, SweepEvent};
pub use folded_table::FoldedTable;
pub use folds::{FoldBy, Folds};
pub use halving::{Halving, Ladder};
pub use job::{Candidate, Group, Job, Runner, Score, Told};
pub use metric::Metric;
pub use one_by_one::OneByOne;
pub use range::ValueRange;
pub use record::{End, Record};
pub use results::{Identity, Results};
pub use space::{Space, Trial};
pub use summary::{Summary, TrialSummary};
