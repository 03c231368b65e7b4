//! The engine as JavaScript calls it. Every call on a network waits for the one before it, so a page may ask for a picture while it trains.

use std::panic::set_hook;
use std::sync::Arc;

use futures_util::lock::Mutex;
use js_sys::{Function, Promise};
use serde::Serialize;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wgpu_mlp::Result;

use crate::data;
use crate::session::Session;
use crate::settings::{Settings, catalogue as catalogue_of, name_settings, task_name};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console)]
    fn error(text: &str);
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(done: &Function, milliseconds: f64);
}

/// What is done once, when the page has loaded the engine.
#[wasm_bindgen(start)]
pub fn start() {
    set_hook(Box::new(|panic| error(&panic.to_string())));
    name_settings();
}

/// What a page may offer, as JSON.
#[wasm_bindgen]
pub fn catalogue() -> String {
    catalogue_of().to_string()
}

/// The built-in data of a name, draw for draw what the command has.
#[wasm_bindgen]
pub fn make_data(name: &str, rows: usize, noise: f64, seed: u32) -> Result<Data, JsError> {
    Ok(Data(data::Data::built_in(name, rows, noise, seed)?))
}

/// A table's bytes, as the library reads a file of them; without a target the last column is it.
#[wasm_bindgen]
pub fn read_csv(bytes: Vec<u8>, target: Option<String>, name: &str) -> Result<Data, JsError> {
    Ok(Data(data::Data::read(name, bytes, target.as_deref())?))
}

/// Data with a picture.
#[wasm_bindgen]
pub struct Data(data::Data);

#[wasm_bindgen]
impl Data {
    /// Number of rows.
    #[wasm_bindgen(getter)]
    pub fn rows(&self) -> usize {
        self.0.rows()
    }

    /// The points, [rows, 2].
    #[wasm_bindgen(getter)]
    pub fn features(&self) -> Result<Vec<f32>, JsError> {
        Ok(self.0.points()?)
    }

    /// The number of each row's class, or its value.
    #[wasm_bindgen(getter)]
    pub fn targets(&self) -> Result<Vec<f32>, JsError> {
        Ok(self.0.targets()?)
    }

    /// The names of both axes and of the target.
    #[wasm_bindgen(getter)]
    pub fn names(&self) -> Vec<String> {
        self.0.names()
    }

    /// The labels of the classes; empty for a regression.
    #[wasm_bindgen(getter)]
    pub fn classes(&self) -> Vec<String> {
        self.0.encoder().classes().unwrap_or_default().to_vec()
    }

    /// `binary`, `multiclass` or `regression`.
    #[wasm_bindgen(getter)]
    pub fn task(&self) -> String {
        task_name(self.0.encoder().task()).into()
    }

    /// What the picture shows: [x0, x1, y0, y1].
    #[wasm_bindgen(getter)]
    pub fn bounds(&self) -> Vec<f64> {
        self.0.bounds().into()
    }
}

/// A network in training with its data on a device.
#[wasm_bindgen]
pub struct Network {
    session: Arc<Mutex<Session>>,
    device: String,
    layers: String,
}

#[wasm_bindgen]
impl Network {
    /// A network of settings in JSON.
    pub async fn open(config: String, data: &Data) -> Result<Network, JsError> {
        Ok(Self::of(Session::open(&Settings::parse(&config)?, &data.0).await?))
    }

    /// A network of a model file's bytes, on `auto`, `gpu` or `cpu`.
    pub async fn load(bytes: Vec<u8>, data: &Data, device: String) -> Result<Network, JsError> {
        Ok(Self::of(Session::load(&bytes, &data.0, &device).await?))
    }

    fn of(session: Session) -> Self {
        let (device, layers) = (session.device().to_string(), session.layers().to_string());
        Self { session: Arc::new(Mutex::new(session)), device, layers }
    }

    /// Where it runs, as JSON.
    pub fn device(&self) -> String {
        self.device.clone()
    }

    /// Its layers, as JSON: of each, the hidden ones first, its inputs, its outputs and its activation.
    pub fn layers(&self) -> String {
        self.layers.clone()
    }

    /// Does so many steps; how far it has come, as JSON.
    pub async fn train(&self, steps: u32) -> Result<String, JsError> {
        let done = self.session.lock().await.train(steps.into(), async || next_task().await).await?;
        Ok(done.to_string())
    }

    /// Loss and accuracy on all rows, as JSON.
    pub async fn score(&self) -> Result<String, JsError> {
        Ok(self.session.lock().await.score().await?.to_string())
    }

    /// The predictions on a grid, [height, width, outputs], from the top row.
    pub async fn surface(&self, width: usize, height: usize) -> Result<Vec<f32>, JsError> {
        Ok(self.session.lock().await.surface(width, height).await?)
    }

    /// The activations of all hidden units on a grid, [units, height, width].
    pub async fn neurons(&self, width: usize, height: usize) -> Result<Vec<f32>, JsError> {
        Ok(self.session.lock().await.neurons(width, height).await?)
    }

    /// A step by hand on the first rows, four if no number is given, as JSON.
    pub async fn explain(&self, rows: Option<usize>) -> Result<String, JsError> {
        json(&self.session.lock().await.explain(rows.unwrap_or(4)).await?)
    }

    /// The gradients beside the oracle's, as JSON.
    pub async fn check(&self) -> Result<String, JsError> {
        Ok(self.session.lock().await.check().await?.to_string())
    }

    /// All parameters: of each layer its weights [inputs, outputs], then its biases.
    pub async fn parameters(&self) -> Result<Vec<f32>, JsError> {
        Ok(self.session.lock().await.parameters().await?)
    }

    /// Sets all parameters.
    pub async fn set_parameters(&self, values: Vec<f32>) -> Result<(), JsError> {
        Ok(self.session.lock().await.set_parameters(&values)?)
    }

    /// Sets the learning rate of the next steps.
    pub async fn set_learning_rate(&self, rate: f64) -> Result<(), JsError> {
        Ok(self.session.lock().await.set_learning_rate(rate)?)
    }

    /// The gradient on all rows at the present parameters.
    pub async fn gradients(&self) -> Result<Vec<f32>, JsError> {
        Ok(self.session.lock().await.gradients().await?)
    }

    /// The bytes of the model's file.
    pub async fn save(&self) -> Result<Vec<u8>, JsError> {
        Ok(self.session.lock().await.save().await?)
    }
}

fn json(value: &impl Serialize) -> Result<String, JsError> {
    Ok(serde_json::to_string(value)?)
}

/// Lets the page do what it has to, and goes on behind that.
async fn next_task() {
    let promise = Promise::new(&mut |resolve, _| set_timeout(&resolve, 0.0));
    // It is resolved, never rejected.
    let _ = JsFuture::from(promise).await;
}
