//! What training needs before its first step: the data in splits, the network, and the settings that the data decide.

use std::ops::Range;

use super::estimator::{Estimator, ValidationRows};
use super::evaluate::check_target;
use super::fold_by::{FoldBy, InFolds};
use super::held_out::HeldOutTables;
use super::hint::Hint;
use super::length::Rows;
use super::sample_weights::SampleWeights;
use super::splits::Splits;
use super::start::Start;
use super::temperature;
use super::timings::Timings;
#[cfg(feature = "cli")]
use crate::checkpoint::Checkpoint;
use crate::data::{Dataset, Encoder, FeatureScaling, Notes, Scaling, Table, Task, class_numbers};
use crate::error::{Error, Result};
use crate::math::{Loss, TargetDomain};
use crate::spec::MlpSpec;
use crate::train::{Budget, Replica, TrainConfig};

/// Everything that training needs but a device.
#[derive(Debug)]
#[non_exhaustive]
pub struct Prepared {
    /// The rows of each split as the network sees them.
    pub data: Splits<Dataset>,
    /// The rows of each split, counted from 0 in their table.
    pub splits: Splits<Vec<usize>>,
    /// The folds among the training rows, whose order they stand in: ranges of these; none without folds.
    pub folds: Vec<Range<usize>>,
    /// From columns to the network's inputs and targets.
    pub encoder: Encoder,
    /// The network.
    pub spec: MlpSpec,
    /// What was decided while the tables were read and encoded.
    pub notes: Notes,
    /// What was noticed and decided, and the settings that decide otherwise.
    pub hints: Vec<Hint>,
    /// Where the time went.
    pub timings: Timings,
    /// Of numbers, the true ones of the rows by which the run is evaluated, as their table has them.
    pub(super) truth: Vec<f64>,
    /// The same of the training rows, where there are folds.
    pub(super) fold_truth: Vec<f64>,
    /// What was asked for, with what the data decided.
    pub(super) settled: Estimator,
}

impl Prepared {
    /// How it is trained: with the epochs and the early stopping that the data decided.
    pub fn config(&self) -> &TrainConfig {
        &self.settled.config
    }

    /// The networks that are trained.
    pub fn replicas(&self) -> Vec<Replica> {
        self.settled.replicas(&self.folds)
    }

    /// The network that another estimator would train on this data with a seed: one that differs in nothing that the data depend on.
    pub(crate) fn replica(&self, other: &Estimator, seed: u64) -> Result<Replica> {
        let mut other = other.clone();
        other.settle_by_task(self.encoder.task())?;
        let config = other.length.apply(other.config.clone(), rows_of(&self.splits, &self.folds)).seed(seed);
        let parameter = other.network(&self.encoder, self.spec.loss())?.loss_parameter();
        let weighting = self.settled.class_weights().iter().position(|own| *own == other.class_weight);
        let weighting = if self.data.train.weightings() > 0 { weighting } else { Some(0) };
        let Some(weighting) = weighting else {
            return Err(Error::CheckFailed("the rows were not prepared for a network's class weights".into()));
        };
        let replica = Replica::new(config).weighting(weighting);
        Ok(if parameter == self.spec.loss_parameter() { replica } else { replica.loss_parameter(parameter) })
    }

    /// What was asked for, with what the data decided: the length of the run and the part of the rows for validation.
    pub fn settled(&self) -> &Estimator {
        &self.settled
    }

    /// The checkpoint that the run is to go on from.
    #[cfg(feature = "cli")]
    pub(crate) fn origin(&self) -> Option<&Checkpoint> {
        if let Start::Checkpoint(checkpoint) = &self.settled.start { Some(checkpoint) } else { None }
    }
}

impl Estimator {
    /// Splits the rows, fits the encoder to the training rows and encodes all: what [`fit`](Self::fit) does before it needs a device.
    ///
    /// # Errors
    /// Those of [`fit`](Self::fit) that concern the table and the settings.
    pub fn prepare(&self, table: Table) -> Result<Prepared> {
        self.prepare_with(table, |_| Ok(HeldOutTables::default()))
    }

    /// [`prepare`](Self::prepare) with tables of their own for validation or testing, which take the place of rows of `table`.
    /// `held_out` gives them; it is told the encoder, by which their columns may be read ([`Encoder::read_as`]).
    ///
    /// # Errors
    /// Those of [`prepare`](Self::prepare) and of `held_out`; [`Error::Setting`](crate::Error::Setting) for a group that is in two
    /// tables.
    pub fn prepare_with(
        &self,
        mut table: Table,
        held_out: impl FnOnce(&Encoder) -> Result<HeldOutTables>,
    ) -> Result<Prepared> {
        let (mut timings, mut settled) = (Timings::start(), self.clone());
        let known = self.known_encoder();
        let target = known.map_or(&self.target, |encoder| &encoder.target().name);
        let weight_column = self.weight_column.as_deref().or(known.and_then(Encoder::weight_column));
        let class_weights = self.class_weights();
        let weights = SampleWeights::take(&mut table, weight_column, &class_weights)?;
        let classes = match known {
            _ if !self.stratify => None,
            Some(encoder) => encoder.class_numbers(&table)?,
            None => class_numbers(&table, target, self.task)?,
        };
        self.check_folds()?;
        let candidates = self.candidates(&table, target, classes.as_deref())?;
        self.folds.as_ref().and_then(FoldBy::column).map(|column| table.take(column)).transpose()?;
        let apart = self.column_apart().map(|name| table.take(name)).transpose()?;
        let (encoder, chosen, effort) = settled.choose(candidates, &table)?;
        settled.check_sharing()?;
        let InFolds { splits: rows, folds } = chosen;
        let mut notes = table.notes().clone();
        if known.is_none() {
            notes.extend(encoder.notes(&table, &rows.train)?);
        }
        self.refuse_guesses(&notes, table.source())?;
        let mut hints =
            vec![Hint::Notes { table: None, notes: notes.clone() }, Hint::task(&encoder, self.task, known.is_some())];
        if known.is_none() && self.task.is_none() {
            hints.extend(Hint::whole_numbers(&encoder, &table)?);
        }
        let held_out = held_out(&encoder)?;
        if let Some(column) = self.split_by.group() {
            let own = apart.as_ref().map_or_else(|| table.column_of(column), Ok)?;
            held_out.check_groups(own, table.source())?;
        }
        let is_drawn = settled.split_sizes().validation.is_none() && held_out.validation.is_none();
        if !folds.is_empty() && held_out.validation.is_some() {
            return Err(folds_and_validation("a table for validation"));
        }
        let splits = held_out.join(rows);
        settled.settle_by_task(encoder.task())?;
        settled.settle_clipping(&encoder)?;
        hints.extend(effort);
        hints.extend(settled.settle(&splits, &folds, is_drawn, encoder.task()));

        let encoder = weights.name_in(encoder)?;
        let loss = Loss::for_task(encoder.task(), self.loss)?;
        check_target(loss, &encoder, &table)?;
        let (part, rows) = splits.evaluated();
        let truth = truth(rows, &encoder, held_out.table(part).unwrap_or(&table))?;
        let learned = if folds.is_empty() { &[][..] } else { &splits.train };
        let fold_truth = self::truth(learned, &encoder, &table)?;
        settled.data_name.get_or_insert_with(|| table.source().display().to_string());
        // Rows that the encoder was not fitted to have no part in its means.
        let is_fitted = !matches!(self.start, Start::Model(_));
        let mut data = held_out.encode(&splits, &encoder, table, is_fitted.then_some(&folds[..]), |path, found| {
            self.refuse_guesses(&found, path)?;
            hints.push(Hint::Notes { table: Some(path.into()), notes: found.clone() });
            notes.extend(found);
            Ok(())
        })?;
        if settled.calibrates == Some(true) {
            let holds_out = !folds.is_empty() || data.validation.as_ref().is_some_and(|rows| rows.rows() > 0);
            temperature::check(encoder.classes().is_some(), holds_out)?;
        }
        data.train = weights.give(data.train, &splits.train, &encoder)?;
        hints.extend(Hint::imbalance(&encoder, &data.train));
        let spec = self.network(&encoder, loss)?;
        timings.end("encode");
        Ok(Prepared { data, splits, folds, encoder, spec, notes, hints, timings, truth, fold_truth, settled })
    }

    /// Refuses a number of networks or folds that cannot be, and rows for validation beside folds.
    fn check_folds(&self) -> Result<()> {
        if self.ensemble == 0 {
            let expected = "at least 1".into();
            return Err(Error::Setting { what: "ensemble", found: "0".into(), expected });
        }
        self.check_portfolio()?;
        match (&self.folds, &self.validation) {
            (Some(_), ValidationRows::Fraction(fraction)) if *fraction > 0.0 => {
                Err(folds_and_validation(&format!("{fraction} of the rows for validation")))
            }
            _ => Ok(()),
        }
    }

    /// The network of what training starts from, else the one that is asked for.
    pub(super) fn network(&self, encoder: &Encoder, loss: Loss) -> Result<MlpSpec> {
        let parameters = &self.loss_parameters;
        match self.start.spec(encoder, loss, parameters)? {
            Some(spec) => Ok(spec),
            None => {
                let spec = self.hidden.spec(encoder.inputs(), encoder.outputs(), self.activation, loss)?;
                spec.with_named_parameters(parameters)
            }
        }
    }

    pub(super) fn fit_encoder(&self, table: &Table, rows: &[usize]) -> Result<Encoder> {
        // Of amounts the logarithm is learned: they stay as they are.
        let is_amount = self.loss.is_some_and(|loss| loss.domain() == TargetDomain::NonNegative);
        let target = self.scaling != FeatureScaling::None && !is_amount;
        let clip = self.clips != Some(false);
        let (features, numbers, target_means) = (self.scaling, self.numbers, self.encodes_target);
        let scaling = Scaling { features, numbers, target, clip, target_means };
        let encoder = Encoder::fit(table, &self.target, rows, self.task, scaling)?;
        Ok(match &self.reading {
            Some((reading, columns)) => encoder.with_reading(reading, columns),
            None => encoder,
        })
    }

    /// Settles whether predictions are clipped, which the encoder says.
    fn settle_clipping(&mut self, encoder: &Encoder) -> Result<()> {
        let is_clipped = encoder.target().kind.range().is_some();
        if self.clips == Some(true) && !is_clipped {
            let found = match encoder.task() {
                Task::Regression => "of a model without a range",
                Task::Binary | Task::Multiclass => "of classes",
            };
            let expected = "a target of numbers, and no model that training starts from".into();
            return Err(Error::Setting { what: "clip_outputs", found: found.into(), expected });
        }
        self.clips = Some(is_clipped);
        Ok(())
    }

    /// Settles what the number of rows decides; says it, if there is something to say. `is_drawn`: the rows for validation were
    /// decided by it, too.
    fn settle(&mut self, splits: &Splits<Vec<usize>>, folds: &[Range<usize>], is_drawn: bool, task: Task) -> Vec<Hint> {
        let rows = rows_of(splits, folds);
        self.settle_calibration(task, rows.validation);
        self.config = self.length.apply(self.config.clone(), rows);
        let fraction = if rows.validation > 0 { Budget::VALIDATION_FRACTION } else { 0.0 };
        let fraction = self.split_sizes().validation.unwrap_or(fraction);
        let hints = [
            Hint::preset(self, rows),
            Hint::length(&self.length, &self.config, rows, is_drawn),
            Hint::ensemble(self.ensemble, folds, self.shares_weights()),
        ];
        self.length.epochs = Some(self.config.epochs);
        self.validation = ValidationRows::Fraction(if folds.is_empty() { fraction } else { 0.0 });
        hints.into_iter().flatten().collect()
    }
}

/// The rows that a network learns from and those that judge it.
pub(super) fn rows_of(splits: &Splits<Vec<usize>>, folds: &[Range<usize>]) -> Rows {
    let validation = splits.validation.as_ref().map_or(0, Vec::len);
    match folds.iter().map(ExactSizeIterator::len).max() {
        Some(fold) => Rows { train: splits.train.len() - fold, validation: fold },
        None => Rows { train: splits.train.len(), validation },
    }
}

fn folds_and_validation(found: &str) -> Error {
    let expected = "none beside folds: each network is validated by its own fold".into();
    Error::Setting { what: "folds", found: found.into(), expected }
}

/// The target's numbers in these rows; none of classes.
fn truth(rows: &[usize], encoder: &Encoder, table: &Table) -> Result<Vec<f64>> {
    if encoder.task() != Task::Regression {
        return Ok(Vec::new());
    }
    let all = table.numbers(&encoder.target().name)?;
    Ok(rows.iter().map(|&row| all[row]).collect())
}
