//! `mlp gradcheck`: are the gradients right on this device?

use super::device::DeviceArgs;
use super::output::{print, print_json};
use crate::error::{Error, Result};
use crate::gradcheck::{DEVICE_LIMIT, DIFFERENCE_LIMIT, GradCheck, gradcheck, random_data};
use crate::math::{Activation, Loss};
use crate::params::Init;
use crate::report::{Table, count};
use crate::spec::MlpSpec;

/// Compare the device's gradients with an f64 oracle and with central differences
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Number of features
    #[arg(long, default_value_t = 2, value_name = "N")]
    inputs: usize,
    /// Widths of the hidden layers
    #[arg(long, default_value = "25,50,50,25", value_delimiter = ',', value_name = "N,N,…")]
    hidden: Vec<usize>,
    /// Number of outputs
    #[arg(long, default_value_t = 1, value_name = "N")]
    outputs: usize,
    /// Activation of the hidden layers: identity, relu, sigmoid
    #[arg(long, default_value = "relu", value_name = "NAME")]
    activation: Activation,
    /// binary_cross_entropy or mean_squared_error
    #[arg(long, default_value = "binary_cross_entropy", value_name = "NAME")]
    loss: Loss,
    /// Rows of random data
    #[arg(long, default_value_t = 32, value_name = "N")]
    batch: usize,
    /// First parameters: article, he or xavier
    #[arg(long, default_value = "he", value_name = "NAME")]
    init: Init,
    /// Seed of parameters, data and sample
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
    /// Parameters of each tensor that are compared with central differences, drawn at random where it has more
    #[arg(long, default_value_t = 256, value_name = "N")]
    differences: usize,
    #[command(flatten)]
    device: DeviceArgs,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub async fn run(args: Args) -> Result<()> {
    if args.differences == 0 {
        return Err(Error::Setting { what: "--differences", found: "0".into(), expected: "at least 1".into() });
    }
    let widths: Vec<usize> = [args.inputs].into_iter().chain(args.hidden).chain([args.outputs]).collect();
    let spec = MlpSpec::new(&widths, args.activation, args.loss)?;
    let data = random_data(&spec, args.batch, args.seed)?;
    let device = args.device.open(args.json).await?.device;
    let parameters = args.init.draw(&spec, args.seed)?;
    let verdict = gradcheck(&device, &spec, &parameters, &data, args.differences, args.seed).await?;
    if args.json { print_json(&verdict) } else { print(text(&verdict)) }?;
    match verdict.passed {
        true => Ok(()),
        false => Err(Error::CheckFailed(format!(
            "the gradients of {} on {} are off: largest relative error {:.2e} against f64 (limit {DEVICE_LIMIT:.0e}), \
             {:.2e} against central differences (limit {DIFFERENCE_LIMIT:.0e}); do not train on this device, and report it",
            verdict.network, verdict.device, verdict.max_device_error, verdict.max_difference_error
        ))),
    }
}

fn text(verdict: &GradCheck) -> String {
    let mut table =
        Table::new(&["tensor", "elements", "norm", "device / f64", "f64 / differences", "checked", "skipped"]);
    for tensor in &verdict.tensors {
        table.row(vec![
            tensor.name.clone(),
            count(tensor.elements as u64),
            format!("{:.3e}", tensor.norm),
            format!("{:.1e}", tensor.device_error),
            format!("{:.1e}", tensor.difference_error),
            count(tensor.checked as u64),
            count(tensor.skipped as u64),
        ]);
    }
    table.row(vec![
        "limit".into(),
        String::new(),
        String::new(),
        format!("{DEVICE_LIMIT:.1e}"),
        format!("{DIFFERENCE_LIMIT:.1e}"),
    ]);
    let [device, oracle] = verdict.loss;
    let verdict_word = if verdict.passed { "passed" } else { "FAILED" };
    format!(
        "{} on {}\nloss {device:.8} on the device, {oracle:.8} in f64\n\n{table}\n{verdict_word}\n",
        verdict.network, verdict.device
    )
}
