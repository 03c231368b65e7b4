//! The peers in Rust, each behind a feature; a program in `bin/` for each.

#[cfg(any(feature = "burn-flex", feature = "burn-wgpu"))]
pub mod with_burn;
#[cfg(feature = "candle")]
pub mod with_candle;
#[path = "../../work.rs"]
pub mod work;

use std::path::PathBuf;
use std::process::exit;

use serde_json::{Value, json};
use work::{Arrays, Result, Run, Work, option};

/// Exit code of a program that cannot run here, as in `workload.py`.
const SKIP: i32 = 3;

/// Ends a program that cannot run here.
pub fn skip(reason: &str) -> ! {
    eprintln!("{reason}");
    exit(SKIP)
}

/// Whether `--device` asks for a GPU.
pub fn on_gpu() -> bool {
    option("--device").as_deref() == Some("gpu")
}

/// Runs the cases of `--cases FOLDER`. `library` is the name of its package, `device` None for the processor.
pub fn main(
    peer: &str,
    library: &str,
    device: Option<String>,
    start: impl FnMut(&Work, Arrays) -> Result<Box<dyn Run>>,
) -> Result<()> {
    let folder = PathBuf::from(option("--cases").ok_or("--cases FOLDER is missing: run.py makes one")?);
    let threads = std::thread::available_parallelism()?.get();
    let head: Value = json!({
        "peer": peer, "version": version(library), "threads": device.is_none().then_some(threads),
        "device": device.unwrap_or(format!("CPU, {threads} threads")),
    });
    work::main(&folder, &head, start)
}

/// The library's version that Cargo.lock names.
fn version(library: &str) -> Option<&'static str> {
    let lock = include_str!("../Cargo.lock");
    let (_, behind) = lock.split_once(&format!("name = \"{library}\"\nversion = \""))?;
    behind.split_once('"').map(|(version, _)| version)
}
