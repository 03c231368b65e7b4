//! From files to what training needs: the model to start from, the tables with their columns as the flags say, and what the library
//! makes of them.

use std::path::Path;

use super::Args;
use super::start::start;
use super::tell;
use crate::cli::source::{Source, kinds_of};
use crate::data::{ReadAs, Reading, Strays, Table};
use crate::error::{Error, Result};
use crate::pipeline::{Estimator, Prepared, Timings};

/// What an estimator has to know of how a table was read.
#[derive(Debug)]
pub struct TableFacts {
    weight: Option<String>,
    /// None where a model to start from knows it.
    reading: Option<Reading>,
    /// The columns of its file.
    columns: Vec<String>,
    /// As what the column is read by which rows are split.
    split_as: Option<ReadAs>,
}

impl TableFacts {
    /// Reads a table as the flags say, and one more column as texts.
    pub fn read(args: &Args, estimator: &Estimator, source: &Source, more: Option<&str>) -> Result<(Table, Self)> {
        let known = estimator.known_encoder();
        let target = known.map(|encoder| encoder.target().name.as_str());
        let target = args.target.as_deref().or(target).or(source.target());
        let weight = args.weights.column(target, known)?;
        args.split.check(source, target, weight)?;
        // A column that is no feature is read for the split alone.
        let split_as = estimator.column_apart().map(|_| args.split.read_as());
        let reading = match known {
            Some(encoder) => args.reading.reading_for(encoder)?,
            None => args.reading.reading()?.with_names_only(),
        };
        let weights_of: Vec<_> = weight.map(|name| (name, ReadAs::Number(Strays::Refused))).into_iter().collect();
        let mut columns = Vec::new();
        let table = source.read(&reading, |path, names| {
            columns = names.to_vec();
            let kinds = match (known, target) {
                (_, None) => return Err(Error::TargetRequired { path: path.into(), available: names.to_vec() }),
                (None, _) => args.columns.kinds(path, names, target, weight)?,
                (Some(encoder), _) => kinds_of(encoder, path, names, true, &weights_of)?,
            };
            let kinds = with_column(kinds, path, names, args.split.column(), split_as)?;
            with_column(kinds, path, names, more, more.filter(|more| Some(*more) != target).map(|_| ReadAs::Text))
        })?;
        let numeric = args.columns.numeric(&columns);
        let reading = known.is_none().then_some(Reading { numeric, ..reading });
        Ok((table, Self { weight: weight.map(String::from), reading, columns, split_as }))
    }

    /// The estimator with what it has to know.
    pub fn tell(&self, estimator: Estimator) -> Estimator {
        let estimator = self.weight.iter().fold(estimator, Estimator::weight_column);
        match &self.reading {
            Some(reading) => estimator.reading(reading.clone(), self.columns.clone()),
            None => estimator,
        }
    }
}

/// Reads the tables and prepares them.
pub fn prepare(args: &Args, estimator: Estimator, source: &Source) -> Result<Prepared> {
    let mut timings = Timings::start();
    let estimator = start(args, estimator)?;
    let (table, facts) = TableFacts::read(args, &estimator, source, None)?;
    timings.end("read");
    let estimator = facts.tell(estimator);
    let TableFacts { columns, split_as, .. } = facts;
    let mut prepared = estimator.prepare_with(table, |encoder| {
        args.split.held_out(|path| {
            Table::read_with(path, &encoder.reading(), |names| {
                tell::extra(path, &encoder.extra_columns(path, names, true)?, &columns);
                let kinds = names.iter().map(|name| encoder.read_as(name, true)).collect();
                let group = args.split.group();
                with_column(kinds, path, names, group, group.and(split_as))
            })
        })
    })?;
    if !args.quiet {
        tell::hints(&prepared.hints, args.lr_find);
    }
    prepared.timings = timings.then(prepared.timings);
    Ok(prepared)
}

/// The column by which rows are split must be there; it is read as `kind` says, if that is said.
fn with_column(
    mut kinds: Vec<ReadAs>,
    path: &Path,
    names: &[String],
    column: Option<&str>,
    kind: Option<ReadAs>,
) -> Result<Vec<ReadAs>> {
    let Some(column) = column else { return Ok(kinds) };
    let Some(at) = names.iter().position(|name| name == column) else {
        return Err(Error::MissingColumns {
            path: path.into(),
            columns: vec![column.into()],
            available: names.to_vec(),
        });
    };
    kind.into_iter().for_each(|kind| kinds[at] = kind);
    Ok(kinds)
}
