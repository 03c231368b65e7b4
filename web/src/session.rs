//! A network in training with its data on a device, and all that a page asks of it.

use serde_json::{Value, json};
use web_time::{Duration, Instant};
use wgpu_mlp::backend::{Device, OpenedDevice};
use wgpu_mlp::explain::{Explanation, Quantity, explain_async};
use wgpu_mlp::infer::Metrics;
use wgpu_mlp::params::Layout;
use wgpu_mlp::train::Progress;
use wgpu_mlp::{
    Batch, Dataset, Encoder, Loss, MlpSpec, Model, Optimizer, Predictor, Result, TrainConfig, Trainer, TrainingRecord,
    open_async,
};

use crate::data::Data;
use crate::settings::Settings;

/// How long the processor works before it lets go of the thread: less than a frame.
const WORK: Duration = Duration::from_millis(8);
/// Rows for which a GPU keeps buffers at a time.
const ROWS: usize = 4096;
/// Most rows by which gradients are checked, since the oracle takes its time.
const CHECKED_ROWS: usize = 128;

/// One network with its data, on one device.
#[derive(Debug)]
pub struct Session {
    opened: OpenedDevice,
    spec: MlpSpec,
    config: TrainConfig,
    data: Data,
    encoder: Encoder,
    rows: Dataset,
    trainer: Trainer,
    last: Option<Progress>,
    /// Makes the pictures of the output, once there is one.
    predictor: Option<Predictor>,
    /// The inputs of the last picture, with its size.
    grid: ([usize; 2], Vec<f32>),
}

impl Session {
    /// A network as the settings say, with its initial parameters.
    ///
    /// # Errors
    /// Those of the settings, of the device and of [`Trainer::new_async`].
    pub async fn open(settings: &Settings, data: &Data) -> Result<Self> {
        let encoder = data.encoder().clone();
        let spec = settings.network(&encoder)?;
        Self::new(&settings.device, spec, settings.training()?, data, encoder, None).await
    }

    /// A network from the bytes of a model's file, with the settings of its training.
    ///
    /// # Errors
    /// Those of [`Model::from_bytes`]; [`Error::MissingColumns`](wgpu_mlp::Error::MissingColumns) for data with other columns.
    pub async fn load(bytes: &[u8], data: &Data, device: &str) -> Result<Self> {
        let model = Model::from_bytes(bytes)?;
        let encoder = model.encoder.unwrap_or_else(|| data.encoder().clone());
        let mut config = Settings::default().training()?;
        if let Some(record) = &model.training {
            (config.optimizer, config.seed) = (record.optimizer, record.seed);
            config.batch = if record.batch == 0 { Batch::Full } else { Batch::Rows(record.batch) };
        }
        Self::new(device, model.spec, config, data, encoder, Some(&model.parameters)).await
    }

    async fn new(
        device: &str,
        spec: MlpSpec,
        config: TrainConfig,
        data: &Data,
        encoder: Encoder,
        parameters: Option<&[f32]>,
    ) -> Result<Self> {
        let rows = data.encoded_by(&encoder)?;
        let opened = open_async(device).await?;
        let mut trainer = Trainer::new_async(&opened.device, &spec, &config, &rows).await?;
        if let Some(parameters) = parameters {
            trainer.set_parameters(parameters)?;
        }
        let (data, grid) = (data.clone(), ([0; 2], Vec::new()));
        Ok(Self { opened, spec, config, data, encoder, rows, trainer, last: None, predictor: None, grid })
    }

    /// Where it runs: kind, name, and why there.
    pub fn device(&self) -> Value {
        let kind = if self.is_on_gpu() { "gpu" } else { "cpu" };
        let plan = self.trainer.plan().kind.to_string();
        json!({"kind": kind, "name": self.opened.device.name(), "note": self.opened.reason, "plan": plan})
    }

    /// Its layers, from the first hidden one to the output: inputs, outputs and activation of each.
    pub fn layers(&self) -> Value {
        let layers = self.spec.layers().iter();
        layers
            .map(|layer| json!({"inputs": layer.inputs, "outputs": layer.outputs, "activation": layer.activation}))
            .collect()
    }

    /// Whether it runs on a GPU.
    pub fn is_on_gpu(&self) -> bool {
        matches!(self.opened.device, Device::Gpu(_))
    }

    /// Does so many steps. The processor lets others work by `pause` every 8 ms; a GPU works by itself.
    ///
    /// # Errors
    /// Those of [`Trainer::run_steps_async`].
    pub async fn train(&mut self, steps: u64, pause: impl AsyncFn()) -> Result<Value> {
        let (mut left, at_once) = (steps, if self.is_on_gpu() { u64::MAX } else { 1 });
        let mut began = Instant::now();
        while left > 0 {
            let now = left.min(at_once);
            self.last = Some(self.trainer.run_steps_async(now).await?);
            left -= now;
            if left > 0 && began.elapsed() >= WORK {
                pause().await;
                began = Instant::now();
            }
        }
        Ok(self.progress())
    }

    /// How far it has come. Loss and accuracy are those of the last step's batch, before its update.
    pub fn progress(&self) -> Value {
        let (step, epoch) = (self.trainer.steps(), self.trainer.epochs());
        let (loss, accuracy) = (self.last.map(|last| last.loss), self.last.and_then(|last| last.accuracy));
        json!({"step": step, "epoch": epoch, "loss": loss, "accuracy": accuracy})
    }

    /// Loss and accuracy of the present parameters on all rows.
    ///
    /// # Errors
    /// Errors of the device.
    pub async fn score(&mut self) -> Result<Value> {
        let outputs = self.predictor().await?.outputs_async(self.rows.features()).await?;
        let metrics = Metrics::new(&self.spec, &outputs, &self.rows, Some(&self.encoder))?;
        Ok(json!({"loss": metrics.loss, "accuracy": metrics.accuracy()}))
    }

    /// The predictions on a grid over the data's bounds, [height, width, outputs], row by row from the top: a probability of the second
    /// class, of each class, or the number that was learned.
    ///
    /// # Errors
    /// [`Error::Setting`](wgpu_mlp::Error::Setting) for no cells; errors of the device.
    pub async fn surface(&mut self, width: usize, height: usize) -> Result<Vec<f32>> {
        self.set_grid(width, height)?;
        let predictor = self.predictor().await?;
        let mut values = predictor.predict_async(&self.grid.1).await?;
        if self.encoder.classes().is_none() {
            values.iter_mut().for_each(|value| *value = self.encoder.decode_regression((*value).into()) as f32);
        }
        Ok(values)
    }

    /// The activation of each hidden unit on the same kind of grid, [units, height, width], layer after layer. The processor computes it: these
    /// pictures are small.
    ///
    /// # Errors
    /// Those of [`surface`](Self::surface).
    pub async fn neurons(&mut self, width: usize, height: usize) -> Result<Vec<f32>> {
        self.set_grid(width, height)?;
        let parameters = self.trainer.parameters_async().await?;
        let (cpu, layout) = (open_async("cpu").await?.device, Layout::new(&self.spec));
        let hidden = self.spec.layers().len() - 1;
        let mut inputs = self.grid.1.clone();
        let mut pictures = Vec::new();
        for layer in 0..hidden {
            // Each layer by itself is a network, too, whose outputs are its activations.
            let alone = MlpSpec::from_layers(vec![self.spec.layers()[layer]], Loss::MeanSquaredError)?;
            let values = &parameters[layout.weight(layer).range.start..layout.bias(layer).range.end];
            let outputs =
                Predictor::new_async(&cpu, &alone, values, width * height).await?.outputs_async(&inputs).await?;
            let units = alone.outputs();
            pictures.extend((0..units).flat_map(|unit| outputs.iter().skip(unit).step_by(units).copied()));
            inputs = outputs;
        }
        Ok(pictures)
    }

    /// One step by hand, of plain gradient descent on the first rows, from the present parameters.
    ///
    /// # Errors
    /// Those of [`explain_async`].
    pub async fn explain(&mut self, rows: usize) -> Result<Explanation> {
        let (parameters, some) = (self.trainer.parameters_async().await?, self.first_rows(rows));
        let rate = self.config.optimizer.learning_rate;
        explain_async(&self.opened.device, &self.spec, &parameters, &some, rate, 1).await
    }

    /// The gradients at the present parameters beside the f64 oracle's, on the first rows. Of each tensor it has the largest difference and
    /// the limit of that element, which is what rounding in f32 can cause: it holds for trained networks, too, whose errors cancel to little.
    ///
    /// # Errors
    /// Those of [`explain_async`]; errors of the device.
    pub async fn check(&mut self) -> Result<Value> {
        let (parameters, some) = (self.trainer.parameters_async().await?, self.first_rows(CHECKED_ROWS));
        let (gradients, plan) = self.gradients_of(&parameters, &some).await?;
        // The oracle is the same on every device, and the processor has no shaders to compile for it.
        let (cpu, rate) = (open_async("cpu").await?.device, self.config.optimizer.learning_rate);
        let oracle = explain_async(&cpu, &self.spec, &parameters, &some, rate, 1).await?;
        let layout = Layout::new(&self.spec);
        let mut tensors = Vec::new();
        let mut passed = true;
        for layer in 0..self.spec.layers().len() {
            for (kind, tensor) in [("dW", layout.weight(layer)), ("db", layout.bias(layer))] {
                let name = format!("{kind}{}", layer + 1);
                let quantity = oracle.quantities.iter().find(|quantity| quantity.name == name);
                let of = |values: fn(&Quantity) -> &Vec<Vec<f64>>| quantity.map(values).into_iter().flatten().flatten();
                let exact = of(|quantity| &quantity.exact).zip(of(|quantity| &quantity.limits));
                let found = gradients.get(tensor.range.clone()).unwrap_or_default();
                let compared = Compared::new(found, exact);
                passed &= compared.elements == found.len() && compared.fraction <= 1.0;
                tensors.push(json!({
                    "name": name, "elements": compared.elements, "difference": compared.difference,
                    "limit": compared.limit, "fraction_of_limit": compared.fraction,
                }));
            }
        }
        let device = self.opened.device.name();
        Ok(json!({"device": device, "plan": plan, "rows": some.rows(), "tensors": tensors, "passed": passed}))
    }

    /// All parameters, in the order of [`Layout`].
    ///
    /// # Errors
    /// Errors of the device.
    pub async fn parameters(&mut self) -> Result<Vec<f32>> {
        self.trainer.parameters_async().await
    }

    /// Sets all parameters.
    ///
    /// # Errors
    /// Those of [`Trainer::set_parameters`].
    pub fn set_parameters(&mut self, values: &[f32]) -> Result<()> {
        self.trainer.set_parameters(values)
    }

    /// Sets the learning rate of the next steps.
    ///
    /// # Errors
    /// [`Error::Setting`](wgpu_mlp::Error::Setting) for one that is not positive.
    pub fn set_learning_rate(&mut self, rate: f64) -> Result<()> {
        self.trainer.set_learning_rate(rate)?;
        self.config.optimizer.learning_rate = rate;
        Ok(())
    }

    /// The gradient of the mean loss of all rows at the present parameters, which stay: a step of a trainer of its own.
    ///
    /// # Errors
    /// Errors of the device.
    pub async fn gradients(&mut self) -> Result<Vec<f32>> {
        let parameters = self.trainer.parameters_async().await?;
        Ok(self.gradients_of(&parameters, &self.rows).await?.0)
    }

    /// The gradient on some rows, and by which plan it was made.
    async fn gradients_of(&self, parameters: &[f32], rows: &Dataset) -> Result<(Vec<f32>, String)> {
        let config = TrainConfig::new(1, Batch::Full, Optimizer::sgd(1.0));
        let mut other = Trainer::new_async(&self.opened.device, &self.spec, &config, rows).await?;
        other.set_parameters(parameters)?;
        other.step_async().await?;
        let plan = other.plan().kind.to_string();
        Ok((other.gradients_async().await?, plan))
    }

    /// The bytes of the model's file.
    ///
    /// # Errors
    /// Errors of the device.
    pub async fn save(&mut self) -> Result<Vec<u8>> {
        let parameters = self.trainer.parameters_async().await?;
        let mut record = TrainingRecord::new(self.data.name(), self.rows.rows(), self.config.optimizer);
        record.epochs = self.trainer.epochs();
        record.steps = self.trainer.steps();
        record.batch = self.trainer.batch();
        record.seed = self.config.seed;
        record.device = self.opened.device.name();
        record.loss = self.last.map(|last| last.loss);
        Model::new(self.spec.clone(), parameters)?.with_encoder(self.encoder.clone()).with_training(record).to_bytes()
    }

    /// The network, and its rows as it sees them.
    pub fn network(&self) -> (&MlpSpec, &Dataset) {
        (&self.spec, &self.rows)
    }

    fn first_rows(&self, rows: usize) -> Dataset {
        self.rows.select(&(0..rows.clamp(1, self.rows.rows())).collect::<Vec<_>>())
    }

    fn set_grid(&mut self, width: usize, height: usize) -> Result<()> {
        if self.grid.0 != [width, height] {
            self.grid = ([width, height], self.data.grid(&self.encoder, width, height)?);
        }
        Ok(())
    }

    /// The predictor with the present parameters.
    async fn predictor(&mut self) -> Result<Predictor> {
        let parameters = self.trainer.parameters_async().await?;
        if let Some(predictor) = &self.predictor {
            predictor.set_parameters(&parameters)?;
            return Ok(predictor.clone());
        }
        let predictor = Predictor::new_async(&self.opened.device, &self.spec, &parameters, ROWS).await?;
        // A clone shares what is loaded.
        self.predictor = Some(predictor.clone());
        Ok(predictor)
    }
}

/// The element of a tensor that is the largest part of its limit away from the oracle's.
struct Compared {
    elements: usize,
    difference: f64,
    limit: f64,
    fraction: f64,
}

impl Compared {
    fn new<'a>(found: &[f32], exact: impl Iterator<Item = (&'a f64, &'a f64)>) -> Self {
        let mut worst = Self { elements: 0, difference: 0.0, limit: 0.0, fraction: 0.0 };
        for (&found, (exact, &limit)) in found.iter().zip(exact) {
            worst.elements += 1;
            let difference = (f64::from(found) - exact).abs();
            let fraction = if difference == 0.0 { 0.0 } else { difference / limit };
            // What is no number is beyond every limit.
            let fraction = if fraction.is_nan() { f64::INFINITY } else { fraction };
            if fraction > worst.fraction || worst.limit == 0.0 {
                worst = Self { difference, limit, fraction, ..worst };
            }
        }
        worst
    }
}
