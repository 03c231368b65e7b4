//! `mlp bench`: how fast a network trains and runs here.

use std::path::PathBuf;

use super::network::NetworkArgs;
use super::output::{print, print_json};
use super::{flag, help};
use crate::backend::{CpuDevice, Device, Opening, open_with_async};
use crate::bench::{BenchReport, Case, Options, Work, measure_async, peaks_async, step_flops};
use crate::error::{Error, Result};
use crate::files::AtomicFile;
use crate::gradcheck::check_size_async;
use crate::math::{Optimizer, Precision};
use crate::plan::{PlanKind, forward};
use crate::report::{bench_text, count, plot_throughput};
use crate::spec::MlpSpec;

/// Batch sizes that are measured where none are named.
const BATCHES: [usize; 5] = [32, 256, 2048, 16_384, 65_536];
/// Arithmetic of a training step that is not measured unasked: it would take a processor seconds, in f64 too.
const MOST_FLOPS: u64 = 100_000_000_000;
/// Most seconds of a measurement.
const MOST_SECONDS: f64 = 3600.0;

/// Measure how fast a network trains and predicts, compared with the peak of the device
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    network: NetworkArgs,
    /// Batch sizes [default: 32,256,2048,16384,65536 without those whose step is too large]
    #[arg(long, value_delimiter = ',', value_name = "N,N,…")]
    batch: Vec<usize>,
    /// Device to measure, named as for `train`; may be given several times [default: the CPU, and a hardware GPU if
    /// there is one]
    #[arg(long, value_name = "DEVICE")]
    device: Vec<String>,
    #[arg(long, default_value = "f32", value_name = "NAME", help = help::precisions())]
    precision: Precision,
    #[arg(long, default_value = "auto", value_name = "PLAN", help = help::plans())]
    plan: String,
    #[arg(long, default_value = "sgd", value_name = "NAME", help = help::optimizers("Optimiser of a training step"))]
    optimizer: String,
    /// Time for each measurement, in seconds
    #[arg(long, default_value_t = 0.3, value_name = "F")]
    seconds: f64,
    /// Also time each kernel, by the GPU's timestamps
    #[arg(long)]
    profile: bool,
    /// Draw samples per second over the batch size to this file
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// Seed of parameters and data
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub async fn run(args: Args) -> Result<()> {
    let spec = args.network.spec()?;
    if !(args.seconds > 0.0 && args.seconds <= MOST_SECONDS) {
        let expected = format!("more than 0 and at most {MOST_SECONDS}");
        return Err(Error::Setting { what: "--seconds", found: args.seconds.to_string(), expected });
    }
    let plan = PlanKind::choice(&args.plan)?;
    let optimizer = Optimizer::named(&args.optimizer, 1e-3)?;
    let options = Options { seconds: args.seconds, profile: args.profile, plan, optimizer };
    let batches = batches(&args, &spec)?;
    let picture = args.plot.as_ref().map(|path| AtomicFile::create("write the picture", path)).transpose()?;
    let devices = devices(&args).await?;

    // The largest that was asked for has to fit, before the others take their time.
    if let Some(&largest) = batches.last().filter(|_| !args.batch.is_empty()) {
        for device in &devices {
            check_size_async(device, &spec, largest, plan).await.map_err(flag("--batch"))?;
            device.load(forward(&spec, largest, 1, device.target())?).await.map_err(flag("--batch"))?;
        }
    }
    let cpu = CpuDevice::new(0)?;
    let mut report = BenchReport::new(&spec);
    for device in &devices {
        report.push(device, peaks_async(device, args.seconds).await?);
    }
    for &batch in &batches {
        args.say(&format!("batch {}", count(batch as u64)));
        let Some(case) = args.fitting(batch, Case::new_async(&cpu, &spec, batch, args.seed).await)? else { break };
        for (device, found) in devices.iter().zip(&mut report.devices) {
            for work in Work::ALL {
                let measured = measure_async(device, &found.peaks, &case, work, options).await;
                found.measurements.extend(args.fitting(batch, measured)?);
            }
        }
    }
    report.compare();
    if let Some(picture) = picture {
        picture.replace(plot_throughput(&report)?.as_bytes())?;
    }
    if args.json { print_json(&report) } else { print(bench_text(&report)) }
}

impl Args {
    /// Progress, on stderr.
    fn say(&self, line: &str) {
        if !self.json {
            eprintln!("{line}");
        }
    }

    /// A batch that was not asked for and does not fit is left out, and it is said; the smallest has to fit.
    fn fitting<T>(&self, batch: usize, result: Result<T>) -> Result<Option<T>> {
        match result {
            Err(error @ Error::TooLarge { .. }) if self.batch.is_empty() && batch > BATCHES[0] => {
                eprintln!("batch {} left out: {error}", count(batch as u64));
                Ok(None)
            }
            other => other.map(Some).map_err(flag("--batch")),
        }
    }
}

/// In rising order.
fn batches(args: &Args, spec: &MlpSpec) -> Result<Vec<usize>> {
    if args.batch.contains(&0) {
        return Err(Error::Setting { what: "--batch", found: "0".into(), expected: "at least 1".into() });
    }
    if args.batch.is_empty() {
        let flops = |batch: usize| step_flops(spec, batch, Work::Train);
        let (few, many): (Vec<_>, Vec<_>) =
            BATCHES.into_iter().partition(|&batch| batch == BATCHES[0] || flops(batch) <= MOST_FLOPS);
        for batch in many {
            let gflop = count(flops(batch) / 1_000_000_000);
            args.say(&format!(
                "batch {0} left out: a step of {gflop} GFLOP; --batch {batch} asks for it",
                count(batch as u64)
            ));
        }
        return Ok(few);
    }
    let mut batches = args.batch.clone();
    batches.sort_unstable();
    batches.dedup();
    Ok(batches)
}

async fn devices(args: &Args) -> Result<Vec<Device>> {
    let default = args.device.is_empty();
    let wanted: Vec<_> = if default && args.precision != Precision::F32 {
        vec!["auto"]
    } else if default {
        vec!["cpu", "auto"]
    } else {
        args.device.iter().map(String::as_str).collect()
    };
    let opening = Opening { timed: args.profile, precision: args.precision };
    let mut devices = Vec::new();
    for name in wanted {
        let choice = open_with_async(name, opening).await?;
        if default && name == "auto" && matches!(choice.device, Device::Cpu(_)) {
            args.say(&format!("no GPU was measured: {}", choice.reason));
            continue;
        }
        args.say(&format!("device: {choice}"));
        if args.profile && !choice.device.has_timestamps() {
            eprintln!("no times of kernels from {}: it has no timestamp queries", choice.device.name());
        }
        devices.push(choice.device);
    }
    Ok(devices)
}
