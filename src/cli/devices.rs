//! `mlp devices`: what there is to run on.

use serde::Serialize;

use super::output::{print, print_json};
use crate::backend::gpu::adapters_async;
use crate::backend::{AdapterSummary, CpuDevice};
use crate::error::Result;
use crate::report::{Table, count};

/// List the devices for --device
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Devices {
    adapters: Vec<AdapterSummary>,
    cpu: String,
    auto: String,
}

pub async fn run(args: &Args) -> Result<()> {
    let adapters = adapters_async().await?;
    let cpu = CpuDevice::new(0)?.name().to_string();
    let auto = match adapters.iter().position(AdapterSummary::is_hardware) {
        Some(index) => index.to_string(),
        None => "cpu".to_string(),
    };
    if args.json {
        return print_json(&Devices { adapters, cpu, auto });
    }
    let mut table = Table::new(&["device", "name", "interface", "kind", "driver", "largest buffer", "matrix units"]);
    for (index, adapter) in adapters.iter().enumerate() {
        let AdapterSummary { name, backend, kind, driver, max_buffer_bytes, matrix_units, .. } = adapter;
        let largest = format!("{} MiB", count(max_buffer_bytes >> 20));
        let units = matrix_units.map_or("-".to_string(), |size| format!("f16 {size}x{size}"));
        table.row([&index.to_string(), name, *backend, *kind, driver, &largest, &units].map(str::to_string).to_vec());
    }
    table.row(["cpu", cpu.as_str(), "-", "processor", "-", "-", "-"].map(str::to_string).to_vec());
    let hint = if adapters.is_empty() {
        "\nno GPU adapter: install the GPU's driver, or Mesa's software Vulkan\n"
    } else {
        ""
    };
    print(format!("{table}\n--device auto takes {auto}\n{hint}"))
}
