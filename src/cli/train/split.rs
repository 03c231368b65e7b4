//! Which rows are for training, validation and testing: the flags, and the parts that they make of a table.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::length::Auto;
use super::parts::{Others, Parts};
use crate::cli::source::Source;
use crate::data::{ReadAs, Split, Table, group_split, last_split, stratified_split, train_test_split};
use crate::error::{Error, Result};
use crate::train::Budget;

#[derive(Debug, clap::Args)]
pub struct SplitArgs {
    /// Part of the rows that is kept for testing [default: 0.1 for moons, 0.2 for files]
    #[arg(long, value_name = "F")]
    test_fraction: Option<f64>,
    /// Part of the remaining rows that is kept for validation after every epoch; `auto` for 0.1, or none where that is
    /// fewer than 20 rows [default: auto with --epochs auto, 0.1 with --patience, else 0]
    #[arg(long, value_name = "F|auto")]
    pub validation_fraction: Option<Auto<f64>>,
    /// A table with the rows for testing: none of DATA's are kept for it
    #[arg(long, value_name = "FILE", conflicts_with = "test_fraction")]
    pub test: Option<PathBuf>,
    /// A table with the rows for validation: none of DATA's are kept for it
    #[arg(long, value_name = "FILE", conflicts_with = "validation_fraction")]
    pub validation: Option<PathBuf>,
    /// Which rows are kept for testing and validation: random ones, the last of the file, or the latest by a column of numbers or
    /// dates, which is no feature unless --features names it. Of those that are kept the last are for testing
    #[arg(long, default_value_t = By::Random, value_name = "random|last|time=COLUMN")]
    split: By,
    /// Column of what belongs together: no group gets into two parts. It is no feature unless --features names it
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

/// What rows are shared out by.
#[derive(Debug)]
pub enum Basis {
    /// At random, as many of each class in each part as there can be.
    Random,
    /// The last of these rows are held out.
    Order(Vec<usize>),
    /// Rows of a group stay together.
    Groups(Vec<usize>),
}

/// How large parts are.
#[derive(Clone, Copy, Debug)]
pub struct Shares {
    pub test: f64,
    /// None where the number of rows decides.
    pub validation: Option<f64>,
    pub seed: u32,
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
    pub fn basis(&self, table: &Table) -> Result<Basis> {
        Ok(match (&self.split, &self.group) {
            (By::Time(column), _) => Basis::Order(table.rows_by_time(column)?),
            (By::Last, _) => Basis::Order((0..table.rows()).collect()),
            (By::Random, Some(column)) => Basis::Groups(table.groups(column)?),
            (By::Random, None) => Basis::Random,
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
    pub fn others(&self, mut groups: Groups, read: impl Fn(&Path) -> Result<Table>) -> Result<Others> {
        let mut part = |path: &Option<PathBuf>| {
            let table = path.as_deref().map(&read).transpose()?;
            table.iter().try_for_each(|table| groups.add(table))?;
            Ok(table)
        };
        Ok(Others { validation: part(&self.validation)?, test: part(&self.test)? })
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
                what: "--group",
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

impl Basis {
    /// Draws the rows of each part: the test rows first, the validation rows from what remains. `classes`: of every row.
    pub fn split(&self, shares: Shares, rows: usize, classes: Option<&[usize]>) -> Result<Parts<Vec<usize>>> {
        let all = match self {
            Self::Order(order) => order.clone(),
            Self::Random | Self::Groups(_) => (0..rows).collect(),
        };
        let outer = self.cut(&all, shares.test, shares.seed, classes).map_err(named("--test-fraction"))?;
        let fraction = match shares.validation {
            Some(fraction) => fraction,
            None if self.is_single(&outer.train) => 0.0,
            None => Budget::validation_fraction(outer.train.len()),
        };
        let inner = self.cut(&outer.train, fraction, shares.seed, classes).map_err(named("--validation-fraction"))?;
        let some = |rows: Vec<usize>| (!rows.is_empty()).then_some(rows);
        Ok(Parts { train: inner.train, validation: some(inner.test), test: some(outer.test) })
    }

    /// Splits some of the rows.
    fn cut(&self, rows: &[usize], fraction: f64, seed: u32, classes: Option<&[usize]>) -> Result<Split> {
        let of = |all: &[usize]| rows.iter().map(|&row| all[row]).collect::<Vec<_>>();
        let classes = classes.map(of);
        let split = match (self, &classes) {
            (Self::Random, Some(classes)) => stratified_split(classes, fraction, seed)?,
            (Self::Random, None) => train_test_split(rows.len(), fraction, seed)?,
            (Self::Order(_), _) => last_split(rows.len(), fraction)?,
            (Self::Groups(groups), _) => group_split(&of(groups), classes.as_deref(), fraction, seed)?,
        };
        let pick = |places: Vec<usize>| places.into_iter().map(|place| rows[place]).collect();
        Ok(Split { train: pick(split.train), test: pick(split.test) })
    }

    /// Whether all these rows are of one group.
    fn is_single(&self, rows: &[usize]) -> bool {
        matches!(self, Self::Groups(groups) if rows.iter().all(|&row| groups[row] == groups[rows[0]]))
    }
}

/// An error of a split, for rows that are cut off by `flag`.
fn named(flag: &'static str) -> impl Fn(Error) -> Error {
    move |error| match error {
        Error::Setting { what: "test_fraction", found, expected } => Error::Setting { what: flag, found, expected },
        Error::Setting { what: what @ "group", found, .. } => {
            let expected = format!("at least one group for each part, or {flag} 0");
            Error::Setting { what, found: format!("{found} for {flag}"), expected }
        }
        other => other,
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
