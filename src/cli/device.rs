//! The flag that chooses a device.

use crate::backend::{OpenedDevice, open_all_async, open_async, open_nth_async};
use crate::error::Result;

#[derive(Debug, clap::Args)]
pub struct DeviceArgs {
    /// Device: auto (a hardware GPU if there is one, else the CPU), gpu (any adapter, also a software one), cpu, or a
    /// number or part of a name from `mlp devices`
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    device: String,
}

impl DeviceArgs {
    /// Opens several devices, `all` or a list, and says which.
    pub async fn open_all(&self, quiet: bool) -> Result<Vec<OpenedDevice>> {
        let all = open_all_async(&self.device).await?;
        if !quiet {
            all.iter().for_each(|choice| eprintln!("device: {choice}"));
        }
        Ok(all)
    }

    /// Opens one rank's device, `n` of those that are named, and says which.
    pub async fn open_nth(&self, n: usize, quiet: bool) -> Result<OpenedDevice> {
        let choice = open_nth_async(&self.device, n).await?;
        if !quiet {
            eprintln!("device: {choice}");
        }
        Ok(choice)
    }

    /// Opens the device and says which and why on stderr.
    pub async fn open(&self, quiet: bool) -> Result<OpenedDevice> {
        let choice = open_async(&self.device).await?;
        if !quiet {
            eprintln!("device: {choice}");
        }
        Ok(choice)
    }
}
