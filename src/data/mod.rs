//! Data on its way to the network: `file → Table → Encoder → Dataset`, and the generated tables.
//!
//! In: paths of CSV or IDX files, or the settings of a generator. Out: [`Dataset`], f32 rows and targets as
//! the network sees them. Nothing here knows of networks, training or devices.

mod dataset;
mod encoder;
mod fit;
mod random;
mod read_csv;
mod read_idx;
mod split;
mod synthetic;
mod table;
mod target;
mod weights;

pub use dataset::Dataset;
pub use encoder::{Encoder, Feature};
pub use fit::Scaling;
pub use random::{NumpyRandom, article_parameters};
pub use read_idx::{Idx, read_idx};
pub use split::{Split, train_test_split};
pub use synthetic::Moons;
pub use table::{Cells, Column, Table};
pub use target::{Target, TargetKind, Task};
pub use weights::{balanced_class_weights, row_weights};
