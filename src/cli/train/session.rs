//! A run on its device, which may be lost: then the device is opened anew, once, and the run goes on from the last copy of its state
//! on the host.

use std::time::{Duration, Instant};

use crate::backend::Device;
use crate::cli::device::DeviceArgs;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::pipeline::Splits;
use crate::spec::MlpSpec;
use crate::train::{TrainConfig, TrainState, Trainer};

/// How old a copy may become where the device is hardware.
const AGE: Duration = Duration::from_secs(30);

/// What a run needs to be set up once more.
#[derive(Clone, Copy)]
pub struct Setup<'a> {
    pub device: &'a DeviceArgs,
    pub spec: &'a MlpSpec,
    pub config: &'a TrainConfig,
    pub data: &'a Splits<Dataset>,
    pub quiet: bool,
}

/// A device with a run on it.
pub struct Session<'a> {
    setup: Setup<'a>,
    pub device: Device,
    pub trainer: Trainer,
    copy: Option<TrainState>,
    copied: Instant,
    reopened: bool,
}

impl<'a> Session<'a> {
    /// Opens the device and loads the run on it; the parameters are still to be set.
    pub async fn open(setup: Setup<'a>) -> Result<Self> {
        let device = setup.device.open(setup.quiet).await?.device;
        Self::on(setup, device).await
    }

    async fn on(setup: Setup<'a>, device: Device) -> Result<Self> {
        let Setup { spec, config, data, .. } = setup;
        let trainer =
            Trainer::with_validation_async(&device, spec, config, &data.train, data.validation.as_ref()).await?;
        Ok(Self { setup, device, trainer, copy: None, copied: Instant::now(), reopened: false })
    }

    /// Tells when it is time for another copy.
    pub fn clock(&self) -> impl Fn() -> bool + use<> {
        let is_hardware = matches!(&self.device, Device::Gpu(gpu) if gpu.summary().is_hardware());
        let copied = self.copied;
        move || is_hardware && copied.elapsed() >= AGE
    }

    /// Whether there is a copy of the state on the host.
    pub fn has_copy(&self) -> bool {
        self.copy.is_some()
    }

    /// Copies the state to the host.
    pub async fn copy(&mut self) -> Result<&TrainState> {
        let state = self.trainer.state_async().await?;
        self.copied = Instant::now();
        Ok(self.copy.insert(state))
    }

    /// The same where the device can be lost.
    pub async fn secure(&mut self) -> Result<()> {
        if let Device::Gpu(_) = self.device {
            self.copy().await?;
        }
        Ok(())
    }

    /// The best parameters where early stopping knows them, else those of now.
    pub async fn parameters(&mut self) -> Result<Vec<f32>> {
        match self.trainer.best_parameters_async().await? {
            Some(best) => Ok(best),
            None => self.trainer.parameters_async().await,
        }
    }

    /// Opens the device anew after `lost`, and takes up the last copy. A second loss is an error, as is one without a copy.
    pub async fn reopen(&mut self, lost: Error) -> Result<()> {
        let Some(copy) = self.copy.take().filter(|_| !self.reopened) else { return Err(lost) };
        let lost = match &lost {
            Error::DeviceLost { device, problem } => format!("{device}: {problem}"),
            other => other.to_string(),
        };
        eprintln!("note: the device was lost, {lost}");
        let mut next = Self::open(self.setup).await?;
        next.trainer.restore_async(&copy).await?;
        eprintln!(
            "note: the device was opened again, and the run continues from the end of epoch {}",
            next.trainer.epochs()
        );
        *self = Self { copy: Some(copy), reopened: true, ..next };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;
    use std::time::Duration;

    use super::*;
    use crate::cli::interrupt::Interrupt;
    use crate::cli::train::fit::fit;
    use crate::cli::train::keeping::{Contents, Keeping};
    use crate::cli::train::saves::SaveArgs;
    use crate::folder::RunName;
    use crate::math::{Activation, Loss, Optimizer};
    use crate::params::Init;
    use crate::train::{Batch, Event};

    /// A run whose device is lost before its first step, or in its middle, ends with the bytes of an unbroken one.
    #[test]
    fn a_lost_device_is_opened_anew_once() {
        let spec = MlpSpec::new(&[2, 5, 1], Activation::Tanh, Loss::MeanSquaredError).unwrap();
        let value = |i: u16| f32::from(i % 7) / 7.0 - 0.5;
        let train = Dataset::new((0..64).map(value).collect(), (0..32).map(value).collect(), 2, 1).unwrap();
        let data = Splits { train, validation: None, test: None };
        let config = TrainConfig::new(9, Batch::Rows(8), Optimizer::named("adam", 0.01).unwrap());
        let device = DeviceArgs::named("gpu");
        let setup = Setup { device: &device, spec: &spec, config: &config, data: &data, quiet: true };
        let first = Init::He.draw(&spec, 1).unwrap();
        pollster::block_on(async {
            let mut unbroken = Session::open(setup).await.unwrap();
            unbroken.trainer.set_parameters(&first).unwrap();
            unbroken.trainer.fit_async().await.unwrap();
            let expected = unbroken.parameters().await.unwrap();
            for epochs in [0, 4] {
                let mut session = Session::open(setup).await.unwrap();
                session.trainer.set_parameters(&first).unwrap();
                if epochs > 0 {
                    session.trainer.pause_every(Some(epochs));
                    let until = |event| match event {
                        Event::Epoch(epoch) if epoch.epoch == epochs => ControlFlow::Break(()),
                        _ => ControlFlow::Continue(()),
                    };
                    session.trainer.fit_with_async(until).await.unwrap();
                    assert_eq!(session.trainer.epochs(), epochs);
                    session.trainer.pause_every(None);
                }
                session.secure().await.unwrap();
                let Device::Gpu(gpu) = &session.device else { panic!("no GPU") };
                gpu.destroy();
                let resume = (epochs > 0).then(|| "a checkpoint".into());
                let saves = SaveArgs { checkpoint_every: None, keep: 3, resume };
                let contents = Contents { settings: "", model: &|_, _| panic!("nothing is kept"), test: None };
                let mut keeping = Keeping::begin(None, contents, RunName::new(0, 9), None).unwrap();
                let interrupt = Interrupt::default();
                let fitted = fit(&mut session, &mut keeping, &saves, &interrupt, Duration::ZERO, true).await.unwrap();
                assert!(fitted.outcome.is_ok());
                assert_eq!(fitted.parameters, expected, "after {epochs} epochs");
                // A second time it is an error.
                let Device::Gpu(gpu) = &session.device else { panic!("no GPU") };
                gpu.destroy();
                let lost = session.parameters().await.unwrap_err();
                assert!(session.reopen(lost).await.unwrap_err().is_device_lost());
            }
        });
    }
}
