//! What a page says of a network, as JSON, and what it may say.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wgpu_mlp::data::{BuiltIn, Task};
use wgpu_mlp::spec::HiddenLayers;
use wgpu_mlp::{
    Activation, Batch, Encoder, Error, Init, Loss, MlpSpec, Optimizer, Result, TrainConfig, call_settings_by,
};

/// A run has no end that a page would see.
const EPOCHS: u64 = 1 << 40;

/// The settings of a network and of its training. What is not said is as in [`Settings::default`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The hidden layers.
    pub layers: Layers,
    /// Activation of the hidden layers.
    pub activation: Activation,
    /// Initialisation of the parameters.
    pub init: Init,
    /// The optimiser's name.
    pub optimizer: String,
    /// The learning rate.
    pub learning_rate: f64,
    /// Penalty on the squares of weights.
    pub l2: f64,
    /// Rows of a step: a number, or `full`.
    pub batch: Rows,
    /// Seed of the initial parameters and of the order of rows.
    pub seed: u64,
    /// `auto`, `gpu` or `cpu`.
    pub device: String,
}

/// Widths of hidden layers, or a text as `mlp train --hidden` takes it, in which a layer may name its activation.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Layers {
    /// `[25, 50]`.
    Widths(Vec<usize>),
    /// `25:tanh,50`, or `none`.
    Text(String),
}

/// A number of rows, or a word for one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Rows {
    /// So many.
    Number(u64),
    /// `full` or `auto`.
    Word(String),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            layers: Layers::Widths(vec![25, 50, 50, 25]),
            activation: Activation::Relu,
            init: Init::He,
            optimizer: "adam".into(),
            learning_rate: 0.003,
            l2: 0.0,
            batch: Rows::Number(100),
            seed: 0,
            device: "auto".into(),
        }
    }
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// [`Error::Setting`] for JSON that is none, and for names and values that are not known.
    pub fn parse(json: &str) -> Result<Self> {
        serde_json::from_str(json).map_err(|error| Error::Setting {
            what: "the settings",
            found: error.to_string(),
            expected: "a JSON object with fields of `initial` in the catalogue".into(),
        })
    }

    /// The network for these data, with the default loss of their task.
    ///
    /// # Errors
    /// Those of [`HiddenLayers`] and of its `spec`.
    pub fn network(&self, encoder: &Encoder) -> Result<MlpSpec> {
        let loss = Loss::of_task(encoder.task())[0];
        let hidden = match &self.layers {
            Layers::Widths(widths) => HiddenLayers::plain(widths),
            Layers::Text(text) => text.parse()?,
        };
        hidden.spec(encoder.inputs(), encoder.outputs(), self.activation, loss)
    }

    /// How it is trained.
    ///
    /// # Errors
    /// [`Error::Setting`] for an optimiser or a batch that is none.
    pub fn training(&self) -> Result<TrainConfig> {
        let batch: Batch = match &self.batch {
            Rows::Number(rows) => rows.to_string().parse()?,
            Rows::Word(word) => word.parse()?,
        };
        let optimizer = Optimizer::named(&self.optimizer, self.learning_rate)?.l2(self.l2);
        Ok(TrainConfig::new(EPOCHS, batch, optimizer).seed(self.seed).init(self.init))
    }
}

/// What a page may offer: data, activations, initialisations, optimisers with their usual learning rates, and the settings to begin with.
pub fn catalogue() -> Value {
    let data = BuiltIn::ALL.iter().map(|set| json!({"name": set.name, "about": set.about, "noise": set.noise}));
    let rate = |name: &str| Optimizer::named(name, 1.0).map(|optimizer| optimizer.rule.default_learning_rate()).ok();
    json!({
        "data": data.collect::<Vec<_>>(),
        "activations": Activation::ALL.iter().map(|activation| activation.name()).collect::<Vec<_>>(),
        "inits": Init::ALL.iter().map(|init| init.name()).collect::<Vec<_>>(),
        "optimizers": Optimizer::names().collect::<Vec<_>>(),
        "learning_rates": Optimizer::names().map(|name| (name, rate(name))).collect::<std::collections::BTreeMap<_, _>>(),
        "initial": Settings::default(),
    })
}

/// Messages call settings by the names of [`Settings`].
pub fn name_settings() {
    call_settings_by(|name| (name == "hidden").then_some("layers"));
}

/// What the page shows of a task.
pub fn task_name(task: Task) -> &'static str {
    match task {
        Task::Binary => "binary",
        Task::Multiclass => "multiclass",
        Task::Regression => "regression",
    }
}
