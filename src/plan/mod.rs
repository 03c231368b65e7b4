//! A plan is plain data: buffers with sizes, and passes of dispatches over them. It is made from a network
//! and a batch size, and says everything that a backend has to do; a backend only executes it.

mod blocks;
mod buffers;
mod builder;
mod check;
mod choice;
mod forward;
mod fused;
mod given;
mod join;
mod layered;
mod passes;
mod plain;
mod product;
mod rates;
mod request;
mod resident;
mod sharded;
mod sharing;
mod units;

pub use buffers::{Buffer, BufferId, Role, View};
pub(crate) use builder::SNAPSHOTS;
pub use choice::choose;
pub use forward::forward;
pub use fused::fused;
pub(crate) use given::{Given, given};
pub use layered::layered;
pub use passes::{Dispatch, Pass, PassKind, Plan};
pub use plain::{plain, plain_forward};
pub(crate) use rates::{check_dropout, check_factors, dropout_rates, rate_groups};
pub use request::{PlanKind, Recipe, Target, TrainShape};
pub use resident::resident;
pub(crate) use sharded::{ShardedPlan, Shards};
