//! What is done while the engine trains without Python's lock: epochs are noted, signals are looked for, progress is told.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use wgpu_mlp::Event;
use wgpu_mlp::train::Epoch;

/// How often Python is asked and told. Its lock may be another thread's for some milliseconds.
const EVERY: Duration = Duration::from_millis(100);

/// What is called while a run goes on: for its progress, and for its epochs.
pub type Reports = (Option<Py<PyAny>>, Option<Py<PyAny>>);

/// What is told of an epoch: replica, epoch, loss, accuracy, and loss and accuracy of the rows for validation.
pub type Told = (usize, u64, f64, Option<f64>, Option<f64>, Option<f64>);

pub fn told(epoch: &Epoch) -> Told {
    let validation = epoch.validation;
    let accuracy = validation.and_then(|score| score.accuracy);
    (epoch.replica, epoch.epoch, epoch.loss, epoch.accuracy, validation.map(|score| score.loss), accuracy)
}

/// scikit-learn's rule for the end of a network's run: more than so many epochs in a row whose loss is not lower than the best by more
/// than this.
#[derive(Clone, Copy, Debug, FromPyObject)]
pub struct Convergence(f64, u64);

/// A network with that rule: its best loss, and the epochs since then.
struct Converging {
    rule: Convergence,
    best: f64,
    epochs: u64,
}

impl Converging {
    fn is_over(&mut self, loss: f64) -> bool {
        let Convergence(tol, patience) = self.rule;
        self.epochs = if loss > self.best - tol { self.epochs + 1 } else { 0 };
        self.best = self.best.min(loss);
        self.epochs > patience
    }
}

/// The receiver of a run's events.
pub struct Watch {
    /// Called ten times a second with the steps that are done, those of the whole run, and the loss; what it raises ends the run.
    on_progress: Option<Py<PyAny>>,
    /// Called with what is told of each epoch; the same.
    on_epoch: Option<Py<PyAny>>,
    /// The run ends after an epoch with a learning rate of at most this.
    least_rate: Option<f64>,
    converging: Vec<Converging>,
    /// Networks whose run is to end now.
    pub over: Vec<usize>,
    asked: Instant,
    raised: Option<PyErr>,
    /// All epochs that ended.
    pub epochs: Vec<Epoch>,
}

impl Watch {
    /// `reports` are what is called, for progress and for epochs.
    pub fn new((on_progress, on_epoch): Reports, least_rate: Option<f64>) -> Self {
        let (converging, over, epochs) = (Vec::new(), Vec::new(), Vec::new());
        Self { on_progress, on_epoch, least_rate, converging, over, asked: Instant::now(), raised: None, epochs }
    }

    /// With a rule for each network, by the loss of its training rows.
    pub fn until(self, rules: &[Convergence]) -> Self {
        let converging = rules.iter().map(|&rule| Converging { rule, best: f64::INFINITY, epochs: 0 });
        Self { converging: converging.collect(), ..self }
    }

    pub fn receive(&mut self, event: Event) -> ControlFlow<()> {
        match event {
            Event::Epoch(epoch) => {
                self.epochs.push(epoch);
                if let Some(on_epoch) = self.on_epoch.as_ref().filter(|_| self.raised.is_none()) {
                    self.raised = Python::attach(|py| on_epoch.call1(py, told(&epoch))).err();
                }
                if self.converging.get_mut(epoch.replica).is_some_and(|network| network.is_over(epoch.loss)) {
                    self.over.push(epoch.replica);
                }
                if self.least_rate.is_some_and(|least| epoch.learning_rate <= least) {
                    return ControlFlow::Break(());
                }
            }
            Event::Steps(progress) if self.asked.elapsed() >= EVERY || progress.step == progress.steps => {
                let (step, steps, loss) = (progress.step, progress.steps, progress.loss);
                let asked = Python::attach(|py| {
                    py.check_signals()?;
                    self.on_progress.as_ref().map(|report| report.call1(py, (step, steps, loss))).transpose()
                });
                self.asked = Instant::now();
                self.raised = self.raised.take().or(asked.err());
            }
            _ => {}
        }
        let goes_on = self.raised.is_none() && self.over.is_empty();
        if goes_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    /// Whether something was raised.
    pub fn has_failed(&self) -> bool {
        self.raised.is_some()
    }

    /// Whether the user ended the run; any other exception is raised.
    pub fn was_interrupted(&mut self, py: Python<'_>) -> PyResult<bool> {
        match self.raised.take() {
            Some(raised) if raised.is_instance_of::<PyKeyboardInterrupt>(py) => Ok(true),
            Some(raised) => Err(raised),
            None => Ok(false),
        }
    }
}
