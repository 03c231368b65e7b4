//! What training needs before its first step: the data in parts, the network, and where it starts from.

use super::Args;
use super::parts::{Parts, note_whole_numbers};
use super::phases::Phases;
use super::report::Judged;
use super::settings::Settings;
use super::start;
use crate::checkpoint::Checkpoint;
use crate::cli::source::Source;
use crate::data::{Dataset, Encoder};
use crate::error::Result;
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
    let target = args.target.as_deref().or(known.as_ref().map(|encoder| encoder.target().name.as_str()));
    let (mut table, target) = source.read(target, &[])?;
    phases.end("read");
    let weights = args.weights.take(&mut table, &target, known.as_ref())?;
    let rows = Parts::split(settings, table.rows())?;
    let encoder = match known {
        Some(encoder) => encoder,
        None => {
            let encoder = Encoder::fit(&table, &target, &rows.train, settings.task, settings.scaling)?;
            if settings.task.is_none() && !args.quiet {
                note_whole_numbers(&encoder, &table)?;
            }
            encoder
        }
    };
    let encoder = weights.name_in(encoder)?;
    let mut data = rows.encode(&encoder, &table)?;
    let judged = Judged::new(&rows, &encoder, &table)?;
    drop(table);
    data.train = weights.give(data.train, &rows.train, &encoder)?;
    let loss = args.loss.of(encoder.task())?;
    let spec = match &start {
        Start::Checkpoint(checkpoint) => checkpoint.model.spec.clone(),
        Start::Model(model) => args.loss.tune(start::spec(model, &encoder, loss)?)?,
        Start::Drawn => args.loss.tune(settings.spec(&encoder, loss)?)?,
    };
    phases.end("encode");
    Ok(Prepared { data, judged, encoder, spec, start })
}
