//! `mlp inspect`: what a model file holds.

use std::path::PathBuf;

use serde::Serialize;

use super::output::{print, print_json};
use crate::Model;
use crate::data::{DateInput, Encoder, Feature, FeatureKind, LeftOut, TargetKind, TargetMean};
use crate::error::{Result, list, shorten};
use crate::metrics::Intervals;
use crate::model::{MemberRecord, TrainingRecord};
use crate::params::Layout;
use crate::report::{Table, count, count_of, figure, member_cells, member_heading, value};
use crate::spec::MlpSpec;

/// Show a model: its layers, its columns, and how it was trained
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The model file, or the folder that `train --out` made
    model: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Inspection<'a> {
    network: String,
    networks: usize,
    parameters: usize,
    spec: &'a MlpSpec,
    encoder: &'a Option<Encoder>,
    training: &'a Option<TrainingRecord>,
}

pub fn run(args: &Args) -> Result<()> {
    let model = Model::load(&args.model)?;
    let Model { spec, parameters, encoder, training } = &model;
    let (network, networks) = (spec.to_string(), model.networks());
    if args.json {
        return print_json(&Inspection { network, networks, parameters: parameters.len(), spec, encoder, training });
    }
    let (layout, ensemble) = (Layout::new(spec), format!("an ensemble of {networks} networks, each "));
    let ensemble = if networks > 1 { ensemble.as_str() } else { "" };
    let mut text = format!("{ensemble}{network}, {} parameters\n\n", count(layout.len() as u64));
    let mut layers = Table::new(&["tensor", "rows", "columns", "mean", "deviation", "largest"]);
    for tensor in &layout.tensors {
        let of_all = || model.members().flat_map(|values| &values[tensor.range.clone()]);
        let values = || of_all().map(|&value| f64::from(value));
        let n = (tensor.range.len() * networks) as f64;
        let mean = values().sum::<f64>() / n;
        let deviation = (values().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt();
        let largest = values().map(f64::abs).fold(0.0, f64::max);
        let numbers = [mean, deviation, largest].map(figure);
        layers.row(
            [tensor.name.clone(), tensor.rows.to_string(), tensor.columns.to_string()]
                .into_iter()
                .chain(numbers)
                .collect(),
        );
    }
    text += &layers.to_string();
    if let Some(encoder) = encoder {
        text += &format!("\ntarget `{}`: {}\n", shorten(&encoder.target().name), target(&encoder.target().kind));
        if let Some(column) = encoder.weight_column() {
            text += &format!("sample weights: `{}`\n", shorten(column));
        }
        text.push('\n');
        let mut columns = Table::new(&["feature", "mean", "scale", "missing", "inputs", "categories"]);
        for feature in encoder.features() {
            columns.row(row(feature));
        }
        text += &columns.to_string();
        text += &left_out(encoder.left_out());
    }
    if let Some(training) = training {
        let TrainingRecord { data, rows, epochs, steps, batch, optimizer, seed, device, .. } = training;
        text += &format!(
            "\ntrained on {data}: {rows} rows, {}, {} of {batch} rows, {} with learning rate {}, seed \
            {seed}, on {device}\n",
            count_of(*epochs, "epoch"),
            count_of(*steps, "step"),
            optimizer.rule,
            optimizer.learning_rate,
        );
        text += &members(&training.members);
        for line in calibrated(&training.temperatures).into_iter().chain(covered(training.intervals.as_ref())) {
            text += &format!("{line}\n");
        }
    }
    print(&text)
}

/// By what the logits of the networks are divided, in a line.
pub fn calibrated(temperatures: &[f64]) -> Option<String> {
    let list = temperatures.iter().copied().map(figure).collect::<Vec<_>>().join(", ");
    (!temperatures.is_empty()).then(|| format!("calibration: logits are divided by {list}"))
}

/// How far off a number may be, in a line.
pub fn covered(intervals: Option<&Intervals>) -> Option<String> {
    let intervals = intervals?;
    let percent = Intervals::USUAL.min(intervals.most());
    let [least, most] = intervals.range(percent).map(figure);
    let width = if least == most { format!("±{most}") } else { format!("±{least} to ±{most}") };
    Some(format!(
        "intervals: {percent} % of new rows are within {width}, by {} that were held out; mlp predict --interval={percent} has them",
        count_of(intervals.rows() as u64, "row")
    ))
}

/// The networks of an ensemble.
fn members(members: &[MemberRecord]) -> String {
    let Some(first) = members.first() else { return String::new() };
    let mut table = Table::new(&member_heading(first));
    (1..).zip(members).for_each(|(place, member)| table.row(member_cells(place, member)));
    format!("\n{table}")
}

fn row(feature: &Feature) -> Vec<String> {
    let width = feature.width().to_string();
    let cells = match &feature.kind {
        FeatureKind::Number { mean, scale, fill, clip, .. } => {
            let bins = match feature.bins() {
                0 => "-".into(),
                bins => count_of(bins as u64, "bin"),
            };
            let clipped = clip.map_or_else(String::new, |clip| format!(", at most {}", value(clip)));
            [value(*mean), value(*scale) + &clipped, value(fill.unwrap_or(*mean)), width, bins]
        }
        FeatureKind::Date { parts, fill } => {
            let numbers = |of: &dyn Fn(&DateInput) -> f64| {
                parts.iter().map(|input| value(of(input))).collect::<Vec<_>>().join(", ")
            };
            let names = parts.iter().map(|input| input.part.name()).collect::<Vec<_>>().join(", ");
            [numbers(&|input| input.mean), numbers(&|input| input.scale), fill.clone(), width, names]
        }
        FeatureKind::Presence { .. } => ["-".into(), "-".into(), "-".into(), width, "missing or not".into()],
        FeatureKind::Category { categories, fill, scaling, target_means, .. } => {
            let missing = fill.map_or("(other)".into(), |fill| shorten(&categories[fill]));
            let each = if scaling.is_empty() { "-" } else { "each its own" };
            let means =
                |mean: &TargetMean| format!("the target's mean in {} categories", count(mean.means.len() as u64));
            let listed = (!categories.is_empty()).then(|| list(categories));
            let listed: Vec<_> = listed.into_iter().chain(target_means.first().map(means)).collect();
            [each.into(), each.into(), missing, width, listed.join("; ")]
        }
    };
    [shorten(&feature.name)].into_iter().chain(cells).collect()
}

/// The columns that the network does not see.
fn left_out(columns: &[LeftOut]) -> String {
    if columns.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["left out", "why"]);
    for LeftOut { name, why } in columns {
        table.row(vec![name.clone(), why.to_string()]);
    }
    format!("\n{table}")
}

fn target(kind: &TargetKind) -> String {
    match kind {
        TargetKind::Binary { classes: [negative, positive] } => {
            format!("classes `{}` and `{}`", shorten(negative), shorten(positive))
        }
        TargetKind::Multiclass { classes } => format!("{} classes, {}", classes.len(), list(classes)),
        TargetKind::Regression { mean, scale, range } => {
            let within = |[least, most]: [f64; 2]| format!(", predicted within {} and {}", value(least), value(most));
            let within = range.map_or_else(String::new, within);
            format!("a number, mean {}, scale {}{within}", value(*mean), value(*scale))
        }
    }
}
