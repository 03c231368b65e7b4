//! `mlp explain`: one training step in numbers, as in a textbook.

use std::fmt::Write as _;

use super::device::DeviceArgs;
use super::help;
use super::output::{print, print_json};
use super::train::LossParameterArgs;
use crate::data::{BuiltIn, Dataset};
use crate::error::{Error, Result, shorten};
use crate::explain::{Explanation, Quantity, Stage, explain_async};
use crate::math::{Activation, Loss, TargetDomain};
use crate::params::{Init, Layout};
use crate::report::{Table, count, significant};
use crate::spec::{HiddenLayers, MlpSpec};

/// Most rows: more are not read, and the oracle takes its time for them.
const MOST_ROWS: usize = 1000;
/// Rows of a matrix that are printed; --json has all.
const PRINTED: usize = 12;
/// Digits of a matrix's largest element.
const DIGITS: i32 = 7;

/// Print the numbers of one training step: every Z, A, dZ, dW and db, with its formula and its kernel
#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(default_value = BuiltIn::MOONS.name, value_parser = built_in, value_name = "NAME",
          help = format!("Built-in data, with the noise and the seed that it has by default: {}", help::built_in()))]
    data: &'static BuiltIn,
    /// The step to print, counted from 1; earlier steps are trained first
    #[arg(long, default_value_t = 1, value_name = "N")]
    step: u64,
    /// Number of rows of the data; every step takes all of them
    #[arg(long, default_value_t = 4, value_name = "N")]
    rows: usize,
    /// Widths of the hidden layers, or `none`; a layer may name its activation (3:tanh,2)
    #[arg(long, default_value = "3", value_name = "N,N,…")]
    hidden: HiddenLayers,
    #[arg(long, default_value = "relu", value_name = "NAME", help = help::activations("Activation of the hidden layers"))]
    activation: Activation,
    #[arg(long, default_value = "binary_cross_entropy", value_name = "NAME",
          help = help::losses("Loss; it takes the labels 0 and 1 as classes or as numbers"))]
    loss: Loss,
    #[command(flatten)]
    parameter: LossParameterArgs,
    /// Learning rate of plain gradient descent
    #[arg(long, default_value_t = 0.01, value_name = "F")]
    lr: f64,
    /// Seed of the initial parameters
    #[arg(long, default_value_t = 1105, value_name = "N")]
    seed: u64,
    #[arg(long, default_value = "article", value_name = "NAME", help = help::inits("Initialisation of the parameters"))]
    init: Init,
    #[command(flatten)]
    device: DeviceArgs,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub async fn run(args: Args) -> Result<()> {
    for (what, value, most) in [("--step", args.step, u64::MAX), ("--rows", args.rows as u64, MOST_ROWS as u64)] {
        if !(1..=most).contains(&value) {
            let expected = if most == u64::MAX { "at least 1".into() } else { format!("1 to {most}") };
            return Err(Error::Setting { what, found: value.to_string(), expected });
        }
    }
    let outputs = if args.loss.domain() == TargetDomain::Class { 2 } else { 1 };
    let spec = args.parameter.tune(args.hidden.spec(2, outputs, args.activation, args.loss)?)?;
    let parameters = args.init.draw(&spec, args.seed)?;
    let device = args.device.open(args.json).await?.device;
    let explanation =
        explain_async(&device, &spec, &parameters, &rows(args.data, args.rows)?, args.lr, args.step).await?;
    if args.json { print_json(&explanation) } else { print(text(&explanation, &spec)) }?;
    match explanation.passed {
        true => Ok(()),
        false => Err(Error::CheckFailed(format!(
            "step {} of {} on {} differs from the f64 oracle by more than rounding can cause: do not train on this \
            device, and \
             report it",
            explanation.step, explanation.network, explanation.device
        ))),
    }
}

/// Reads the name of built-in data.
fn built_in(name: &str) -> Result<&'static BuiltIn> {
    BuiltIn::named(name).ok_or_else(|| Error::Setting {
        what: "DATA",
        found: format!("`{}`", shorten(name)),
        expected: help::built_in(),
    })
}

/// The rows of built-in data, which for moons are the article's but for their number.
fn rows(set: &BuiltIn, rows: usize) -> Result<Dataset> {
    let table = set.table(rows, set.noise, BuiltIn::SEED)?;
    let column =
        |name: &str| -> Result<Vec<f32>> { Ok(table.numbers(name)?.iter().map(|&value| value as f32).collect()) };
    let (x0, x1) = (column("x0")?, column("x1")?);
    let features = x0.into_iter().zip(x1).flat_map(|(x0, x1)| [x0, x1]).collect();
    Dataset::new(features, column(BuiltIn::TARGET)?, 2, 1)
}

fn text(explanation: &Explanation, spec: &MlpSpec) -> String {
    let Explanation { network, step, learning_rate, terms, quantities, predictions, .. } = explanation;
    let parameters = count(Layout::new(spec).len() as u64);
    let mut text = format!(
        "{network}; {parameters} parameters\nstep {step} of plain gradient descent, learning rate {learning_rate}, \
         m = {terms}; plan: plain, a dispatch for each operation\n"
    );
    let mut stage = None;
    for quantity in quantities {
        if stage.replace(quantity.stage) != Some(quantity.stage) {
            let _ = write!(text, "\n{}\n", title(quantity.stage));
        }
        let kernels = quantity.kernels.join(", ");
        let made = if kernels.is_empty() { String::new() } else { format!("   by {kernels}") };
        let shape = match &quantity.values[..] {
            [row] if row.len() == 1 => String::new(),
            rows => format!("  [{} x {}]", rows.len(), rows.first().map_or(0, Vec::len)),
        };
        let _ = write!(text, "\n{} = {}{shape}{made}\n{}", quantity.name, quantity.formula, matrix(&quantity.values));
        let is_last_output = quantity.name == format!("Z{}", spec.layers().len());
        if let Some(rows) = predictions.as_ref().filter(|_| is_last_output) {
            let shape = format!("[{} x {}]", rows.len(), spec.outputs());
            let _ = write!(
                text,
                "\nP: the predictions from these outputs  {shape}   on the host, to be read\n{}",
                matrix(rows)
            );
        }
    }
    text + "\n" + &verdict(explanation)
}

fn title(stage: Stage) -> &'static str {
    match stage {
        Stage::Given => "GIVEN",
        Stage::Forward => "FORWARD",
        Stage::Loss => "COST",
        Stage::Backward => "BACKWARD",
        Stage::Update => "UPDATE",
    }
}

/// Whether the numbers are right, in a line or two.
fn verdict(explanation: &Explanation) -> String {
    let made = || explanation.quantities.iter().filter(|quantity| quantity.stage != Stage::Given);
    let numbers: usize = made().flat_map(|quantity| &quantity.values).map(Vec::len).sum();
    // A NaN is the largest.
    let largest = |of: fn(&Quantity) -> f64| made().max_by(|a, b| of(a).total_cmp(&of(b)));
    let difference = largest(|quantity| quantity.difference);
    let nearest = largest(|quantity| quantity.fraction_of_limit);
    let (Some(difference), Some(nearest)) = (difference, nearest) else { return String::new() };
    format!(
        "check: {numbers} numbers of {} quantities beside the f64 oracle: largest difference {:.1e} ({}); at most {} \
        of \
         what rounding in f32 may do ({}): {}\n",
        made().count(),
        difference.difference,
        difference.name,
        significant(nearest.fraction_of_limit, 2),
        nearest.name,
        if explanation.passed { "passed" } else { "FAILED" },
    )
}

/// Rows of numbers under each other, with as many decimals as the largest has room for.
fn matrix(rows: &[Vec<f64>]) -> String {
    let largest = rows.iter().flatten().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    let exponent = if largest > 0.0 { largest.log10().floor() as i32 } else { 0 };
    let decimals = usize::try_from(DIGITS - 1 - exponent).ok().filter(|decimals| *decimals < 10);
    let cell = |value: &f64| match decimals {
        _ if *value == 0.0 => "0".into(),
        Some(decimals) => format!("{value:.decimals$}"),
        None => format!("{value:.*e}", DIGITS as usize - 1),
    };
    let cells = |row: &Vec<f64>| {
        let more = row.len().saturating_sub(PRINTED);
        let more = (more > 0).then(|| format!("… {more} more"));
        row.iter().take(PRINTED).map(cell).chain(more).collect::<Vec<_>>()
    };
    let mut table = Table::new(&[]);
    rows.iter().take(PRINTED).for_each(|row| table.row(cells(row)));
    let mut text: String = table.to_string().lines().skip(1).map(|line| format!("  {line}\n")).collect();
    if rows.len() > PRINTED {
        let _ = writeln!(text, "  … {} more rows; --json has all", rows.len() - PRINTED);
    }
    text
}
