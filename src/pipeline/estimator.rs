//! What is to be learned of a table, and how: every setting with its default.

use super::effort::Effort;
use super::fold_by::FoldBy;
use super::length::Length;
use super::preset::Preset;
use super::sample_weights::ClassWeight;
use super::split_by::{SplitBy, SplitSizes};
use super::start::Start;
use crate::checkpoint::Checkpoint;
use crate::data::{Encoder, FeatureScaling, Notes, NumericEncoding, Reading, Task};
use crate::error::Result;
use crate::infer::Metric;
use crate::math::{Activation, Loss, Optimizer, Rule};
use crate::model::Model;
use crate::ranks::DataParallel;
use crate::spec::HiddenLayers;
use crate::train::{Batch, Monitor, TrainConfig};

/// What is to be learned of a table, and how. The defaults are those of `mlp train FILE --preset plain`: one hidden layer of 64 units and one
/// of 32, ReLU, Adam, batches of 32 rows, features standardised, a fifth of the rows for testing, a tenth of the others for validation,
/// and as many epochs as the validation rows ask for ([`Budget`](crate::train::Budget)): [`Preset::Plain`]. `mlp train FILE` alone has
/// [`Preset::Tabular`], which is larger and usually better.
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
    pub(crate) target: String,
    pub(crate) task: Option<Task>,
    pub(crate) hidden: HiddenLayers,
    pub(crate) activation: Activation,
    pub(crate) loss: Option<Loss>,
    pub(crate) loss_parameters: Vec<(&'static str, f64)>,
    pub(crate) scaling: FeatureScaling,
    pub(crate) numbers: NumericEncoding,
    pub(super) weight_column: Option<String>,
    pub(crate) class_weight: ClassWeight,
    /// Those of other networks that are trained on the same rows.
    pub(super) other_class_weights: Vec<ClassWeight>,
    pub(crate) split_by: SplitBy,
    pub(super) split_column_is_feature: bool,
    pub(crate) stratify: bool,
    pub(super) validation: ValidationRows,
    pub(super) test_fraction: f64,
    pub(super) split_seed: u32,
    pub(super) strict: bool,
    pub(super) reading: Option<(Reading, Vec<String>)>,
    pub(super) data_name: Option<String>,
    pub(super) start: Start,
    /// Networks, or of each fold.
    pub(crate) ensemble: usize,
    /// Factors on the learning rates of an ensemble's networks; empty where all have one.
    pub(crate) portfolio: Vec<f64>,
    /// Whether logits are divided by temperatures; none where the preset decides.
    pub(crate) calibrates: Option<bool>,
    /// Whether predicted numbers are kept within the training rows' targets; none where numbers are.
    pub(crate) clips: Option<bool>,
    /// Whether categories are encoded by the target's mean, too.
    pub(crate) encodes_target: bool,
    /// Whether the networks of an ensemble share weights; none where the preset decides.
    pub(super) shares: Option<bool>,
    /// Whether a time to fit into may decide on them: nobody has said their number.
    pub(super) ensemble_is_open: bool,
    pub(crate) folds: Option<FoldBy>,
    pub(crate) length: Length,
    pub(crate) config: TrainConfig,
    pub(crate) baseline: bool,
    pub(crate) parallel: Option<DataParallel>,
    pub(crate) preset: Preset,
    /// Whether the preset has the learning rate by the task, which is not known yet.
    pub(crate) rate_by_task: bool,
    /// Whether the effort decides on the hidden layers.
    pub(super) hidden_by_effort: bool,
    /// Whether the preset decides on the inputs of numbers.
    pub(super) numbers_are_open: bool,
    /// What the model is to be good at; none where the task says it.
    pub(super) metric: Option<Metric>,
    /// Whether the preset has what epochs are judged by, by the task.
    pub(crate) monitor_by_task: bool,
    /// How many networks and epochs operations allow, as far as nobody says it; none where they decide nothing.
    pub(super) effort: Option<Effort>,
}

/// Which rows are held out for validation.
#[derive(Clone, Copy, Debug)]
pub(super) enum ValidationRows {
    /// As the length of the run asks for: [`Length::validation_fraction`].
    ByLength,
    /// As many as their number allows: [`Budget::validation_fraction`](crate::train::Budget::validation_fraction).
    ByNumber,
    /// This part of those that are not for testing.
    Fraction(f64),
}

impl Estimator {
    /// Learns the column `target` from all others.
    pub fn new(target: impl Into<String>) -> Self {
        let optimizer = Optimizer::new(Rule::Adam, Rule::Adam.default_learning_rate());
        Self {
            target: target.into(),
            task: None,
            hidden: HiddenLayers::plain(&[]),
            activation: Activation::Relu,
            loss: None,
            loss_parameters: Vec::new(),
            scaling: FeatureScaling::Standard,
            numbers: NumericEncoding::Scaled,
            weight_column: None,
            class_weight: ClassWeight::None,
            other_class_weights: Vec::new(),
            split_by: SplitBy::Random,
            split_column_is_feature: false,
            stratify: true,
            validation: ValidationRows::ByLength,
            test_fraction: 0.2,
            split_seed: 0,
            strict: false,
            reading: None,
            data_name: None,
            start: Start::Drawn,
            ensemble: 1,
            portfolio: Vec::new(),
            calibrates: None,
            clips: None,
            encodes_target: false,
            shares: None,
            ensemble_is_open: true,
            folds: None,
            length: Length::default(),
            config: TrainConfig::new(1, Batch::Full, optimizer),
            baseline: false,
            parallel: None,
            preset: Preset::Plain,
            rate_by_task: false,
            hidden_by_effort: false,
            numbers_are_open: false,
            metric: None,
            monitor_by_task: false,
            effort: None,
        }
        .preset(Preset::Plain)
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
        Self { hidden, hidden_by_effort: false, ..self }
    }

    /// The activation of the hidden layers that name none.
    pub fn activation(self, activation: Activation) -> Self {
        Self { activation, ..self }
    }

    /// The loss, one of [`Loss::of_task`]; the first of them where none is named.
    pub fn loss(self, loss: Loss) -> Self {
        Self { loss: Some(loss), ..self }
    }

    /// The [parameter](Loss::parameter) of this name of the loss; one that the loss does not have is an error.
    pub fn loss_parameter(mut self, name: &'static str, value: f64) -> Self {
        self.loss_parameters.push((name, value));
        self
    }

    /// Whether features and a number as the target are standardised.
    pub fn standardize(self, standardize: bool) -> Self {
        self.scaling(if standardize { FeatureScaling::Standard } else { FeatureScaling::None })
    }

    /// How features that are numbers are scaled. Unless it is none, a number as the target is standardised.
    pub fn scaling(self, scaling: FeatureScaling) -> Self {
        Self { scaling, ..self }
    }

    /// What inputs features have that are numbers: the scaled number alone, or bins beside it. The network's first layer grows by as many
    /// inputs.
    pub fn numbers(self, numbers: NumericEncoding) -> Self {
        Self { numbers, numbers_are_open: false, ..self }
    }

    /// A column of sample weights, numbers from 0 on; it is no feature.
    pub fn weight_column(self, column: impl Into<String>) -> Self {
        Self { weight_column: Some(column.into()), ..self }
    }

    /// What a training row counts for by its class.
    pub fn class_weight(self, class_weight: ClassWeight) -> Self {
        Self { class_weight, ..self }
    }

    /// With what the rows count for to other networks that are trained beside this one.
    pub(crate) fn beside<'a>(self, others: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut all = self.class_weights();
        for other in others {
            if !all.contains(&other.class_weight) {
                all.push(other.class_weight.clone());
            }
        }
        Self { other_class_weights: all.split_off(1), ..self }
    }

    /// All different class weights of the networks on these rows, its own first.
    pub(super) fn class_weights(&self) -> Vec<ClassWeight> {
        [&self.class_weight].into_iter().chain(&self.other_class_weights).cloned().collect()
    }

    /// Part of the rows that is held out for testing, in [0, 1).
    pub fn test_fraction(self, fraction: f64) -> Self {
        Self { test_fraction: fraction, ..self }
    }

    /// Part of the remaining rows that is held out for validation, in [0, 1).
    pub fn validation_fraction(self, fraction: f64) -> Self {
        Self { validation: ValidationRows::Fraction(fraction), ..self }
    }

    /// Holds out a tenth of the remaining rows for validation, or none where that are fewer than 20, however long the run is.
    pub fn validation_by_number(self) -> Self {
        Self { validation: ValidationRows::ByNumber, ..self }
    }

    /// Seed of the split.
    pub fn split_seed(self, seed: u32) -> Self {
        Self { split_seed: seed, ..self }
    }

    /// What rows are split by. A column that says it is no feature, unless
    /// [`split_column_is_feature`](Self::split_column_is_feature).
    pub fn split_by(self, split_by: SplitBy) -> Self {
        Self { split_by, ..self }
    }

    /// Whether the column of [`SplitBy::Time`] or [`SplitBy::Group`] is a feature, too.
    pub fn split_column_is_feature(self, is_feature: bool) -> Self {
        Self { split_column_is_feature: is_feature, ..self }
    }

    /// Whether each split has as many of each class as it can.
    pub fn stratify(self, stratify: bool) -> Self {
        Self { stratify, ..self }
    }

    /// Whether guesses about a table are refused ([`Notes::refuse_guesses`]), instead of noted.
    pub fn strict(self, strict: bool) -> Self {
        Self { strict, ..self }
    }

    /// How the table was read and the columns that its file has, so that the model reads further files alike
    /// ([`Encoder::with_reading`]).
    pub fn reading(self, reading: Reading, columns: Vec<String>) -> Self {
        Self { reading: Some((reading, columns)), ..self }
    }

    /// What the model's file calls the data; the table's source unless it is said.
    pub fn data_name(self, name: impl Into<String>) -> Self {
        Self { data_name: Some(name.into()), ..self }
    }

    /// Starts from the parameters of a model, whose hidden layers are the network's. With an encoder it says what target, task,
    /// features and the column of weights are.
    pub fn init_from(self, model: Model) -> Self {
        Self { start: Start::Model(Box::new(model)), ..self }
    }

    /// Goes on with the run of a checkpoint, to the bytes of the unbroken run. All settings have to be that run's, but for the number
    /// of epochs; what does not fit is an error when training starts.
    pub fn resume(self, checkpoint: Checkpoint) -> Self {
        Self { start: Start::Checkpoint(Box::new(checkpoint)), ..self }
    }

    /// Trains so many networks side by side, at least one, which predict together: the means of their predictions. They differ by their
    /// seeds, which are this estimator's and those behind it. With [`folds`](Self::folds) they are so many for each fold.
    pub fn ensemble(self, networks: usize) -> Self {
        Self { ensemble: networks, ensemble_is_open: false, ..self }
    }

    /// Calibrates the probabilities of each network: its logits are divided by the temperature with the least cross entropy on the rows
    /// that it held out (Guo, Pleiss, Sun and Weinberger 2017), for validation or in its fold. Predicted classes of one network stay.
    pub fn calibrate(self, calibrates: bool) -> Self {
        Self { calibrates: Some(calibrates), ..self }
    }

    /// Keeps the numbers that the model predicts within the least and the largest target of the training rows, as RealMLP does
    /// (Holzmüller, Grinsztajn and Steinwart 2024). Training and its losses do not change. A model that training starts from
    /// keeps what its encoder says.
    pub fn clip_outputs(self, clips: bool) -> Self {
        Self { clips: Some(clips), ..self }
    }

    /// Cuts the training rows into so many folds, at least 2, as [`split_by`](Self::split_by) says, and trains a network for each, which
    /// holds its fold out and is validated by it (bagging). The networks predict together. [`Fitted::out_of_fold`](super::Fitted) has what
    /// each says of its own fold: an honest estimate from all rows.
    pub fn folds(self, folds: usize) -> Self {
        self.fold_by(FoldBy::Number(folds))
    }

    /// The same with folds that a column may tell, which is no feature then.
    pub fn fold_by(self, folds: FoldBy) -> Self {
        Self { folds: Some(folds), ..self }
    }

    /// So many epochs; without [`patience`](Self::patience) no rows are held out for validation then, unless
    /// [`validation_fraction`](Self::validation_fraction) says so, and the last parameters are kept.
    pub fn epochs(mut self, epochs: u64) -> Self {
        self.length.epochs = Some(epochs);
        self
    }

    /// As many epochs as the number of the rows asks for ([`Budget`](crate::train::Budget)).
    pub fn epochs_by_number(mut self) -> Self {
        self.length.epochs = None;
        self
    }

    /// How much the layers, networks and epochs of [`Preset::Tabular`] may take that nobody says. Other presets have no such limit, and it changes
    /// nothing there.
    pub fn effort(self, effort: Effort) -> Self {
        let hidden = if self.hidden_by_effort { effort.hidden() } else { self.hidden };
        Self { effort: self.effort.map(|_| effort), hidden, ..self }
    }

    /// Stops when so many epochs in a row have not improved the validation loss, and keeps the best parameters.
    pub fn patience(mut self, epochs: u64) -> Self {
        (self.length.rule.patience, self.length.is_patient) = (Some(epochs), true);
        self
    }

    /// Runs all epochs and keeps the parameters of the best by the rows for validation, of equal accuracy the one with the lowest loss; the
    /// last epoch's where there are no such rows. Their number is that of [`validation_by_number`](Self::validation_by_number) unless it is said.
    pub fn keep_best(mut self) -> Self {
        (self.length.rule.patience, self.length.is_patient) = (None, true);
        self
    }

    /// By how much an epoch has to be better for [`patience`](Self::patience).
    pub fn min_delta(mut self, min_delta: f64) -> Self {
        self.length.rule.min_delta = min_delta;
        self
    }

    /// What the model is to be good at, which decides on what epochs are judged by: the area under the ROC curve by itself, numbers by the loss,
    /// everything else of classes by the accuracy; under [`Preset::Plain`] the log loss by the loss. `log_loss` of classes and `rmse` of numbers
    /// unless it is said. Label smoothing is no part of it: where probabilities are calibrated it was no better for the accuracy, either.
    pub fn metric(self, metric: Metric) -> Self {
        Self { metric: Some(metric), monitor_by_task: true, ..self }
    }

    /// What [`patience`](Self::patience) wants to get better; the loss unless it is said or the preset decides.
    pub fn monitor(mut self, monitor: Monitor) -> Self {
        (self.length.rule.monitor, self.monitor_by_task) = (monitor, false);
        self
    }

    /// Rows of a step.
    pub fn batch(mut self, batch: Batch) -> Self {
        self.config.batch = batch;
        self
    }

    /// The optimiser.
    pub fn optimizer(mut self, optimizer: Optimizer) -> Self {
        (self.config.optimizer, self.rate_by_task) = (optimizer, false);
        self
    }

    /// The optimiser's learning rate.
    pub fn learning_rate(mut self, rate: f64) -> Self {
        (self.config.optimizer.learning_rate, self.rate_by_task) = (rate, false);
        self
    }

    /// Seed of the first parameters, the sample order and dropout.
    pub fn seed(mut self, seed: u64) -> Self {
        self.config = self.config.seed(seed);
        self
    }

    /// Everything else about training: what `change` makes of the configuration, which has 0 epochs while the table decides on them. Other
    /// epochs or another early stopping count as those of [`epochs`](Self::epochs), [`patience`](Self::patience) and [`monitor`](Self::monitor).
    pub fn train_config(mut self, change: impl FnOnce(TrainConfig) -> TrainConfig) -> Self {
        self.config = change(self.length.shown(self.config));
        self.monitor_by_task &= !self.length.take(&self.config);
        self
    }

    /// Whether a constant prediction and a linear model are judged beside the network.
    pub fn baseline(self, baseline: bool) -> Self {
        Self { baseline, ..self }
    }

    /// Trains one network on several ranks, each of which calls the same with the same table: [`Trainer::data_parallel`].
    ///
    /// [`Trainer::data_parallel`]: crate::train::Trainer::data_parallel
    pub fn data_parallel(self, parallel: DataParallel) -> Self {
        Self { parallel: Some(parallel), ..self }
    }

    /// The encoder that a model to start from brings.
    pub(crate) fn known_encoder(&self) -> Option<&Encoder> {
        self.start.encoder()
    }

    /// The column by which rows are split, where it is no feature.
    pub(crate) fn column_apart(&self) -> Option<&str> {
        self.split_by.column().filter(|column| match self.known_encoder() {
            Some(encoder) => !encoder.features().iter().any(|feature| feature.name == *column),
            None => !self.split_column_is_feature,
        })
    }

    /// How large the splits are, as far as it is said.
    pub(crate) fn split_sizes(&self) -> SplitSizes {
        let validation = match self.validation {
            _ if self.folds.is_some() => Some(0.0),
            ValidationRows::ByLength => self.length.validation_fraction(),
            ValidationRows::ByNumber => None,
            ValidationRows::Fraction(fraction) => Some(fraction),
        };
        SplitSizes { test: self.test_fraction, validation, seed: self.split_seed }
    }

    /// Refuses guesses where none are wanted.
    pub(super) fn refuse_guesses(&self, notes: &Notes, path: &std::path::Path) -> Result<()> {
        if self.strict { notes.refuse_guesses(path) } else { Ok(()) }
    }
}
