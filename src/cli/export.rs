//! `mlp export`: a model for other programs.

use std::path::PathBuf;

use crate::error::Result;
use crate::exchange::{OPSET, Onnx, save_onnx};
use crate::model::Model;

/// Write a model as an ONNX file that takes raw numbers, categories as 0 and 1, and gives predictions
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The model file, or the folder that `train --out` made
    model: PathBuf,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    onnx: PathBuf,
}

pub fn run(args: &Args) -> Result<()> {
    let Onnx { input, output, .. } = save_onnx(&Model::load(&args.model)?, &args.onnx)?;
    let tensor = |(name, columns)| format!("`{name}` [rows, {columns}]");
    eprintln!("{}: opset {OPSET}, {} → {}", args.onnx.display(), tensor(input), tensor(output));
    Ok(())
}
