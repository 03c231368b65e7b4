//! `mlp export`: a model for other programs.

use std::path::PathBuf;

use super::source::refuse_input;
use crate::data::{Encoder, Feature, FeatureKind};
use crate::error::Result;
use crate::exchange::{OPSET, Onnx, save_onnx};
use crate::model::Model;

/// Write a model as an ONNX file that takes raw numbers, with categories as 0 and 1, and gives predictions
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The model file, or the folder that `train --out` made
    model: PathBuf,
    /// The ONNX file to write
    #[arg(long, value_name = "FILE")]
    onnx: PathBuf,
}

pub fn run(args: &Args) -> Result<()> {
    refuse_input("--onnx", &args.onnx, &[&args.model])?;
    let model = Model::load(&args.model)?;
    let Onnx { input, output, .. } = save_onnx(&model, &args.onnx)?;
    let tensor = |(name, columns)| format!("`{name}` [rows, {columns}]");
    let takes = model.encoder.as_ref().map_or(String::new(), takes);
    eprintln!("{}: opset {OPSET}, {} → {}{takes}", args.onnx.display(), tensor(input), tensor(output));
    Ok(())
}

/// What the columns of the input are, where they are not all numbers.
fn takes(encoder: &Encoder) -> String {
    let any = |what: &dyn Fn(&Feature) -> bool| encoder.features().iter().any(what);
    let parts = [
        (any(&|of| matches!(of.kind, FeatureKind::Number { .. })), "raw numbers"),
        (any(&|of| matches!(of.kind, FeatureKind::Category { .. })), "categories as 0 and 1"),
        (
            any(&|of| matches!(&of.kind, FeatureKind::Category { target_means, .. } if !target_means.is_empty())),
            "the target's mean in the row's category, which the model's file has",
        ),
        (
            any(&|of| matches!(of.kind, FeatureKind::Date { .. })),
            "dates as days since 1970-01-01, month, weekday (1 is Monday) and hour, each a number",
        ),
        (any(&|of| of.indicator), "1 where a cell is missing, else 0"),
    ];
    let told: Vec<_> = parts.into_iter().filter(|(is, _)| *is).map(|(_, what)| what).collect();
    match told[..] {
        [] | ["raw numbers"] => String::new(),
        _ => format!("; it takes {}, in the order of its metadata's mlp.features", told.join(", ")),
    }
}
