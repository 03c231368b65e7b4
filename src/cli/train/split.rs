//! Which rows are for training, validation and testing: the flags, and the parts that they make of a table.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::length::Auto;
use crate::cli::source::Source;
use crate::data::{ReadAs, Table};
use crate::error::{Error, Result};
use crate::pipeline::{HeldOutTables, SplitBy};

#[derive(Debug, clap::Args)]
pub struct SplitArgs {
    /// Fraction of the rows that is kept for testing [default: 0.1 for moons, 0.2 for files]
    #[arg(long, value_name = "F")]
    test_fraction: Option<f64>,
    /// Fraction of the remaining rows that is kept for validation after every epoch; `auto` is 0.1, or none if that is fewer
    /// than 20 rows [default: auto with --epochs auto, 0.1 with --patience, else 0]
    #[arg(long, value_name = "F|auto")]
    pub validation_fraction: Option<Auto<f64>>,
    /// A table with the rows for testing, instead of rows of DATA
    #[arg(long, value_name = "FILE", conflicts_with = "test_fraction")]
    pub test: Option<PathBuf>,
    /// A table with the rows for validation, instead of rows of DATA
    #[arg(long, value_name = "FILE", conflicts_with = "validation_fraction")]
    pub validation: Option<PathBuf>,
    /// Which rows are kept for testing and validation: random ones, the last of the file, or the latest by a column of numbers
    /// or dates. The last of these are for testing. The column is not a feature unless --features names it
    #[arg(long, default_value_t = By::Random, value_name = "random|last|time=COLUMN")]
    split: By,
    /// Column of groups: no group is in two splits. The column is not a feature unless --features names it
    #[arg(long, value_name = "COLUMN")]
    group: Option<String>,
    /// Seed of the split [default: 42 for moons, 0 for files]
    #[arg(long, value_name = "N")]
    pub split_seed: Option<u32>,
}

/// `--split`.
#[derive(Clone, Debug, PartialEq)]
enum By {
    Random,
    Last,
    Time(String),
}

impl SplitArgs {
    /// Part of the rows that is for testing; `default` where nothing is said.
    pub fn test_fraction(&self, default: f64) -> f64 {
        if self.test.is_some() { 0.0 } else { self.test_fraction.unwrap_or(default) }
    }

    /// The column that only says how rows are split.
    pub fn column(&self) -> Option<&str> {
        match &self.split {
            By::Time(column) => Some(column),
            By::Random | By::Last => self.group.as_deref(),
        }
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
        if self.group.is_some() && self.split != By::Random {
            return refused(what, format!("given with --split {}", self.split), "--split random beside it");
        }
        if let Some(column) = self.column().filter(|column| [target, weight].contains(&Some(column))) {
            return refused(what, format!("by `{column}`"), "another column than the target and the weights");
        }
        let stdin = Path::new("-");
        let data = match source {
            Source::File(path) => Some(path.as_path()),
            Source::Moons(_) => None,
        };
        let (validation, test) = (("--validation", self.validation.as_deref()), ("--test", self.test.as_deref()));
        let files = [("DATA", data), validation, test];
        if let Some((what, _)) = files.into_iter().filter(|(_, path)| *path == Some(stdin)).nth(1) {
            return refused(what, "`-` a second time".into(), "stdin to be read once");
        }
        Ok(())
    }

    /// What the rows of a table are shared out by.
    pub fn basis(&self, table: &Table) -> Result<SplitBy> {
        Ok(match (&self.split, &self.group) {
            (By::Time(column), _) => SplitBy::Order(table.rows_by_time(column)?),
            (By::Last, _) => SplitBy::Order((0..table.rows()).collect()),
            (By::Random, Some(column)) => SplitBy::Groups(table.groups(column)?),
            (By::Random, None) => SplitBy::Random,
        })
    }

    /// The groups of DATA, where other tables must have others.
    pub fn groups(&self, table: &Table) -> Result<Groups> {
        let column = self.group.clone().filter(|_| self.validation.is_some() || self.test.is_some());
        let mut groups = Groups { column, seen: HashMap::new() };
        groups.add(table)?;
        Ok(groups)
    }

    /// The tables of parts that have one of their own, each read by `read`; no group may be in two.
    pub fn others(&self, mut groups: Groups, read: impl Fn(&Path) -> Result<Table>) -> Result<HeldOutTables> {
        let mut part = |path: &Option<PathBuf>| {
            let table = path.as_deref().map(&read).transpose()?;
            table.iter().try_for_each(|table| groups.add(table))?;
            Ok(table)
        };
        Ok(HeldOutTables { validation: part(&self.validation)?, test: part(&self.test)? })
    }
}

/// The groups of several tables, and which of them each is in.
#[derive(Debug)]
pub struct Groups {
    column: Option<String>,
    seen: HashMap<String, PathBuf>,
}

impl Groups {
    /// Refuses a table with a group that another one has, too.
    fn add(&mut self, table: &Table) -> Result<()> {
        let Some(column) = &self.column else { return Ok(()) };
        let texts = table.column(column)?.to_texts();
        let path_of = |row| texts.get(row).and_then(|group| self.seen.get(group));
        if let Some((row, path)) = (0..texts.len()).find_map(|row| Some((row, path_of(row)?))) {
            let (group, place) = (texts.get(row).unwrap_or_default(), table.place(row));
            return Err(Error::Setting {
                what: "group",
                found: format!(
                    "`{column}`, whose `{group}` is in {} ({place}) and in {}",
                    table.source().display(),
                    path.display()
                ),
                expected: "no group in two parts".into(),
            });
        }
        self.seen.extend(texts.labels().iter().map(|group| (group.clone(), table.source().to_path_buf())));
        Ok(())
    }
}

impl FromStr for By {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        match text.split_once('=') {
            Some(("time", column)) if !column.is_empty() => Ok(Self::Time(column.into())),
            None if text == "random" => Ok(Self::Random),
            None if text == "last" => Ok(Self::Last),
            _ => Err(Error::Setting {
                what: "--split",
                found: format!("`{text}`"),
                expected: "random, last, or time=COLUMN".into(),
            }),
        }
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Random => f.write_str("random"),
            Self::Last => f.write_str("last"),
            Self::Time(column) => write!(f, "time={column}"),
        }
    }
}
