//! Steps for a loss of the program's own, which takes the outputs and gives the gradient by them.

use super::trainer::{Own, Trainer, recipe_and_shape};
use super::{Batch, Replica, TrainConfig};
use crate::backend::{Backend as _, Device};
use crate::data::{Dataset, all_finite};
use crate::error::{Error, Result};
use crate::limits;
use crate::plan::{Given, PlanKind, Role, given};
use crate::spec::MlpSpec;

impl Trainer {
    /// [`without_data`](Self::without_data) for async programs.
    pub async fn without_data_async(
        device: &Device,
        spec: &MlpSpec,
        config: &TrainConfig,
        rows: usize,
    ) -> Result<Self> {
        config.check(spec)?;
        if let Some(kind) = config.plan.filter(|kind| *kind != PlanKind::Layered) {
            let expected = "layered, or none: the other plans take a step as a whole".into();
            return Err(Error::Setting { what: "the plan", found: kind.to_string(), expected });
        }
        if config.is_controlled() {
            let (found, expected) =
                ("early stopping or a plateau schedule".into(), "neither, since the loss is not known".into());
            return Err(Error::Setting { what: "the settings of the run", found, expected });
        }
        let config = TrainConfig { plan: Some(PlanKind::Layered), batch: Batch::Full, ..config.clone() };
        let zeros = |columns: usize| limits::filled("a batch", 0.0, rows.saturating_mul(columns));
        let (inputs, targets) = (spec.inputs(), spec.target_columns());
        let data = Dataset::new(zeros(inputs)?, zeros(targets)?, inputs, targets)?;
        let replicas = [Replica::new(config)];
        let (recipe, shape) = recipe_and_shape(spec, &replicas, &data, 0);
        let (plan, given) = given(spec, &recipe, shape)?;
        let backend = device.load(plan.in_tiles_for(device.target())).await?;
        let mut trainer = Self::with_backend(device, backend, spec, &replicas, &data, None)?;
        trainer.own = Some(Own { given, rows: None });
        Ok(trainer)
    }

    /// [`forward`](Self::forward) for async programs.
    pub async fn forward_async(&mut self, x: &[f32]) -> Result<Vec<f32>> {
        let rows = self.run_forward(x).await?;
        let mut outputs = self.backend.read(self.plan().output()?).await?;
        outputs.truncate(rows * self.spec.outputs());
        Ok(outputs)
    }

    /// [`backward`](Self::backward) for async programs.
    pub async fn backward_async(&mut self, gradient: &[f32]) -> Result<()> {
        self.run_backward(gradient, |given| given.backward).await.map(|_| ())
    }

    /// [`backward_to_inputs`](Self::backward_to_inputs) for async programs.
    pub async fn backward_to_inputs_async(&mut self, gradient: &[f32]) -> Result<Vec<f32>> {
        let rows = self.run_backward(gradient, |given| given.backward_to_inputs).await?;
        let mut inputs = self.read(Role::InputGradients).await?;
        inputs.truncate(rows * self.spec.inputs());
        Ok(inputs)
    }

    /// [`step_with_output_gradient`](Self::step_with_output_gradient) for async programs.
    pub async fn step_with_output_gradient_async(&mut self, x: &[f32], gradient: &[f32]) -> Result<()> {
        self.check_gradient(gradient, x.len() / self.spec.inputs())?;
        self.run_forward(x).await?;
        self.backward_async(gradient).await
    }

    /// Refuses what takes its rows from a data set, where there is none.
    pub(super) fn check_data_is_there(&self) -> Result<()> {
        match self.own {
            None => Ok(()),
            Some(_) => Err(Error::Setting {
                what: "the trainer",
                found: "without data".into(),
                expected: "a trainer made with data, or steps with a gradient by the outputs".into(),
            }),
        }
    }

    fn given(&self) -> Result<Given> {
        self.own.as_ref().map(|own| own.given).ok_or_else(|| Error::Setting {
            what: "the trainer",
            found: "made with data".into(),
            expected: "a trainer made by without_data, whose steps take a gradient by the outputs".into(),
        })
    }

    /// The rows of a batch; those that the plan has room for beyond them are 0, whose gradients are 0 too.
    async fn run_forward(&mut self, x: &[f32]) -> Result<usize> {
        let (given, inputs, most) = (self.given()?, self.spec.inputs(), self.batch);
        let rows = x.len() / inputs;
        if x.len() != rows * inputs || rows == 0 || rows > most {
            let expected = format!("1 to {most} rows of {inputs}");
            return Err(Error::Shape { what: "the batch of features".into(), found: x.len(), expected });
        }
        all_finite("a feature", x, inputs)?;
        let mut padded = limits::room("a batch", most * inputs)?;
        padded.extend_from_slice(x);
        padded.resize(most * inputs, 0.0);
        self.write(Role::Features, &padded)?;
        if self.next_step >= self.run.end {
            self.begin();
        }
        self.backend.submit(&[(given.forward, self.record(&self.members[0], self.next_step))])?;
        self.backend.collect().await?;
        if let Some(own) = &mut self.own {
            own.rows = Some(rows);
        }
        Ok(rows)
    }

    async fn run_backward(&mut self, gradient: &[f32], pass: impl Fn(&Given) -> usize) -> Result<usize> {
        let given = self.given()?;
        let Some(rows) = self.own.as_ref().and_then(|own| own.rows) else {
            let (found, expected) = ("called without a forward pass before it".into(), "forward first".into());
            return Err(Error::Setting { what: "the backward pass", found, expected });
        };
        self.check_gradient(gradient, rows)?;
        let mut padded = limits::room("a batch's gradient", self.batch * self.spec.outputs())?;
        padded.extend_from_slice(gradient);
        padded.resize(self.batch * self.spec.outputs(), 0.0);
        self.backend.write(given.gradient, &padded)?;
        // The same record as forward: the masks of dropout are drawn again.
        self.backend.submit(&[(pass(&given), self.record(&self.members[0], self.next_step))])?;
        self.backend.collect().await?;
        if let Some(own) = &mut self.own {
            own.rows = None;
        }
        self.next_step += 1;
        self.skip_validation();
        Ok(rows)
    }

    fn check_gradient(&self, gradient: &[f32], rows: usize) -> Result<()> {
        let (what, outputs) = ("the gradient by the outputs", self.spec.outputs());
        if gradient.len() != rows * outputs {
            let expected = format!("{rows} rows of {outputs}");
            return Err(Error::Shape { what: what.into(), found: gradient.len(), expected });
        }
        all_finite(what, gradient, outputs)
    }
}
