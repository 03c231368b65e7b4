//! A trained network as a file: safetensors with `layers.{i}.weight` as [outputs, inputs] and
//! `layers.{i}.bias` as [outputs], PyTorch's convention, and the spec, the encoder and the training record
//! as JSON in its metadata.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::{Path, PathBuf};

use safetensors::{Dtype, SafeTensors, serialize, tensor::TensorView};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::data::Encoder;
use crate::error::{Error, Result};
use crate::files::AtomicFile;
use crate::folder;
use crate::limits;
use crate::math::Optimizer;
use crate::metrics::Intervals;
use crate::params::Layout;
use crate::spec::MlpSpec;

/// How names of tensors that are no parameters begin.
pub(crate) const EXTRA: &str = "training.";
/// What stands in messages for the path of bytes that are in no file.
pub(crate) const IN_MEMORY: &str = "(in memory)";
/// The metadata that a model of this crate has and no other program's tensors.
pub(crate) const SPEC: &str = "mlp.spec";
/// How many networks an ensemble has.
const NETWORKS: &str = "mlp.networks";
const ENCODER: &str = "mlp.encoder";
const TRAINING: &str = "mlp.training";

/// A network with its parameters and the encoder for raw data, or several of one shape, an ensemble, which predict together: the means of
/// their predictions.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Model {
    /// The network.
    pub spec: MlpSpec,
    /// Its parameters, as [`Layout`] lays them out; of several networks one behind the other.
    pub parameters: Vec<f32>,
    /// The encoder from columns to inputs and back from outputs; none in files of other programs.
    pub encoder: Option<Encoder>,
    /// The record of its training; none in files of other programs.
    pub training: Option<TrainingRecord>,
}

/// The record of a training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrainingRecord {
    /// The data: a file as it was named, or a built-in name with its settings.
    pub data: String,
    /// Rows it was trained on.
    pub rows: usize,
    /// Epochs that were finished.
    pub epochs: u64,
    /// Steps.
    pub steps: u64,
    /// Rows of a batch.
    pub batch: usize,
    /// The optimiser with its settings.
    pub optimizer: Optimizer,
    /// Seed of the initial parameters and of the sample order.
    pub seed: u64,
    /// The device.
    pub device: String,
    /// Mean loss of the last epoch.
    pub loss: Option<f64>,
    /// The run's name, which is in all files of its folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Of an ensemble, its networks in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<MemberRecord>,
    /// By what the logits of each network were divided, where they are calibrated. The parameters have it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub temperatures: Vec<f64>,
    /// Of numbers, the intervals around them, from rows that the networks did not learn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intervals: Option<Intervals>,
}

/// The record of a network of an ensemble.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MemberRecord {
    /// Its seed.
    pub seed: u64,
    /// The number of its fold, from 0, where there are folds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fold: Option<usize>,
    /// Epochs that it had.
    pub epochs: u64,
    /// The epoch whose parameters it has, with early stopping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_epoch: Option<u64>,
    /// The loss of its parameters on validation rows, calibrated as they are; while it trains that of the best epoch, where epochs are judged
    /// by the loss, else of the last one.
    pub validation_loss: Option<f64>,
    /// Its learning rate, where the networks have different ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
}

impl MemberRecord {
    /// A record of a seed and a fold, with no epoch yet. Its fields can be set.
    pub fn new(seed: u64, fold: Option<usize>) -> Self {
        Self { seed, fold, epochs: 0, best_epoch: None, validation_loss: None, learning_rate: None }
    }
}

impl TrainingRecord {
    /// A record of training on `rows` rows of `data`, with nothing done yet: batch, epochs, steps and seed are 0, the device is
    /// empty. Its fields can be set.
    pub fn new(data: impl Into<String>, rows: usize, optimizer: Optimizer) -> Self {
        let (data, device) = (data.into(), String::new());
        Self {
            data,
            rows,
            epochs: 0,
            steps: 0,
            batch: 0,
            optimizer,
            seed: 0,
            device,
            loss: None,
            run: None,
            members: Vec::new(),
            temperatures: Vec::new(),
            intervals: None,
        }
    }
}

/// What a file holds besides the model: lists under names that begin with [`EXTRA`], and texts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extras {
    pub lists: Vec<(String, Vec<f32>)>,
    pub texts: HashMap<String, String>,
}

impl Model {
    /// A network with its parameters, in the order of [`Layout`], or several with theirs one behind the other, without encoder and record.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of parameters.
    pub fn new(spec: MlpSpec, parameters: Vec<f32>) -> Result<Self> {
        Layout::new(&spec).networks(&parameters)?;
        Ok(Self { spec, parameters, encoder: None, training: None })
    }

    /// How many networks it has.
    #[must_use]
    pub fn networks(&self) -> usize {
        self.parameters.len() / Layout::new(&self.spec).len().max(1)
    }

    /// The parameters of each network.
    pub fn members(&self) -> impl Iterator<Item = &[f32]> {
        self.parameters.chunks_exact(Layout::new(&self.spec).len().max(1))
    }

    /// With the encoder that makes its inputs.
    #[must_use]
    pub fn with_encoder(self, encoder: Encoder) -> Self {
        Self { encoder: Some(encoder), ..self }
    }

    /// With a record of its training.
    #[must_use]
    pub fn with_training(self, training: TrainingRecord) -> Self {
        Self { training: Some(training), ..self }
    }

    /// Writes a temporary file and renames it, so that a reader sees the old file or the new one.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of parameters, [`Error::Setting`] for one that is not finite and for an encoder of another
    /// network; [`Error::Io`] where the file cannot be written. An old file stays then.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        self.save_with(path.as_ref(), &Extras::default())
    }

    /// The bytes of the file that [`save`](Self::save) writes: safetensors.
    ///
    /// # Errors
    /// Those of [`save`](Self::save), but for the file's.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        self.encode(Path::new(IN_MEMORY), &Extras::default())
    }

    /// A model from the bytes of a file that [`save`](Self::save) wrote.
    ///
    /// # Errors
    /// [`Error::ModelFile`] for other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Ok(Self::decode(bytes, Path::new(IN_MEMORY))?.0)
    }

    pub(crate) fn save_with(&self, path: &Path, extras: &Extras) -> Result<()> {
        let bytes = self.encode(path, extras)?;
        AtomicFile::create("write the model", path)?.replace(&bytes)
    }

    pub(crate) fn encode(&self, path: &Path, extras: &Extras) -> Result<Vec<u8>> {
        let layout = Layout::new(&self.spec);
        let networks = self.check()?;
        let bytes = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let lists = extras.lists.iter().map(|(name, values)| (name.clone(), vec![values.len()], bytes(values)));
        let tensors = self.members().enumerate().flat_map(|(number, values)| {
            layout.tensors.iter().map(move |tensor| (member_prefix(number, networks) + &tensor.name, values, tensor))
        });
        let stored: Vec<(String, Vec<usize>, Vec<u8>)> = tensors
            .map(|(name, values, tensor)| {
                let values = transpose(&values[tensor.range.clone()], tensor.rows, tensor.columns);
                let is_bias = tensor.name.ends_with("bias");
                let shape = if is_bias { vec![tensor.columns] } else { vec![tensor.columns, tensor.rows] };
                (name, shape, bytes(&values))
            })
            .chain(lists)
            .collect();
        let foreign = |problem: String| Error::ModelFile { path: path.into(), problem };
        let views = stored
            .iter()
            .map(|(name, shape, bytes)| Ok((name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
            .map_err(|error| foreign(error.to_string()))?;
        let mut metadata = extras.texts.clone();
        let mut put = |key: &str, value: serde_json::Result<String>| {
            value.map(|json| metadata.insert(key.to_string(), json)).map_err(|error| foreign(error.to_string()))
        };
        put(SPEC, serde_json::to_string(&self.spec))?;
        if networks > 1 {
            put(NETWORKS, serde_json::to_string(&networks))?;
        }
        if let Some(encoder) = &self.encoder {
            put(ENCODER, serde_json::to_string(encoder))?;
        }
        if let Some(training) = &self.training {
            put(TRAINING, serde_json::to_string(training))?;
        }
        let bytes = serialize(views, Some(metadata)).map_err(|error| foreign(error.to_string()))?;
        in_order(&bytes).map_err(|error| foreign(error.to_string()))
    }

    /// Reads a file that [`Model::save`] wrote, or the `model.safetensors` of a folder.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be read; [`Error::ModelFile`] for another file.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        Ok(Self::load_with(path.as_ref())?.0)
    }

    /// The same with what else is in the file.
    pub(crate) fn load_with(path: &Path) -> Result<(Self, Extras)> {
        let (path, bytes) = read_file(path)?;
        Self::decode(&bytes, &path)
    }

    pub(crate) fn decode(bytes: &[u8], path: &Path) -> Result<(Self, Extras)> {
        let parameters = limits::room("the network's parameters", bytes.len() / 4)?;
        Self::parse(bytes, parameters).map_err(|problem| Error::ModelFile { path: path.into(), problem })
    }

    /// `parameters` is empty and has room for as many as the bytes can hold.
    fn parse(bytes: &[u8], mut parameters: Vec<f32>) -> Result<(Self, Extras), String> {
        let tensors =
            SafeTensors::deserialize(bytes).map_err(|error| format!("it is truncated or foreign ({error})"))?;
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| error.to_string())?;
        let metadata = header.metadata().clone().unwrap_or_default();
        let spec: MlpSpec = json(&metadata, SPEC)?.ok_or_else(|| {
            format!("it has no `{SPEC}`: `mlp import` makes a model of it, and `mlp train --init-from` starts from it")
        })?;
        let layout = Layout::new(&spec);
        let networks: usize = json(&metadata, NETWORKS)?.unwrap_or(1);
        if networks == 0 || networks > tensors.len() {
            return Err(format!("its `{NETWORKS}` is {networks}, and it has {} tensors", tensors.len()));
        }
        let names = (0..networks).flat_map(|number| {
            layout.tensors.iter().map(move |tensor| (member_prefix(number, networks) + &tensor.name, tensor))
        });
        for (name, tensor) in names {
            let view = tensors.tensor(&name).map_err(|_| format!("tensor `{name}` is missing"))?;
            let shape: &[usize] =
                if tensor.name.ends_with("bias") { &[tensor.columns] } else { &[tensor.columns, tensor.rows] };
            if view.dtype() != Dtype::F32 || view.shape() != shape {
                let found = format!("{:?} {:?}", view.dtype(), view.shape());
                return Err(format!("tensor `{name}` is {found}: expected F32 {shape:?}"));
            }
            // From [columns, rows], value by value: a second copy of a large tensor may have no room.
            let words = view.data().as_chunks().0;
            let values = (0..tensor.rows).flat_map(|row| words.iter().skip(row).step_by(tensor.rows));
            parameters.extend(values.map(|&word| f32::from_le_bytes(word)));
        }
        let mut extras = Extras { texts: metadata.clone(), ..Extras::default() };
        for (name, view) in tensors.iter().filter(|(name, _)| name.starts_with(EXTRA)) {
            if view.dtype() != Dtype::F32 {
                return Err(format!("tensor `{name}` is {:?}: expected F32", view.dtype()));
            }
            extras.lists.push((name.to_string(), floats(&view)));
        }
        let expected = networks * layout.tensors.len();
        if tensors.len() != expected + extras.lists.len() {
            return Err(format!("it has {} tensors: expected {expected}", tensors.len()));
        }
        let (encoder, training) = (json(&metadata, ENCODER)?, json(&metadata, TRAINING)?);
        let model = Self { spec, parameters, encoder, training };
        model.fits()?;
        Ok((model, extras))
    }

    /// Refuses what no file of a model may hold; gives the number of networks.
    pub(crate) fn check(&self) -> Result<usize> {
        let networks = Layout::new(&self.spec).networks(&self.parameters)?;
        let expected = "one of finite parameters, with an encoder of its network if it has one";
        let refused = |found| Error::Setting { what: "the model", found, expected: expected.into() };
        self.fits().map_err(|problem| refused(format!("not fit for a file: {problem}")))?;
        Ok(networks)
    }

    /// What files that are written and files that are read have in common.
    fn fits(&self) -> Result<(), String> {
        let (layout, networks) = (Layout::new(&self.spec), self.networks());
        for (number, values) in self.members().enumerate() {
            let is_finite = |range: &Range<usize>| values[range.clone()].iter().all(|value| value.is_finite());
            if let Some(tensor) = layout.tensors.iter().find(|tensor| !is_finite(&tensor.range)) {
                let name = member_prefix(number, networks) + &tensor.name;
                return Err(format!("tensor `{name}` holds a value that is not finite"));
            }
        }
        let Some(encoder) = &self.encoder else { return Ok(()) };
        encoder.validate()?;
        // An encoder makes one column of targets, for classes too: a loss that takes more is another network's.
        let widths = [encoder.inputs(), encoder.outputs(), 1];
        if widths != [self.spec.inputs(), self.spec.outputs(), self.spec.target_columns()] {
            return Err("its encoder does not fit its network".into());
        }
        Ok(())
    }
}

/// A model's bytes, and the file that they come from: of a folder, the `model.safetensors` in it.
pub(crate) fn read_file(path: &Path) -> Result<(PathBuf, Vec<u8>)> {
    let path = if path.is_dir() {
        folder::settle(path)?;
        path.join(folder::MODEL)
    } else {
        path.into()
    };
    let bytes = std::fs::read(&path).map_err(Error::io("read the model", &path))?;
    Ok((path, bytes))
}

/// The same file with its metadata in alphabetical order; safetensors writes it in an order that differs from process to
/// process, and equal models are to be equal files.
fn in_order(bytes: &[u8]) -> serde_json::Result<Vec<u8>> {
    let (length, rest) = bytes.split_first_chunk().unwrap_or((&[0; 8], &[]));
    let (header, data) = rest.split_at(rest.len().min(u64::from_le_bytes(*length) as usize));
    let mut header: BTreeMap<String, serde_json::Value> = serde_json::from_slice(header)?;
    if let Some(metadata) = header.get_mut("__metadata__") {
        let sorted: BTreeMap<String, String> = serde_json::from_value(metadata.take())?;
        *metadata = sorted.into_iter().map(|(key, value)| (key, serde_json::Value::from(value))).collect();
    }
    let mut header = serde_json::to_vec(&header)?;
    header.resize(header.len().next_multiple_of(8), b' ');
    Ok([&(header.len() as u64).to_le_bytes()[..], &header, data].concat())
}

/// How the names of a network's tensors begin: those of one of several by its number.
pub(crate) fn member_prefix(number: usize, networks: usize) -> String {
    if networks > 1 { format!("members.{number}.") } else { String::new() }
}

/// The values of a tensor of f32.
pub(crate) fn floats(view: &TensorView<'_>) -> Vec<f32> {
    view.data().as_chunks().0.iter().map(|&word| f32::from_le_bytes(word)).collect()
}

fn json<T: DeserializeOwned>(metadata: &HashMap<String, String>, key: &str) -> Result<Option<T>, String> {
    metadata
        .get(key)
        .map(|text| serde_json::from_str(text))
        .transpose()
        .map_err(|error| format!("its `{key}`: {error}"))
}

/// [rows, columns] to [columns, rows].
pub(crate) fn transpose<T: Copy>(values: &[T], rows: usize, columns: usize) -> Vec<T> {
    (0..columns).flat_map(|column| (0..rows).map(move |row| values[row * columns + column])).collect()
}
