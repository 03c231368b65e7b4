//! What a sweep trains on: the devices of this process, or those of all ranks, one each.

use std::ops::ControlFlow;

use super::Args;
use super::plan::Plan;
use crate::backend::Device;
use crate::cli::interrupt::Interrupt;
use crate::error::Result;
use crate::ranks::{Meeting, Ranks};
use crate::sweep::{FoldedTable, Identity, OverRanks, Record, Spread, Sweep, SweepEvent};

/// Devices that share the trials.
pub struct Team {
    /// This process's, at least one.
    devices: Vec<Device>,
    ranks: Option<Ranks>,
    /// Of all ranks.
    names: Vec<String>,
}

impl Team {
    /// Opens this process's devices. Ranks make sure that all have the same sweep.
    pub async fn open(ranks: Option<&Ranks>, plan: &Plan, args: &Args, data: &FoldedTable) -> Result<Self> {
        let flags = plan.base.device();
        let Some(ranks) = ranks else {
            let devices: Vec<_> = flags.open_all(args.quiet).await?.into_iter().map(|opened| opened.device).collect();
            let names = devices.iter().map(Device::name).collect();
            return Ok(Self { devices, ranks: None, names });
        };
        let settings = Identity::new(plan.identity(args, data)).checksum();
        let items = [("data", data.checksum().into()), ("settings", settings.into())];
        ranks.agree(Meeting::Agreement, &items)?;
        let device = ranks.or_tell(Meeting::Agreement, flags.open_nth(ranks.rank(), args.quiet).await)?.device;
        let names = ranks.meet(Meeting::Agreement, Ok(device.name().into_bytes()))?;
        let names: Vec<_> = names.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        if !args.quiet {
            eprintln!("ranks: {}, which share each group of trials: {}", ranks.size(), names.join(", "));
        }
        Ok(Self { devices: vec![device], ranks: Some(ranks.clone()), names })
    }

    /// The device that trains what one alone trains.
    pub fn device(&self) -> &Device {
        &self.devices[0]
    }

    /// What trained, each device once with its number.
    pub fn names(&self) -> String {
        self.names.join(", ")
    }

    /// Runs the sweep; whether it came to its end.
    pub fn run(
        &self,
        sweep: &Sweep<'_>,
        data: &FoldedTable,
        known: &[Record],
        on_event: impl FnMut(SweepEvent<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<bool> {
        match &self.ranks {
            None => sweep.run(&mut Spread::new(&self.devices, data), known, on_event),
            Some(ranks) => {
                let mut all = OverRanks::new(ranks, self.device(), data);
                let ended = sweep.run(&mut all, known, on_event);
                all.dismiss(ended)
            }
        }
    }

    /// Trains what rank 0 says.
    pub fn follow(&self, sweep: &Sweep<'_>, data: &FoldedTable, interrupt: &Interrupt) -> Result<()> {
        let pass_on = || {
            let _ = interrupt.heard();
        };
        self.ranks.iter().try_for_each(|ranks| OverRanks::new(ranks, self.device(), data).follow(sweep, pass_on))
    }
}
