//! What training needs before its first step: the data in parts, the network, and where it starts from.

use std::path::Path;

use super::Args;
use super::notes::{tell_extra, tell_imbalance, tell_task};
use super::report::Judged;
use super::settings::Settings;
use super::start;
use crate::checkpoint::Checkpoint;
use crate::cli::notes;
use crate::cli::source::{Source, kinds_of};
use crate::data::{Dataset, Encoder, Notes, ReadAs, Reading, Strays, Table, class_numbers};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::pipeline::Splits;
use crate::pipeline::Timings;
use crate::pipeline::check_target;
use crate::spec::MlpSpec;

/// Everything but a device.
#[derive(Debug)]
pub struct Prepared {
    pub data: Splits<Dataset>,
    pub judged: Judged,
    pub encoder: Encoder,
    pub spec: MlpSpec,
    pub start: Start,
    /// What was decided while the table was read and encoded.
    pub notes: Notes,
}

/// Where the parameters come from.
#[derive(Debug)]
pub enum Start {
    /// They are drawn.
    Drawn,
    /// From a model.
    Model(Box<Model>),
    /// From a run that is to go on.
    Checkpoint(Box<Checkpoint>),
}

impl Start {
    fn model(&self) -> Option<&Model> {
        match self {
            Self::Drawn => None,
            Self::Model(model) => Some(model),
            Self::Checkpoint(checkpoint) => Some(&checkpoint.model),
        }
    }
}

/// Reads, splits and encodes the data, makes the network and settles the settings that the data decide.
pub fn prepare(args: &Args, settings: &mut Settings, source: &Source, phases: &mut Timings) -> Result<Prepared> {
    let start = match (&args.saves.resume, &args.init_from) {
        (Some(path), _) => Start::Checkpoint(Box::new(Checkpoint::load(path)?)),
        (None, Some(path)) => Start::Model(Box::new(start::load(path, args)?)),
        (None, None) => Start::Drawn,
    };
    let known = start.model().and_then(|model| model.encoder.clone());
    let target = known.as_ref().map(|encoder| encoder.target().name.as_str());
    let target = args.target.as_deref().or(target).or(source.target());
    let weight = args.weights.column(target, known.as_ref())?;
    args.split.check(source, target, weight)?;
    let apart = args.split.column().filter(|column| match &known {
        Some(encoder) => !encoder.features().iter().any(|feature| feature.name == *column),
        None => !args.columns.names(column),
    });
    let mut columns = Vec::new();
    let reading = match &known {
        Some(encoder) => args.reading.reading_for(encoder)?,
        None => args.reading.reading()?.with_names_only(),
    };
    let weights_of: Vec<_> = weight.map(|name| (name, ReadAs::Number(Strays::Refused))).into_iter().collect();
    let mut table = source.read(&reading, |path, names| {
        columns = names.to_vec();
        let kinds = match (&known, target) {
            (_, None) => return Err(Error::TargetRequired { path: path.into(), available: names.to_vec() }),
            (None, _) => args.columns.kinds(path, names, target, weight)?,
            (Some(encoder), _) => kinds_of(encoder, path, names, true, &weights_of)?,
        };
        with_column(kinds, path, names, args.split.column(), apart.map(|_| args.split.read_as()))
    })?;
    phases.end("read");
    let target = target.unwrap_or_default().to_string();
    let weights = args.weights.take(&mut table, weight)?;
    let basis = args.split.basis(&table)?;
    // The article splits its moons without a look at the classes.
    let classes = match (source, &known) {
        (Source::Moons(_), _) => None,
        (Source::File(_), Some(encoder)) => encoder.class_numbers(&table)?,
        (Source::File(_), None) => class_numbers(&table, &target, settings.task)?,
    };
    let rows = basis.split(settings.sizes, table.rows(), classes.as_deref())?;
    let groups = args.split.groups(&table)?;
    apart.map(|name| table.take(name)).transpose()?;
    let is_known = known.is_some();
    let encoder = match known {
        Some(encoder) => encoder,
        None => Encoder::fit(&table, &target, &rows.train, settings.task, settings.scaling)?
            .with_reading(&Reading { numeric: args.columns.numeric(&columns), ..reading.clone() }, &columns),
    };
    let mut notes = table.notes().clone();
    if !is_known {
        notes.extend(encoder.notes(&table, &rows.train)?);
    }
    args.reading.check(&notes, table.source())?;
    let others = args.split.others(groups, |path| {
        Table::read_with(path, &encoder.reading(), |names| {
            tell_extra(path, &encoder.extra_columns(path, names, true)?, &columns);
            let kinds = names.iter().map(|name| encoder.read_as(name, true)).collect();
            let group = args.split.group();
            with_column(kinds, path, names, group, apart.and(group).map(|_| args.split.read_as()))
        })
    })?;
    let rows = others.join(rows);
    let decided = settings.decide(&rows, others.validation.is_some());
    if !args.quiet {
        notes::tell(&notes);
        tell_task(args, is_known, &encoder, &table)?;
        decided.filter(|_| !args.lr_find).iter().for_each(|line| eprintln!("{line}"));
    }
    let encoder = weights.name_in(encoder)?;
    let loss = args.loss.of(encoder.task())?;
    check_target(loss, &encoder, &table)?;
    let (part, judged) = rows.evaluated();
    let judged = Judged::new(judged.clone(), &encoder, others.table(part).unwrap_or(&table))?;
    let mut of_other = |path: &Path, found: Notes| {
        args.reading.check(&found, path)?;
        if !args.quiet {
            notes::tell_of(path, &found);
        }
        notes.extend(found);
        Ok(())
    };
    let mut data = rows.encode(&encoder, table, others, &mut of_other)?;
    data.train = weights.give(data.train, &rows.train, &encoder)?;
    if !args.quiet {
        tell_imbalance(&encoder, &data.train);
    }
    let spec = match &start {
        Start::Checkpoint(checkpoint) => checkpoint.model.spec.clone(),
        Start::Model(model) => args.loss.tune(start::spec(model, &encoder, loss)?)?,
        Start::Drawn => args.loss.tune(settings.spec(&encoder, loss)?)?,
    };
    phases.end("encode");
    Ok(Prepared { data, judged, encoder, spec, start, notes })
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
    match (names.iter().position(|name| name == column), kind) {
        (None, _) => {
            Err(Error::MissingColumns { path: path.into(), columns: vec![column.into()], available: names.to_vec() })
        }
        (Some(at), Some(kind)) => {
            kinds[at] = kind;
            Ok(kinds)
        }
        (Some(_), None) => Ok(kinds),
    }
}
