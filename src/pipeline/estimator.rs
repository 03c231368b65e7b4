//! From a table to a model in one call.

use std::ops::ControlFlow;

use super::arrays::columns_of;
use super::baseline::Baseline;
use super::evaluate::check_target;
use super::length::{Length, Rows};
use super::record::record;
use super::sample_weights::{ClassWeight, SampleWeights};
use super::split_by::{SplitBy, SplitSizes};
use super::splits::{HeldOutTables, Splits};
use super::timings::Timings;
use crate::backend::Device;
use crate::data::{Cells, Column, Encoder, Notes, Scaling, Table, Task, class_numbers};
use crate::error::{Error, Result};
use crate::infer::Metrics;
use crate::math::{Activation, Loss, Optimizer, Rule};
use crate::model::Model;
use crate::params::Init;
use crate::spec::HiddenLayers;
use crate::train::{Batch, Event, Outcome, TrainConfig, Trainer};

/// What is to be learned of a table, and how. The defaults are those of `mlp train` for a file: one hidden layer of 64 units and one
/// of 32, ReLU, Adam, batches of 32 rows, features standardised, a fifth of the rows for testing, a tenth of the others for validation,
/// and as many epochs as the validation rows ask for ([`Budget`](crate::train::Budget)).
///
/// ```
/// use wgpu_mlp::data::{Cells, Column};
/// use wgpu_mlp::{Device, Estimator, Table, open};
///
/// # fn main() -> wgpu_mlp::Result<()> {
/// let x: Vec<f64> = (0..200).map(f64::from).collect();
/// let y = x.iter().map(|x| 3.0 * x + 1.0).collect();
/// let table = Table::new("lines", vec![Column::new("x", Cells::Number(x)), Column::new("y", Cells::Number(y))])?;
/// let device: Device = open("cpu")?.device;
/// let fitted = Estimator::new("y").hidden(&[16]).epochs(50).fit(table, &device)?;
/// let predictions = fitted.model.predict_rows(&[10.0], &device)?;
/// assert!(predictions[0].number().is_some());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Estimator {
    target: String,
    task: Option<Task>,
    hidden: HiddenLayers,
    activation: Activation,
    loss: Option<Loss>,
    standardize: bool,
    weight_column: Option<String>,
    class_weight: ClassWeight,
    split_by: SplitBy,
    sizes: SplitSizes,
    length: Length,
    config: TrainConfig,
    baseline: bool,
}

/// What [`Estimator::fit`] gives.
#[derive(Debug)]
#[non_exhaustive]
pub struct Fitted {
    /// The model, with the encoder that it needs to read further tables.
    pub model: Model,
    /// How good it is on each split.
    pub metrics: Splits<Metrics>,
    /// The rows of each split, counted from 0.
    pub splits: Splits<Vec<usize>>,
    /// What the model has to be better than; none where it was not asked for.
    pub baseline: Option<Baseline>,
    /// How training ended.
    pub outcome: Outcome,
    /// What was decided while the table was read and encoded.
    pub notes: Notes,
    /// Where the time went.
    pub timings: Timings,
}

impl Estimator {
    /// Learns the column `target` from all others.
    pub fn new(target: impl Into<String>) -> Self {
        let optimizer = Optimizer::new(Rule::Adam, Rule::Adam.default_learning_rate());
        Self {
            target: target.into(),
            task: None,
            hidden: HiddenLayers::plain(&[64, 32]),
            activation: Activation::Relu,
            loss: None,
            standardize: true,
            weight_column: None,
            class_weight: ClassWeight::None,
            split_by: SplitBy::Random,
            sizes: SplitSizes { test: 0.2, validation: None, seed: 0 },
            length: Length::new(None, None),
            config: TrainConfig::new(1, Batch::Rows(32), optimizer).init(Init::He),
            baseline: false,
        }
    }

    /// The task, where the target's values shall not tell it.
    pub fn task(self, task: Task) -> Self {
        Self { task: Some(task), ..self }
    }

    /// Widths of the hidden layers; none make a linear model.
    pub fn hidden(self, widths: &[usize]) -> Self {
        self.hidden_layers(HiddenLayers::plain(widths))
    }

    /// Hidden layers, each with an activation of its own or without: `"64:tanh,32".parse()?`.
    pub fn hidden_layers(self, hidden: HiddenLayers) -> Self {
        Self { hidden, ..self }
    }

    /// The activation of the hidden layers that name none.
    pub fn activation(self, activation: Activation) -> Self {
        Self { activation, ..self }
    }

    /// The loss, one of [`Loss::of_task`]; the first of them where none is named.
    pub fn loss(self, loss: Loss) -> Self {
        Self { loss: Some(loss), ..self }
    }

    /// Whether features and a number as the target are standardised.
    pub fn standardize(self, standardize: bool) -> Self {
        Self { standardize, ..self }
    }

    /// A column of sample weights, numbers from 0 on; it is no feature.
    pub fn weight_column(self, name: impl Into<String>) -> Self {
        Self { weight_column: Some(name.into()), ..self }
    }

    /// What a training row counts for by its class.
    pub fn class_weight(self, class_weight: ClassWeight) -> Self {
        Self { class_weight, ..self }
    }

    /// Part of the rows that is held out for testing, in [0, 1).
    pub fn test_fraction(mut self, fraction: f64) -> Self {
        self.sizes.test = fraction;
        self
    }

    /// Part of the remaining rows that is held out for validation, in [0, 1).
    pub fn validation_fraction(mut self, fraction: f64) -> Self {
        self.sizes.validation = Some(fraction);
        self
    }

    /// Seed of the split.
    pub fn split_seed(mut self, seed: u32) -> Self {
        self.sizes.seed = seed;
        self
    }

    /// What rows are split by.
    pub fn split_by(self, split_by: SplitBy) -> Self {
        Self { split_by, ..self }
    }

    /// So many epochs; without [`patience`](Self::patience) no rows are held out for validation then, unless
    /// [`validation_fraction`](Self::validation_fraction) says so, and the last parameters are kept.
    pub fn epochs(mut self, epochs: u64) -> Self {
        self.length.epochs = Some(epochs);
        self
    }

    /// Stops when so many epochs in a row have not improved the validation loss, and keeps the best parameters.
    pub fn patience(self, epochs: u64) -> Self {
        Self { length: Length::new(self.length.epochs, Some(epochs)), ..self }
    }

    /// Rows of a step.
    pub fn batch(mut self, batch: Batch) -> Self {
        self.config.batch = batch;
        self
    }

    /// The optimiser.
    pub fn optimizer(mut self, optimizer: Optimizer) -> Self {
        self.config.optimizer = optimizer;
        self
    }

    /// Seed of the first parameters, the sample order and dropout.
    pub fn seed(mut self, seed: u64) -> Self {
        self.config = self.config.seed(seed);
        self
    }

    /// Everything else about training: what `change` makes of the configuration. Epochs and early stopping are settled by
    /// [`epochs`](Self::epochs) and [`patience`](Self::patience).
    pub fn train_config(mut self, change: impl FnOnce(TrainConfig) -> TrainConfig) -> Self {
        self.config = change(self.config);
        self
    }

    /// Whether a constant prediction and a linear model are judged beside the network.
    pub fn baseline(self, baseline: bool) -> Self {
        Self { baseline, ..self }
    }

    /// Splits the rows, fits the encoder to the training rows, trains, and judges the model on each split. Blocks the thread.
    ///
    /// # Errors
    /// [`Error::MissingColumns`] and [`Error::UnfitTarget`] for a target that cannot serve; [`Error::Setting`] for settings that
    /// cannot be; [`Error::Diverged`]; what the device says.
    #[cfg(not(target_family = "wasm"))]
    pub fn fit(&self, table: Table, device: &Device) -> Result<Fitted> {
        pollster::block_on(self.fit_async(table, device))
    }

    /// [`fit`](Self::fit) with a function that is told of every epoch and may stop.
    ///
    /// # Errors
    /// Those of [`fit`](Self::fit).
    #[cfg(not(target_family = "wasm"))]
    pub fn fit_with(
        &self,
        table: Table,
        device: &Device,
        on_event: impl FnMut(Event) -> ControlFlow<()>,
    ) -> Result<Fitted> {
        pollster::block_on(self.fit_with_async(table, device, on_event))
    }

    /// [`fit`](Self::fit) on arrays in memory: `features` [rows, columns], whose columns are called `x0`, `x1` and so forth, and a
    /// number for each row as its target. NaN stands for a missing feature.
    ///
    /// # Errors
    /// [`Error::Shape`] for arrays that do not fit each other, else those of [`fit`](Self::fit).
    #[cfg(not(target_family = "wasm"))]
    pub fn fit_arrays(&self, features: &[f64], targets: &[f64], device: &Device) -> Result<Fitted> {
        self.fit(self.table_of(features, targets)?, device)
    }

    /// [`fit`](Self::fit) for async programs.
    ///
    /// # Errors
    /// As there.
    pub async fn fit_async(&self, table: Table, device: &Device) -> Result<Fitted> {
        self.fit_with_async(table, device, |_| ControlFlow::Continue(())).await
    }

    /// [`fit_with`](Self::fit_with) for async programs.
    ///
    /// # Errors
    /// As there.
    pub async fn fit_with_async(
        &self,
        mut table: Table,
        device: &Device,
        on_event: impl FnMut(Event) -> ControlFlow<()>,
    ) -> Result<Fitted> {
        let mut timings = Timings::start();
        let validation = self.sizes.validation.or_else(|| self.length.validation_fraction());
        let sizes = SplitSizes { validation, ..self.sizes };
        let weights = SampleWeights::take(&mut table, self.weight_column.as_deref(), &self.class_weight)?;
        let classes = class_numbers(&table, &self.target, self.task)?;
        let splits = self.split_by.split(sizes, table.rows(), classes.as_deref())?;
        let scaling =
            Scaling { features: self.standardize, target: self.standardize && self.loss != Some(Loss::Poisson) };
        let encoder = Encoder::fit(&table, &self.target, &splits.train, self.task, scaling)?;
        let mut notes = table.notes().clone();
        notes.extend(encoder.notes(&table, &splits.train)?);
        let encoder = weights.name_in(encoder)?;
        let loss = Loss::for_task(encoder.task(), self.loss)?;
        check_target(loss, &encoder, &table)?;
        let name = table.source().display().to_string();
        let mut data = splits.encode(&encoder, table, HeldOutTables::default(), &mut |_, _| Ok(()))?;
        data.train = weights.give(data.train, &splits.train, &encoder)?;
        let spec = self.hidden.spec(encoder.inputs(), encoder.outputs(), self.activation, loss)?;
        timings.end("encode");

        let rows = Rows { train: splits.train.len(), validation: splits.validation.as_ref().map_or(0, Vec::len) };
        let config = self.length.apply(self.config.clone(), rows);
        let mut trainer =
            Trainer::with_validation_async(device, &spec, &config, &data.train, data.validation.as_ref()).await?;
        timings.end("upload");
        let outcome = trainer.fit_with_async(on_event).await?;
        let parameters = trainer.parameters_async().await?;
        timings.end("train");
        let loss = outcome.last_epoch.map(|epoch| epoch.loss);
        let training = record(&trainer, name, rows.train, device.name(), loss);
        let (step, epoch) = (trainer.steps(), trainer.epochs());
        drop(trainer); // and with it its copy of the rows
        let model = Model { spec, parameters, encoder: Some(encoder), training: Some(training) };
        let metrics = data.metrics(device, &model).await?;
        if metrics.train.scores.is_none() {
            // The last update has no loss of its own to tell that it went wrong.
            return Err(Error::Diverged { step, epoch, what: "loss after it".into() });
        }
        timings.end("evaluate");
        let baseline = if self.baseline { Some(Baseline::new(&data, &model).await?) } else { None };
        timings.end("baseline");
        Ok(Fitted { model, metrics, splits, baseline, outcome, notes, timings })
    }

    fn table_of(&self, features: &[f64], targets: &[f64]) -> Result<Table> {
        let rows = targets.len().max(1);
        if !features.len().is_multiple_of(rows) || targets.is_empty() {
            let (what, found) = ("the table of features".into(), features.len());
            return Err(Error::Shape { what, found, expected: format!("a multiple of {}, the rows", targets.len()) });
        }
        let names = (0..features.len() / rows).map(|at| format!("x{at}"));
        let columns = columns_of(features, names.collect());
        let target = Column::new(self.target.as_str(), Cells::Number(targets.to_vec()));
        Table::new("arrays", columns.into_iter().chain([target]).collect())
    }
}
