//! Which rows are for training, validation and testing: the flags.

use std::path::{Path, PathBuf};

use super::length::Auto;
use crate::cli::source::Source;
use crate::data::{ReadAs, Table};
use crate::error::{Error, Result};
use crate::pipeline::{Estimator, HeldOutTables, SplitBy};

#[derive(Debug, clap::Args)]
pub struct SplitArgs {
    /// Fraction of the rows that is kept for testing [default: 0.1 for moons, 0.2 for files]
    #[arg(long, value_name = "F")]
    test_fraction: Option<f64>,
    /// Fraction of the remaining rows that is kept for validation after every epoch; `auto` is 0.1, or none if that is fewer
    /// than 20 rows [default: auto with --epochs auto, 0.1 with --patience, else 0]
    #[arg(long, value_name = "F|auto")]
    validation_fraction: Option<Auto<f64>>,
    /// A table with the rows for testing, instead of rows of DATA
    #[arg(long, value_name = "FILE", conflicts_with = "test_fraction")]
    test: Option<PathBuf>,
    /// A table with the rows for validation, instead of rows of DATA
    #[arg(long, value_name = "FILE", conflicts_with = "validation_fraction")]
    validation: Option<PathBuf>,
    /// Which rows are kept for testing and validation: random ones, the last of the file, or the latest by a column of numbers
    /// or dates. The last of these are for testing. The column is not a feature unless --features names it
    #[arg(long, default_value = "random", value_name = "random|last|time=COLUMN", value_parser = by)]
    split: SplitBy,
    /// Column of groups: no group is in two splits. The column is not a feature unless --features names it
    #[arg(long, value_name = "COLUMN")]
    group: Option<String>,
    /// Seed of the split [default: 42 for moons, 0 for files]
    #[arg(long, value_name = "N")]
    split_seed: Option<u32>,
}

/// `--split`.
fn by(text: &str) -> Result<SplitBy> {
    match text.split_once('=') {
        Some(("time", column)) if !column.is_empty() => Ok(SplitBy::Time(column.into())),
        None if text == "random" => Ok(SplitBy::Random),
        None if text == "last" => Ok(SplitBy::Last),
        _ => Err(Error::Setting {
            what: "--split",
            found: format!("`{text}`"),
            expected: "random, last, or time=COLUMN".into(),
        }),
    }
}

impl SplitArgs {
    /// The estimator with what the flags say, and where they are silent with a part for testing and a seed.
    pub fn apply(&self, estimator: Estimator, test: f64, seed: u32) -> Estimator {
        let test = if self.test.is_some() { 0.0 } else { self.test_fraction.unwrap_or(test) };
        let by = self.group.clone().map_or_else(|| self.split.clone(), SplitBy::Group);
        let estimator = estimator.test_fraction(test).split_seed(self.split_seed.unwrap_or(seed)).split_by(by);
        match (&self.validation, self.validation_fraction) {
            (Some(_), _) => estimator.validation_fraction(0.0),
            (None, Some(Auto::Given(fraction))) => estimator.validation_fraction(fraction),
            (None, Some(Auto::Auto)) => estimator.validation_by_number(),
            (None, None) => estimator,
        }
    }

    /// The column that only says how rows are split.
    pub fn column(&self) -> Option<&str> {
        self.split.column().or(self.group())
    }

    /// The column of groups.
    pub fn group(&self) -> Option<&str> {
        self.group.as_deref()
    }

    /// As what that column is read: numbers of groups as they are written.
    pub fn read_as(&self) -> ReadAs {
        if self.group.is_some() { ReadAs::Text } else { ReadAs::Named }
    }

    /// Refuses what cannot be.
    pub fn check(&self, source: &Source, target: Option<&str>, weight: Option<&str>) -> Result<()> {
        let refused = |what, found, expected: &str| Err(Error::Setting { what, found, expected: expected.into() });
        let what = if self.group.is_some() { "--group" } else { "--split" };
        if self.group.is_some() && self.split != SplitBy::Random {
            let by = self.split.column().map_or("last".into(), |column| format!("time={column}"));
            return refused(what, format!("given with --split {by}"), "--split random beside it");
        }
        if let Some(column) = self.column().filter(|column| [target, weight].contains(&Some(column))) {
            return refused(what, format!("by `{column}`"), "another column than the target and the weights");
        }
        let stdin = Path::new("-");
        let data = match source {
            Source::File(path) => Some(path.as_path()),
            Source::BuiltIn(_) => None,
        };
        let (validation, test) = (("--validation", self.validation.as_deref()), ("--test", self.test.as_deref()));
        let files = [("DATA", data), validation, test];
        if let Some((what, _)) = files.into_iter().filter(|(_, path)| *path == Some(stdin)).nth(1) {
            return refused(what, "`-` a second time".into(), "stdin to be read once");
        }
        Ok(())
    }

    /// The files of parts that have one of their own.
    pub fn tables(&self) -> impl Iterator<Item = &Path> {
        self.validation.iter().chain(&self.test).map(PathBuf::as_path)
    }

    /// The tables of parts that have one of their own, each read by `read`.
    pub fn held_out(&self, read: impl Fn(&Path) -> Result<Table>) -> Result<HeldOutTables> {
        let part = |path: &Option<PathBuf>| path.as_deref().map(&read).transpose();
        Ok(HeldOutTables::new(part(&self.validation)?, part(&self.test)?))
    }
}
