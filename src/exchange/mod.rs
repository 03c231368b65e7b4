//! Models of other programs. Out: an ONNX file with the encoder's numeric part in its graph. In: ONNX files and
//! safetensors with PyTorch's names, as a [`Model`].
//!
//! What is read may come from anywhere: sizes are compared with what the file holds before anything is allocated for
//! them.

mod arithmetic;
mod bases;
mod call;
mod cast;
mod chain;
mod columns;
mod export;
mod external;
mod foreign;
mod function;
mod graph;
mod network;
mod nodes;
mod onnx;
mod proto;
mod rows;
mod state_dict;
mod table;
mod tensor;

use std::path::Path;

use safetensors::SafeTensors;

use crate::error::{Error, Result};
use crate::math::{Activation, Loss};
use crate::model::{IN_MEMORY, Model, SPEC, read_file};

pub use export::{OPSET, Onnx, onnx_bytes, save_onnx};
pub use foreign::{Foreign, Scale};

/// What an ONNX file of mlp says in its metadata.
mod key {
    /// The loss's name.
    pub const LOSS: &str = "mlp.loss";
    /// The loss's parameter, where it has one.
    pub const LOSS_PARAMETER: &str = "mlp.loss_parameter";
    /// The input's columns: a JSON list of their names.
    pub const FEATURES: &str = "mlp.features";
    /// The target's name.
    pub const TARGET: &str = "mlp.target";
    /// The labels of classes, in the order of the columns of `probabilities`: a JSON list.
    pub const CLASSES: &str = "mlp.classes";
}

/// What to take for what a file does not say.
#[derive(Clone, Copy, Debug, Default)]
pub struct Assumed {
    /// The hidden layers' activation, for a file that has tensors alone.
    pub activation: Option<Activation>,
    /// The loss, for a file whose outputs are plain numbers.
    pub loss: Option<Loss>,
}

/// Reads a model of mlp, or else what [`import`] reads.
///
/// # Errors
/// Those of [`Model::load`], or those of [`import`] and [`Foreign::into_model`].
pub fn load(path: impl AsRef<Path>, assumed: Assumed) -> Result<Model> {
    let (path, bytes) = read_file(path.as_ref())?;
    load_as(&path, &bytes, assumed)
}

/// [`load`] from a file's bytes.
///
/// # Errors
/// Those of [`load`].
pub fn load_bytes(bytes: &[u8], assumed: Assumed) -> Result<Model> {
    load_as(Path::new(IN_MEMORY), bytes, assumed)
}

fn load_as(path: &Path, bytes: &[u8], assumed: Assumed) -> Result<Model> {
    match is_own(bytes) {
        true => Ok(Model::decode(bytes, path)?.0),
        false => foreign(path, bytes, assumed)?.into_model(),
    }
}

/// Reads an ONNX file, or safetensors with PyTorch's names: `0.weight`, `layers.0.weight`, `fc1.weight`, …, in the order
/// of the numbers in their names.
///
/// # Errors
/// [`Error::ForeignModel`] for what is no multilayer perceptron of float32 with this crate's activations, and for what
/// neither the file nor `assumed` says.
pub fn import(path: impl AsRef<Path>, assumed: Assumed) -> Result<Foreign> {
    let (path, bytes) = read_file(path.as_ref())?;
    import_as(&path, &bytes, assumed)
}

/// [`import`] from a file's bytes.
///
/// # Errors
/// Those of [`import`].
pub fn import_bytes(bytes: &[u8], assumed: Assumed) -> Result<Foreign> {
    import_as(Path::new(IN_MEMORY), bytes, assumed)
}

fn import_as(path: &Path, bytes: &[u8], assumed: Assumed) -> Result<Foreign> {
    if is_own(bytes) {
        let problem = "it is already a model of mlp: every command takes it".into();
        return Err(Error::ForeignModel { path: path.into(), problem });
    }
    foreign(path, bytes, assumed)
}

fn foreign(path: &Path, bytes: &[u8], assumed: Assumed) -> Result<Foreign> {
    // A safetensors file begins with the length of its header in 8 bytes.
    let is_safetensors = bytes.get(4..9) == Some(b"\0\0\0\0{");
    let read = if is_safetensors { state_dict::read } else { onnx::read };
    read(path, bytes, assumed).map_err(|problem| Error::ForeignModel { path: path.into(), problem: one_line(&problem) })
}

/// A message that names from the file cannot break or stretch.
fn one_line(problem: &str) -> String {
    const MOST: usize = 500;
    problem.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(MOST).collect()
}

/// Whether these are a model's bytes, not those of another program's tensors.
fn is_own(bytes: &[u8]) -> bool {
    let metadata = SafeTensors::read_metadata(bytes).ok().and_then(|(_, header)| header.metadata().clone());
    metadata.is_some_and(|metadata| metadata.contains_key(SPEC))
}
