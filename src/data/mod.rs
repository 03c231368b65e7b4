//! Data on its way to the network: `file → Table → Encoder → Dataset`, and the generated tables.
//!
//! In: paths of tables and IDX files, or the settings of a generator. Out: [`Dataset`], f32 rows and targets as
//! the network sees them. Nothing here knows of networks, training or devices.

mod cell;
mod column;
mod dataset;
mod date;
mod describe;
mod encoder;
mod folds;
mod form;
mod group_split;
mod infer;
mod note;
mod order;
mod random;
#[cfg(feature = "text")]
mod read;
mod read_as;
mod reading;
mod sample_weights;
mod split;
mod statistics;
mod synthetic;
mod table;

pub use column::{Categorical, Cells, Column, Dates};
pub use dataset::Dataset;
pub(crate) use dataset::{all_finite, checksum};
pub use describe::{ColumnDescription, Description, Values};
#[cfg(feature = "cli")]
pub(crate) use encoder::ReadableColumns;
pub use encoder::{
    DateInput, DatePart, Encoded, Encoder, Feature, FeatureKind, FeatureScaling, Holds, InputScaling, LeftOut,
    NumericEncoding, Scaling, Target, TargetKind, TargetMean, Task, Why, class_labels, class_numbers,
};
pub use folds::{blocks, group_folds, random_folds};
pub use form::NumberForm;
pub use group_split::group_split;
pub use note::{Note, NoteKind, Notes};
pub use random::{NumpyRandom, article_parameters};
#[cfg(feature = "text")]
pub use read::{CsvReader, TableFile};
#[cfg(feature = "tables")]
pub use read::{Idx, read_idx};
pub use read_as::{ReadAs, Strays};
pub use reading::{MissingWords, Reading};
pub use sample_weights::{balanced_class_weights, row_weights};
pub use split::{Split, last_split, stratified_split, train_test_split};
pub use synthetic::{Blobs, BuiltIn, Circles, Moons, Spirals, Xor};
pub use table::Table;
