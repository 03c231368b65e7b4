//! The crate's one error type. A variant says in one line what was wrong, where, what was expected and what to do.

mod io;
mod place;
mod setting;
mod text;

use std::path::PathBuf;

pub use place::Place;
pub use setting::call_settings_by;
pub(crate) use setting::{named, set, setting};
pub use text::count;
#[cfg(not(target_family = "wasm"))]
pub(crate) use text::record;
use text::{driver_hint, list_for, one_line, shown};
pub(crate) use text::{escape, flag_word, list, shorten};
#[cfg(feature = "cli")]
pub(crate) use text::{shell_word, shorten_to, width};

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused a file operation.
    #[error("{}: cannot {action}: {}", shown(path), one_line(&source.to_string()))]
    Io {
        /// What was tried, as a verb phrase ("read the table").
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A table's text is not well-formed CSV.
    #[error("{}: {place}: {}", shown(path), escape(problem))]
    MalformedTable {
        /// The file.
        path: PathBuf,
        /// Where it is.
        place: Place,
        /// What is wrong with it.
        problem: String,
    },
    /// A table has a header but no rows, or nothing at all.
    #[error("{}: the table has no data rows: expected a header line and at least one row", shown(path))]
    EmptyTable {
        /// The file.
        path: PathBuf,
    },
    /// A cell of a numeric column cannot be read as a number.
    #[error(
        "{}: {place}, column `{}`: `{}` is not a number: make the column numeric or remove it",
        shown(path),
        shorten(column),
        shorten(cell)
    )]
    NotANumber {
        /// The file.
        path: PathBuf,
        /// Where it is.
        place: Place,
        /// The column's name.
        column: String,
        /// The cell as it stands in the file.
        cell: String,
    },
    /// The first row of a table may be its header or data.
    #[error(
        "{}: the first row has only numbers ({}): {} takes it as data and names the columns x0, x1, …; {} takes it as \
        names",
        shown(path),
        escape(cells),
        setting("header=false"),
        setting("header=true")
    )]
    NumericHeader {
        /// The file.
        path: PathBuf,
        /// Its first cells.
        cells: String,
    },
    /// A guess was made where none is wanted.
    #[error("{}: a guess was needed: {}", shown(path), escape(guess))]
    Guess {
        /// The file.
        path: PathBuf,
        /// The kind of guess, in a word or two with hyphens.
        kind: &'static str,
        /// What would be guessed.
        guess: String,
    },
    /// A cell holds NaN or an infinity.
    #[error(
        "{}: {place}, column `{}`: `{}` is not finite: remove or replace the row",
        shown(path),
        shorten(column),
        shorten(cell)
    )]
    NonFinite {
        /// The file.
        path: PathBuf,
        /// Where it is.
        place: Place,
        /// The column's name.
        column: String,
        /// The cell as it stands in the file.
        cell: String,
    },
    /// A cell is missing in a column that needs all of them.
    #[error(
        "{}: {place}, column `{}`: the cell is missing: fill it in or remove the row, or add {} if its text is a value",
        shown(path),
        shorten(column),
        set("not_missing", "TEXT")
    )]
    MissingCell {
        /// The file.
        path: PathBuf,
        /// Where it is.
        place: Place,
        /// The column's name.
        column: String,
    },
    /// Columns that were asked for, or that the model needs, are not in the table.
    #[error("{}: no column {}; the table has {}", shown(path), list(columns), list_for(columns, available))]
    MissingColumns {
        /// The file.
        path: PathBuf,
        /// The missing columns.
        columns: Vec<String>,
        /// The columns that are there.
        available: Vec<String>,
    },
    /// A table was given without saying which column is the target.
    #[error(
        "{}: which column is the target? Add {}; the table has {}",
        shown(path),
        set("target", "COLUMN"),
        list(available)
    )]
    TargetRequired {
        /// The file.
        path: PathBuf,
        /// The columns that are there.
        available: Vec<String>,
    },
    /// The target column cannot serve the task.
    #[error("{}: target `{}` {}", shown(path), shorten(column), escape(problem))]
    UnfitTarget {
        /// The file.
        path: PathBuf,
        /// The target column.
        column: String,
        /// Why, and what to do.
        problem: String,
    },
    /// No column is left that a network could learn from.
    #[error(
        "{}: no column is left to predict `{}` from: in the training rows each other column is constant, or all of \
        its categories are rare ({}): {}",
        shown(path),
        shorten(target),
        list(columns),
        escape(hint)
    )]
    NoFeatures {
        /// The file.
        path: PathBuf,
        /// The target column.
        target: String,
        /// The other columns.
        columns: Vec<String>,
        /// What to do.
        hint: String,
    },
    /// A cell holds a category that the model has not seen, and such are not wanted.
    #[error(
        "{}: {}column `{}`: the model has not seen the category `{}`, the first of {count} such cells: correct them, \
        or let them count as unseen by {}",
        shown(path),
        escape(place),
        shorten(column),
        shorten(category),
        set("unseen", "note")
    )]
    UnseenCategory {
        /// The file.
        path: PathBuf,
        /// Where the first one is, and a comma.
        place: String,
        /// The column's name.
        column: String,
        /// What the cell holds.
        category: String,
        /// How many cells of the column hold such categories.
        count: usize,
    },
    /// A row's weight is negative.
    #[error("{}: {place}, column `{}`: {found} is not a weight: expected 0 or more", shown(path), shorten(column))]
    NegativeWeight {
        /// The file.
        path: PathBuf,
        /// Where it is.
        place: Place,
        /// The column of weights.
        column: String,
        /// The number found.
        found: f64,
    },
    /// A file of arrays or columns is truncated, inconsistent, or holds what is not a table.
    #[error("{}: cannot read it as {format}: {}", shown(path), escape(problem))]
    MalformedFile {
        /// The file.
        path: PathBuf,
        /// The format that its first bytes are of ("npy").
        format: &'static str,
        /// What is wrong with it, and what was expected.
        problem: String,
    },
    /// A model file is truncated, foreign or inconsistent.
    #[error("{}: not a model file of mlp: {}", shown(path), escape(problem))]
    ModelFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Another program's model is truncated, or no multilayer perceptron that this crate has.
    #[error("{}: cannot import it: {}", shown(path), escape(problem))]
    ForeignModel {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, or what has to be said about it.
        problem: String,
    },
    /// What a run's folder keeps for its pictures is truncated, foreign or inconsistent.
    #[error("{}: not a file that `mlp train --out` keeps for pictures: {}", shown(path), escape(problem))]
    RunFolder {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The results that a sweep keeps are damaged or foreign.
    #[error("{}: not results of a sweep: {}", shown(path), escape(problem))]
    SweepFolder {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Another run writes to the folder.
    #[error(
        "{}: another run uses this folder, {}: wait for its end, stop it, or choose another {}",
        shown(path),
        escape(owner),
        setting("out")
    )]
    FolderInUse {
        /// The folder.
        path: PathBuf,
        /// The process.
        owner: String,
    },
    /// Files of a run's folder are of different runs.
    #[error(
        "{}: its files belong to different runs: {} to {}, {} to {}: name a model file instead, or train again",
        shown(path), files[0], runs[0], files[1], runs[1]
    )]
    MixedRuns {
        /// The folder.
        path: PathBuf,
        /// Two files.
        files: [String; 2],
        /// Their runs.
        runs: [String; 2],
    },
    /// A run has ended, but not all of it could be kept.
    #[error("{}; the model is in {}", problem, shown(model))]
    Incomplete {
        /// What could not be written, and why.
        problem: String,
        /// The model's file.
        model: PathBuf,
    },
    /// A configuration file is not well-formed, or says what no flag does.
    #[error("{}: line {line}, column {column}: {}", shown(path), escape(problem))]
    Config {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: usize,
        /// Column, counted from 1.
        column: usize,
        /// What is wrong, and what was expected.
        problem: String,
    },
    /// A setting is outside what it may be.
    #[error("{} is {}: expected {}", setting(what), escape(found), escape(expected))]
    Setting {
        /// The setting: the name of its field.
        what: &'static str,
        /// The value given.
        found: String,
        /// What it may be.
        expected: String,
    },
    /// Data or tensors of a shape that does not fit.
    #[error("{} has {found} values: expected {}", escape(what), escape(expected))]
    Shape {
        /// The tensor or table.
        what: String,
        /// Number of values found.
        found: usize,
        /// What was expected, in words.
        expected: String,
    },
    /// A prediction, or what is true, from which no figure of quality can be computed.
    #[error("row {row} (from 0): {} is {}: expected {}", escape(what), escape(found), escape(expected))]
    UnfitValue {
        /// Row, counted from 0.
        row: usize,
        /// The value ("the probability of class 2").
        what: String,
        /// The value found.
        found: String,
        /// What it may be.
        expected: String,
    },
    /// No GPU adapter of any kind is present.
    #[error("no GPU adapter found: {}, or use {}", driver_hint(), set("device", "cpu"))]
    NoAdapter,
    /// A variable of the environment leaves no GPU adapter.
    #[error(
        "no GPU adapter found: {variable} is `{}`: unset it, name a backend that this machine has (vulkan, metal, \
        dx12), install its driver, or use {}",
        shorten(value),
        set("device", "cpu")
    )]
    HiddenAdapters {
        /// The variable.
        variable: &'static str,
        /// What it says.
        value: String,
    },
    /// What was asked for is of a feature of the crate that this build is without.
    #[error("{what}: this build is without the feature `{feature}`: add it to the features of wgpu-mlp in Cargo.toml")]
    MissingFeature {
        /// What was asked for.
        what: &'static str,
        /// The feature.
        feature: &'static str,
    },
    /// No device has the name or number that was asked for.
    #[error("no device `{}`: expected auto, gpu, {}", shorten(name), list(available))]
    UnknownDevice {
        /// What was asked for.
        name: String,
        /// The devices that exist.
        available: Vec<String>,
    },
    /// A buffer or a whole plan is larger than the device allows.
    #[error(
        "{} needs {needed} bytes, {} has {available}: use a smaller batch or network, or another {}",
        escape(what),
        escape(device),
        setting("device")
    )]
    TooLarge {
        /// The buffer or plan.
        what: String,
        /// Bytes needed.
        needed: u64,
        /// Bytes the device allows for it.
        available: u64,
        /// The device's name.
        device: String,
    },
    /// The system grants no thread to work on.
    #[error(
        "no thread could be started ({}): allow more threads by `ulimit -u` or the container's limit of tasks, or use \
        fewer, for example by RAYON_NUM_THREADS=1",
        escape(problem)
    )]
    NoThread {
        /// The system's reason.
        problem: String,
    },
    /// The system has no memory for what grows with the data or the network.
    #[error(
        "out of memory: {what} needs {bytes} bytes: use fewer rows or columns or a smaller network, or allow more \
        memory, for example by `ulimit -v`"
    )]
    NoMemory {
        /// What the memory is for.
        what: &'static str,
        /// Bytes needed.
        bytes: u64,
    },
    /// The GPU, its driver or wgpu reported an error.
    #[error("{}: {}", escape(device), one_line(problem))]
    Gpu {
        /// The device's name.
        device: String,
        /// The report.
        problem: String,
    },
    /// The GPU is gone: its driver gave up, it was removed, or the program destroyed it. Its buffers are lost.
    #[error(
        "{}: the device was lost: {}; continue from a checkpoint or run again. If it is lost again, use smaller \
        batches, update its driver, or use {}",
        escape(device),
        one_line(problem),
        set("device", "cpu")
    )]
    DeviceLost {
        /// The device's name.
        device: String,
        /// What is known of how it was lost.
        problem: String,
    },
    /// The loss or a parameter stopped being finite during training.
    #[error(
        "training diverged at step {step} (epoch {epoch}): the {} is not finite: use a lower {}, or smaller data values",
        escape(what),
        setting("learning_rate")
    )]
    Diverged {
        /// Step, counted from 1.
        step: u64,
        /// Epoch, counted from 1.
        epoch: u64,
        /// "loss" or the name of a tensor.
        what: String,
    },
    /// The result could not be written to stdout.
    #[error("cannot write the result to stdout: {0}")]
    Stdout(std::io::Error),
    /// A check of the user's device failed.
    #[error("{}", escape(_0))]
    CheckFailed(String),
    /// Of several processes that work on one task, some could not go on: which and why, and whether what was asked for is wrong.
    #[error("{}", escape(_0))]
    Ranks(String, bool),
}
