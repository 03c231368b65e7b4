//! Data on its way to the network: `file → Table → Encoder → Dataset`, and the generated tables.
//!
//! In: paths of tables and IDX files, or the settings of a generator. Out: [`Dataset`], f32 rows and targets as
//! the network sees them. Nothing here knows of networks, training or devices.

mod archive;
mod array;
mod blocks;
mod bytes;
mod calendar;
mod category;
mod column;
mod compression;
mod dataset;
mod date;
mod decided;
mod describe;
mod encode;
mod encoder;
mod encoding;
mod feature;
mod fit;
mod foreign;
mod form;
mod format;
mod group_split;
mod header;
mod infer;
mod inputs;
mod left_out;
mod literal;
mod moment;
mod note;
mod order;
mod parse;
mod random;
mod read_csv;
mod read_idx;
mod read_npy;
mod read_npz;
#[cfg(feature = "parquet")]
mod read_parquet;
mod reading;
mod scan;
mod split;
mod synthetic;
mod table;
mod target;
mod weights;
mod whole;

pub use calendar::{DateInput, DatePart};
pub use column::{Cells, Column, Dates, Texts};
pub use dataset::Dataset;
pub(crate) use dataset::checksum;
pub use describe::{ColumnDescription, Description, Values};
pub use encode::Encoded;
pub use encoder::Encoder;
pub use feature::{Feature, FeatureKind, Holds};
pub use fit::{Scaling, class_labels, class_numbers};
pub use form::NumberForm;
pub use format::TableFile;
pub use group_split::group_split;
pub use left_out::{LeftOut, Why};
pub use note::{Note, NoteKind, Notes};
pub use parse::{ReadAs, Strays};
pub use random::{NumpyRandom, article_parameters};
pub use read_csv::CsvReader;
pub use read_idx::{Idx, read_idx};
pub use reading::{MissingWords, Reading};
pub use split::{Split, last_split, stratified_split, train_test_split};
pub use synthetic::Moons;
pub use table::Table;
pub use target::{Target, TargetKind, Task};
pub use weights::{balanced_class_weights, row_weights};
