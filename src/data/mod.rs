//! Data on its way to the network: `file → Table → Encoder → Dataset`, and the generated tables.
//!
//! In: paths of CSV files, or the settings of a generator. Out: [`Dataset`], f32 rows and targets as
//! the network sees them. Nothing here knows of networks, training or devices.

mod dataset;
mod encoder;
mod fit;
mod random;
mod read_csv;
mod split;
mod synthetic;
mod table;

pub use dataset::Dataset;
pub use encoder::{Encoder, Feature, Target, TargetKind, Task};
pub use random::{NumpyRandom, article_parameters};
pub use split::{Split, train_test_split};
pub use synthetic::Moons;
pub use table::{Cells, Column, Table};
