//! `mlp gradcheck`: are the gradients right on this device?

use super::device::DeviceArgs;
use super::network::NetworkArgs;
use super::output::{print, print_json};
use super::{flag, help};
use crate::error::{Error, Result};
use crate::gradcheck::{DIFFERENCE_LIMIT, GradCheck, check_size_async, gradcheck_async, random_data};
use crate::params::{Init, Layout};
use crate::plan::PlanKind;
use crate::report::{Table, count, significant};
use crate::spec::MlpSpec;

/// Compare the device's gradients with an f64 oracle and with central differences
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    network: NetworkArgs,
    /// Number of rows of random data
    #[arg(long, default_value_t = 32, value_name = "N")]
    batch: usize,
    #[arg(long, default_value = "he", value_name = "NAME", help = help::inits("Initialisation of the parameters"))]
    init: Init,
    /// Seed of parameters, data and sample
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
    /// Number of parameters of each tensor to compare with central differences, drawn at random if the tensor has more
    #[arg(long, default_value_t = 256, value_name = "N")]
    differences: usize,
    #[arg(long, default_value = "auto", value_name = "NAME", help = help::plans())]
    plan: String,
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
    let spec = args.network.spec()?;
    let device = args.device.open(args.json).await?.device;
    let plan = PlanKind::choice(&args.plan)?;
    check_size_async(&device, &spec, args.batch, plan).await.map_err(flag("--batch"))?;
    let data = random_data(&spec, args.batch, args.seed)?;
    let mut parameters = args.init.draw(&spec, args.seed)?;
    move_off_kinks(&spec, &mut parameters);
    let verdict = gradcheck_async(&device, &spec, &parameters, &data, args.differences, args.seed, plan).await?;
    if args.json { print_json(&verdict) } else { print(text(&verdict)) }?;
    match verdict.passed {
        true => Ok(()),
        false => Err(Error::CheckFailed(failure(&verdict))),
    }
}

/// What is off, and whose fault it is.
fn failure(verdict: &GradCheck) -> String {
    let GradCheck { network, device, device_limit, max_device_error, max_difference_error, .. } = verdict;
    // Not `>`, which a NaN would pass.
    if !(max_device_error <= device_limit) {
        return format!(
            "the gradients of {network} on {device} have an error of {max_device_error:.1e} (limit \
            {device_limit:.0e}): \
             do not train on this device, and report it"
        );
    }
    format!(
        "the f64 gradients of {network} differ from central differences by {max_difference_error:.1e} (limit \
        {DIFFERENCE_LIMIT:.0e}): the network is at a kink or has a vanishing gradient; try another --seed or --init"
    )
}

/// A unit whose inputs are all 0 has z = bias: a bias of 0 puts it on relu's kink, where the loss has no slope
/// that could be compared. So such a bias becomes a small number.
fn move_off_kinks(spec: &MlpSpec, parameters: &mut [f32]) {
    let layout = Layout::new(spec);
    for layer in 0..spec.layers().len() {
        let bias = &mut parameters[layout.bias(layer).range.clone()];
        bias.iter_mut().filter(|value| **value == 0.0).for_each(|value| *value = 0.05);
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
        format!("{:.1e}", verdict.device_limit),
        format!("{DIFFERENCE_LIMIT:.1e}"),
    ]);
    let [device, oracle] = verdict.loss.map(|loss| significant(loss, 8));
    let verdict_word = if verdict.passed { "passed" } else { "FAILED" };
    format!(
        "{} on {}\nloss {device} on the device, {oracle} in f64\n\n{table}\n{verdict_word}\n",
        verdict.network, verdict.device
    )
}
