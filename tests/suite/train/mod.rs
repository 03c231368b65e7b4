//! Training: runs, gradients, checkpoints, devices that are lost.

pub mod bench;
pub mod checkpoints;
pub mod defaults;
pub mod factors;
pub mod frames;
pub mod given;
pub mod gradients;
#[cfg(unix)]
pub mod limits;
pub mod lost;
pub mod metrics;
pub mod pipeline;
pub mod predictions;
pub mod ranks;
pub mod reference_run;
pub mod replicas;
pub mod schedules;
pub mod sharing;
pub mod states;
pub mod streams;
pub mod training;
