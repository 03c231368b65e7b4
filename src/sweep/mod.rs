//! Many trainings of one table with other settings, and which settings are best.
//!
//! In: a [`Space`], what is varied; the [`Candidate`]s that its trials make, each an [`Estimator`](crate::Estimator); a
//! [`Runner`], which trains them. Out: a [`Record`] for each training as it ends, and a [`Summary`] of them. [`Sweep`] puts trials of
//! one shape into groups, hands each group to the runner, and drops losers at the rungs of a [`Halving`]. It knows neither devices nor
//! terminals. [`Results`] keeps records in a folder, from which a sweep goes on after a kill.
//!
//! ```
//! use std::ops::ControlFlow;
//! use wgpu_mlp::data::{Cells, Column};
//! use wgpu_mlp::sweep::{Axis, Candidate, FoldedTable, SideBySide, Space, Summary, Sweep, SweepEvent};
//! use wgpu_mlp::{Estimator, Optimizer, Rule, Table, open};
//!
//! # fn main() -> wgpu_mlp::Result<()> {
//! let x: Vec<f64> = (0..60).map(f64::from).collect();
//! let y = x.iter().map(|x| 3.0 * x + 1.0).collect();
//! let table = Table::new("lines", vec![Column::new("x", Cells::Number(x)), Column::new("y", Cells::Number(y))])?;
//!
//! let space = Space::new(vec![Axis::parse("lr", "1e-3..1e-1:log", false)?])?;
//! let trials = space.draw(4, 0)?;
//! let rate = |text: &str| text.parse().unwrap_or(0.01);
//! let estimator = |lr: &str| {
//!     let estimator = Estimator::new("y").hidden(&[8]).epochs(5).test_fraction(0.0);
//!     estimator.folds(3).optimizer(Optimizer::new(Rule::Adam, rate(lr)))
//! };
//! let candidates: Vec<Candidate> =
//!     trials.iter().map(|trial| Candidate::new(trial.clone(), estimator(&trial.settings[0].1))).collect();
//!
//! let (data, _) = FoldedTable::new(table, &candidates[0].estimator, None)?;
//! let sweep = Sweep::new(&candidates, 3, &[0], data.metric().lower_is_better());
//! let mut records = Vec::new();
//! sweep.run(&mut SideBySide::new(&open("cpu")?.device, &data), &[], |event| {
//!     if let SweepEvent::Ended(record) = event {
//!         records.push(record.clone());
//!     }
//!     Ok(ControlFlow::Continue(()))
//! })?;
//! let summary = Summary::new(&trials, &records, sweep.trainings(), data.metric());
//! assert_eq!(summary.best().map(|best| best.scores), Some(3));
//! # Ok(()) }
//! ```

mod axis;
mod driver;
mod folded_table;
mod halving;
mod job;
mod over_ranks;
mod range;
mod record;
mod results;
mod settings;
mod side_by_side;
mod space;
mod spread;
mod summary;

pub use crate::infer::Metric;
pub use axis::{Axis, Values};
pub use driver::{Sweep, SweepEvent};
pub use folded_table::FoldedTable;
pub use halving::{Halving, Ladder};
pub use job::{Candidate, Group, Job, Runner, Score, Told};
pub use over_ranks::OverRanks;
pub use range::ValueRange;
pub use record::{End, Record};
pub use results::{Identity, Results};
pub use side_by_side::SideBySide;
pub use space::{Space, Trial};
pub use spread::Spread;
pub use summary::{Summary, TrialSummary};
