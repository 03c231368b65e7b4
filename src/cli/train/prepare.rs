//! What training needs before its first step: the data in parts, the network, and where it starts from.

use super::Args;
use super::notes::{tell_imbalance, tell_task};
use super::parts::Parts;
use super::phases::Phases;
use super::report::Judged;
use super::settings::Settings;
use super::start;
use crate::checkpoint::Checkpoint;
use crate::cli::source::{Source, kinds_of};
use crate::data::{Dataset, Encoder, Reading, class_numbers};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::spec::MlpSpec;

/// Everything but a device.
#[derive(Debug)]
pub struct Prepared {
    pub data: Parts<Dataset>,
    pub judged: Judged,
    pub encoder: Encoder,
    pub spec: MlpSpec,
    pub start: Start,
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

/// Reads, splits and encodes the data, and makes the network.
pub fn prepare(args: &Args, settings: &Settings, source: &Source, phases: &mut Phases) -> Result<Prepared> {
    let start = match (&args.saves.resume, &args.init_from) {
        (Some(path), _) => Start::Checkpoint(Box::new(Checkpoint::load(path)?)),
        (None, Some(path)) => Start::Model(Box::new(start::load(path, args)?)),
        (None, None) => Start::Drawn,
    };
    let known = start.model().and_then(|model| model.encoder.clone());
    let target = known.as_ref().map(|encoder| encoder.target().name.as_str());
    let target = args.target.as_deref().or(target).or(source.target());
    let weight = args.weights.column(target, known.as_ref())?;
    let mut table = source.read(&Reading::default(), |path, names| match (&known, target) {
        (_, None) => Err(Error::TargetRequired { path: path.into(), available: names.to_vec() }),
        (None, _) => args.columns.kinds(path, names, target, weight),
        (Some(encoder), _) => kinds_of(encoder, path, names, true, weight),
    })?;
    phases.end("read");
    let target = target.unwrap_or_default().to_string();
    let weights = args.weights.take(&mut table, weight)?;
    // The article splits its moons without a look at the classes.
    let classes = match (source, &known) {
        (Source::Moons(_), _) => None,
        (Source::File(_), Some(encoder)) => encoder.class_numbers(&table)?,
        (Source::File(_), None) => class_numbers(&table, &target, settings.task)?,
    };
    let rows = Parts::split(settings, table.rows(), classes.as_deref())?;
    let is_known = known.is_some();
    let encoder = match known {
        Some(encoder) => encoder,
        None => Encoder::fit(&table, &target, &rows.train, settings.task, settings.scaling)?,
    };
    if !args.quiet {
        let mut notes = table.notes().clone();
        if !is_known {
            notes.extend(encoder.notes(&table, &rows.train)?);
        }
        notes.lines().iter().for_each(|line| eprintln!("note: {line}"));
        tell_task(args, is_known, &encoder, &table)?;
    }
    let encoder = weights.name_in(encoder)?;
    let judged = Judged::new(&rows, &encoder, &table)?;
    let mut data = rows.encode(&encoder, table)?;
    data.train = weights.give(data.train, &rows.train, &encoder)?;
    if !args.quiet {
        tell_imbalance(&encoder, &data.train);
    }
    let loss = args.loss.of(encoder.task())?;
    let spec = match &start {
        Start::Checkpoint(checkpoint) => checkpoint.model.spec.clone(),
        Start::Model(model) => args.loss.tune(start::spec(model, &encoder, loss)?)?,
        Start::Drawn => args.loss.tune(settings.spec(&encoder, loss)?)?,
    };
    phases.end("encode");
    Ok(Prepared { data, judged, encoder, spec, start })
}
