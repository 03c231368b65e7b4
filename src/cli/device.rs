//! The flag that chooses a device.

use super::help;
use crate::backend::{OpenedDevice, Opening, open_all_async, open_nth_async, open_with_async};
use crate::error::Result;
use crate::math::Precision;

#[derive(Debug, clap::Args)]
pub struct DeviceArgs {
    /// Device: auto (a hardware GPU if there is one, else the CPU), gpu (any adapter, also a software one), cpu, or a
    /// number or part of a name from `mlp devices`
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    device: String,
    #[arg(long, default_value = "f32", value_name = "NAME", help = help::precisions())]
    precision: Precision,
}

impl DeviceArgs {
    fn opening(&self) -> Opening {
        Opening { precision: self.precision, ..Opening::default() }
    }

    /// Opens several devices, `all` or a list, and says which.
    pub async fn open_all(&self, quiet: bool) -> Result<Vec<OpenedDevice>> {
        let all = open_all_async(&self.device, self.opening()).await?;
        if !quiet {
            all.iter().for_each(|choice| eprintln!("device: {choice}"));
        }
        Ok(all)
    }

    /// Opens one rank's device, `n` of those that are named, and says which.
    pub async fn open_nth(&self, n: usize, quiet: bool) -> Result<OpenedDevice> {
        let choice = open_nth_async(&self.device, n, self.opening()).await?;
        if !quiet {
            eprintln!("device: {choice}");
        }
        Ok(choice)
    }

    /// Opens the device and says which and why on stderr.
    pub async fn open(&self, quiet: bool) -> Result<OpenedDevice> {
        let choice = open_with_async(&self.device, self.opening()).await?;
        if !quiet {
            eprintln!("device: {choice}");
        }
        Ok(choice)
    }
}
