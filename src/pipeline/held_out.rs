//! Tables whose rows are all held out.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

use super::splits::Splits;
use crate::data::{Column, Dataset, Encoder, Notes, Table};
use crate::error::{Error, Result};

/// The tables of splits that have one of their own.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct HeldOutTables {
    /// For judging epochs while training goes on.
    pub validation: Option<Table>,
    /// For judging the model in the end.
    pub test: Option<Table>,
}

impl HeldOutTables {
    /// Tables for validation and for testing, as far as there are.
    #[must_use]
    pub fn new(validation: Option<Table>, test: Option<Table>) -> Self {
        Self { validation, test }
    }

    /// They are whole parts.
    pub(super) fn join(&self, parts: Splits<Vec<usize>>) -> Splits<Vec<usize>> {
        let all = |table: &Option<Table>| table.as_ref().map(|table| (0..table.rows()).collect());
        Splits {
            validation: all(&self.validation).or(parts.validation),
            test: all(&self.test).or(parts.test),
            train: parts.train,
        }
    }

    /// The table of a part by its name, if it has one of its own.
    pub(super) fn table(&self, part: &str) -> Option<&Table> {
        match part {
            "test" => self.test.as_ref(),
            "validation" => self.validation.as_ref(),
            _ => None,
        }
    }

    /// Refuses a group that is in two tables; `own` is its column in the table `source` of the training rows.
    pub(super) fn check_groups(&self, own: &Column, source: &Path) -> Result<()> {
        if self.validation.is_none() && self.test.is_none() {
            return Ok(());
        }
        let mut seen = HashMap::new();
        seen.extend(own.to_texts().labels().iter().map(|group| (group.clone(), source)));
        for table in self.validation.iter().chain(&self.test) {
            let texts = table.column_of(&own.name)?.to_texts();
            let earlier = |row| texts.get(row).and_then(|group| seen.get(group));
            if let Some((row, path)) = (0..texts.len()).find_map(|row| Some((row, earlier(row)?))) {
                let (group, place) = (texts.get(row).unwrap_or_default(), table.place(row));
                let (column, source) = (&own.name, table.source().display());
                let found = format!("`{column}`, whose `{group}` is in {source} ({place}) and in {}", path.display());
                return Err(Error::Setting { what: "group", found, expected: "no group in two parts".into() });
            }
            seen.extend(texts.labels().iter().map(|group| (group.clone(), table.source())));
        }
        Ok(())
    }

    /// The data of each split, these tables' and that of `table`; all are given up for it. `folds` are those of the training rows, where the
    /// encoder was fitted to these. `notes` learns of what is noted of each of these.
    pub(super) fn encode(
        self,
        splits: &Splits<Vec<usize>>,
        encoder: &Encoder,
        table: Table,
        folds: Option<&[Range<usize>]>,
        mut notes: impl FnMut(&Path, Notes) -> Result<()>,
    ) -> Result<Splits<Dataset>> {
        let table = encoder.encode_columns(table)?;
        let mut part = |rows: &Option<Vec<usize>>, other: Option<Table>| match (rows, other) {
            (Some(rows), Some(other)) => {
                let (path, mut found) = (other.source().to_path_buf(), other.notes().clone());
                let encoded = encoder.encode_columns(other)?;
                found.extend(encoded.notes().clone());
                notes(&path, found)?;
                encoded.rows(rows).map(Some)
            }
            (Some(rows), None) => table.rows(rows).map(Some),
            (None, _) => Ok(None),
        };
        Ok(Splits {
            train: match folds {
                Some(folds) => table.training_rows(&splits.train, folds)?,
                None => table.rows(&splits.train)?,
            },
            validation: part(&splits.validation, self.validation)?,
            test: part(&splits.test, self.test)?,
        })
    }
}
