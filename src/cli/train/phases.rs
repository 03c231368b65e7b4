//! Where the time of a run goes.

use std::time::Instant;

use serde::Serialize;

/// Seconds of each phase.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Phases {
    /// From the file to columns.
    pub read: f64,
    /// The split, the encoder's fit, and the matrices that the network sees.
    pub encode: f64,
    /// The plan and its buffers on the device, data and first parameters among them.
    pub upload: f64,
    pub train: f64,
    /// Figures of every part of the data.
    pub evaluate: f64,
    /// The model's file.
    pub save: f64,
    /// The constant prediction and the linear model.
    pub baseline: f64,
}

/// A clock that is read at the end of each phase.
#[derive(Debug)]
pub struct Lap(Instant);

impl Lap {
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Seconds since the start or the last call.
    pub fn end(&mut self) -> f64 {
        let now = Instant::now();
        let seconds = (now - self.0).as_secs_f64();
        self.0 = now;
        seconds
    }
}
